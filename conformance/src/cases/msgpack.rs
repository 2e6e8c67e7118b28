//! The profile `msgpack`: the same values in another encoding. (CNV-3, CNV-4)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod commands;
mod frames;
mod live;
mod numbers;
mod refusals;

use i9chat_spec::{Cursor, ErrorCode, FieldCode, Format};
use serde_json::{Value, json};

use super::chats::{missing_id, names};
use crate::{
    case::Case,
    cases,
    client::{Answer, Request},
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::{
        World,
        conversation::{Draft, messages_of, texts},
    },
};

/// The cases of this profile.
pub fn all() -> Vec<Case> {
    [CASES, frames::CASES, commands::CASES, live::CASES, numbers::CASES, refusals::CASES].concat()
}

cases! { Msgpack:
    every_answer_is_the_same_value_in_both_encodings ["CNV-3", "CNV-4"],
    every_body_is_read_in_both_encodings ["CNV-2", "CNV-4", "ACC-1", "SES-1", "SES-5", "MSG-1"],
    errors_are_answered_in_the_encoding_asked_for ["CNV-3", "ERR-1", "ERR-6"],
    accept_decides_about_the_encoding ["CNV-3"],
    bytes_that_are_no_messagepack_are_refused ["CNV-2", "ERR-4", "ERR-5"],
    a_value_of_another_messagepack_type_is_refused ["CNV-4", "CNV-15", "ERR-4"],
}

async fn every_answer_is_the_same_value_in_both_encodings(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let cursor = bob.present_cursor().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.opens_direct_chat_with(&carol).await?;
    alice.says(&chat_id, ["one", "\u{1F600} zwei", "trois"]).await?;
    let sent = bob.says(&chat_id, ["four"]).await?;
    let message_id = text_at(&sent[0], "message_id")?;
    for path in [
        "/v1/capabilities".to_owned(),
        "/v1/me".to_owned(),
        format!("/v1/users/{}", alice.username),
        "/v1/chats".to_owned(),
        "/v1/chats?limit=1".to_owned(),
        format!("/v1/chats/{chat_id}"),
        format!("/v1/chats/{chat_id}/entries"),
        format!("/v1/chats/{chat_id}/entries?after=1&limit=2"),
        format!("{}/{message_id}", messages_of(&chat_id)),
        format!("/v1/events?cursor={cursor}"),
        format!("/v1/events?cursor={cursor}&limit=2"),
    ] {
        both_alike(&bob.get(path), 200).await?;
    }
    both_alike(&bob.put(format!("/v1/direct/{}", alice.username)), 200).await?;
    // The moment of the last use moves between the two answers.
    let mut sessions = Vec::new();
    for format in Format::ALL {
        let mut listed = in_format(&bob.get("/v1/sessions").accept(*format).send().await?, *format, 200)?;
        for session in listed["items"].as_array_mut().into_iter().flatten() {
            text_at(session, "last_used_at")?;
            session["last_used_at"].take();
        }
        sessions.push(listed);
    }
    expect(&sessions[0]).to_equal(&sessions[1])?;
    expect(&sessions[0]["items"][0]["session_id"]).to_equal(&bob.session_id)
}

async fn every_body_is_read_in_both_encodings(world: &World) -> Verdict {
    // All of signing up, in MessagePack.
    let newcomer = world.newcomer();
    let client = &newcomer.client;
    let packed = async |request: Request, body: Value, status| {
        in_format(&request.encoded(Format::MessagePack, &body).send().await?, Format::MessagePack, status)
    };
    let seen = world.target().mail().seen(&newcomer.email).await;
    let post = |path: &str| client.request("POST", path);
    let asked = packed(post("/v1/signup"), json!({ "email": newcomer.email }), 202).await?;
    let code = newcomer.reads_code(&seen).await?;
    let verified = packed(post("/v1/signup/verify"), json!({ "ticket": asked["ticket"], "code": code }), 200).await?;
    let account = newcomer.account(&text_at(&verified, "ticket")?);
    let signed_up = packed(post("/v1/signup/complete"), account, 201).await?;
    expect(&signed_up["user"]["username"]).to_equal(&newcomer.username)?;
    let credentials = json!({ "login": newcomer.email, "password": newcomer.password });
    let session = packed(post("/v1/sessions"), credentials, 201).await?;
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let refreshed = packed(post("/v1/sessions/refresh"), refresh, 200).await?;
    let client = client.with_token(text_at(&refreshed, "token")?);
    let me = client.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["user_id"]).to_equal(&signed_up["user"]["user_id"])?;

    // A message in either encoding is the same message.
    let alice = world.user().await?;
    let opened = client.put(format!("/v1/direct/{}", alice.username)).send().await?.succeeded(200)?;
    let chat_id = text_at(&opened, "chat.chat_id")?;
    let draft = Draft::new("packed \u{1F4E6}");
    let request = || client.request("POST", messages_of(&chat_id));
    let first = packed(request(), draft.body(), 201).await?;
    let again = request().json(&draft.body()).send().await?.succeeded(201)?;
    expect(&again).to_equal(&first)?;
    let history = alice.history(&chat_id).await?;
    expect(texts(&history)).to_equal([&draft.text])?;
    expect(&history[0]["client_id"]).to_equal(&draft.client_id)
}

