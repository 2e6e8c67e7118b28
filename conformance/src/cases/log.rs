//! Section 14: the log, and the events that tell of it.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod views;

use futures_util::future::try_join_all;
use i9chat_spec::Cursor;
use serde_json::{Value, json};

use super::chats::names;
use crate::{
    case::Case,
    cases,
    client::socket::reply_data,
    expect::{check, expect, list_at, text_at},
    verdict::Verdict,
    world::{
        World,
        conversation::{Draft, answers, messages_in, seqs},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, views::CASES].concat()
}

cases! { Resume:
    every_connection_gets_every_event_once_and_in_order ["LOG-4", "LOG-5", "LOG-3", "MSG-4"],
    events_of_a_user_go_to_that_user_alone ["LOG-3", "LOG-8"],
    every_event_has_a_cursor_of_its_own ["LOG-2"],
    a_user_sees_the_events_of_their_own_chats_only ["LOG-3", "LOG-4"],
    a_chat_comes_before_its_messages_however_its_users_race ["LOG-7", "LOG-4", "CHT-1", "CHT-2"],
    an_acknowledgement_holds_no_cursor ["LOG-11"],
    what_was_acknowledged_or_delivered_is_read_at_once ["LOG-10"],
}

async fn every_connection_gets_every_event_once_and_in_order(world: &World) -> Verdict {
    const EACH: usize = 20;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    bob.opens_direct_chat_with(&alice).await?;
    let alices_tablet = alice.signs_in_again().await?;
    let mut listening = Vec::new();
    for user in [&alice, &alice, &alices_tablet, &bob, &bob] {
        listening.push((user, user.connects().await?));
    }
    // Both listen before either sends: a connection hears what comes after its start.
    let sockets = [(&alice, alice.connects().await?), (&bob, bob.connects().await?)];
    let senders = sockets.map(async |(sender, mut socket)| {
        for number in 0..EACH {
            socket.sends(&Draft::new(format!("number {number}")).frame(&chat_id)).await?;
        }
        for answer in answers(&mut socket, EACH).await? {
            reply_data(&answer)?;
        }
        // The connection that sent hears of it too.
        sender.has_caught_up(&mut socket).await
    });
    let by_senders = Box::pin(try_join_all(senders)).await?;
    let wanted = by_senders.first().map(|events| of_messages(events)).unwrap_or_default();
    expect(seqs(messages_in(&wanted))).to_equal((1..=2 * EACH).collect::<Vec<_>>())?;
    expect(by_senders.last().map(|events| of_messages(events))).to_equal(&wanted)?;
    for (user, socket) in &mut listening {
        let events = user.has_caught_up(socket).await?;
        // The same for every viewer, the cursor included.
        expect(of_messages(&events)).to_equal(&wanted)?;
    }
    Ok(())
}

async fn events_of_a_user_go_to_that_user_alone(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["hello"]).await?;
    let mut alices = alice.connects().await?;
    let mut bobs = bob.connects().await?;
    let [carol] = world.users().await?;
    alice.opens_direct_chat_with(&carol).await?;
    let passing = alice.signs_in_again().await?;
    passing.signs_out().await?;
    alice.says(&chat_id, ["and again"]).await?;

    let events = alice.has_caught_up(&mut alices).await?;
    expect(names(&events)).to_equal(["chat_added", "session_ended", "message_created"])?;
    for event in &events {
        let to_chat = event["event"] == "message_created";
        check(event.get("chat_id").is_some() == to_chat, || {
            ("chat_id where the address is a chat", event.to_string())
        })?;
    }
    expect(&events[1]["data"]).to_equal(json!({ "session_id": passing.session_id }))?;
    expect(names(&bob.has_caught_up(&mut bobs).await?)).to_equal(["message_created"])
}

async fn every_event_has_a_cursor_of_its_own(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut socket = alice.connects().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three"]).await?;
    let events = alice.has_caught_up(&mut socket).await?;
    let mut cursors = vec![text_at(&socket.hello, "cursor")?];
    for event in &events {
        cursors.push(text_at(event, "cursor")?);
    }
    check(cursors.len() == 5, || ("hello and four events", format!("{}", cursors.len())))?;
    for cursor in &cursors {
        check(cursor.parse::<Cursor>().is_ok(), || ("1 to 128 of A-Z a-z 0-9 - _", cursor.clone()))?;
    }
    cursors.sort_unstable();
    cursors.dedup();
    check(cursors.len() == 5, || ("five different cursors", format!("{} different ones", cursors.len())))
}

