//! Section 1: bodies, encodings, ids, text, numbers and paths.

use i9chat_spec::{ErrorCode, FieldCode, SessionId, Timestamp, api::EndpointVisitor};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cases,
    client::{Answer, Request},
    expect::{at, check, expect, list_at, text_at},
    verdict::Verdict,
    world::World,
};

cases! { Core:
    every_endpoint_is_served_under_v1 ["CNV-1", "CAL-1"],
    a_body_of_another_type_is_refused ["CNV-2"],
    json_is_answered_unless_something_else_is_preferred ["CNV-3"],
    an_answer_that_is_not_accepted_is_not_given ["CNV-3"],
    null_in_a_request_means_left_out ["CNV-5"],
    unknown_fields_and_parameters_are_ignored ["CNV-6"],
    ids_are_uuids_of_version_7 ["CNV-7"],
    an_id_of_another_form_is_refused ["CNV-7"],
    times_are_written_with_three_decimals ["CNV-8"],
    a_bio_is_kept_exactly_as_sent ["CNV-9", "ACC-11"],
    text_with_nul_is_refused ["CNV-9", "ERR-5"],
    a_request_id_comes_back ["CNV-13"],
    a_request_id_is_made_where_none_of_the_right_form_is_sent ["CNV-13"],
    values_of_the_wrong_type_are_refused ["CNV-15", "ERR-4"],
    a_path_that_is_not_there_is_told ["CNV-16"],
    a_method_that_is_not_there_is_told ["CNV-16"],
}

/// The endpoints of this profile, with whether they need a token.
struct OfCore(Vec<(&'static str, String, bool, bool)>);

impl EndpointVisitor for OfCore {
    fn visit<E: i9chat_spec::Endpoint>(&mut self) {
        use i9chat_spec::{Access, Example, endpoint::Part};
        let of_core = ["/v1/capabilities", "/v1/signup", "/v1/sessions", "/v1/me", "/v1/users"];
        if of_core.iter().any(|start| E::PATH.starts_with(start)) {
            let url = E::url(&E::Path::example(), &E::Query::example());
            self.0.push((E::METHOD.as_str(), url, E::Caller::SIGNED_IN, E::Body::is_present()));
        }
    }
}

async fn every_endpoint_is_served_under_v1(world: &World) -> Verdict {
    let mut endpoints = OfCore(Vec::new());
    i9chat_spec::api::visit_endpoints(&mut endpoints);
    for (method, path, signed_in, has_body) in endpoints.0 {
        let request = world.visitor().request(method, path);
        let answer = if has_body { request.body("application/json", "") } else { request }.send().await?;
        match (signed_in, has_body) {
            (true, _) => answer.refused_with(ErrorCode::Unauthenticated)?,
            (false, true) => answer.refused_with(ErrorCode::MalformedBody)?,
            (false, false) => answer.succeeded(200)?,
        };
    }
    Ok(())
}

async fn a_body_of_another_type_is_refused(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let body = json!({ "email": newcomer.email }).to_string();
    let signup = || world.visitor().request("POST", "/v1/signup");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        signup().body(kind, body.as_bytes()).send().await?.refused_with(ErrorCode::UnsupportedMediaType)?;
    }
    signup().untyped_body(body.as_bytes()).send().await?.refused_with(ErrorCode::UnsupportedMediaType)?;
    // The same body of the right type is taken, whatever its parameters.
    signup().body("application/json; charset=utf-8", body).send().await?.succeeded(202)?;
    Ok(())
}

fn capabilities(world: &World) -> Request {
    world.visitor().get("/v1/capabilities")
}

fn unknown_path(world: &World) -> Request {
    world.visitor().get("/v1/nothing-here")
}

fn has_type(answer: &Answer, wanted: &str) -> Verdict {
    let kind = answer.needs_header("content-type")?.split(';').next().unwrap_or_default().trim().to_owned();
    expect(kind).to_equal(wanted)
}

async fn json_is_answered_unless_something_else_is_preferred(world: &World) -> Verdict {
    let alice = world.user().await?;
    for accept in [None, Some("*/*"), Some("application/json"), Some("application/*"), Some("text/html, */*;q=0.1")] {
        let asking = |request: Request| match accept {
            Some(accept) => request.header("Accept", accept),
            None => request,
        };
        let answer = asking(alice.get("/v1/me")).send().await?;
        answer.succeeded(200)?;
        has_type(&answer, "application/json")?;
        let answer = asking(unknown_path(world)).send().await?;
        answer.refused_with(ErrorCode::NoSuchEndpoint)?;
        has_type(&answer, "application/problem+json")?;
    }
    Ok(())
}

async fn an_answer_that_is_not_accepted_is_not_given(world: &World) -> Verdict {
    for accept in ["text/html", "image/*", "application/json;q=0", "application/xml, text/plain;q=0.5"] {
        let answer = capabilities(world).header("Accept", accept).send().await?;
        answer.refused_with(ErrorCode::NotAcceptable)?;
    }
    capabilities(world).header("Accept", "application/xml, application/json;q=0.5").send().await?.succeeded(200)?;
    Ok(())
}

async fn null_in_a_request_means_left_out(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let mut account = newcomer.account(&ticket);
    account["bio"] = Value::Null;
    account["cookie"] = Value::Null;
    let session = newcomer.client.post("/v1/signup/complete", &account).send().await?.succeeded(201)?;
    let token = text_at(&session, "token")?;
    let me = newcomer.client.with_token(token).get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["bio"]).to_equal("")
}

