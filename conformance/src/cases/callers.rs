//! Section 3: tokens, cookies, and web pages of other origins.

mod forgery;

use std::time::Duration;

use i9chat_spec::{CloseCode, ErrorCode, Format};
use serde_json::{Value, json};

use crate::{
    cases,
    client::{Answer, Credentials},
    expect::{check, expect, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{User, World, patiently},
};

cases! { Core:
    without_a_token_nobody_is_let_in ["CAL-1", "CAL-4"],
    a_token_that_the_server_did_not_make_is_refused ["CAL-2", "CAL-4", "WSK-2"],
    a_token_that_ran_out_is_refused_and_closes_nothing ["CAL-3", "SES-12", "SES-5"],
    a_cookie_signs_in_as_a_token_does ["CAL-1", "CAL-5", "SES-1"],
    signing_up_gives_a_cookie_when_asked ["CAL-5", "ACC-1"],
    a_cookie_that_the_server_did_not_make_is_refused ["CAL-1", "CAL-4"],
    the_header_counts_when_there_is_a_cookie_too ["CAL-1"],
    an_unsafe_request_from_a_foreign_page_is_refused ["CAL-6"],
    the_page_of_the_server_may_do_everything ["CAL-6"],
    a_foreign_page_gets_no_leave_to_read ["CAL-7"],
    a_token_may_come_as_a_subprotocol ["CAL-8", "WSK-1"],
    a_handshake_by_cookie_needs_the_own_origin ["CAL-9"],
    a_handshake_by_token_from_a_foreign_page_is_refused ["CAL-9"],
}

const FOREIGN: &str = "https://evil.example";

/// What only a signed-in user may ask for.
const SIGNED_IN: [(&str, &str); 4] =
    [("GET", "/v1/me"), ("GET", "/v1/sessions"), ("GET", "/v1/users/alice"), ("DELETE", "/v1/sessions/current")];

async fn without_a_token_nobody_is_let_in(world: &World) -> Verdict {
    for (method, path) in SIGNED_IN {
        world.visitor().request(method, path).send().await?.refused_with(ErrorCode::Unauthenticated)?;
    }
    world.visitor().handshake().refused_with(CloseCode::Unauthenticated).await?;
    Ok(())
}

async fn a_token_that_the_server_did_not_make_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for (told, token) in forgery::forgeries(&alice.token, &bob.token) {
        world.journal().line(format!("a token: {told}"));
        let forger = alice.with_token(token);
        for (method, path) in SIGNED_IN {
            forger.request(method, path).send().await?.refused_with(ErrorCode::TokenInvalid)?;
        }
        forger.handshake().refused_with(CloseCode::Unauthenticated).await?;
    }
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn a_token_that_ran_out_is_refused_and_closes_nothing(world: &World) -> Verdict {
    let lifetime = world.lifetimes().token_ttl_s;
    if lifetime > 5 {
        return Err(Stop::skipped(format!("token_ttl_s is {lifetime}, too long to wait for (5 at most)")));
    }
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    // That time passes is what the case is about. How a token rounds its seconds is left open.
    socket.goes_on_for(Duration::from_secs(lifetime)).await?;
    while let Ok(me) = patiently(alice.get("/v1/me")).await?.succeeded(200) {
        expect(&me["user_id"]).to_equal(&alice.user_id)?;
    }
    alice.get("/v1/me").send().await?.refused_with(ErrorCode::TokenExpired)?;
    alice.handshake().refused_with(CloseCode::TokenExpired).await?;
    socket.catches_up().await?;
    let body = json!({ "refresh_token": alice.refresh_token });
    let pair = alice.anonymous().post("/v1/sessions/refresh", &body).send().await?.succeeded(200)?;
    alice.with_token(text_at(&pair, "token")?).get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

/// The secret of the cookie that an answer sets, which must have the attributes of CAL-5.
fn session_cookie(answer: &Answer, on_loopback: bool) -> Verdict<String> {
    let cookie = answer
        .headers_named("set-cookie")
        .find_map(|cookie| cookie.strip_prefix("i9chat_session="))
        .ok_or_else(|| answer.other_than("Set-Cookie: i9chat_session=…"))?;
    let mut parts = cookie.split(';').map(str::trim);
    let secret = parts.next().unwrap_or_default().to_owned();
    check(!secret.is_empty(), || ("a cookie with a value", "an empty one"))?;
    let attributes: Vec<_> = parts.map(str::to_lowercase).collect();
    let secure = (!on_loopback).then_some("secure");
    for wanted in ["httponly", "samesite=lax", "path=/"].into_iter().chain(secure) {
        check(attributes.iter().any(|have| have == wanted), || {
            (format!("a cookie with {wanted}"), attributes.join("; "))
        })?;
    }
    Ok(secret)
}

fn is_plain_loopback(world: &World) -> bool {
    world.target().origins().iter().all(|origin| !origin.tls && origin.is_loopback())
}

/// The answer of signing in by cookie has nothing but who signed in.
fn holds_no_tokens(session: &Value) -> Verdict {
    for name in ["token", "refresh_token", "expires_at"] {
        check(session.get(name).is_none(), || (format!("no {name} beside a cookie"), session.to_string()))?;
    }
    Ok(())
}

async fn a_cookie_signs_in_as_a_token_does(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut body = alice.sign_in_body();
    body["cookie"] = json!(true);
    let answer = world.visitor().post("/v1/sessions", &body).send().await?;
    let session = answer.succeeded(201)?;
    holds_no_tokens(&session)?;
    expect(&session["user"]).to_equal(alice.as_value())?;
    let secret = session_cookie(&answer, is_plain_loopback(world))?;
    // Among other cookies it is found too.
    let among = format!("theme=dark; i9chat_session={secret}; lang=en");
    let browser = world.visitor().with_credentials(Credentials::Cookie(secret));
    let me = browser.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["user_id"]).to_equal(&alice.user_id)?;
    world.visitor().get("/v1/me").header("Cookie", among).send().await?.succeeded(200)?;
    browser.delete("/v1/sessions/current").send().await?.succeeded_without_body()?;
    browser.get("/v1/me").send().await?.refused_with(ErrorCode::SessionEnded)?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn signing_up_gives_a_cookie_when_asked(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let mut account = newcomer.account(&ticket);
    account["cookie"] = json!(true);
    let answer = newcomer.client.post("/v1/signup/complete", &account).send().await?;
    let session = answer.succeeded(201)?;
    holds_no_tokens(&session)?;
    let secret = session_cookie(&answer, is_plain_loopback(world))?;
    let browser = newcomer.client.with_credentials(Credentials::Cookie(secret));
    let me = browser.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["username"]).to_equal(&newcomer.username)
}

async fn a_cookie_that_the_server_did_not_make_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let secret = browser_of(world, &alice).await?;
    let mut altered: String = secret.chars().rev().collect();
    altered.push('x');
    for wrong in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", altered.as_str(), alice.token.as_str()] {
        let browser = world.visitor().with_credentials(Credentials::Cookie(wrong.to_owned()));
        browser.get("/v1/me").send().await?.refused_with(ErrorCode::TokenInvalid)?;
    }
    let browser = world.visitor().with_credentials(Credentials::Cookie(secret));
    browser.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

