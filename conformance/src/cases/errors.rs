//! Section 2: what refusals look like, and which comes first.

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cases,
    client::Answer,
    expect::{check, expect},
    verdict::Verdict,
    world::World,
};

cases! { Core:
    an_error_has_every_member_that_a_client_acts_on ["ERR-1", "ERR-2", "CAL-4"],
    a_body_that_is_no_json_is_malformed ["ERR-2", "CNV-2"],
    what_is_wrong_is_told_by_field ["ERR-4"],
    a_detail_holds_no_secret ["ERR-3"],
    a_refused_sign_up_changes_nothing ["ERR-5", "ACC-8"],
    what_is_hidden_answers_as_what_is_not_there ["ERR-6", "SES-9"],
    the_first_of_several_faults_is_answered ["ERR-8"],
    what_is_no_http_is_refused_and_the_server_goes_on ["ERR-9"],
    a_deep_value_does_no_harm ["ERR-2"],
}

const FOREIGN: &str = "https://evil.example";

async fn an_error_has_every_member_that_a_client_acts_on(world: &World) -> Verdict {
    let answer = world.visitor().get("/v1/me").send().await?;
    let problem = answer.refused_with(ErrorCode::Unauthenticated)?;
    let kind = answer.needs_header("content-type")?.split(';').next().unwrap_or_default().trim().to_owned();
    expect(kind).to_equal("application/problem+json")?;
    for member in ["title", "detail", "request_id"] {
        check(problem[member].as_str().is_some_and(|text| !text.is_empty()), || {
            (format!("text in {member}"), problem.to_string())
        })?;
    }
    expect(&problem["status"]).to_equal(401)?;
    expect(&problem["retryable"]).to_equal(false)?;
    let challenge = answer.needs_header("www-authenticate")?;
    check(challenge.starts_with("Bearer"), || ("WWW-Authenticate: Bearer", challenge.to_owned()))
}

async fn a_body_that_is_no_json_is_malformed(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sign_in = |body: &[u8]| world.visitor().request("POST", "/v1/sessions").body("application/json", body);
    let right = alice.sign_in_body().to_string();
    let cut = right.as_bytes().split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default();
    let twice = format!("{right}{right}");
    let wrong: [&[u8]; 8] =
        [b"", b" ", b"{", b"nonsense", b"{'login': 'x'}", b"{\"login\": \"\xff\xfe\"}", &cut, twice.as_bytes()];
    for body in wrong {
        sign_in(body).send().await?.refused_with(ErrorCode::MalformedBody)?;
    }
    sign_in(right.as_bytes()).send().await?.succeeded(201)?;
    Ok(())
}

async fn what_is_wrong_is_told_by_field(world: &World) -> Verdict {
    let long = |length: usize| "x".repeat(length);
    let wrong = [
        ("/v1/signup", json!({}), "email", FieldCode::Missing),
        ("/v1/signup", json!({ "email": "no address" }), "email", FieldCode::BadFormat),
        ("/v1/signup", json!({ "email": "a@b" }), "email", FieldCode::TooShort),
        ("/v1/signup", json!({ "email": format!("{}@conformance.example", long(250)) }), "email", FieldCode::TooLong),
        ("/v1/signup/verify", json!({ "ticket": "x" }), "code", FieldCode::Missing),
        ("/v1/signup/verify", json!({ "ticket": "x", "code": "12345" }), "code", FieldCode::TooShort),
        ("/v1/signup/verify", json!({ "ticket": "x", "code": "1234567" }), "code", FieldCode::TooLong),
        ("/v1/signup/verify", json!({ "ticket": "x", "code": "12345x" }), "code", FieldCode::BadFormat),
        ("/v1/signup/verify", json!({ "ticket": "", "code": "123456" }), "ticket", FieldCode::TooShort),
        ("/v1/signup/verify", json!({ "ticket": long(129), "code": "123456" }), "ticket", FieldCode::TooLong),
        ("/v1/signup/verify", json!({ "ticket": "x y", "code": "123456" }), "ticket", FieldCode::BadFormat),
        ("/v1/sessions", json!({ "password": "long enough" }), "login", FieldCode::Missing),
        ("/v1/sessions", json!({ "login": "", "password": "long enough" }), "login", FieldCode::TooShort),
        ("/v1/sessions", json!({ "login": long(255), "password": "long enough" }), "login", FieldCode::TooLong),
        ("/v1/sessions", json!({ "login": "x" }), "password", FieldCode::Missing),
        ("/v1/sessions/refresh", json!({}), "refresh_token", FieldCode::Missing),
        ("/v1/sessions/refresh", json!({ "refresh_token": "a b" }), "refresh_token", FieldCode::BadFormat),
        ("/v1/sessions/refresh", json!({ "refresh_token": long(257) }), "refresh_token", FieldCode::TooLong),
    ];
    for (path, body, field, code) in wrong {
        world.visitor().post(path, &body).send().await?.refused_field(field, code)?;
    }
    Ok(())
}

