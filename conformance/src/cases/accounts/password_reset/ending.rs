//! A new password ends every session. (ACC-17)

use std::collections::BTreeSet;

use futures_util::try_join;
use i9chat_spec::{CloseCode, ErrorCode, Profile};
use serde_json::json;

use super::{Forgetful, new_password, signs_in_with};
use crate::{
    cases,
    client::Credentials,
    expect::{check, expect, list_at, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::World,
};

cases! { Core:
    a_new_password_ends_every_session ["ACC-17", "SES-10"],
    a_new_password_closes_every_connection ["ACC-17", "SES-10", "WSK-13"],
    a_session_opened_during_a_reset_ends_too ["ACC-17"],
    a_sign_in_that_races_with_a_reset_opens_nothing_that_lasts ["ACC-17"],
    the_same_password_again_ends_the_sessions_as_well ["ACC-17"],
    a_reset_that_is_not_finished_changes_nothing ["ACC-17", "ERR-5"],
}

async fn a_new_password_ends_every_session(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let mut body = alice.sign_in_body();
    body["cookie"] = json!(true);
    let by_cookie = world.visitor().post("/v1/sessions", &body).send().await?;
    let in_browser = by_cookie.succeeded(201).in_setup("signing in by cookie")?;
    let secret = by_cookie
        .headers_named("set-cookie")
        .find_map(|cookie| cookie.strip_prefix("i9chat_session=")?.split(';').next())
        .ok_or_else(|| Stop::Inconclusive("signing in by cookie set none".to_owned()))?;
    let browser = world.visitor().with_credentials(Credentials::Cookie(secret.to_owned()));
    browser.get("/v1/me").send().await?.succeeded(200)?;
    let cursor = text_at(&bob.connects().await?.hello, "cursor")?;

    let password = new_password(world);
    Forgetful::new(world, &alice.email).resets_to(&password).await?;
    for session in [&*alice, &*phone, &browser] {
        session.get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
        session.handshake().origin(session.origin().as_header()).refused_with(CloseCode::SessionEnded).await?;
    }
    for session in [&alice, &phone] {
        let refresh = json!({ "refresh_token": session.refresh_token });
        let answer = session.anonymous().post("/v1/sessions/refresh", &refresh).send().await?;
        answer.refused_with(ErrorCode::RefreshTokenInvalid)?;
    }
    signs_in_with(&alice, &alice.password).await?.refused_with(ErrorCode::WrongCredentials)?;
    let session = signs_in_with(&alice, &password).await?.succeeded(201)?;
    let client = alice.with_token(text_at(&session, "token")?);
    let sessions = client.get("/v1/sessions").send().await?.succeeded(200)?;
    let open: Vec<_> = list_at(&sessions, "items")?.iter().map(|open| &open["session_id"]).collect();
    expect(open).to_equal([&session["session_id"]])?;
    bob.get("/v1/me").send().await?.succeeded(200)?;

    // Each end is a change of its own in the log of the user.
    if world.claims(Profile::Resume) {
        let read = client.get(format!("/v1/events?cursor={cursor}")).send().await?.succeeded(200)?;
        let ended: Vec<_> = list_at(&read, "events")?
            .iter()
            .filter(|event| event["event"] == "session_ended")
            .map(|event| event["data"]["session_id"].as_str().unwrap_or_default().to_owned())
            .collect();
        let browser_session = text_at(&in_browser, "session_id")?;
        let wanted = BTreeSet::from([alice.session_id.clone(), phone.session_id.clone(), browser_session]);
        expect(ended.iter().collect::<BTreeSet<_>>()).to_equal(&wanted)?;
        expect(ended.len()).to_equal(wanted.len())?;
    }
    Ok(())
}

async fn a_new_password_closes_every_connection(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let mut tabs = [alice.connects().await?, phone.connects().await?, phone.connects().await?];
    let mut other = bob.connects().await?;
    let password = new_password(world);
    Forgetful::new(world, &alice.email).resets_to(&password).await?;
    // Another change for the same user, after the end was acknowledged: no word of it may reach the ended sessions.
    let mut later = alice.clone();
    later.password = password;
    let later = later.signs_in_again().await?;
    later.signs_out().await?;
    for tab in &mut tabs {
        tab.closed_with(CloseCode::SessionEnded).await?;
        let heard_later = tab.events().iter().any(|event| event["data"]["session_id"] == later.session_id.as_str());
        check(!heard_later, || ("no event after the end", "the end of a later session"))?;
    }
    other.catches_up().await
}

async fn a_session_opened_during_a_reset_ends_too(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let ticket = forgetful.proves_address().await?;
    let stolen = alice.signs_in_again().await?;
    let mut socket = stolen.connects().await?;
    forgetful.completes(&ticket, &new_password(world)).await?.succeeded_without_body()?;
    stolen.get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    socket.closed_with(CloseCode::SessionEnded).await?;
    Ok(())
}

async fn a_sign_in_that_races_with_a_reset_opens_nothing_that_lasts(world: &World) -> Verdict {
    const ROUNDS: usize = 2;
    let mut alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    for _ in 0..ROUNDS {
        let ticket = forgetful.proves_address().await?;
        let password = new_password(world);
        let sign_in = || signs_in_with(&alice, &alice.password);
        let (reset, first, second, third) =
            try_join!(forgetful.completes(&ticket, &password), sign_in(), sign_in(), sign_in())?;
        reset.succeeded_without_body()?;
        for answer in [first, second, third] {
            if answer.status == 201 {
                let token = text_at(&answer.succeeded(201)?, "token")?;
                let open = alice.with_token(token).get("/v1/me").send().await?;
                open.refused_with(ErrorCode::SessionEnded)?;
            } else {
                answer.refused_with(ErrorCode::WrongCredentials)?;
            }
        }
        alice.password = password;
        alice.signs_in_again().await?;
    }
    Ok(())
}

async fn the_same_password_again_ends_the_sessions_as_well(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let ticket = forgetful.proves_address().await?;
    forgetful.completes(&ticket, &alice.password).await?.succeeded_without_body()?;
    alice.get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    socket.closed_with(CloseCode::SessionEnded).await?;
    signs_in_with(&alice, &alice.password).await?.succeeded(201)?;
    Ok(())
}

async fn a_reset_that_is_not_finished_changes_nothing(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let ticket = forgetful.proves_address().await?;
    forgetful.completes("never-made", &new_password(world)).await?.refused_with(ErrorCode::TicketInvalid)?;
    forgetful.completes(&ticket, "short").await?.refused_with(ErrorCode::InvalidRequest)?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    alice.signs_in_again().await?;
    let heard = alice.has_caught_up(&mut socket).await?;
    expect(heard).to_equal(json!([]))?;
    // Had it been finished, it would have changed something.
    forgetful.completes(&ticket, &new_password(world)).await?.succeeded_without_body()?;
    socket.closed_with(CloseCode::SessionEnded).await?;
    Ok(())
}