async fn unknown_fields_and_parameters_are_ignored(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let body = json!({ "email": newcomer.email, "mood": { "is": ["fine"] } });
    newcomer.client.post("/v1/signup?colour=blue", &body).send().await?.succeeded(202)?;
    let alice = world.user().await?;
    let me = alice.get("/v1/me?colour=blue&email=x").send().await?.succeeded(200)?;
    expect(&me["user_id"]).to_equal(&alice.user_id)
}

async fn ids_are_uuids_of_version_7(world: &World) -> Verdict {
    let alice = world.user().await?;
    let socket = alice.connects().await?;
    let connection_id = text_at(&socket.hello, "connection_id")?;
    for id in [&alice.user_id, &alice.session_id, &connection_id] {
        let version = Uuid::parse_str(id).ok().map(|id| id.get_version_num());
        let is_plain = id.len() == 36 && *id == id.to_lowercase();
        check(version == Some(7) && is_plain, || ("a UUID of version 7 in lower case with hyphens", id.clone()))?;
    }
    Ok(())
}

async fn an_id_of_another_form_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let phone = alice.signs_in_again().await?;
    let id = &phone.session_id;
    let wrong = [id.to_uppercase(), id.replace('-', ""), format!("{id}0"), "7".to_owned(), "Current".to_owned()];
    for id in wrong.iter().filter(|wrong| *wrong != id) {
        let answer = alice.delete(format!("/v1/sessions/{id}")).send().await?;
        answer.refused_field("session_id", FieldCode::BadFormat)?;
    }
    alice.delete(format!("/v1/sessions/{id}")).send().await?.succeeded_without_body()
}

async fn times_are_written_with_three_decimals(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let asked = newcomer.asks().await?.succeeded(202)?;
    let alice = world.user().await?;
    let me = alice.get("/v1/me").send().await?.succeeded(200)?;
    let sessions = alice.get("/v1/sessions").send().await?.succeeded(200)?;
    let times = [(&asked, "expires_at"), (&me, "created_at"), (&sessions, "items.0.created_at")];
    for (answer, path) in times.into_iter().chain([(&sessions, "items.0.last_used_at")]) {
        let time = text_at(answer, path)?;
        // This type takes one spelling of each moment, the one of CNV-8.
        check(time.parse::<Timestamp>().is_ok(), || ("a time like 2026-11-22T20:44:13.123Z", time.clone()))?;
    }
    Ok(())
}

async fn a_bio_is_kept_exactly_as_sent(world: &World) -> Verdict {
    let bob = world.user().await?;
    // White space at both ends, composed and decomposed letters, a family of scalars in one glyph; filled up to the limit.
    let mut bio = " \t caf\u{e9} cafe\u{301} \u{1f469}\u{200d}\u{1f467} \u{202e}\u{feff}\r\n".to_owned();
    let most = usize::try_from(world.limits().max_bio_chars).unwrap_or(usize::MAX);
    while bio.chars().count() < most {
        bio.push('\u{1f600}');
    }
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let mut account = newcomer.account(&ticket);
    account["bio"] = json!(bio);
    let session = newcomer.client.post("/v1/signup/complete", &account).send().await?.succeeded(201)?;
    let alice = newcomer.client.with_token(text_at(&session, "token")?);
    let me = alice.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["bio"]).to_equal(&bio)?;
    let seen = bob.get(format!("/v1/users/{}", newcomer.username)).send().await?.succeeded(200)?;
    expect(&seen["bio"]).to_equal(&bio)
}

async fn text_with_nul_is_refused(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    for field in ["bio", "password"] {
        let mut account = newcomer.account(&ticket);
        account[field] = json!("quite \u{0} plain text");
        let answer = newcomer.client.post("/v1/signup/complete", &account).send().await?;
        answer.refused_field(field, FieldCode::BadFormat)?;
    }
    // The refusals changed nothing: the ticket is still good.
    newcomer.completes(&ticket).await?.succeeded(201)?;
    Ok(())
}

