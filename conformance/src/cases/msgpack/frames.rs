//! Frames of the WebSocket in MessagePack. (CNV-4, WSK-6)

use i9chat_spec::{CloseCode, ErrorCode, Format};
use serde_json::{Value, json};

use super::{missing_id, names};
use crate::{
    cases,
    client::{
        Socket,
        socket::{error_code, reply_data},
    },
    expect::{check, expect, text_at},
    verdict::{InSetup, Verdict},
    world::{
        User, World,
        conversation::{Draft, seqs},
    },
};

cases! { Msgpack:
    every_frame_is_the_same_value_in_both_encodings ["CNV-4", "WSK-1", "WSK-3", "WSK-4", "LOG-3"],
    a_cursor_is_good_in_either_encoding ["RSM-4", "RSM-8", "CNV-4"],
    a_frame_that_cannot_be_read_closes_the_connection ["WSK-6"],
    a_frame_that_is_too_large_closes_the_connection ["WSK-7", "CAP-2"],
}

async fn every_frame_is_the_same_value_in_both_encodings(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let cursor = alice.present_cursor().await?;
    let mut json_socket = connects(&alice, Format::Json, &cursor).await?;
    let mut packed = connects(&alice, Format::MessagePack, &cursor).await?;
    let mut hellos = [json_socket.hello.clone(), packed.hello.clone()];
    for hello in &mut hellos {
        text_at(hello, "connection_id")?;
        hello["connection_id"].take();
    }
    expect(&hellos[0]).to_equal(&hellos[1])?;

    // Each sends, and each gets a reply of the same kind.
    let drafts = [Draft::new("by JSON"), Draft::new("by MessagePack")];
    for (socket, draft) in [&mut json_socket, &mut packed].into_iter().zip(&drafts) {
        socket.sends(&draft.frame(&chat_id)).await?;
        let reply = reply_data(&socket.answered(&draft.client_id).await?)?;
        // The same send in the other encoding is the same send.
        expect(alice.sends(&chat_id, draft).await?).to_equal(&reply)?;
    }
    // Errors, apart from the request's own name.
    let absent = Draft::new("nowhere").frame(&missing_id())["data"].take();
    let wrong =
        [("unknown", "juggle", json!({})), ("empty", "send_message", json!({})), ("absent", "send_message", absent)];
    for (id, action, data) in wrong {
        let mut errors = Vec::new();
        for socket in [&mut json_socket, &mut packed] {
            let mut error = socket.asks(id, action, &data).await?;
            check(error["type"] == "error", || ("an error", error.to_string()))?;
            error["error"]["request_id"].take();
            errors.push(error);
        }
        expect(&errors[0]).to_equal(&errors[1])?;
    }
    let by_json = alice.has_caught_up(&mut json_socket).await?;
    let mut by_packed = alice.has_caught_up(&mut packed).await?;
    // The second socket has read the barrier of the first one, too.
    by_packed.retain(|event| event["event"] != "session_ended");
    expect(names(&by_json)).to_equal(["message_created", "message_created"])?;
    expect(by_packed).to_equal(by_json)
}

async fn a_cursor_is_good_in_either_encoding(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["before"]).await?;
    let cursor = bob.listens().await?.start().to_owned();
    alice.says(&chat_id, ["after"]).await?;
    for format in Format::ALL {
        let mut socket = connects(&bob, *format, &cursor).await?;
        expect(&socket.hello["resume"]).to_equal("resumed")?;
        let event = socket.event("message_created").await?;
        expect(&event["data"]["message"]["content"]["text"]).to_equal("after")?;
        expect(seqs([&event["data"]["message"]])).to_equal([2])?;
    }
    bob.handshake().format(Format::MessagePack).cursor("a.b").refused_with(CloseCode::InvalidRequest).await?;
    Ok(())
}

async fn a_frame_that_cannot_be_read_closes_the_connection(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let draft = Draft::new("hello");
    let good = Format::MessagePack.encode(&draft.frame("chat")).unwrap_or_default();
    let encoded = |value: Value| Format::MessagePack.encode(&value).unwrap_or_default();
    let wrong = [
        Vec::new(),
        vec![0xc1],
        good.get(..good.len() - 1).unwrap_or_default().to_vec(),
        [good.clone(), vec![0xc0]].concat(),
        draft.frame("chat").to_string().into_bytes(),
        encoded(json!(["1", "send_message", {}])),
        encoded(json!({ "action": "send_message", "data": {} })),
        encoded(json!({ "id": 7, "action": "send_message", "data": {} })),
        encoded(json!({ "id": "", "action": "send_message", "data": {} })),
        encoded(json!({ "id": "1", "data": {} })),
    ];
    for bytes in wrong {
        let mut socket = alice.handshake().format(Format::MessagePack).connect().await?;
        socket.sends_binary(bytes).await?;
        socket.closed_with(CloseCode::BadFrame).await?;
    }
    let mut socket = alice.handshake().format(Format::MessagePack).connect().await?;
    socket.sends_text(draft.frame(&chat_id).to_string()).await?;
    socket.closed_with(CloseCode::BadFrame).await?;
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    // A frame that can be read is answered.
    let mut socket = alice.handshake().format(Format::MessagePack).connect().await?;
    socket.sends(&draft.frame(&chat_id)).await?;
    expect(&reply_data(&socket.answered(&draft.client_id).await?)?["seq"]).to_equal(1)
}

async fn a_frame_that_is_too_large_closes_the_connection(world: &World) -> Verdict {
    let alice = world.user().await?;
    let most = usize::try_from(world.limits().max_frame_bytes).unwrap_or(65_536);
    // A frame of an unknown action, of exactly so many bytes. In two texts: the head of one text grows with its length.
    let encoded = |frame: &Value| Format::MessagePack.encode(frame).map_or(0, |bytes| bytes.len());
    let frame = |bytes: usize| {
        let with = |second: usize| {
            let balls = json!({ "left": "x".repeat(bytes / 2), "right": "x".repeat(second) });
            json!({ "id": "1", "action": "juggle", "data": balls })
        };
        let around = encoded(&with(bytes / 2)) - bytes / 2;
        with(bytes - around)
    };
    let lengths = [encoded(&frame(most)), encoded(&frame(most + 1))];
    expect(lengths).to_equal([most, most + 1]).in_setup("making a frame of an exact length")?;
    let mut socket = alice.handshake().format(Format::MessagePack).connect().await?;
    socket.sends(&frame(most)).await?;
    error_code(&socket.answered("1").await?, ErrorCode::UnknownAction)?;
    socket.sends(&frame(most + 1)).await?;
    socket.closed_with(CloseCode::FrameTooLarge).await?;
    Ok(())
}

async fn connects(user: &User, format: Format, cursor: &str) -> Verdict<Socket> {
    let socket = user.handshake().format(format).cursor(cursor).connect().await?;
    expect(&socket.selected).to_equal(format.subprotocol())?;
    Ok(socket)
}
