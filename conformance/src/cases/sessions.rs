//! Section 5: signing in, staying signed in, signing out.

use i9chat_spec::{CloseCode, ErrorCode};

use crate::{cases, verdict::Verdict, world::World};

cases! { Core:
    ending_a_session_closes_its_connections_and_refuses_its_tokens ["SES-9", "SES-10", "CAL-3"],
}

async fn ending_a_session_closes_its_connections_and_refuses_its_tokens(world: &World) -> Verdict {
    let alice = world.user().await?;
    let phone = alice.signs_in_again().await?;
    let mut socket = phone.connects().await?;
    alice.delete(format!("/v1/sessions/{}", phone.session_id)).send().await?.succeeded_without_body()?;
    phone.get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    socket.closed_with(CloseCode::SessionEnded).await?;
    phone.handshake().refused_with(CloseCode::SessionEnded).await?;
    let refresh = serde_json::json!({ "refresh_token": phone.refresh_token });
    phone
        .anonymous()
        .post("/v1/sessions/refresh", &refresh)
        .send()
        .await?
        .refused_with(ErrorCode::RefreshTokenInvalid)?;
    // The other session goes on.
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}
