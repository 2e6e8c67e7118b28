//! Ending a session, one's own or another one of the same user. (SES-9, SES-10)

use i9chat_spec::{CloseCode, ErrorCode};
use serde_json::json;

use crate::{
    cases,
    client::Frame,
    expect::{check, expect, list_at},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Core:
    a_session_is_ended_by_its_id_or_as_the_current_one ["SES-9"],
    a_session_that_is_not_open_cannot_be_ended ["SES-9"],
    ending_a_session_refuses_its_tokens_everywhere ["SES-10", "CAL-3", "WSK-2"],
    ending_a_session_closes_its_connections ["SES-10", "WSK-13"],
    the_users_other_sessions_hear_of_the_end ["SES-10"],
}

async fn a_session_is_ended_by_its_id_or_as_the_current_one(world: &World) -> Verdict {
    let alice = world.user().await?;
    let [phone, laptop] = [alice.signs_in_again().await?, alice.signs_in_again().await?];
    alice.delete(format!("/v1/sessions/{}", phone.session_id)).send().await?.succeeded_without_body()?;
    laptop.delete("/v1/sessions/current").send().await?.succeeded_without_body()?;
    let sessions = alice.get("/v1/sessions").send().await?.succeeded(200)?;
    let left: Vec<_> = list_at(&sessions, "items")?.iter().map(|session| &session["session_id"]).collect();
    expect(left).to_equal([&alice.session_id])
}

async fn a_session_that_is_not_open_cannot_be_ended(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let end = |id: &str| alice.delete(format!("/v1/sessions/{id}"));
    end(&phone.session_id).send().await?.succeeded_without_body()?;
    end(&phone.session_id).send().await?.refused_with(ErrorCode::SessionNotFound)?;
    end(&bob.session_id).send().await?.refused_with(ErrorCode::SessionNotFound)?;
    end(&alice.user_id).send().await?.refused_with(ErrorCode::SessionNotFound)?;
    bob.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn ending_a_session_refuses_its_tokens_everywhere(world: &World) -> Verdict {
    let alice = world.user().await?;
    let phone = alice.signs_in_again().await?;
    phone.get("/v1/me").send().await?.succeeded(200)?;
    alice.delete(format!("/v1/sessions/{}", phone.session_id)).send().await?.succeeded_without_body()?;
    let name = &alice.username;
    for (method, path) in [
        ("GET", "/v1/me"),
        ("GET", "/v1/sessions"),
        ("GET", &format!("/v1/users/{name}")),
        ("DELETE", "/v1/sessions/current"),
    ] {
        phone.request(method, path).send().await?.refused_with(ErrorCode::SessionEnded)?;
    }
    phone.handshake().refused_with(CloseCode::SessionEnded).await?;
    let body = json!({ "refresh_token": phone.refresh_token });
    phone.anonymous().post("/v1/sessions/refresh", &body).send().await?.refused_with(ErrorCode::RefreshTokenInvalid)?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn ending_a_session_closes_its_connections(world: &World) -> Verdict {
    let alice = world.user().await?;
    let phone = alice.signs_in_again().await?;
    let mut tabs = [phone.connects().await?, phone.connects().await?];
    alice.delete(format!("/v1/sessions/{}", phone.session_id)).send().await?.succeeded_without_body()?;
    // Another change for the same user, after the end was acknowledged: no word of it may reach the ended session.
    let later = alice.signs_in_again().await?;
    later.signs_out().await?;
    for tab in &mut tabs {
        tab.closed_with(CloseCode::SessionEnded).await?;
        let heard_later = tab.events().iter().any(|event| event["data"]["session_id"] == later.session_id.as_str());
        check(!heard_later, || ("no event after the end", "the end of a later session"))?;
    }
    Ok(())
}

async fn the_users_other_sessions_hear_of_the_end(world: &World) -> Verdict {
    let alice = world.user().await?;
    let phone = alice.signs_in_again().await?;
    let mut socket = alice.connects().await?;
    alice.delete(format!("/v1/sessions/{}", phone.session_id)).send().await?.succeeded_without_body()?;
    let event = socket.event("session_ended").await?;
    expect(&event["data"]).to_equal(json!({ "session_id": phone.session_id }))?;
    // It is said once, and the connection goes on.
    let events = alice.has_caught_up(&mut socket).await?;
    expect(events.len()).to_equal(1)?;
    socket.pings(b"still here").await?;
    match socket.next().await? {
        Frame::Pong(_) => Ok(()),
        other => Err(Stop::failed("an answer to a ping", other.to_string())),
    }
}
