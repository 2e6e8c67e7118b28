//! Refresh tokens: rotated at each use, with grace for a lost answer. (SES-5 to SES-7)

use i9chat_spec::ErrorCode;
use serde_json::json;

use crate::{
    cases,
    client::Answer,
    expect::{expect, list_at, text_at},
    verdict::Verdict,
    world::{User, World},
};

cases! { Core:
    a_refresh_token_gives_a_new_pair ["SES-5"],
    a_lost_answer_of_a_refresh_is_harmless ["SES-6"],
    the_refresh_token_before_is_spent_when_the_new_token_is_used ["SES-5", "SES-7", "CAL-3"],
    an_old_refresh_token_ends_its_session ["SES-7"],
    what_is_no_refresh_token_is_refused ["SES-5"],
}

/// A token and the refresh token that came with it.
struct Pair {
    token: String,
    refresh_token: String,
}

async fn refreshes(user: &User, refresh_token: &str) -> Verdict<Answer> {
    let body = json!({ "refresh_token": refresh_token });
    user.anonymous().post("/v1/sessions/refresh", &body).send().await
}

async fn new_pair(user: &User, refresh_token: &str) -> Verdict<Pair> {
    let pair = refreshes(user, refresh_token).await?.succeeded(200)?;
    Ok(Pair { token: text_at(&pair, "token")?, refresh_token: text_at(&pair, "refresh_token")? })
}

/// The token is good, and is of the user's own session still.
async fn is_of_the_session(user: &User, token: &str) -> Verdict {
    let sessions = user.with_token(token).get("/v1/sessions").send().await?.succeeded(200)?;
    let items = list_at(&sessions, "items")?;
    expect(items.len()).to_equal(1)?;
    expect(&items[0]["session_id"]).to_equal(&user.session_id)?;
    expect(&items[0]["current"]).to_equal(true)
}

async fn a_refresh_token_gives_a_new_pair(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut refresh_token = alice.refresh_token.clone();
    for _ in 0..3 {
        let pair = new_pair(&alice, &refresh_token).await?;
        expect(&pair.refresh_token).to_differ_from(&refresh_token)?;
        is_of_the_session(&alice, &pair.token).await?;
        refresh_token = pair.refresh_token;
    }
    Ok(())
}

async fn a_lost_answer_of_a_refresh_is_harmless(world: &World) -> Verdict {
    let alice = world.user().await?;
    // The first answer is lost, and the second; nothing of them is ever used.
    new_pair(&alice, &alice.refresh_token).await?;
    new_pair(&alice, &alice.refresh_token).await?;
    let pair = new_pair(&alice, &alice.refresh_token).await?;
    is_of_the_session(&alice, &pair.token).await?;
    let next = new_pair(&alice, &pair.refresh_token).await?;
    is_of_the_session(&alice, &next.token).await
}

async fn the_refresh_token_before_is_spent_when_the_new_token_is_used(world: &World) -> Verdict {
    let alice = world.user().await?;
    let pair = new_pair(&alice, &alice.refresh_token).await?;
    is_of_the_session(&alice, &pair.token).await?;
    refreshes(&alice, &alice.refresh_token).await?.refused_with(ErrorCode::RefreshTokenInvalid)?;
    // Somebody has a token that they should not have: nothing of the session is good any more.
    alice.with_token(&pair.token).get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    refreshes(&alice, &pair.refresh_token).await?.refused_with(ErrorCode::RefreshTokenInvalid)?;
    // The user can sign in again.
    alice.anonymous().post("/v1/sessions", &alice.sign_in_body()).send().await?.succeeded(201)?;
    Ok(())
}

async fn an_old_refresh_token_ends_its_session(world: &World) -> Verdict {
    let alice = world.user().await?;
    let first = new_pair(&alice, &alice.refresh_token).await?;
    let second = new_pair(&alice, &first.refresh_token).await?;
    // Two uses back: a genuine one, but older than a lost answer explains.
    refreshes(&alice, &alice.refresh_token).await?.refused_with(ErrorCode::RefreshTokenInvalid)?;
    for token in [&alice.token, &first.token, &second.token] {
        alice.with_token(token).get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    }
    Ok(())
}

async fn what_is_no_refresh_token_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    for rubbish in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &format!("{}x", alice.refresh_token)] {
        refreshes(&alice, rubbish).await?.refused_with(ErrorCode::RefreshTokenInvalid)?;
    }
    // None of them harmed the session.
    let pair = new_pair(&alice, &alice.refresh_token).await?;
    is_of_the_session(&alice, &pair.token).await
}
