//! Section 5: signing in, staying signed in, signing out.

mod ending;
mod refreshing;

use std::time::{Duration, Instant};

use i9chat_spec::{ErrorCode, Timestamp};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{User, World},
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, ending::CASES, refreshing::CASES].concat()
}

cases! { Core:
    signing_in_takes_a_name_or_an_address_in_any_case ["SES-1"],
    a_wrong_password_and_an_unknown_login_look_alike ["SES-2"],
    a_wrong_password_and_an_unknown_login_take_the_same_time ["SES-2"],
    failed_sign_ins_are_limited_for_an_account ["SES-3", "ERR-7", "CAP-2"],
    failed_sign_ins_are_limited_for_a_client_address ["SES-3", "CAP-2"],
    a_token_lasts_as_long_as_the_capabilities_say ["SES-4"],
    open_sessions_are_listed_newest_first ["SES-8"],
    a_user_has_no_more_sessions_than_the_limit ["SES-13", "CAP-2"],
}

async fn signing_in_takes_a_name_or_an_address_in_any_case(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut sessions = vec![alice.session_id.clone()];
    for login in [alice.username.to_uppercase(), alice.username.to_lowercase(), alice.email.to_uppercase()] {
        let body = json!({ "login": login, "password": alice.password });
        let session = world.visitor().post("/v1/sessions", &body).send().await?.succeeded(201)?;
        // Spelled as its owner chose it, however it was typed. (CNV-10)
        expect(&session["user"]).to_equal(alice.as_value())?;
        let token = text_at(&session, "token")?;
        let me = world.visitor().with_token(token).get("/v1/me").send().await?.succeeded(200)?;
        expect(&me["user_id"]).to_equal(&alice.user_id)?;
        let id = text_at(&session, "session_id")?;
        check(!sessions.contains(&id), || ("a session of its own", id.clone()))?;
        sessions.push(id);
    }
    Ok(())
}

async fn a_wrong_password_and_an_unknown_login_look_alike(world: &World) -> Verdict {
    let alice = world.user().await?;
    let nobody = world.newcomer();
    let mut problems = Vec::new();
    for login in [&alice.username, &alice.email, &nobody.username, &nobody.email] {
        let body = json!({ "login": login, "password": "not the password" });
        let answer = world.visitor().post("/v1/sessions", &body).send().await?;
        let mut problem = answer.refused_with(ErrorCode::WrongCredentials)?;
        problem["request_id"] = Value::Null;
        problems.push(problem);
    }
    for problem in &problems {
        expect(problem).to_equal(&problems[0])?;
    }
    // No login of another form either, such as a name that nobody can have.
    let body = json!({ "login": "no such\u{fc} name", "password": "not the password" });
    world.visitor().post("/v1/sessions", &body).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    world.visitor().post("/v1/sessions", &alice.sign_in_body()).send().await?.succeeded(201)?;
    Ok(())
}

async fn a_wrong_password_and_an_unknown_login_take_the_same_time(world: &World) -> Verdict {
    /// Of so many tries the quickest counts: what else the machine does only makes a try slower.
    const TRIES: usize = 5;
    /// A password hash takes tens of milliseconds, looking up a name takes none.
    const FACTOR: u32 = 4;
    let alice = world.user().await?;
    let nobody = world.newcomer().username;
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..TRIES {
        for (login, quickest) in [&alice.username, &nobody].into_iter().zip(&mut quickest) {
            let begun = Instant::now();
            let body = json!({ "login": login, "password": "not the password" });
            let answer = world.visitor().post("/v1/sessions", &body).send().await?;
            answer.refused_with(ErrorCode::WrongCredentials)?;
            *quickest = begun.elapsed().min(*quickest);
        }
    }
    let [wrong, unknown] = quickest;
    check(wrong <= unknown * FACTOR && unknown <= wrong * FACTOR, || {
        ("about the same time", format!("{wrong:?} for a wrong password, {unknown:?} for an unknown login"))
    })
}

