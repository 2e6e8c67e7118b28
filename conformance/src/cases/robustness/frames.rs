//! Frames: of the wrong form in every field of every action, and of no form at all.

use base64::{Engine, engine::general_purpose::STANDARD};
use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use super::{
    Bystanders, about,
    bodies::refuses_inside,
    catalogue::{deeds, fields},
    connections::opens_with,
};
use crate::{
    cases,
    client::{Frame, Socket, socket::error_code},
    verdict::{Stop, Verdict},
    world::{User, World},
};

cases! { Robustness:
    every_field_of_every_action_has_its_type ["WSK-5", "CNV-15", "ERR-4"],
    no_text_of_any_action_holds_nul ["WSK-5", "CNV-9"],
    the_data_of_every_action_is_a_map ["WSK-5", "ERR-4"],
    frames_that_are_hard_to_read_do_no_harm ["WSK-5", "WSK-6"],
    what_is_no_websocket_frame_does_no_harm ["WSK-6"],
}

/// Asks for an action; a connection that was told to wait does, and asks again. (WSK-11)
async fn asks(socket: &mut Socket, action: &str, data: &Value) -> Verdict<Value> {
    loop {
        let id = format!("{action}-{}", rand::random::<u64>());
        let answer = socket.asks(&id, action, data).await?;
        let wait = answer["error"]["retry_after_ms"].as_u64().filter(|_| answer["error"]["code"] == "rate_limited");
        match wait {
            Some(wait) => socket.goes_on_for(std::time::Duration::from_millis(wait)).await?,
            None => return Ok(answer),
        }
    }
}

/// The action must be refused for its form, in that field.
async fn refuses(socket: &mut Socket, action: &str, data: &Value, field: &str, code: Option<FieldCode>) -> Verdict {
    let answer = asks(socket, action, data).await?;
    let told = format!("{action} with {data}");
    error_code(&answer, ErrorCode::InvalidRequest).map_err(about(&told))?;
    refuses_inside(&answer["error"], field, code).map_err(about(&told))
}

async fn every_field_of_every_action_has_its_type(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    for deed in deeds(world) {
        let mut socket = user.connects().await?;
        for field in fields(&deed.data) {
            for wrong in field.of_other_types() {
                let data = field.replaced(&deed.data, wrong);
                refuses(&mut socket, deed.name, &data, field.outermost(), Some(FieldCode::WrongType)).await?;
            }
        }
        // It was about each action alone: the connection goes on.
        socket.catches_up().await?;
    }
    bystanders.go_on().await
}

async fn no_text_of_any_action_holds_nul(world: &World) -> Verdict {
    let user = world.user().await?;
    for deed in deeds(world) {
        let mut socket = user.connects().await?;
        for field in fields(&deed.data).into_iter().filter(|field| field.value.is_string()) {
            let text = field.value.as_str().unwrap_or_default();
            for wrong in [format!("{text}\0"), "\0".to_owned()] {
                let data = field.replaced(&deed.data, json!(wrong));
                refuses(&mut socket, deed.name, &data, field.outermost(), None).await?;
            }
        }
        socket.catches_up().await?;
    }
    Bystanders::of(world).await?.go_on().await
}

async fn the_data_of_every_action_is_a_map(world: &World) -> Verdict {
    let user = world.user().await?;
    for deed in deeds(world) {
        let mut socket = user.connects().await?;
        for wrong in [json!(null), json!([]), json!([deed.data]), json!("x"), json!(7), json!(true)] {
            let answer = asks(&mut socket, deed.name, &wrong).await?;
            error_code(&answer, ErrorCode::InvalidRequest).map_err(about(deed.name))?;
        }
        // Left out altogether, it lacks what it must have.
        socket.sends(&json!({ "id": "without data", "action": deed.name })).await?;
        let answer = socket.answered("without data").await?;
        error_code(&answer, ErrorCode::InvalidRequest).map_err(about(deed.name))?;
        socket.catches_up().await?;
    }
    Bystanders::of(world).await?.go_on().await
}