async fn errors_are_answered_in_the_encoding_asked_for(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let anonymous = alice.anonymous();
    let wrong = json!({ "client_id": "x", "content": {} });
    for (request, code) in [
        (anonymous.get("/v1/me"), ErrorCode::Unauthenticated),
        (alice.with_token("x").get("/v1/me"), ErrorCode::TokenInvalid),
        (alice.get("/v1/nowhere"), ErrorCode::NoSuchEndpoint),
        (alice.delete("/v1/me"), ErrorCode::MethodNotAllowed),
        (alice.get("/v1/users/nobody-has-this-name"), ErrorCode::UserNotFound),
        (alice.get(format!("/v1/chats/{}", missing_id())), ErrorCode::ChatNotFound),
        (alice.get("/v1/chats?limit=0"), ErrorCode::InvalidRequest),
        (alice.post(messages_of(&chat_id), &wrong), ErrorCode::InvalidRequest),
        (alice.request("POST", messages_of(&chat_id)).body("application/json", "{"), ErrorCode::MalformedBody),
        (alice.request("POST", messages_of(&chat_id)).body("text/plain", "{}"), ErrorCode::UnsupportedMediaType),
    ] {
        let problem = both_alike(&request, code.status()).await?;
        expect(&problem["code"]).to_equal(code.as_str())?;
    }
    Ok(())
}

async fn accept_decides_about_the_encoding(world: &World) -> Verdict {
    let alice = world.user().await?;
    let json = Some(Format::Json);
    let packed = Some(Format::MessagePack);
    for (accept, wanted) in [
        ("*/*", json),
        ("application/*", json),
        ("application/json", json),
        ("application/vnd.msgpack", packed),
        ("Application/VND.MsgPack", packed),
        ("application/json;q=0.5, application/vnd.msgpack", packed),
        ("application/json; q=0.5,application/vnd.msgpack; q=0.6", packed),
        ("application/vnd.msgpack;q=0.5, application/json", json),
        ("application/vnd.msgpack;q=0.001, application/json;q=0.002", json),
        ("application/vnd.msgpack, */*;q=0.1", packed),
        ("application/json, */*;q=0.1", json),
        ("text/html, application/vnd.msgpack;q=0.9, */*;q=0.8", packed),
        ("application/json;q=0, application/vnd.msgpack", packed),
        ("application/json;q=0, */*", packed),
        ("application/vnd.msgpack;q=0, */*", json),
        ("text/html", None),
        ("application/json;q=0", None),
        ("text/*, image/png;q=0.9", None),
        ("*/*;q=0", None),
    ] {
        let answer = alice.get("/v1/me").header("Accept", accept).send().await?;
        let came = answer.header("content-type").unwrap_or_default();
        let told =
            || (format!("{} for Accept: {accept}", wanted.map_or("406", Format::media_type)), answer.to_string());
        match wanted {
            Some(format) => {
                check(answer.status == 200 && came.starts_with(format.media_type()), told)?;
                expect(&answer.succeeded(200)?["user_id"]).to_equal(&alice.user_id)?;
            }
            None => {
                answer.refused_with(ErrorCode::NotAcceptable).map_err(|_| answer.other_than(told().0))?;
            }
        }
    }
    let without = alice.get("/v1/me").send().await?;
    in_format(&without, Format::Json, 200)?;
    Ok(())
}