/// Signs a user in by cookie, and answers its secret. Inconclusive when that does not work.
async fn browser_of(world: &World, user: &User) -> Verdict<String> {
    let mut body = user.sign_in_body();
    body["cookie"] = json!(true);
    let answer = world.visitor().post("/v1/sessions", &body).send().await?;
    answer.succeeded(201).in_setup("signing in by cookie")?;
    session_cookie(&answer, true).in_setup("signing in by cookie")
}

async fn the_header_counts_when_there_is_a_cookie_too(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let secret = browser_of(world, &alice).await?;
    let both = |token: &str| {
        let cookie = format!("i9chat_session={secret}");
        world.visitor().with_token(token).get("/v1/me").header("Cookie", cookie)
    };
    let me = both(&bob.token).send().await?.succeeded(200)?;
    expect(&me["user_id"]).to_equal(&bob.user_id)?;
    both("rubbish").send().await?.refused_with(ErrorCode::TokenInvalid)?;
    Ok(())
}

async fn an_unsafe_request_from_a_foreign_page_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let secret = browser_of(world, &alice).await?;
    let browser = world.visitor().with_credentials(Credentials::Cookie(secret));
    let near = format!("{}.evil.example", alice.origin().as_header());
    for origin in [FOREIGN, "null", near.as_str()] {
        let foreign = |answer: Answer| answer.refused_with(ErrorCode::ForeignOrigin).map(drop);
        foreign(browser.delete("/v1/sessions/current").header("Origin", origin).send().await?)?;
        foreign(alice.delete("/v1/sessions/current").header("Origin", origin).send().await?)?;
        let sign_in = world.visitor().post("/v1/sessions", &alice.sign_in_body());
        foreign(sign_in.header("Origin", origin).send().await?)?;
    }
    // Neither session has ended, and reading is not unsafe.
    browser.get("/v1/me").header("Origin", FOREIGN).send().await?.succeeded(200)?;
    let sessions = alice.get("/v1/sessions").send().await?.succeeded(200)?;
    expect(sessions["items"].as_array().map(Vec::len)).to_equal(2)
}