async fn a_detail_holds_no_secret(world: &World) -> Verdict {
    let alice = world.user().await?;
    let secret = "hunter2-never-to-be-seen";
    let says_nothing = |answer: &Answer| {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        check(!body.contains(secret) && !body.contains(&alice.email), || ("an answer without secrets", body.clone()))
    };
    let visitor = world.visitor();
    let body = json!({ "login": alice.username, "password": secret });
    let answer = visitor.post("/v1/sessions", &body).send().await?;
    answer.refused_with(ErrorCode::WrongCredentials)?;
    says_nothing(&answer)?;
    let answer = visitor.post("/v1/sessions", &json!({ "login": 7, "password": secret })).send().await?;
    answer.refused_with(ErrorCode::InvalidRequest)?;
    says_nothing(&answer)?;
    let answer = visitor.post("/v1/sessions/refresh", &json!({ "refresh_token": secret })).send().await?;
    answer.refused_with(ErrorCode::RefreshTokenInvalid)?;
    says_nothing(&answer)?;
    let answer = alice.with_token(secret).get("/v1/me").send().await?;
    answer.refused_with(ErrorCode::TokenInvalid)?;
    says_nothing(&answer)?;
    let answer = visitor.post("/v1/signup/verify", &json!({ "ticket": secret, "code": "000000" })).send().await?;
    answer.refused_with(ErrorCode::TicketInvalid)?;
    says_nothing(&answer)
}

async fn a_refused_sign_up_changes_nothing(world: &World) -> Verdict {
    let alice = world.user().await?;
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let mut account = newcomer.account(&ticket);
    account["username"] = json!("not a name");
    let complete = |account: &Value| newcomer.client.post("/v1/signup/complete", account);
    complete(&account).send().await?.refused_field("username", FieldCode::BadFormat)?;
    account["username"] = json!(alice.username);
    complete(&account).send().await?.refused_with(ErrorCode::UsernameTaken)?;
    let path = format!("/v1/users/{}", newcomer.username);
    alice.get(&path).send().await?.refused_with(ErrorCode::UserNotFound)?;
    // Alice still has her name, and the newcomer's ticket is still good.
    alice.anonymous().post("/v1/sessions", &alice.sign_in_body()).send().await?.succeeded(201)?;
    newcomer.completes(&ticket).await?.succeeded(201)?;
    alice.get(&path).send().await?.succeeded(200)?;
    Ok(())
}

async fn what_is_hidden_answers_as_what_is_not_there(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    // An id of the same form that is nobody's: bob's, with another random part.
    let random = Uuid::new_v4().to_string();
    let nobodys: String = bob.session_id.chars().take(24).chain(random.chars().skip(24)).collect();
    let mut problems = Vec::new();
    for id in [&bob.session_id, &nobodys] {
        let answer = alice.delete(format!("/v1/sessions/{id}")).send().await?;
        let mut problem = answer.refused_with(ErrorCode::SessionNotFound)?;
        problem["request_id"] = Value::Null;
        problems.push(problem);
    }
    expect(&problems[0]).to_equal(&problems[1])?;
    bob.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn the_first_of_several_faults_is_answered(world: &World) -> Verdict {
    let alice = world.user().await?;
    let too_large = vec![b'x'; usize::try_from(world.limits().max_body_bytes).unwrap_or_default() + 1];
    let foreign = |method: &str, path: &str| world.visitor().request(method, path).header("Origin", FOREIGN);
    // Path and method come before everything else.
    foreign("POST", "/v1/nothing").body("text/plain", "x").send().await?.refused_with(ErrorCode::NoSuchEndpoint)?;
    foreign("PUT", "/v1/me").send().await?.refused_with(ErrorCode::MethodNotAllowed)?;
    // The origin comes before the caller and the body.
    foreign("DELETE", "/v1/sessions/current").send().await?.refused_with(ErrorCode::ForeignOrigin)?;
    foreign("POST", "/v1/sessions").body("text/plain", "x").send().await?.refused_with(ErrorCode::ForeignOrigin)?;
    // The caller before the form of the path, the type before the size, the size before the form.
    world.visitor().delete("/v1/sessions/x").send().await?.refused_with(ErrorCode::Unauthenticated)?;
    alice.delete("/v1/sessions/x").send().await?.refused_field("session_id", FieldCode::BadFormat)?;
    let sign_in = || world.visitor().request("POST", "/v1/sessions");
    let answer = sign_in().body("text/plain", too_large.clone()).send().await?;
    answer.refused_with(ErrorCode::UnsupportedMediaType)?;
    sign_in().body("application/json", too_large).send().await?.refused_with(ErrorCode::PayloadTooLarge)?;
    sign_in().body("application/json", "{\"login\": 7,").send().await?.refused_with(ErrorCode::MalformedBody)?;
    Ok(())
}

async fn what_is_no_http_is_refused_and_the_server_goes_on(world: &World) -> Verdict {
    let alice = world.user().await?;
    let host = alice.origin().authority();
    for (told, bytes) in [
        ("bytes that are no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n".to_vec()),
        ("a request line of one word", b"HELLO\r\n\r\n".to_vec()),
        ("a header without a colon", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\nno colon\r\n\r\n").into_bytes()),
        (
            "a length that is no number",
            format!("POST /v1/sessions HTTP/1.1\r\nHost: {host}\r\nContent-Length: many\r\n\r\n").into_bytes(),
        ),
    ] {
        alice.sends_bytes(told, &bytes).await?.has_status(400)?;
    }
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn a_deep_value_does_no_harm(world: &World) -> Verdict {
    let alice = world.user().await?;
    let most = usize::try_from(world.limits().max_body_bytes).unwrap_or_default();
    let depth = most / 2 - 64;
    let deep = format!("{{\"login\": \"x\", \"mood\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    let answer = world.visitor().request("POST", "/v1/sessions").body("application/json", deep).send().await?;
    let refused =
        [ErrorCode::MalformedBody, ErrorCode::InvalidRequest].iter().any(|code| answer.refused_with(*code).is_ok());
    check(refused, || ("malformed_body or invalid_request", answer.to_string()))?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}