async fn bytes_that_are_no_messagepack_are_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let draft = Draft::new("hello");
    let good = Format::MessagePack.encode(&draft.body()).unwrap_or_default();
    let send = async |bytes: Vec<u8>| {
        let request = alice.request("POST", messages_of(&chat_id)).accept(Format::MessagePack);
        request.body(Format::MessagePack.media_type(), bytes).send().await
    };
    let cut = |length: usize| good.get(..length).unwrap_or_default().to_vec();
    let malformed = [
        Vec::new(),
        vec![0xc1],
        draft.body().to_string().into_bytes(),
        cut(1),
        cut(good.len() / 2),
        cut(good.len() - 1),
        [good.clone(), vec![0xc0]].concat(),
        // A map that says it has four thousand million entries, an array in an array in an array …
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        vec![0x91; 5000],
        // Text that is not UTF-8.
        vec![0x81, 0xa1, 0xff, 0x01],
    ];
    for bytes in malformed {
        let answer = send(bytes.clone()).await?;
        // What is malformed as a whole, and what is no map, lie close together for some of them.
        let refused = answer.refused_with(ErrorCode::MalformedBody).or_else(|stop| {
            let is_other_value = matches!(bytes.first(), Some(0x20..=0x7f | 0x81 | 0x91));
            if is_other_value { answer.refused_with(ErrorCode::InvalidRequest) } else { Err(stop) }
        })?;
        text_at(&refused, "detail")?;
    }
    for value in [json!([draft.client_id, draft.content()]), json!("x"), json!(7), json!(null), json!(true)] {
        let answer = send(Format::MessagePack.encode(&value).unwrap_or_default()).await?;
        answer.refused_with(ErrorCode::InvalidRequest)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    expect(&send(good).await?.succeeded(201)?["seq"]).to_equal(1)
}

async fn a_value_of_another_messagepack_type_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let send = async |client_id: &[u8], text: &[u8]| {
        // {"client_id": …, "content": {"kind": "text", "text": …}}, with these two values as they are.
        let parts = [b"\x82\xa9client_id".as_slice(), client_id, b"\xa7content\x82\xa4kind\xa4text\xa4text", text];
        let request = alice.request("POST", messages_of(&chat_id)).accept(Format::MessagePack);
        request.body(Format::MessagePack.media_type(), parts.concat()).send().await
    };
    let id = [b"\xd9\x24", Draft::new("").client_id.as_bytes()].concat();
    // An id is text, not its sixteen bytes.
    let bytes = [b"\xc4\x10".as_slice(), &[7; 16]].concat();
    send(&bytes, b"\xa5hello").await?.refused_field("client_id", FieldCode::WrongType)?;
    // Text is not bytes, and not a number of any kind.
    for wrong in [b"\xc4\x05hello".as_slice(), b"\x07", b"\xca\x3f\x80\x00\x00", b"\xc3", b"\x90", b"\xd4\x01\x00"] {
        let answer = send(&id, wrong).await?;
        answer.refused_with(ErrorCode::InvalidRequest)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    // Text may be written in any of its lengths.
    let taken = send(&id, b"\xdb\x00\x00\x00\x05hello").await?.succeeded(201)?;
    expect(&taken["seq"]).to_equal(1)?;
    expect(texts(&alice.history(&chat_id).await?)).to_equal(["hello"])
}

/// The value of an answer with that status, which must be in that encoding.
fn in_format(answer: &Answer, format: Format, status: u16) -> Verdict<Value> {
    answer.has_status(status)?;
    let wanted = if status < 400 { format.media_type() } else { format.problem_type() };
    let came = answer.header("content-type").unwrap_or_default();
    let is_it = came.split(';').next().is_some_and(|kind| kind.trim() == wanted);
    check(is_it, || (format!("Content-Type: {wanted} for {}", answer.request), came.to_owned()))?;
    answer.value.clone().ok_or_else(|| answer.other_than(format!("a body in {wanted}")))
}

/// Sends the request once in each encoding; the two values must be the same, and are answered.
async fn both_alike(request: &Request, status: u16) -> Verdict<Value> {
    let mut values = Vec::new();
    for format in Format::ALL {
        let request = request.clone().accept(*format).header("X-Request-Id", "same");
        let mut value = in_format(&request.send().await?, *format, status)?;
        // The place in the log moves with whatever others do meanwhile.
        if let Some(cursor) = value.get_mut("cursor") {
            let is_cursor = cursor.as_str().is_some_and(|text| text.parse::<Cursor>().is_ok());
            check(is_cursor, || ("a cursor", cursor.to_string()))?;
            cursor.take();
        }
        values.push(value);
    }
    expect(&values[1]).to_equal(&values[0])?;
    Ok(values[0].take())
}
