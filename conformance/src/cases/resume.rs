//! Section 15: going on from a cursor.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod changed;
mod kinds;
mod retention;

use std::time::Duration;

use i9chat_spec::{CloseCode, Cursor};
use serde_json::{Value, json};

use super::chats::{names, names_field};
use crate::{
    case::Case,
    cases,
    client::{Frame, Socket, socket::reply_data},
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{
        World,
        conversation::{Draft, messages_in, seqs, texts},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, changed::CASES, kinds::CASES, retention::CASES].concat()
}

cases! { Resume:
    a_fresh_connection_starts_at_the_present ["RSM-2", "RSM-3"],
    a_resumed_connection_gets_what_it_missed_and_goes_on_live ["RSM-2", "RSM-4", "LOG-4"],
    a_connection_that_heard_nothing_resumes_from_its_hello ["RSM-4", "LOG-11"],
    cuts_at_any_moment_lose_nothing_and_repeat_nothing ["RSM-4", "LOG-4"],
    a_cursor_that_the_server_never_made_is_reset ["RSM-2", "RSM-6", "RSM-7"],
    a_cursor_that_is_no_cursor_is_refused ["RSM-8", "LOG-2"],
    a_cursor_of_another_user_is_good ["RSM-10", "LOG-3"],
    too_many_missed_events_are_not_replayed ["RSM-2", "RSM-5", "CAP-2", "CHT-8"],
    the_cursor_of_a_heartbeat_is_safe ["RSM-11", "WSK-8", "LOG-11"],
    events_over_http_are_those_of_a_connection ["RSM-9", "RSM-2", "RSM-3", "LOG-3"],
    the_limit_of_a_page_of_events_has_bounds ["RSM-9", "CNV-12"],
    the_epoch_is_the_same_on_every_connection ["WSK-3", "RSM-10"],
}

async fn a_fresh_connection_starts_at_the_present(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["before"]).await?;
    let mut socket = bob.connects().await?;
    expect(&socket.hello["resume"]).to_equal("fresh")?;
    alice.says(&chat_id, ["after"]).await?;
    expect(texts(messages_in(&bob.has_caught_up(&mut socket).await?))).to_equal(["after"])
}

async fn a_resumed_connection_gets_what_it_missed_and_goes_on_live(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one"]).await?;
    // One connection listens throughout, the other is away in the middle.
    let mut throughout = bob.connects().await?;
    let mut before = bob.connects().await?;
    alice.says(&chat_id, ["two"]).await?;
    let cursor = text_at(&before.event("message_created").await?, "cursor")?;
    drop(before);
    alice.says(&chat_id, ["three", "four"]).await?;
    bob.says(&chat_id, ["five"]).await?;

    let mut after = bob.resumes(&cursor).await?;
    expect(&after.hello["resume"]).to_equal("resumed")?;
    expect(&after.hello["cursor"]).to_equal(&cursor)?;
    alice.says(&chat_id, ["six"]).await?;
    let came = bob.has_caught_up(&mut after).await?;
    expect(texts(messages_in(&came))).to_equal(["three", "four", "five", "six"])?;
    // The same frames, byte for value, as on the connection that was there.
    let all = bob.has_caught_up(&mut throughout).await?;
    expect(texts(messages_in(&all))).to_equal(["two", "three", "four", "five", "six"])?;
    let frames = |events: &[Value]| -> Vec<Value> {
        events.iter().filter(|event| event["event"] == "message_created").cloned().collect()
    };
    expect(frames(&came)).to_equal(frames(&all).split_off(1))
}

async fn a_connection_that_heard_nothing_resumes_from_its_hello(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let start = text_at(&bob.connects().await?.hello, "cursor")?;
    let again = bob.resumes(&start).await?;
    expect(&again.hello["resume"]).to_equal("resumed")?;
    expect(&again.hello["cursor"]).to_equal(&start)?;
    drop(again);
    alice.says(&chat_id, ["one", "two"]).await?;
    let mut socket = bob.resumes(&start).await?;
    expect(names(&bob.has_caught_up(&mut socket).await?)).to_equal(["chat_added", "message_created", "message_created"])
}