async fn a_user_sees_the_events_of_their_own_chats_only(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let mut carols = carol.connects().await?;
    let start = text_at(&carols.hello, "cursor")?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["between us"]).await?;
    expect(carol.has_caught_up(&mut carols).await?).to_equal(json!([]))?;
    let page = carol.reads(format!("/v1/events?cursor={start}")).await?;
    expect(messages_in(list_at(&page, "events")?)).to_equal(json!([]))?;
    // What is theirs they see.
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    alice.says(&with_carol, ["for you"]).await?;
    let mut events = carol.has_caught_up(&mut carols).await?;
    // Of the first barrier.
    events.retain(|event| event["event"] != "session_ended");
    expect(names(&events)).to_equal(["chat_added", "message_created"])
}

async fn a_chat_comes_before_its_messages_however_its_users_race(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let pairs = [(&alice, &bob), (&carol, &dave), (&bob, &carol), (&dave, &alice), (&alice, &carol)];
    for (one, other) in pairs {
        let (mut ones, mut others) = (one.connects().await?, other.connects().await?);
        let chat_id = one.opens_direct_chat_with(other).await?;
        // The partner opens the chat while its first messages come in.
        let sending = one.says(&chat_id, ["first", "second", "third"]);
        let (sent, opened) = Box::pin(async { tokio::join!(sending, other.opens_direct_chat_with(one)) }).await;
        sent?;
        expect(opened?).to_equal(&chat_id)?;
        for (user, socket) in [(one, &mut ones), (other, &mut others)] {
            let mut events = user.has_caught_up(socket).await?;
            events.retain(|event| event["event"] != "session_ended");
            expect(names(&events)).to_equal(["chat_added", "message_created", "message_created", "message_created"])?;
            expect(seqs(messages_in(&events))).to_equal([1, 2, 3])?;
        }
    }
    Ok(())
}

async fn an_acknowledgement_holds_no_cursor(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let by_endpoint = alice.sends(&chat_id, &Draft::new("one")).await?;
    let mut socket = alice.connects().await?;
    let draft = Draft::new("two");
    socket.sends(&draft.frame(&chat_id)).await?;
    let by_action = socket.answered(&draft.client_id).await?;
    for value in [&by_endpoint, &by_action, &reply_data(&by_action)?] {
        check(value.is_object() && value.get("cursor").is_none(), || ("no cursor", value.to_string()))?;
    }
    expect(seqs([&by_endpoint, &reply_data(&by_action)?])).to_equal([1, 2])
}

async fn what_was_acknowledged_or_delivered_is_read_at_once(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut bobs = bob.connects().await?;
    for number in 1..=25 {
        let cursor = alice.present_cursor().await?;
        let sent = alice.sends(&chat_id, &Draft::new(format!("number {number}"))).await?;
        // Acknowledged to alice.
        expect(&alice.chat(&chat_id).await?["last_entry"]["seq"]).to_equal(number)?;
        let page = alice.reads(format!("/v1/events?cursor={cursor}")).await?;
        let came: Vec<_> =
            messages_in(list_at(&page, "events")?).iter().map(|message| &message["message_id"]).collect();
        expect(came).to_equal([&sent["message_id"]])?;
        // Delivered to bob.
        bobs.event("message_created").await?;
        let newest = bob.reads(format!("/v1/chats/{chat_id}/entries?limit=1")).await?;
        expect(seqs(list_at(&newest, "items")?)).to_equal([number])?;
        let chats = bob.reads("/v1/chats").await?;
        expect(&chats["items"][0]["last_entry"]["seq"]).to_equal(number)?;
    }
    Ok(())
}

/// The frames of messages among events.
fn of_messages(events: &[Value]) -> Vec<Value> {
    events.iter().filter(|event| event["event"] == "message_created").cloned().collect()
}