async fn the_page_of_the_server_may_do_everything(world: &World) -> Verdict {
    let alice = world.user().await?;
    let own = alice.origin().as_header();
    let sign_in = alice.anonymous().post("/v1/sessions", &alice.sign_in_body());
    sign_in.header("Origin", &own).send().await?.succeeded(201)?;
    alice.delete("/v1/sessions/current").header("Origin", &own).send().await?.succeeded_without_body()
}

async fn a_foreign_page_gets_no_leave_to_read(world: &World) -> Verdict {
    let alice = world.user().await?;
    let preflight = alice
        .anonymous()
        .request("OPTIONS", "/v1/sessions")
        .header("Origin", FOREIGN)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type,authorization");
    let read = alice.get("/v1/me").header("Origin", FOREIGN);
    for request in [preflight, read] {
        let answer = request.send().await?;
        let leave = answer.header("access-control-allow-origin");
        check(leave.is_none_or(|leave| leave != "*" && leave != FOREIGN), || {
            ("no leave for a foreign origin", format!("Access-Control-Allow-Origin: {}", leave.unwrap_or_default()))
        })?;
    }
    // What has no leave to be read may not be done either, and without an origin all goes well.
    let sign_in = || alice.anonymous().post("/v1/sessions", &alice.sign_in_body());
    sign_in().header("Origin", FOREIGN).send().await?.refused_with(ErrorCode::ForeignOrigin)?;
    sign_in().send().await?.succeeded(201)?;
    Ok(())
}

async fn a_token_may_come_as_a_subprotocol(world: &World) -> Verdict {
    let alice = world.user().await?;
    let json = Format::Json.subprotocol();
    let bearer = format!("bearer.{}", alice.token);
    for offered in [[bearer.as_str(), json], [json, bearer.as_str()]] {
        let socket = alice.anonymous().handshake().protocols(offered).connect().await?;
        expect(&socket.selected).to_equal(json)?;
        expect(&socket.hello["session_id"]).to_equal(&alice.session_id)?;
    }
    let wrong = alice.anonymous().handshake().protocols([json, "bearer.rubbish"]);
    wrong.refused_with(CloseCode::Unauthenticated).await?;
    // The token alone is not a subprotocol to speak.
    alice.anonymous().handshake().protocols([&bearer]).refused_with(CloseCode::UnsupportedProtocol).await?;
    Ok(())
}

async fn a_handshake_by_cookie_needs_the_own_origin(world: &World) -> Verdict {
    let alice = world.user().await?;
    let secret = browser_of(world, &alice).await?;
    let browser = world.visitor().with_credentials(Credentials::Cookie(secret));
    browser.handshake().refused_with(CloseCode::ForeignOrigin).await?;
    for origin in [FOREIGN, "null"] {
        browser.handshake().origin(origin).refused_with(CloseCode::ForeignOrigin).await?;
    }
    let own = browser.origin().as_header();
    browser.handshake().origin(own).connect().await?;
    Ok(())
}

async fn a_handshake_by_token_from_a_foreign_page_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let bearer = [Format::Json.subprotocol().to_owned(), format!("bearer.{}", alice.token)];
    for origin in [FOREIGN, "null"] {
        alice.handshake().origin(origin).refused_with(CloseCode::ForeignOrigin).await?;
        let as_subprotocol = alice.anonymous().handshake().protocols(bearer.clone());
        as_subprotocol.origin(origin).refused_with(CloseCode::ForeignOrigin).await?;
    }
    alice.handshake().connect().await?;
    alice.handshake().origin(alice.origin().as_header()).connect().await?;
    Ok(())
}
