//! Replies, and what they show of the message that they reply to. (MSG-15, MSG-16)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::{missing_id, names},
    client::socket::{error_code, reply_data},
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::{
        User, World,
        conversation::{Draft, messages_of},
    },
};

cases! { Messages:
    a_reply_shows_what_it_replies_to ["MSG-15", "MSG-16", "MSG-5"],
    a_snippet_is_the_first_hundred_characters ["MSG-16", "CNV-9"],
    the_action_replies_as_the_endpoint_does ["MSG-1", "MSG-15", "MSG-16"],
    what_cannot_be_replied_to_is_refused ["MSG-15", "ERR-4", "ERR-5"],
    a_reply_to_what_one_does_not_see_is_refused ["MSG-15", "MSG-13", "ERR-6"],
    a_reply_is_the_same_for_all_who_see_it ["MSG-16", "MSG-5", "GRP-16"],
    a_retry_names_the_same_message_to_reply_to ["MSG-7", "MSG-8", "ERR-5"],
}

fn quote(sender: &User, message_id: &str, seq: u64, snippet: &str) -> Value {
    json!({ "message_id": message_id, "seq": seq, "sender": sender.as_value(), "kind": "text", "snippet": snippet })
}

async fn a_reply_shows_what_it_replies_to(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let asked = alice.writes(&chat_id, "are you there?").await?;
    let mut alices = alice.listens().await?;
    let draft = Draft::new("I am");
    let sent = bob.replies(&chat_id, &draft, &asked).await?.succeeded(201)?;
    let answer = text_at(&sent, "message_id")?;
    // To a reply, and to one's own message.
    let again = Draft::new("still");
    bob.replies(&chat_id, &again, &answer).await?.succeeded(201)?;
    let wanted = json!({
        "type": "message", "seq": 2, "message_id": answer, "chat_id": chat_id, "sender": bob.as_value(),
        "client_id": draft.client_id, "created_at": sent["created_at"], "content": draft.content(),
        "reply_to": quote(&alice, &asked, 1, "are you there?"),
    });
    for user in [&alice, &bob] {
        let history = user.history(&chat_id).await?;
        expect(&history[1]).to_equal(&wanted)?;
        expect(&history[2]["reply_to"]).to_equal(quote(&bob, &answer, 2, "I am"))?;
        check(history[0].get("reply_to").is_none(), || ("no reply_to in what is none", history[0].to_string()))?;
        expect(user.message(&chat_id, &answer).await?).to_equal(&wanted)?;
    }
    let heard = alices.hears().await?;
    expect(names(&heard)).to_equal(["message_created", "message_created"])?;
    expect(&heard[0]["data"]["message"]).to_equal(&wanted)
}