async fn frames_that_are_hard_to_read_do_no_harm(world: &World) -> Verdict {
    const DEEP: usize = 10_000;
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    let deep = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    for action in deeds(world).iter().map(|deed| deed.name).chain(["no_such_action"]) {
        for data in [
            deep.clone(),
            format!("{{\"a\":{deep}}}"),
            format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)),
            "{\"a\":1e999999}".to_owned(),
            format!("{{\"a\":{}}}", "9".repeat(DEEP)),
            "{\"a\":\"\\ud800\"}".to_owned(),
            "{\"a\":1,\"a\":2}".to_owned(),
        ] {
            let mut socket = user.connects().await?;
            // The suite's own reader may find it too deep to see what it names.
            socket.expects_answer("hard", action);
            socket.sends_text(format!("{{\"id\":\"hard\",\"action\":\"{action}\",\"data\":{data}}}")).await?;
            // Answered as an action or closed as a frame that cannot be read; but the one or the other.
            loop {
                match socket.next().await? {
                    Frame::Value(frame) if frame["type"] == "error" => break,
                    Frame::Closed(closed) => {
                        closed.is(i9chat_spec::CloseCode::BadFrame)?;
                        break;
                    }
                    Frame::Value(frame) if frame["type"] == "reply" => {
                        return Err(Stop::failed("an error, or a close", frame.to_string()));
                    }
                    _ => {}
                }
            }
        }
    }
    bystanders.go_on().await
}

/// A handshake, and bytes after it that are no frames.
fn handshake_and(user: &User, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: i9chat.v1.json\r\nAuthorization: Bearer {}\r\n\r\n",
        user.origin().authority(),
        STANDARD.encode(rand::random::<[u8; 16]>()),
        user.token,
    );
    [head.as_bytes(), bytes].concat()
}

async fn what_is_no_websocket_frame_does_no_harm(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    let masked = |first: u8, second: u8, rest: &[u8]| [&[first, second | 0x80, 1, 2, 3, 4], rest].concat();
    let wrong: [(&str, Vec<u8>); 12] = [
        ("a frame without a mask", b"\x81\x02{}".to_vec()),
        ("reserved bits", masked(0xf1, 2, b"xx")),
        ("an opcode that is reserved", masked(0x83, 2, b"xx")),
        ("a continuation of nothing", masked(0x80, 2, b"xx")),
        ("a ping that is too long", [b"\x89\xfe\x00\xc8\x01\x02\x03\x04".as_slice(), &[0; 200]].concat()),
        ("a ping in pieces", masked(0x09, 2, b"xx")),
        ("a close of one byte", masked(0x88, 1, b"x")),
        ("a frame of 2^63 bytes", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04".to_vec()),
        (
            "a frame of 4 GiB of which nothing comes",
            b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x01\x02\x03\x04".to_vec(),
        ),
        ("text that is not UTF-8", masked(0x81, 2, &[0xff ^ 1, 0xfe ^ 2])),
        ("a request of HTTP", b"GET /v1/me HTTP/1.1\r\n\r\n".to_vec()),
        ("noise", (0..500).map(|_| rand::random()).collect()),
    ];
    for (what, bytes) in wrong {
        let answer = user.sends_bytes(&format!("a handshake and {what}"), &handshake_and(&user, &bytes)).await?;
        answer.has_status(101)?;
        user.connects().await?.catches_up().await?;
    }
    // Very many very small pieces of one text that never ends.
    let mut pieces = masked(0x01, 1, b"x");
    for _ in 0..5000 {
        pieces.extend(masked(0x00, 1, b"x"));
    }
    let held = opens_with(&user, &handshake_and(&user, &pieces)).await?;
    user.connects().await?.catches_up().await?;
    bystanders.go_on().await?;
    drop(held);
    bystanders.go_on().await
}
