//! Section 8: sending messages, and reading them.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod groups;
mod history;
mod replies;
mod retries;

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    client::socket::{error_code, reply_data},
    expect::{check, expect, text_at},
    verdict::{Stop, Verdict},
    world::{
        World,
        conversation::{Draft, answers, messages_in, messages_of, seqs, texts},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, retries::CASES, history::CASES, replies::CASES, groups::CASES].concat()
}

cases! { Messages:
    a_message_is_the_same_for_both_wherever_it_is_read ["MSG-1", "MSG-5", "MSG-6", "MSG-11", "LOG-6", "LOG-10"],
    the_action_sends_as_the_endpoint_does ["MSG-1", "WSK-4"],
    text_is_kept_exactly_as_sent ["MSG-3", "CNV-9", "CAP-2"],
    text_out_of_bounds_is_refused_and_changes_nothing ["MSG-3", "CNV-9", "CAP-2", "ERR-5", "WSK-5"],
    content_that_the_server_does_not_know_is_refused ["MSG-3", "ERR-4", "ERR-5"],
    unknown_fields_of_a_message_are_ignored ["CNV-6"],
    entries_are_numbered_without_holes_whoever_sends_at_once ["MSG-4", "MSG-12"],
    actions_of_one_connection_take_effect_in_the_order_sent ["MSG-12", "WSK-4", "WSK-5"],
}

async fn a_message_is_the_same_for_both_wherever_it_is_read(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut alices = alice.connects().await?;
    let mut bobs = bob.connects().await?;
    let draft = Draft::new("hello, Bob");
    let sent = alice.sends(&chat_id, &draft).await?;
    // A cursor here would lead a client to resume from what it has not applied. (LOG-11)
    expect(sent.get("cursor")).to_equal(None::<&Value>)?;
    expect(&sent["chat_id"]).to_equal(&chat_id)?;
    expect(&sent["seq"]).to_equal(1)?;
    let entry = json!({
        "type": "message", "seq": 1, "message_id": sent["message_id"], "chat_id": chat_id, "sender": alice.as_value(),
        "client_id": draft.client_id, "created_at": sent["created_at"], "content": draft.content(),
    });
    let message_id = text_at(&sent, "message_id")?;
    for user in [&alice, &bob] {
        expect(user.history(&chat_id).await?).to_equal([&entry])?;
        expect(&user.chat(&chat_id).await?["last_entry"]).to_equal(&entry)?;
        let read = user.reads(format!("{}/{message_id}", messages_of(&chat_id))).await?;
        expect(read).to_equal(&entry)?;
    }
    for socket in [&mut alices, &mut bobs] {
        let event = socket.event("message_created").await?;
        expect(&event["data"]).to_equal(json!({ "message": entry }))?;
        expect(&event["chat_id"]).to_equal(&chat_id)?;
    }
    Ok(())
}

async fn the_action_sends_as_the_endpoint_does(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = alice.connects().await?;
    let by_action = Draft::new("by action");
    socket.sends(&by_action.frame_with_id("my own id", &chat_id)).await?;
    let first = reply_data(&socket.answered("my own id").await?)?;
    let second = alice.sends(&chat_id, &Draft::new("by endpoint")).await?;
    expect(seqs([&first, &second])).to_equal([1, 2])?;
    expect(&first["chat_id"]).to_equal(&chat_id)?;
    let history = bob.history(&chat_id).await?;
    expect(texts(&history)).to_equal(["by action", "by endpoint"])?;
    expect(&history[0]["message_id"]).to_equal(&first["message_id"])?;
    expect(&history[0]["created_at"]).to_equal(&first["created_at"])?;
    expect(&history[0]["client_id"]).to_equal(by_action.client_id)
}