async fn cuts_at_any_moment_lose_nothing_and_repeat_nothing(world: &World) -> Verdict {
    const COUNT: usize = 150;
    const WINDOW: usize = 8;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let start = bob.present_cursor().await?;
    let mut alices = alice.connects().await?;

    let writing = async {
        for number in 0..COUNT + WINDOW {
            if number < COUNT {
                let draft = Draft::new(format!("number {number}"));
                alices.sends(&draft.frame_with_id(&number.to_string(), &chat_id)).await?;
            }
            if let Some(answered) = number.checked_sub(WINDOW) {
                reply_data(&alices.answered(&answered.to_string()).await?)?;
            }
        }
        Ok::<_, Stop>(())
    };
    let reading = async {
        let mut seen: Vec<Value> = Vec::new();
        let mut cursor = start;
        let mut cuts = 0;
        while seen.len() < COUNT {
            let mut socket = bob.resumes(&cursor).await?;
            expect(&socket.hello["resume"]).to_equal("resumed")?;
            // The first cuts come before anything was read.
            for _ in 0..rand::random_range(0..=cuts.min(16)) {
                if seen.len() == COUNT {
                    break;
                }
                let event = next_event(&mut socket).await?;
                cursor = text_at(&event, "cursor")?;
                if event["event"] == "message_created" {
                    seen.push(event["data"]["message"].clone());
                }
            }
            cuts += 1;
        }
        // Nothing more comes after the last one.
        let mut socket = bob.resumes(&cursor).await?;
        expect(names(&bob.has_caught_up(&mut socket).await?)).to_equal(json!([]))?;
        Ok::<_, Stop>(seen)
    };
    let (written, seen) = Box::pin(async { tokio::join!(writing, reading) }).await;
    written?;
    let seen = seen?;
    expect(seqs(&seen)).to_equal((1..=COUNT).collect::<Vec<_>>())?;
    expect(seen).to_equal(alice.history(&chat_id).await?)
}

async fn a_cursor_that_the_server_never_made_is_reset(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut bobs = bob.connects().await?;
    alice.says(&chat_id, ["before"]).await?;
    let good = text_at(&bobs.event("message_created").await?, "cursor")?;
    let mut wrong: Vec<String> = ["A", "0", "-", "_", "AAAAAAAAAAAAAAAA", "MTIzNDU2Nzg5MA", "not-a-cursor-of-this-log"]
        .iter()
        .map(|&text| text.to_owned())
        .collect();
    wrong.push("x".repeat(128));
    wrong.extend((0..good.len()).map(|place| altered(&good, place)));
    wrong.push(good.chars().rev().collect());
    wrong.extend(good.char_indices().skip(1).filter_map(|(end, _)| good.get(..end)).map(str::to_owned));
    wrong.push(format!("{good}A"));
    wrong.retain(|cursor| *cursor != good && cursor.parse::<Cursor>().is_ok());
    for cursor in &wrong {
        let page = bob.reads(format!("/v1/events?cursor={cursor}")).await?;
        check(page["resume"] == "reset" && page["events"] == json!([]), || {
            (format!("reset without events for the cursor {cursor} (one that was made: {good})"), page.to_string())
        })?;
    }
    for cursor in wrong.iter().step_by(wrong.len().div_ceil(6).max(1)) {
        let mut socket = bob.resumes(cursor).await?;
        expect(&socket.hello["resume"]).to_equal("reset")?;
        expect(&socket.hello["cursor"]).to_differ_from(cursor)?;
        let live = Draft::new("live");
        alice.sends(&chat_id, &live).await?;
        expect(texts(messages_in(&bob.has_caught_up(&mut socket).await?))).to_equal(["live"])?;
    }
    // The one that was made is good.
    expect(&bob.resumes(&good).await?.hello["resume"]).to_equal("resumed")
}

async fn a_cursor_that_is_no_cursor_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let long = "x".repeat(129);
    for wrong in ["", "a.b", "a%20b", "a%2Bb", "a%2Fb", "a%3D", "%C3%BC", "%00", "a%0Ab", "~", &long] {
        names_field(&alice.get(format!("/v1/events?cursor={wrong}")).send().await?, "cursor")?;
        alice.handshake().cursor(wrong).refused_with(CloseCode::InvalidRequest).await?;
    }
    // Of the right form, whatever it says, it is answered.
    alice.resumes(&"x".repeat(128)).await?;
    Ok(())
}