async fn a_request_id_comes_back(world: &World) -> Verdict {
    let longest = "aZ09-_.".repeat(10).chars().take(64).collect::<String>();
    for id in ["x", "req-7f3a.B_2", &longest] {
        let answer = capabilities(world).header("X-Request-Id", id).send().await?;
        answer.succeeded(200)?;
        expect(answer.needs_header("x-request-id")?).to_equal(id)?;
        let answer = unknown_path(world).header("X-Request-Id", id).send().await?;
        let problem = answer.refused_with(ErrorCode::NoSuchEndpoint)?;
        expect(answer.needs_header("x-request-id")?).to_equal(id)?;
        expect(&problem["request_id"]).to_equal(id)?;
    }
    Ok(())
}

async fn a_request_id_is_made_where_none_of_the_right_form_is_sent(world: &World) -> Verdict {
    let mut seen = Vec::new();
    let too_long = "a".repeat(65);
    for id in [None, None, Some("two words"), Some("semi;colon"), Some(too_long.as_str())] {
        let request = unknown_path(world);
        let request = match id {
            Some(id) => request.header("X-Request-Id", id),
            None => request,
        };
        let answer = request.send().await?;
        let problem = answer.refused_with(ErrorCode::NoSuchEndpoint)?;
        let made = answer.needs_header("x-request-id")?.to_owned();
        expect(&made).to_differ_from(id)?;
        expect(&problem["request_id"]).to_equal(&made)?;
        check(!seen.contains(&made), || ("an id that was not used before", made.clone()))?;
        seen.push(made);
    }
    Ok(())
}

async fn values_of_the_wrong_type_are_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let visitor = world.visitor();
    for wrong in [json!(7), json!(true), json!(["x"]), json!({ "is": "x" }), json!(1.5)] {
        let answer = visitor.post("/v1/signup", &json!({ "email": wrong })).send().await?;
        answer.refused_field("email", FieldCode::WrongType)?;
    }
    for wrong in [json!("true"), json!(1), json!([])] {
        let mut body = alice.sign_in_body();
        body["cookie"] = wrong;
        visitor.post("/v1/sessions", &body).send().await?.refused_field("cookie", FieldCode::WrongType)?;
    }
    for whole in [json!([]), json!("text"), json!(7), json!([alice.username, alice.password])] {
        visitor.post("/v1/sessions", &whole).send().await?.refused_field("", FieldCode::WrongType)?;
    }
    visitor.post("/v1/sessions", &alice.sign_in_body()).send().await?.succeeded(201)?;
    Ok(())
}

async fn a_path_that_is_not_there_is_told(world: &World) -> Verdict {
    let alice = world.user().await?;
    for path in ["/v1/nothing", "/v1/me/more", "/v1/sessions/current/more", "/v1/", "/v1/ME"] {
        for client in [&world.visitor(), &*alice] {
            client.get(path).send().await?.refused_with(ErrorCode::NoSuchEndpoint)?;
        }
    }
    world.visitor().post("/v1/nothing", &json!({})).send().await?.refused_with(ErrorCode::NoSuchEndpoint)?;
    alice.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn a_method_that_is_not_there_is_told(world: &World) -> Verdict {
    let alice = world.user().await?;
    let wrong = [
        ("DELETE", "/v1/me", vec!["GET"]),
        ("PATCH", "/v1/sessions", vec!["GET", "POST"]),
        ("PUT", "/v1/sessions/current", vec!["DELETE"]),
        ("GET", "/v1/signup/verify", vec!["POST"]),
    ];
    for (method, path, there) in wrong {
        let answer = alice.request(method, path).send().await?;
        answer.refused_with(ErrorCode::MethodNotAllowed)?;
        let allow = answer.needs_header("allow")?;
        let named: Vec<_> = allow.split(',').map(str::trim).collect();
        check(there.iter().all(|method| named.contains(method)) && !named.contains(&method), || {
            (format!("Allow with {}", there.join(" and ")), allow.to_owned())
        })?;
    }
    // The session is still there: none of it did anything.
    let sessions = alice.get("/v1/sessions").send().await?.succeeded(200)?;
    expect(list_at(&sessions, "items")?.len()).to_equal(1)?;
    check(text_at(&sessions, "items.0.session_id")?.parse::<SessionId>().is_ok(), || {
        ("an id of a session", at(&sessions, "items").map(Value::to_string).unwrap_or_default())
    })
}
