//! What a client may send, and what becomes of it. (WSK-4 to WSK-7)

use std::collections::HashMap;

use i9chat_spec::{CloseCode, ErrorCode, Profile};
use serde_json::{Value, json};

use crate::{
    cases,
    client::{Socket, socket::error_code},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Core:
    each_action_gets_exactly_one_answer ["WSK-4", "WSK-5"],
    an_unknown_action_is_told_and_the_connection_goes_on ["WSK-5", "ERR-2"],
    data_of_the_wrong_form_is_told_and_the_connection_goes_on ["WSK-5", "ERR-4"],
    a_frame_that_is_none_closes_the_connection ["WSK-6", "WSK-13"],
    a_frame_at_the_limit_is_taken_and_a_larger_one_closes ["WSK-7", "CAP-2"],
}

fn unknown_action(id: &str) -> Value {
    json!({ "id": id, "action": "no_such_action", "data": {} })
}

async fn each_action_gets_exactly_one_answer(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let longest = "\u{1f600}".repeat(64);
    let mut ids: Vec<String> = (0..20).map(|number| format!("action {number}")).collect();
    ids.extend([longest, "\u{e9}\"\\\n".to_owned(), " ".to_owned()]);
    for id in &ids {
        socket.sends(&unknown_action(id)).await?;
    }
    let mut answers: HashMap<String, usize> = HashMap::new();
    socket.sends(&unknown_action("last")).await?;
    loop {
        let answer =
            socket.until("an answer", |frame| matches!(frame["type"].as_str(), Some("reply" | "error"))).await?;
        error_code(&answer, ErrorCode::UnknownAction)?;
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        if id == "last" {
            break;
        }
        *answers.entry(id).or_default() += 1;
    }
    for id in &ids {
        expect(answers.remove(id)).to_equal(1)?;
    }
    check(answers.is_empty(), || ("no other answer", format!("{answers:?}")))
}

async fn an_unknown_action_is_told_and_the_connection_goes_on(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    for action in ["no_such_action", "", "SEND_MESSAGE", "hello", "drop table"] {
        let frame = json!({ "id": action.len().to_string(), "action": action, "data": {}, "mood": "fine" });
        socket.sends(&frame).await?;
        let answer = socket.answered(&action.len().to_string()).await?;
        error_code(&answer, ErrorCode::UnknownAction)?;
        // The same object as over HTTP. (ERR-1)
        for member in ["title", "detail", "request_id"] {
            check(answer["error"][member].is_string(), || (format!("text in {member}"), answer.to_string()))?;
        }
    }
    Ok(())
}

async fn data_of_the_wrong_form_is_told_and_the_connection_goes_on(world: &World) -> Verdict {
    if !world.claims(Profile::Messages) {
        return Err(Stop::skipped("the only action is of the profile messages, which the server does not claim"));
    }
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let wrong = [
        (json!({}), "chat_id", "missing"),
        (json!({ "chat_id": 7 }), "chat_id", "wrong_type"),
        (json!({ "chat_id": "x" }), "chat_id", "bad_format"),
    ];
    for (turn, (data, field, code)) in wrong.into_iter().enumerate() {
        let answer = socket.asks(&turn.to_string(), "send_message", &data).await?;
        error_code(&answer, ErrorCode::InvalidRequest)?;
        let listed = answer["error"]["fields"].as_array().is_some_and(|fields| {
            let is_field = |named: &Value| named == field || named.as_str() == Some(&format!("data.{field}"));
            fields.iter().any(|entry| is_field(&entry["field"]) && entry["code"] == code)
        });
        check(listed, || (format!("{field}: {code} among the fields"), answer.to_string()))?;
    }
    socket.catches_up().await
}

async fn a_frame_that_is_none_closes_the_connection(world: &World) -> Verdict {
    let alice = world.user().await?;
    let long = "x".repeat(65);
    let wrong = [
        String::new(),
        "nonsense".to_owned(),
        "{\"id\": \"1\", \"action\": ".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "null".to_owned(),
        "[\"1\", \"no_such_action\", {}]".to_owned(),
        "{}".to_owned(),
        json!({ "action": "no_such_action", "data": {} }).to_string(),
        json!({ "id": "1", "data": {} }).to_string(),
        json!({ "id": 1, "action": "no_such_action", "data": {} }).to_string(),
        json!({ "id": "", "action": "no_such_action", "data": {} }).to_string(),
        json!({ "id": long, "action": "no_such_action", "data": {} }).to_string(),
        json!({ "id": "1", "action": 7, "data": {} }).to_string(),
    ];
    for text in wrong {
        let mut socket = alice.connects().await?;
        socket.catches_up().await?;
        socket.sends_text(text).await?;
        socket.closed_with(CloseCode::BadFrame).await?;
    }
    // What would be fine as text is not as bytes.
    let mut socket = alice.connects().await?;
    socket.sends_binary(unknown_action("1").to_string().into_bytes()).await?;
    socket.closed_with(CloseCode::BadFrame).await?;
    Ok(())
}

async fn a_frame_at_the_limit_is_taken_and_a_larger_one_closes(world: &World) -> Verdict {
    let alice = world.user().await?;
    let limit = usize::try_from(world.limits().max_frame_bytes).unwrap_or_default();
    let mut socket = alice.connects().await?;
    let frame = |size: usize| {
        let mut frame = unknown_action("1");
        frame["data"] = json!({ "padding": "" });
        let padding = size.saturating_sub(frame.to_string().len());
        frame["data"]["padding"] = json!("x".repeat(padding));
        frame
    };
    let taken = async |socket: &mut Socket| {
        socket.sends(&frame(limit)).await?;
        error_code(&socket.answered("1").await?, ErrorCode::UnknownAction)
    };
    taken(&mut socket).await?;
    taken(&mut socket).await?;
    socket.sends(&frame(limit + 1)).await?;
    socket.closed_with(CloseCode::FrameTooLarge).await?;
    let mut socket = alice.connects().await?;
    socket.sends(&frame(limit * 16)).await?;
    socket.closed_with(CloseCode::FrameTooLarge).await?;
    Ok(())
}