async fn a_cursor_of_another_user_is_good(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    alice.says(&with_carol, ["before"]).await?;
    let mut bobs = bob.connects().await?;
    alice.says(&with_bob, ["for bob"]).await?;
    let cursor = text_at(&bobs.event("message_created").await?, "cursor")?;
    alice.says(&with_carol, ["after"]).await?;
    alice.says(&with_bob, ["for bob, too"]).await?;

    let mut socket = carol.resumes(&cursor).await?;
    expect(&socket.hello["resume"]).to_equal("resumed")?;
    expect(&socket.hello["cursor"]).to_equal(&cursor)?;
    expect(texts(messages_in(&carol.has_caught_up(&mut socket).await?))).to_equal(["after"])?;
    let page = carol.reads(format!("/v1/events?cursor={cursor}")).await?;
    expect(&page["resume"]).to_equal("resumed")?;
    expect(texts(messages_in(list_at(&page, "events")?))).to_equal(["after"])
}

async fn too_many_missed_events_are_not_replayed(world: &World) -> Verdict {
    let most = world.limits().max_resume_events;
    let count = usize::try_from(most).ok().filter(|count| *count <= 3000);
    let count = count.ok_or_else(|| Stop::skipped(format!("writing {most} messages takes too long")))?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["so that the chat is there"]).await?;
    let cursor = bob.present_cursor().await?;
    alice.writes_many(&chat_id, count).await?;

    // At the limit everything is replayed.
    let mut socket = bob.resumes(&cursor).await?;
    expect(&socket.hello["resume"]).to_equal("resumed")?;
    for _ in 0..count {
        next_event(&mut socket).await?;
    }
    expect(seqs(messages_in(socket.events()))).to_equal((2..=count + 1).collect::<Vec<_>>())?;
    drop(socket);

    // One beyond it nothing is, and the connection is live.
    bob.opens_direct_chat_with(&carol).await?;
    let before = bob.present_cursor().await?;
    alice.says(&chat_id, ["one more"]).await?;
    let mut socket = bob.resumes(&cursor).await?;
    expect(&socket.hello["resume"]).to_equal("limited")?;
    expect(&socket.hello["cursor"]).to_differ_from(&cursor)?;
    let page = bob.reads(format!("/v1/events?cursor={cursor}")).await?;
    expect(&page["resume"]).to_equal("limited")?;
    expect(&page["events"]).to_equal(json!([]))?;
    expect(&page["more"]).to_equal(false)?;
    alice.says(&chat_id, ["live"]).await?;
    expect(texts(messages_in(&bob.has_caught_up(&mut socket).await?))).to_equal(["live"])?;
    let after = text_at(&page, "cursor")?;
    let page = bob.reads(format!("/v1/events?cursor={after}")).await?;
    expect(texts(messages_in(list_at(&page, "events")?))).to_equal(["live"])?;
    // However much was missed, it is told which chats are to be read anew.
    for (cursor, wanted) in [(&cursor, 2), (&before, 1), (&after, 1)] {
        let changed = bob.reads(format!("/v1/chats?changed_since={cursor}")).await?;
        expect(list_at(&changed, "items")?.len()).to_equal(wanted)?;
        expect(&changed["items"][0]["chat_id"]).to_equal(&chat_id)?;
    }
    Ok(())
}

async fn the_cursor_of_a_heartbeat_is_safe(world: &World) -> Verdict {
    let heartbeat = Duration::from_millis(world.lifetimes().heartbeat_ms);
    if heartbeat > Duration::from_secs(35) {
        return Err(Stop::skipped(format!("a heartbeat takes {} s here", heartbeat.as_secs())));
    }
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut socket = bob.connects().await?;
    alice.says(&chat_id, ["before"]).await?;
    socket.event("message_created").await?;
    let beat = loop {
        match socket.next_within(heartbeat + Duration::from_secs(5)).await? {
            Frame::Value(value) if value["type"] == "heartbeat" => break value,
            Frame::Closed(closed) => return Err(Stop::failed("a heartbeat", closed.to_string())),
            _ => {}
        }
    };
    let cursor = text_at(&beat, "cursor")?;
    drop(socket);
    alice.says(&chat_id, ["after", "and after"]).await?;
    let mut socket = bob.resumes(&cursor).await?;
    expect(&socket.hello["resume"]).to_equal("resumed")?;
    expect(texts(messages_in(&bob.has_caught_up(&mut socket).await?))).to_equal(["after", "and after"])
}