async fn text_is_kept_exactly_as_sent(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let most = usize::try_from(world.limits().max_text_chars).unwrap_or(4096);
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = bob.connects().await?;
    let wanted = [
        "a".to_owned(),
        " ".to_owned(),
        "\t\n\r\n ".to_owned(),
        "  around  ".to_owned(),
        "x".repeat(most),
        // Four bytes each: lengths are of characters.
        "\u{1F600}".repeat(most),
        // Two characters each, though one is seen.
        "e\u{301}".repeat(most / 2),
        // The same to the eye, in two spellings that are not to be made one.
        "\u{e9}".to_owned(),
        "\u{212b} \u{c5} A\u{30a} \u{fb01}".to_owned(),
        "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{FE0F}".to_owned(),
        "\u{202e}שלום\u{202c} مرحبا".to_owned(),
        "\u{feff}bom and \u{200b} nothing".to_owned(),
        "\u{1}\u{7f}\u{85}\u{2028}\u{2029}".to_owned(),
        "\u{fffd}\u{ffff}\u{10ffff}".to_owned(),
        r#""quoted" \backslash\ /slash/ \u0041 <b>&amp;</b> ${x} ' ; --"#.to_owned(),
    ];
    for text in &wanted {
        alice.sends(&chat_id, &Draft::new(text)).await?;
    }
    let history = alice.history(&chat_id).await?;
    check(texts(&history) == wanted.each_ref().map(String::as_str), || {
        let differs = wanted.iter().zip(texts(&history)).find(|(wanted, came)| wanted != came);
        let (wanted, came) = differs.map_or(("as many texts", ""), |(wanted, came)| (wanted.as_str(), came));
        (format!("{wanted:?} in history"), format!("{came:?}"))
    })?;
    // Escapes are a spelling of JSON, not part of the text.
    let draft = Draft::new("");
    let escaped =
        format!(r#"{{"client_id":"{}","content":{{"kind":"text","text":"\ud83d\ude00\u0041\n"}}}}"#, draft.client_id);
    alice.request("POST", messages_of(&chat_id)).body("application/json", escaped).send().await?.succeeded(201)?;
    let events = bob.has_caught_up(&mut socket).await?;
    let came = messages_in(&events);
    let came = texts(came.iter().copied());
    let all: Vec<&str> = wanted.iter().map(String::as_str).chain(["\u{1F600}A\n"]).collect();
    check(came == all, || (format!("{} texts as sent", all.len()), format!("{} texts, not all as sent", came.len())))
}

async fn text_out_of_bounds_is_refused_and_changes_nothing(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let most = usize::try_from(world.limits().max_text_chars).unwrap_or(4096);
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = alice.connects().await?;
    let wrong = [
        (String::new(), FieldCode::TooShort),
        ("x".repeat(most + 1), FieldCode::TooLong),
        ("\u{1F600}".repeat(most + 1), FieldCode::TooLong),
        ("e\u{301}".repeat(most / 2 + 1), FieldCode::TooLong),
        ("a\0b".to_owned(), FieldCode::BadFormat),
        ("\0".to_owned(), FieldCode::BadFormat),
    ];
    for (number, (text, code)) in wrong.into_iter().enumerate() {
        let draft = Draft::new(text);
        alice.sending(&chat_id, &draft).send().await?.refused_field("content.text", code)?;
        let id = format!("wrong-{number}");
        socket.sends(&draft.frame_with_id(&id, &chat_id)).await?;
        error_code(&socket.answered(&id).await?, ErrorCode::InvalidRequest)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    // The connection goes on, and the first message has the first number.
    let draft = Draft::new("x".repeat(most));
    socket.sends(&draft.frame(&chat_id)).await?;
    expect(&reply_data(&socket.answered(&draft.client_id).await?)?["seq"]).to_equal(1)
}

async fn content_that_the_server_does_not_know_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = alice.connects().await?;
    let client_id = Draft::new("").client_id;
    let with = |content: Value| json!({ "client_id": client_id, "content": content });
    let text = json!({ "kind": "text", "text": "hello" });
    let wrong = [
        (with(json!({ "kind": "smoke_signal", "puffs": 3 })), "content.kind", FieldCode::UnknownValue),
        (with(json!({ "kind": "Text", "text": "hello" })), "content.kind", FieldCode::UnknownValue),
        (with(json!({ "text": "hello" })), "content.kind", FieldCode::Missing),
        (with(json!({ "kind": "text" })), "content.text", FieldCode::Missing),
        (with(json!({ "kind": "text", "text": null })), "content.text", FieldCode::Missing),
        (with(json!({ "kind": "text", "text": 7 })), "content.text", FieldCode::WrongType),
        (with(json!("hello")), "content", FieldCode::WrongType),
        (json!({ "client_id": client_id }), "content", FieldCode::Missing),
        (json!({ "content": text }), "client_id", FieldCode::Missing),
        (json!({ "client_id": "1", "content": text }), "client_id", FieldCode::BadFormat),
        (json!({ "client_id": client_id.to_uppercase(), "content": text }), "client_id", FieldCode::BadFormat),
        (json!({ "client_id": 1, "content": text }), "client_id", FieldCode::WrongType),
    ];
    for (number, (body, field, code)) in wrong.into_iter().enumerate() {
        alice.post(messages_of(&chat_id), &body).send().await?.refused_field(field, code)?;
        let mut data = body;
        data["chat_id"] = json!(chat_id);
        let answer = socket.asks(&format!("wrong-{number}"), "send_message", &data).await?;
        error_code(&answer, ErrorCode::InvalidRequest)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    // The same id is free still.
    let sent = alice.post(messages_of(&chat_id), &with(text)).send().await?.succeeded(201)?;
    expect(&sent["seq"]).to_equal(1)
}

async fn unknown_fields_of_a_message_are_ignored(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let draft = Draft::new("hello");
    let mut body = draft.body();
    body["colour"] = json!({ "of": ["the", "text"] });
    body["content"]["font"] = json!("serif");
    body["seq"] = json!(77);
    let sent = alice.post(format!("{}?verbose=1", messages_of(&chat_id)), &body).send().await?.succeeded(201)?;
    // The same without them is the same send.
    expect(alice.sends(&chat_id, &draft).await?).to_equal(&sent)?;
    let history = bob.history(&chat_id).await?;
    expect(seqs(&history)).to_equal([1])?;
    expect(&history[0]["content"]).to_equal(draft.content())
}

async fn entries_are_numbered_without_holes_whoever_sends_at_once(world: &World) -> Verdict {
    const EACH: usize = 25;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    bob.opens_direct_chat_with(&alice).await?;
    let mut listening = bob.connects().await?;
    let writers = [&alice, &bob, &alice, &bob].into_iter().enumerate().map(async |(writer, user)| {
        let mut acknowledged = Vec::new();
        if writer < 2 {
            let mut socket = user.connects().await?;
            for number in 0..EACH {
                socket.sends(&Draft::new(format!("{writer} {number}")).frame(&chat_id)).await?;
            }
            for answer in answers(&mut socket, EACH).await? {
                acknowledged.push(reply_data(&answer)?);
            }
        } else {
            let sending = (0..EACH).map(|number| {
                let draft = Draft::new(format!("{writer} {number}"));
                let chat_id = &chat_id;
                async move { user.sends(chat_id, &draft).await }
            });
            acknowledged = Box::pin(try_join_all(sending)).await?;
        }
        Ok::<_, Stop>(acknowledged)
    });
    let acknowledged = Box::pin(try_join_all(writers)).await?.concat();
    let by_seq: BTreeMap<u64, &Value> = seqs(&acknowledged).into_iter().zip(&acknowledged).collect();
    let all: Vec<u64> = (1..=4 * EACH as u64).collect();
    expect(by_seq.keys().collect::<Vec<_>>()).to_equal(&all)?;

    let history = alice.history(&chat_id).await?;
    expect(seqs(&history)).to_equal(&all)?;
    for (entry, sent) in history.iter().zip(by_seq.values()) {
        expect(&entry["message_id"]).to_equal(&sent["message_id"])?;
    }
    let events = bob.has_caught_up(&mut listening).await?;
    expect(messages_in(&events)).to_equal(&history)
}

async fn actions_of_one_connection_take_effect_in_the_order_sent(world: &World) -> Verdict {
    const COUNT: usize = 120;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = alice.connects().await?;
    let drafts: Vec<_> = (0..COUNT).map(|number| Draft::new(format!("number {number}"))).collect();
    for (number, draft) in drafts.iter().enumerate() {
        socket.sends(&draft.frame_with_id(&format!("good-{number}"), &chat_id)).await?;
        if number % 10 == 0 {
            socket.sends(&Draft::new("").frame_with_id(&format!("bad-{number}"), &chat_id)).await?;
            socket.sends(&json!({ "id": format!("odd-{number}"), "action": "juggle", "data": {} })).await?;
        }
    }
    let sent = COUNT + 2 * COUNT.div_ceil(10);
    let mut by_id = BTreeMap::new();
    for answer in answers(&mut socket, sent).await? {
        let id = text_at(&answer, "id")?;
        check(by_id.insert(id.clone(), answer).is_none(), || (format!("one answer to {id}"), "a second one"))?;
    }
    for number in 0..COUNT {
        let answer = by_id.get(&format!("good-{number}")).cloned().unwrap_or_default();
        expect(&reply_data(&answer)?["seq"]).to_equal(number + 1)?;
        if number % 10 == 0 {
            error_code(&by_id.get(&format!("bad-{number}")).cloned().unwrap_or_default(), ErrorCode::InvalidRequest)?;
            error_code(&by_id.get(&format!("odd-{number}")).cloned().unwrap_or_default(), ErrorCode::UnknownAction)?;
        }
    }
    let wanted: Vec<&str> = drafts.iter().map(|draft| draft.text.as_str()).collect();
    expect(texts(&bob.history(&chat_id).await?)).to_equal(wanted)
}
