//! Section 17: capabilities, limits and health; section 18: profiles.

use futures_util::{StreamExt, stream};
use i9chat_spec::{ErrorCode, Limits};
use serde_json::{Value, json};

use crate::{
    cases,
    client::{Answer, Request},
    expect::{at, check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Core:
    the_capabilities_tell_everything_to_everybody ["CAP-1", "PRF-1"],
    a_body_at_the_limit_is_taken_and_one_byte_more_is_not ["CAP-2", "CAP-3"],
    a_body_of_unknown_length_is_limited_too ["CAP-2", "CAP-3"],
    a_head_at_the_limit_is_taken_and_a_larger_one_is_not ["CAP-2", "ERR-9"],
    a_users_requests_are_limited ["CAP-2", "ERR-7"],
    the_server_tells_its_health ["CAP-4"],
}

async fn the_capabilities_tell_everything_to_everybody(world: &World) -> Verdict {
    let alice = world.user().await?;
    for client in [&world.visitor(), &*alice] {
        let told = client.get("/v1/capabilities").send().await?.succeeded(200)?;
        expect(&told["protocol"]).to_equal(i9chat_spec::PROTOCOL_VERSION)?;
        for path in ["server.name", "server.version"] {
            check(!text_at(&told, path)?.is_empty(), || (format!("text at {path}"), told.to_string()))?;
        }
        check(list_at(&told, "profiles")?.contains(&json!("core")), || {
            ("the profile core", at(&told, "profiles").map(Value::to_string).unwrap_or_default())
        })?;
        for limit in names(&Limits::default()) {
            expect(at(&told, &format!("limits.{limit}"))?).to_be_within(1, i64::MAX)?;
        }
        for lifetime in names(&i9chat_spec::Lifetimes::default()) {
            expect(at(&told, &format!("lifetimes.{lifetime}"))?).to_be_within(1, i64::MAX)?;
        }
    }
    // Somebody who has learned one answer by heart does not know this one.
    let me = alice.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["username"]).to_equal(&alice.username)
}

fn names(published: &impl serde::Serialize) -> Vec<String> {
    let value = serde_json::to_value(published).unwrap_or_default();
    value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// A sign-in of nobody whose body has exactly this many bytes: one that is taken is answered with `wrong_credentials`.
fn sign_in_of_size(world: &World, size: u64) -> Request {
    let mut body = json!({ "login": world.newcomer().username, "password": "not the password", "padding": "" });
    let padding = usize::try_from(size).unwrap_or_default().saturating_sub(body.to_string().len());
    body["padding"] = json!("x".repeat(padding));
    world.visitor().post("/v1/sessions", &body)
}

async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not(world: &World) -> Verdict {
    let limit = world.limits().max_body_bytes;
    sign_in_of_size(world, limit).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    sign_in_of_size(world, limit + 1).send().await?.refused_with(ErrorCode::PayloadTooLarge)?;
    sign_in_of_size(world, limit * 4).send().await?.refused_with(ErrorCode::PayloadTooLarge)?;
    Ok(())
}

async fn a_body_of_unknown_length_is_limited_too(world: &World) -> Verdict {
    let limit = world.limits().max_body_bytes;
    let of_size = |size: u64| sign_in_of_size(world, size).in_chunks_of(4000);
    of_size(limit).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    of_size(limit + 1).send().await?.refused_with(ErrorCode::PayloadTooLarge)?;
    of_size(limit * 4).send().await?.refused_with(ErrorCode::PayloadTooLarge)?;
    Ok(())
}

async fn a_head_at_the_limit_is_taken_and_a_larger_one_is_not(world: &World) -> Verdict {
    let limit = usize::try_from(world.limits().max_head_bytes).unwrap_or_default();
    let visitor = world.visitor();
    let start = format!("GET /v1/nothing HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", visitor.origin().authority());
    // Padding in headers of moderate length, as a head that is large in practice has.
    let head = |size: usize| {
        let mut head = start.clone();
        while head.len() + 2 < size {
            let rest = size - head.len() - 2;
            // A header takes 7 bytes and its value; none may be left over that is too short for one more.
            let length = if rest <= 1014 { rest } else { 1000 };
            head.extend(["X-P: ", &"x".repeat(length - 7), "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    };
    let send = async |size: usize| visitor.sends_bytes(&format!("a head of {size} bytes"), &head(size)).await;
    send(limit).await?.refused_with(ErrorCode::NoSuchEndpoint)?;
    send(limit + 1).await?.has_status(431)?;
    send(limit * 2).await?.has_status(431)?;
    visitor.get("/v1/nothing").send().await?.refused_with(ErrorCode::NoSuchEndpoint)?;
    Ok(())
}

async fn a_users_requests_are_limited(world: &World) -> Verdict {
    const MOST: u64 = 5000;
    const AT_ONCE: usize = 16;
    let (burst, rate) = (world.limits().requests_burst, world.limits().requests_per_second);
    if burst + 10 * rate > MOST {
        return Err(Stop::skipped(format!("a burst of {burst} requests and {rate} a second are too many to try")));
    }
    let [alice, bob] = world.users().await?;
    let asked = |count: u64| {
        let alice = &alice;
        stream::iter(0..count).map(move |_| alice.get("/v1/me").send()).buffer_unordered(AT_ONCE)
    };
    // All of the burst is granted.
    let mut granted = asked(burst);
    while let Some(answer) = granted.next().await {
        answer?.succeeded(200)?;
    }
    drop(granted);
    // Beyond it only the sustained rate is, which is below what goes through here.
    let mut limited: Option<Answer> = None;
    let mut beyond = asked(10 * rate);
    while let Some(answer) = beyond.next().await {
        let answer = answer?;
        if answer.status != 200 {
            limited = Some(answer);
            break;
        }
    }
    drop(beyond);
    let Some(limited) = limited else {
        return Err(Stop::failed(
            format!("rate_limited after {burst} requests at once"),
            format!("{} requests that were all granted", burst + 10 * rate),
        ));
    };
    let problem = limited.refused_with(ErrorCode::RateLimited)?;
    expect(&problem["retry_after_ms"]).to_be_within(1, 60_000)?;
    limited.needs_header("retry-after")?;
    // One user's requests are not another's.
    bob.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn the_server_tells_its_health(world: &World) -> Verdict {
    let visitor = world.visitor();
    visitor.get("/healthz").send().await?.has_status(200)?;
    visitor.get("/readyz").send().await?.has_status(200)?;
    // A server that answers everything with 200 tells nothing.
    visitor.get("/v1/healthz").send().await?.refused_with(ErrorCode::NoSuchEndpoint)?;
    Ok(())
}
