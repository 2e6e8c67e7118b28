//! Every kind of change is replayed in its place. (RSM-4, RSM-9, RSM-12)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::Profile;
use serde_json::{Value, json};

use super::without_type;
use crate::{
    cases,
    cases::chats::names,
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Resume:
    every_kind_of_event_is_replayed_as_it_was_told ["RSM-4", "RSM-9", "RSM-12", "LOG-3", "LOG-4"],
    what_comes_while_a_connection_resumes_comes_after_what_was_missed ["RSM-4", "LOG-4"],
    the_newest_receipt_is_always_replayed ["RSM-12", "RSM-13", "RCP-12"],
}

async fn every_kind_of_event_is_replayed_as_it_was_told(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut live = bob.connects().await?;
    let start = text_at(&live.hello, "cursor")?;
    let mut wanted = vec!["chat_added", "message_created", "message_created"];
    let direct = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&direct, "hello").await?;
    alice.replies(&direct, &crate::world::conversation::Draft::new("and"), &message_id).await?.succeeded(201)?;
    if world.claims(Profile::Reactions) {
        bob.reacts(&direct, &message_id, "👍").await?;
        alice.unreacts(&direct, &message_id).await?;
        wanted.push("reaction_changed");
    }
    if world.claims(Profile::Receipts) {
        // One move of each: of several a replay may tell the last alone. (RSM-13)
        bob.has_read(&direct, 2).await?;
        alice.has_got(&direct, 1).await?;
        wanted.extend(["read_state_changed", "receipts_updated", "receipts_updated"]);
    }
    if world.claims(Profile::Groups) {
        let chat_id = alice.founds("ours", [&bob]).await?;
        alice.changes(&chat_id, &json!({ "name": "all ours" })).await?;
        bob.leaves(&chat_id).await?;
        wanted.extend(["chat_added", "group_activity", "group_activity", "group_activity", "membership_ended"]);
    }
    if world.claims(Profile::Users) {
        bob.request("PATCH", "/v1/me").json(&json!({ "bio": "here" })).send().await?.succeeded(200)?;
        wanted.push("profile_changed");
    }
    bob.signs_in_again().await?.signs_out().await?;
    wanted.push("session_ended");

    let told = bob.has_caught_up(&mut live).await?;
    let sorted = |names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    expect(sorted(names(&told))).to_equal(sorted(wanted))?;
    let count = told.len();
    // Over a connection from every place, and over HTTP in pages of every size.
    for place in 0..=count {
        let cursor = match place.checked_sub(1) {
            Some(before) => text_at(&told[before], "cursor")?,
            None => start.clone(),
        };
        let mut socket = bob.resumes(&cursor).await?;
        expect(&socket.hello["resume"]).to_equal("resumed")?;
        for wanted in &told[place..] {
            expect(socket.until("the next event", |frame| frame["type"] == "event").await?).to_equal(wanted)?;
        }
    }
    for limit in [1, 2, 5, 50] {
        let mut came = Vec::new();
        let mut cursor = start.clone();
        loop {
            let page = bob.reads(format!("/v1/events?cursor={cursor}&limit={limit}")).await?;
            came.extend(without_type(list_at(&page, "events")?));
            cursor = text_at(&page, "cursor")?;
            if page["more"] != true {
                break;
            }
        }
        // What follows is of the barrier.
        came.truncate(count);
        expect(came).to_equal(without_type(&told))?;
    }
    Ok(())
}

async fn what_comes_while_a_connection_resumes_comes_after_what_was_missed(world: &World) -> Verdict {
    const COUNT: usize = 60;
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let start = bob.present_cursor().await?;
    let writing = async {
        for number in 0..COUNT {
            if number % 5 == 0 {
                alice.changes(&chat_id, &json!({ "name": format!("number {number}") })).await?;
            } else {
                alice.says(&chat_id, [format!("number {number}")]).await?;
            }
        }
        Ok::<_, Stop>(())
    };
    let resuming = async {
        let mut sockets = Vec::new();
        for _ in 0..6 {
            sockets.push(bob.resumes(&start).await?);
        }
        Ok::<_, Stop>(sockets)
    };
    let (written, sockets) = Box::pin(async { tokio::join!(writing, resuming) }).await;
    written?;
    let history = alice.history(&chat_id).await?;
    for mut socket in sockets? {
        let heard = bob.has_caught_up(&mut socket).await?;
        let entries: Vec<&Value> =
            heard.iter().filter_map(|event| event["data"].get("activity").or(event["data"].get("message"))).collect();
        expect(entries).to_equal(&history[1..])?;
    }
    Ok(())
}

async fn the_newest_receipt_is_always_replayed(world: &World) -> Verdict {
    world.needs(Profile::Receipts)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three", "four"]).await?;
    let start = bob.present_cursor().await?;
    for seq in 1..=4 {
        bob.has_got(&chat_id, seq).await?;
        bob.has_read(&chat_id, seq).await?;
        if seq < 4 {
            alice.has_read(&chat_id, seq).await?;
        }
    }
    for user in [&alice, &bob] {
        let events = user.events_after(&start).await?;
        for (other, delivered, read) in [(&alice, 3, 3), (&bob, 4, 4)] {
            let of_other: Vec<&Value> = events
                .iter()
                .filter(|event| event["event"] == "receipts_updated" && event["data"]["user"] == other.as_value())
                .map(|event| &event["data"])
                .collect();
            let wanted = json!({ "user": other.as_value(), "delivered": delivered, "read": read });
            expect(of_other.last()).to_equal(wanted)?;
            // However many of them are told, none goes back.
            let ahead = of_other.windows(2).all(|two| {
                two[0]["delivered"].as_u64() <= two[1]["delivered"].as_u64()
                    && two[0]["read"].as_u64() <= two[1]["read"].as_u64()
                    && two[0] != two[1]
            });
            check(ahead, || ("watermarks that go ahead", json!(of_other).to_string()))?;
        }
        let own = events.iter().rev().find(|event| event["event"] == "read_state_changed").cloned().unwrap_or_default();
        let chat = user.chat(&chat_id).await?;
        for field in ["chat_id", "delivered", "read", "unread_count"] {
            expect(&own["data"][field]).to_equal(&chat[field])?;
        }
    }
    Ok(())
}