async fn failed_sign_ins_are_limited_for_an_account(world: &World) -> Verdict {
    let alice = world.user().await?;
    let wrong = json!({ "login": alice.username, "password": "not the password" });
    for _ in 0..world.limits().sign_in_failures_per_account {
        world.visitor().post("/v1/sessions", &wrong).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    }
    let answer = world.visitor().post("/v1/sessions", &wrong).send().await?;
    let problem = answer.refused_with(ErrorCode::RateLimited)?;
    expect(&problem["retry_after_ms"]).to_be_within(1, 3_600_000)?;
    answer.needs_header("retry-after")?;
    // By address it is the same account.
    let by_address = json!({ "login": alice.email.to_uppercase(), "password": "not the password" });
    world.visitor().post("/v1/sessions", &by_address).send().await?.refused_with(ErrorCode::RateLimited)?;
    // The session that is open goes on.
    alice.renewed().await?.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn failed_sign_ins_are_limited_for_a_client_address(world: &World) -> Verdict {
    const MOST: u64 = 200;
    let limit = world.limits().sign_in_failures_per_address;
    if !world.has_own_address() {
        return Err(Stop::skipped("other cases come from the same client address, whose limit it would use up"));
    }
    if limit > MOST {
        return Err(Stop::skipped(format!(
            "sign_in_failures_per_address is {limit}, too many to try ({MOST} at most)"
        )));
    }
    let alice = world.user().await?;
    for turn in 0..limit {
        let wrong = json!({ "login": format!("{}{turn}", alice.username), "password": "not the password" });
        world.visitor().post("/v1/sessions", &wrong).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    }
    let wrong = json!({ "login": format!("{}x", alice.username), "password": "not the password" });
    world.visitor().post("/v1/sessions", &wrong).send().await?.refused_with(ErrorCode::RateLimited)?;
    alice.renewed().await?.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn a_token_lasts_as_long_as_the_capabilities_say(world: &World) -> Verdict {
    let alice = world.user().await?;
    let session = alice.anonymous().post("/v1/sessions", &alice.sign_in_body()).send().await?.succeeded(201)?;
    let phone = alice.with_token(text_at(&session, "token")?);
    let sessions = phone.get("/v1/sessions").send().await?.succeeded(200)?;
    let current = list_at(&sessions, "items")?.iter().find(|session| session["current"] == true);
    let made = current.and_then(|session| millis(&session["created_at"]));
    let until = millis(&session["expires_at"]);
    let (Some(made), Some(until)) = (made, until) else {
        return Err(Stop::failed("the times of a session that was just made", sessions.to_string()));
    };
    let lifetime = i64::try_from(world.lifetimes().token_ttl_s).unwrap_or(i64::MAX / 1000) * 1000;
    // A JWT counts in whole seconds.
    expect(until - made).to_be_within(lifetime - 1000, lifetime + 1000)
}

fn millis(time: &Value) -> Option<i64> {
    Some(time.as_str()?.parse::<Timestamp>().ok()?.as_millis())
}

async fn open_sessions_are_listed_newest_first(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut made = vec![alice.session_id.clone()];
    let long = "conformance/1 ".repeat(30);
    for agent in [Some("i9chat-conformance/1"), Some(long.as_str()), None] {
        let request = alice.anonymous().post("/v1/sessions", &alice.sign_in_body());
        let request = match agent {
            Some(agent) => request.header("User-Agent", agent),
            None => request,
        };
        made.push(text_at(&request.send().await?.succeeded(201)?, "session_id")?);
    }
    made.reverse();
    let sessions = alice.get("/v1/sessions").send().await?.succeeded(200)?;
    let items = list_at(&sessions, "items")?;
    let listed: Vec<_> = items.iter().map(|session| &session["session_id"]).collect();
    expect(listed).to_equal(&made)?;
    let current: Vec<_> = items.iter().map(|session| &session["current"]).collect();
    expect(current).to_equal([false, false, false, true])?;
    check(items[0].get("client").is_none(), || ("no client without a User-Agent", items[0].to_string()))?;
    let cut: String = long.chars().take(200).collect();
    expect(&items[1]["client"]).to_equal(cut)?;
    expect(&items[2]["client"]).to_equal("i9chat-conformance/1")?;
    check(sessions.get("next").is_none(), || ("no paging", sessions.to_string()))
}

async fn a_user_has_no_more_sessions_than_the_limit(world: &World) -> Verdict {
    const MOST: u64 = 100;
    let limit = world.limits().max_sessions_per_user;
    if limit > MOST {
        return Err(Stop::skipped(format!("max_sessions_per_user is {limit}, too many to try ({MOST} at most)")));
    }
    let alice = world.user().await?;
    let open = async |user: &User| {
        let sessions = user.get("/v1/sessions").send().await?.succeeded(200)?;
        Ok::<_, Stop>(list_at(&sessions, "items")?.clone())
    };
    let first = alice.signs_in_again().await?;
    for _ in 2..limit {
        alice.signs_in_again().await?;
    }
    expect(open(&alice.renewed().await?).await?.len()).to_equal(limit)?;
    first.renewed().await?;
    let newest = alice.signs_in_again().await?;
    newest.get("/v1/me").send().await?.succeeded(200)?;
    let left = open(&newest).await?;
    expect(left.len()).to_equal(limit)?;
    expect(&left[0]["session_id"]).to_equal(&newest.session_id)
}
