//! Watermarks in groups: where they start, who hears of them, and those who went. (RCP-6, RCP-10, RCP-11)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::Profile;
use serde_json::json;

use super::state;
use crate::{cases, cases::chats::names, expect::expect, verdict::Verdict, world::World};

cases! { Receipts:
    a_member_starts_at_the_entry_that_let_them_in ["RCP-6", "RCP-4", "CHT-4"],
    activities_are_marked_but_not_counted ["RCP-1", "CHT-4"],
    all_members_of_a_small_group_hear_of_a_move ["RCP-10", "RCP-11"],
    who_is_no_member_any_more_marks_for_themselves ["RCP-1", "RCP-5", "RCP-10", "RCP-11", "GRP-18"],
    in_large_groups_nobody_hears_of_the_moves_of_others ["RCP-10", "RCP-11", "CAP-2", "RCP-8"],
}

async fn a_member_starts_at_the_entry_that_let_them_in(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?; // 1
    alice.says(&chat_id, ["before"]).await?; // 2
    let joined = bob.joins(&chat_id).await?; // 3
    expect([&joined["chat"]["delivered"], &joined["chat"]["read"]]).to_equal([3, 3])?;
    alice.says(&chat_id, ["one", "two"]).await?; // 4, 5
    expect(bob.marks(&chat_id, json!({ "read": 1 })).await?).to_equal(state(3, 3, 2))?;
    expect(bob.marks(&chat_id, json!({ "read": 4 })).await?).to_equal(state(4, 4, 1))?;
    bob.leaves(&chat_id).await?; // 6
    alice.says(&chat_id, ["without bob"]).await?; // 7
    bob.joins(&chat_id).await?; // 8
    alice.says(&chat_id, ["again"]).await?; // 9
    let chat = bob.chat(&chat_id).await?;
    expect([&chat["delivered"], &chat["read"], &chat["unread_count"]]).to_equal([8, 8, 1])?;
    // Where they were before does not come back.
    expect(bob.marks(&chat_id, json!({ "delivered": 5 })).await?).to_equal(state(8, 8, 1))
}

async fn activities_are_marked_but_not_counted(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?; // 1
    alice.changes(&chat_id, &json!({ "name": "all ours", "description": "more" })).await?; // 2, 3
    alice.promotes(&chat_id, &bob).await?; // 4
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(0)?;
    alice.says(&chat_id, ["a message"]).await?; // 5
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(1)?;
    expect(bob.marks(&chat_id, json!({ "read": 4 })).await?).to_equal(state(4, 4, 1))?;
    expect(bob.marks(&chat_id, json!({ "read": 5 })).await?).to_equal(state(5, 5, 0))
}

async fn all_members_of_a_small_group_hear_of_a_move(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave]).await?; // 1
    alice.says(&chat_id, ["one", "two"]).await?; // 2, 3
    dave.leaves(&chat_id).await?; // 4
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    let (mut carols, mut daves) = (carol.listens().await?, dave.listens().await?);
    bob.marks(&chat_id, json!({ "delivered": 4, "read": 2 })).await?;
    let told = alices.hears().await?;
    expect(names(&told)).to_equal(["receipts_updated"])?;
    expect(&told[0]["data"]).to_equal(json!({ "user": bob.as_value(), "delivered": 4, "read": 2 }))?;
    expect(carols.hears().await?).to_equal(&told)?;
    let own = bobs.hears().await?;
    let mut own_names = names(&own);
    own_names.sort_unstable();
    expect(own_names).to_equal(["read_state_changed", "receipts_updated"])?;
    expect(names(&daves.hears().await?)).to_equal(json!([]))
}

async fn who_is_no_member_any_more_marks_for_themselves(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?; // 1
    alice.says(&chat_id, ["one", "two"]).await?; // 2, 3
    alice.removes(&chat_id, &bob).await?; // 4
    alice.says(&chat_id, ["three"]).await?; // 5
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(2)?;
    expect(bob.marks(&chat_id, json!({ "read": 2 })).await?).to_equal(state(2, 2, 1))?;
    let told = bobs.hears().await?;
    expect(names(&told)).to_equal(["read_state_changed"])?;
    let wanted = json!({ "chat_id": chat_id, "delivered": 2, "read": 2, "unread_count": 1 });
    expect(&told[0]["data"]).to_equal(wanted)?;
    expect(bob.marks(&chat_id, json!({ "read": 4 })).await?).to_equal(state(4, 4, 0))?;
    // What came after them they cannot have got.
    let answer = bob.marking(&json!([{ "chat_id": chat_id, "read": 5 }])).send().await?.succeeded(200)?;
    expect(answer).to_equal(json!({ "results": [{ "chat_id": chat_id, "code": "beyond_last_entry" }] }))?;
    expect(names(&alices.hears().await?)).to_equal(json!([]))
}

async fn in_large_groups_nobody_hears_of_the_moves_of_others(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let most = usize::try_from(world.limits().receipt_fanout_members).unwrap_or(usize::MAX);
    let crowd = world.crowd(most).await?;
    let [alice] = world.users().await?;
    let chat_id = alice.founds("large", []).await?;
    let (last, others) = crowd.split_at(1);
    for some in others.chunks(usize::try_from(world.limits().max_members_per_call).unwrap_or(50)) {
        alice.adds(&chat_id, some).await?;
    }
    let message_id = alice.writes(&chat_id, "to many").await?;
    let seq = alice.message(&chat_id, &message_id).await?["seq"].as_u64().unwrap_or(0);
    let reader = &others[0];
    let (mut alices, mut readers) = (alice.listens().await?, reader.listens().await?);
    // As many members as may be for everybody to hear.
    reader.has_got(&chat_id, seq).await?;
    let told = alices.hears().await?;
    expect(names(&told)).to_equal(["receipts_updated"])?;
    expect(&told[0]["data"]["delivered"]).to_equal(seq)?;
    readers.hears().await?;
    // One more, and nobody hears but the reader themselves; authors ask.
    alice.adds(&chat_id, last).await?;
    reader.has_read(&chat_id, seq).await?;
    expect(names(&alices.hears().await?)).to_equal(["group_activity"])?;
    let mut own = readers.hears().await?;
    own.retain(|event| event["data"]["chat_id"] == chat_id.as_str() || event["chat_id"] == chat_id.as_str());
    expect(names(&own)).to_equal(["group_activity", "read_state_changed"])?;
    let (status, each) = alice.receipts_of(&chat_id, &message_id).await?;
    expect(status).to_equal("sent")?;
    expect(each.len()).to_equal(most - 1)?;
    let readers: Vec<_> = each.iter().filter(|(_, status)| status == "read").map(|(name, _)| name).collect();
    expect(readers).to_equal([&reader.username])
}