async fn events_over_http_are_those_of_a_connection(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let fresh = bob.reads("/v1/events").await?;
    expect(&fresh["resume"]).to_equal("fresh")?;
    expect(&fresh["events"]).to_equal(json!([]))?;
    expect(&fresh["more"]).to_equal(false)?;
    let start = text_at(&fresh, "cursor")?;
    let mut socket = bob.resumes(&start).await?;
    alice.says(&chat_id, (1..=7).map(|number| format!("number {number}"))).await?;
    let wanted = without_type(&bob.has_caught_up(&mut socket).await?);
    check(wanted.len() == 8, || ("chat_added and seven messages", format!("{} events", wanted.len())))?;

    for limit in [1, 3, 8, 50] {
        let mut came = Vec::new();
        let mut cursor = start.clone();
        loop {
            let page = bob.reads(format!("/v1/events?cursor={cursor}&limit={limit}")).await?;
            expect(&page["resume"]).to_equal("resumed")?;
            let events = list_at(&page, "events")?;
            check(events.len() <= limit, || (format!("at most {limit} events"), format!("{}", events.len())))?;
            came.extend(without_type(events));
            let next = text_at(&page, "cursor")?;
            if page["more"] != true {
                // From the end there is nothing more to read.
                let end = bob.reads(format!("/v1/events?cursor={next}&limit={limit}")).await?;
                expect(&end["events"]).to_equal(json!([]))?;
                expect(&end["more"]).to_equal(false)?;
                break;
            }
            check(next != cursor, || ("a cursor that moves while there is more", next.clone()))?;
            cursor = next;
        }
        // The barrier's own events come last.
        came.retain(|event| event["event"] != "session_ended");
        expect(came).to_equal(&wanted)?;
    }
    Ok(())
}

async fn the_limit_of_a_page_of_events_has_bounds(world: &World) -> Verdict {
    let alice = world.user().await?;
    let most = world.limits().max_page_items;
    let cursor = alice.present_cursor().await?;
    for good in [1, most] {
        alice.reads(format!("/v1/events?cursor={cursor}&limit={good}")).await?;
    }
    for bad in ["0", "-1", &(most + 1).to_string(), "1.5", "ten", ""] {
        names_field(&alice.get(format!("/v1/events?cursor={cursor}&limit={bad}")).send().await?, "limit")?;
    }
    Ok(())
}

async fn the_epoch_is_the_same_on_every_connection(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let first = alice.connects().await?;
    let cursor = text_at(&first.hello, "cursor")?;
    let epoch = text_at(&first.hello, "epoch")?;
    for socket in [bob.connects().await?, alice.resumes(&cursor).await?, bob.resumes(&cursor).await?] {
        expect(&socket.hello["epoch"]).to_equal(&epoch)?;
    }
    // A cursor of this epoch is good as long as the epoch is.
    expect(&bob.resumes(&cursor).await?.hello["resume"]).to_equal("resumed")
}

async fn next_event(socket: &mut Socket) -> Verdict<Value> {
    socket.until("an event", |frame| frame["type"] == "event").await
}

/// The text with the character at that place made another one of the same alphabet.
fn altered(text: &str, place: usize) -> String {
    let other = |character| if character == 'A' { 'B' } else { 'A' };
    text.chars().enumerate().map(|(at, character)| if at == place { other(character) } else { character }).collect()
}

/// In a page of events nothing else could stand, so that `type` may be left out there.
pub(super) fn without_type(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    for fields in events.iter_mut().filter_map(Value::as_object_mut) {
        fields.remove("type");
    }
    events
}
