//! Which chats have changed. (CHT-8)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use std::collections::BTreeSet;

use i9chat_spec::{Cursor, ErrorCode, Profile};
use serde_json::json;

use crate::{
    cases,
    cases::chats::names_field,
    expect::{expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{User, World, conversation::items_of},
};

cases! { Resume:
    only_chats_that_have_changed_are_listed ["CHT-8", "CHT-5"],
    a_change_that_one_does_not_hear_of_is_none ["CHT-8", "GRP-16", "CHT-2"],
    going_and_coming_change_a_chat ["CHT-8", "GRP-17", "GRP-18"],
    what_has_changed_is_what_an_event_tells_of ["CHT-8", "RSM-9"],
    a_cursor_that_the_server_never_made_has_no_changes ["CHT-8", "RSM-6", "RSM-8"],
}

/// The chats that have changed since a cursor, read at once and page by page.
async fn changed(user: &User, cursor: &str) -> Verdict<BTreeSet<String>> {
    let path = format!("/v1/chats?changed_since={cursor}");
    let items = items_of(&user.reads_pages(&path, "after").await?)?;
    let paged = items_of(&user.reads_pages(&format!("{path}&limit=1"), "after").await?)?;
    expect(paged).to_equal(&items)?;
    let mut chat_ids = BTreeSet::new();
    for chat in &items {
        let chat_id = text_at(chat, "chat_id")?;
        // It is listed as it is now.
        expect(chat).to_equal(user.chat(&chat_id).await?)?;
        chat_ids.insert(chat_id);
    }
    expect(chat_ids.len()).to_equal(items.len())?;
    Ok(chat_ids)
}

/// Exactly these have changed.
async fn has_changed(user: &User, cursor: &str, wanted: &[&String]) -> Verdict {
    expect(changed(user, cursor).await?).to_equal(wanted.iter().copied().collect::<BTreeSet<_>>())
}

async fn only_chats_that_have_changed_are_listed(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let start = alice.present_cursor().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let opened = alice.present_cursor().await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    has_changed(&alice, &start, &[&with_bob, &with_carol]).await?;
    has_changed(&alice, &opened, &[&with_carol]).await?;
    let before = alice.present_cursor().await?;
    has_changed(&alice, &before, &[]).await?;
    // Sent by oneself or by others.
    let message_id = alice.writes(&with_bob, "hello").await?;
    has_changed(&alice, &before, &[&with_bob]).await?;
    has_changed(&bob, &before, &[&with_bob]).await?;
    has_changed(&carol, &start, &[]).await?;
    let cursor = alice.present_cursor().await?;
    carol.opens_direct_chat_with(&alice).await?;
    has_changed(&carol, &start, &[&with_carol]).await?;
    // That is no change for alice.
    has_changed(&alice, &cursor, &[]).await?;
    carol.says(&with_carol, ["hello"]).await?;
    has_changed(&alice, &cursor, &[&with_carol]).await?;
    if world.claims(Profile::Reactions) {
        let cursor = alice.present_cursor().await?;
        bob.reacts(&with_bob, &message_id, "👍").await?;
        has_changed(&alice, &cursor, &[&with_bob]).await?;
        let cursor = alice.present_cursor().await?;
        bob.reacts(&with_bob, &message_id, "👍").await?;
        has_changed(&alice, &cursor, &[]).await?;
    }
    if world.claims(Profile::Receipts) {
        let cursor = alice.present_cursor().await?;
        bob.has_read(&with_bob, 1).await?;
        has_changed(&alice, &cursor, &[&with_bob]).await?;
        has_changed(&bob, &cursor, &[&with_bob]).await?;
        let cursor = alice.present_cursor().await?;
        bob.has_read(&with_bob, 1).await?;
        has_changed(&alice, &cursor, &[]).await?;
        has_changed(&bob, &cursor, &[]).await?;
    }
    Ok(())
}

async fn a_change_that_one_does_not_hear_of_is_none(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let start = bob.present_cursor().await?;
    // Of an empty chat, of a chat of others, of a session or a profile.
    alice.opens_direct_chat_with(&bob).await?;
    let others = alice.opens_direct_chat_with(&carol).await?;
    alice.says(&others, ["between us"]).await?;
    bob.signs_in_again().await?.signs_out().await?;
    if world.claims(Profile::Users) {
        bob.request("PATCH", "/v1/me").json(&json!({ "bio": "new" })).send().await?.succeeded(200)?;
    }
    has_changed(&bob, &start, &[]).await?;
    if !world.claims(Profile::Groups) {
        return Ok(());
    }
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    bob.leaves(&chat_id).await?;
    let gone = bob.present_cursor().await?;
    let message_id = alice.writes(&chat_id, "without bob").await?;
    alice.changes(&chat_id, &json!({ "name": "not yours" })).await?;
    if world.claims(Profile::Reactions) {
        carol.reacts(&chat_id, &message_id, "👍").await?;
    }
    if world.claims(Profile::Receipts) {
        carol.has_read(&chat_id, 3).await?;
    }
    has_changed(&bob, &gone, &[]).await?;
    has_changed(&carol, &gone, &[&chat_id]).await?;
    // Before, it has changed for bob, and is listed though he has gone.
    has_changed(&bob, &start, &[&chat_id]).await
}

async fn going_and_coming_change_a_chat(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?;
    let start = bob.present_cursor().await?;
    alice.adds(&chat_id, [&bob]).await?;
    has_changed(&bob, &start, &[&chat_id]).await?;
    let inside = bob.present_cursor().await?;
    alice.removes(&chat_id, &bob).await?;
    has_changed(&bob, &inside, &[&chat_id]).await?;
    let outside = bob.present_cursor().await?;
    alice.says(&chat_id, ["not for bob"]).await?;
    has_changed(&bob, &outside, &[]).await?;
    if world.claims(Profile::Receipts) {
        // One's own mark in a chat that one has left is told to oneself.
        bob.has_read(&chat_id, 3).await?;
        has_changed(&bob, &outside, &[&chat_id]).await?;
    }
    let still_outside = bob.present_cursor().await?;
    alice.adds(&chat_id, [&bob]).await?;
    has_changed(&bob, &still_outside, &[&chat_id]).await?;
    has_changed(&bob, &start, &[&chat_id]).await
}

async fn what_has_changed_is_what_an_event_tells_of(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let mut chats = Vec::new();
    for partner in [&bob, &carol, &dave] {
        chats.push(alice.opens_direct_chat_with(partner).await?);
    }
    if world.claims(Profile::Groups) {
        chats.push(bob.founds("ours", [&alice, &carol]).await?);
        chats.push(carol.founds("theirs", [&dave]).await?);
    }
    let mut cursors = Vec::new();
    for round in 0..10 {
        cursors.push(alice.present_cursor().await?);
        let chat_id = &chats[round * 7 % chats.len()];
        for user in [&bob, &carol, &dave, &alice] {
            // Whoever may.
            let draft = crate::world::conversation::Draft::new(format!("round {round}"));
            if user.sending(chat_id, &draft).send().await?.status == 201 {
                break;
            }
        }
        if round == 5 && world.claims(Profile::Groups) {
            alice.leaves(&chats[3]).await?;
        }
    }
    for user in [&alice, &bob, &carol, &dave] {
        for cursor in &cursors {
            let mut told = BTreeSet::new();
            for event in user.events_after(cursor).await? {
                let data = &event["data"];
                let named = [&event["chat_id"], &data["chat_id"], &data["chat"]["chat_id"]];
                told.extend(named.into_iter().filter_map(|chat_id| chat_id.as_str()).map(str::to_owned));
            }
            expect(changed(user, cursor).await?).to_equal(told)?;
        }
    }
    Ok(())
}

async fn a_cursor_that_the_server_never_made_has_no_changes(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let good = alice.present_cursor().await?;
    alice.says(&chat_id, ["hello"]).await?;
    let altered: String = good.chars().rev().collect();
    for wrong in ["A", "not-a-cursor-of-this-log", &"x".repeat(128), &altered] {
        if wrong != good && wrong.parse::<Cursor>().is_ok() {
            let answer = alice.get(format!("/v1/chats?changed_since={wrong}")).send().await?;
            answer.refused_with(ErrorCode::CursorReset)?;
        }
    }
    for wrong in ["", "a.b", "a%20b", &"x".repeat(129)] {
        names_field(&alice.get(format!("/v1/chats?changed_since={wrong}")).send().await?, "changed_since")?;
    }
    // Any user's cursor is a place in the log. (RSM-10)
    let page = alice.reads(format!("/v1/chats?changed_since={}", bob.present_cursor().await?)).await?;
    expect(list_at(&page, "items")?.len()).to_equal(0)?;
    let page = bob.reads(format!("/v1/chats?changed_since={good}")).await?;
    expect(list_at(&page, "items")?.len()).to_equal(1)?;
    text_at(&page, "cursor").map(drop)?;
    Ok::<(), Stop>(())
}