async fn a_snippet_is_the_first_hundred_characters(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    for text in [
        "x".repeat(99),
        "x".repeat(100),
        "x".repeat(101),
        "\u{1F600}".repeat(101),
        // Characters are scalar values: what is seen as one may be cut in two.
        "e\u{301}".repeat(60),
        format!("{}\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "x".repeat(98)),
        format!("{}{}", "a".repeat(100), "b".repeat(200)),
        format!("\n\t  {}  ", "y".repeat(200)),
        " ".repeat(150),
        format!("\u{202e}{}", "שלום ".repeat(40)),
    ] {
        let quoted = alice.writes(&chat_id, &text).await?;
        let sent = bob.replies(&chat_id, &Draft::new("indeed"), &quoted).await?.succeeded(201)?;
        let wanted: String = text.chars().take(100).collect();
        let reply = alice.message(&chat_id, &text_at(&sent, "message_id")?).await?;
        expect(&reply["reply_to"]["snippet"]).to_equal(wanted)?;
        expect(&reply["reply_to"]["message_id"]).to_equal(&quoted)?;
    }
    Ok(())
}

async fn the_action_replies_as_the_endpoint_does(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let asked = alice.writes(&chat_id, "are you there?").await?;
    let mut socket = bob.connects().await?;
    let draft = Draft::new("I am");
    let mut data = draft.body();
    data["chat_id"] = json!(chat_id);
    data["reply_to"] = json!(asked);
    let by_action = reply_data(&socket.asks("1", "send_message", &data).await?)?;
    // The same send over HTTP is a retry of it.
    expect(bob.replies(&chat_id, &draft, &asked).await?.succeeded(201)?).to_equal(&by_action)?;
    expect(&bob.history(&chat_id).await?[1]["reply_to"]).to_equal(quote(&alice, &asked, 1, "are you there?"))?;
    data["client_id"] = json!(Draft::new("").client_id);
    data["reply_to"] = json!(missing_id());
    error_code(&socket.asks("2", "send_message", &data).await?, ErrorCode::ReplyNotFound)?;
    data["reply_to"] = json!("x");
    error_code(&socket.asks("3", "send_message", &data).await?, ErrorCode::InvalidRequest)?;
    alice.is_at(&chat_id, 2).await
}

async fn what_cannot_be_replied_to_is_refused(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let between_others = bob.opens_direct_chat_with(&carol).await?;
    alice.says(&chat_id, ["hello"]).await?;
    let elsewhere = alice.writes(&with_carol, "for carol").await?;
    let hidden = bob.writes(&between_others, "not for alice").await?;
    let draft = Draft::new("what do you think?");
    for wrong in [&missing_id(), &elsewhere, &hidden, &chat_id, &alice.user_id] {
        alice.replies(&chat_id, &draft, wrong).await?.refused_with(ErrorCode::ReplyNotFound)?;
    }
    for (wrong, code) in [
        (json!("x"), FieldCode::BadFormat),
        (json!(elsewhere.to_uppercase()), FieldCode::BadFormat),
        (json!(1), FieldCode::WrongType),
    ] {
        // An id of digits alone has no other case.
        if wrong == json!(elsewhere) {
            continue;
        }
        let mut body = draft.body();
        body["reply_to"] = wrong;
        alice.post(messages_of(&chat_id), &body).send().await?.refused_field("reply_to", code)?;
    }
    alice.is_at(&chat_id, 1).await?;
    // The same id is good, and `null` is nothing to reply to.
    let mut body = draft.body();
    body["reply_to"] = Value::Null;
    let sent = alice.post(messages_of(&chat_id), &body).send().await?.succeeded(201)?;
    expect(alice.sends(&chat_id, &draft).await?).to_equal(&sent)
}

async fn a_reply_to_what_one_does_not_see_is_refused(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?;
    let before = alice.writes(&chat_id, "before bob").await?;
    bob.joins(&chat_id).await?;
    let inside = alice.writes(&chat_id, "hello, Bob").await?;
    bob.leaves(&chat_id).await?;
    let between = alice.writes(&chat_id, "without bob").await?;
    bob.joins(&chat_id).await?;
    for hidden in [&before, &between] {
        bob.replies(&chat_id, &Draft::new("really?"), hidden).await?.refused_with(ErrorCode::ReplyNotFound)?;
    }
    // What one saw in a stretch of before may be replied to.
    let sent = bob.replies(&chat_id, &Draft::new("hello"), &inside).await?.succeeded(201)?;
    let reply = bob.message(&chat_id, &text_at(&sent, "message_id")?).await?;
    expect(&reply["reply_to"]).to_equal(quote(&alice, &inside, 4, "hello, Bob"))
}

async fn a_reply_is_the_same_for_all_who_see_it(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?;
    let asked = alice.writes(&chat_id, "before bob").await?;
    bob.joins(&chat_id).await?;
    let mut bobs = bob.listens().await?;
    let sent = alice.replies(&chat_id, &Draft::new("as I said"), &asked).await?.succeeded(201)?;
    let reply = text_at(&sent, "message_id")?;
    // Bob sees what it replies to in the reply alone.
    let wanted = quote(&alice, &asked, 2, "before bob");
    expect(&bob.message(&chat_id, &reply).await?["reply_to"]).to_equal(&wanted)?;
    expect(&bobs.hears().await?[0]["data"]["message"]["reply_to"]).to_equal(&wanted)?;
    bob.get(format!("{}/{asked}", messages_of(&chat_id))).send().await?.refused_with(ErrorCode::MessageNotFound)?;
    // And who replies to that reply quotes what it says itself.
    let sent = bob.replies(&chat_id, &Draft::new("I see"), &reply).await?.succeeded(201)?;
    let message = alice.message(&chat_id, &text_at(&sent, "message_id")?).await?;
    expect(&message["reply_to"]).to_equal(quote(&alice, &reply, 4, "as I said"))
}

async fn a_retry_names_the_same_message_to_reply_to(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let one = alice.writes(&chat_id, "one").await?;
    let two = alice.writes(&chat_id, "two").await?;
    let draft = Draft::new("yes");
    let first = bob.replies(&chat_id, &draft, &one).await?.succeeded(201)?;
    expect(bob.replies(&chat_id, &draft, &one).await?.succeeded(201)?).to_equal(&first)?;
    bob.replies(&chat_id, &draft, &two).await?.refused_with(ErrorCode::IdempotencyConflict)?;
    bob.replies(&chat_id, &draft, &missing_id()).await?.refused_with(ErrorCode::IdempotencyConflict)?;
    bob.sending(&chat_id, &draft).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    let plain = Draft::new("no");
    bob.sends(&chat_id, &plain).await?;
    bob.replies(&chat_id, &plain, &one).await?.refused_with(ErrorCode::IdempotencyConflict)?;
    alice.is_at(&chat_id, 4).await
}
