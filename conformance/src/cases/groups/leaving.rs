//! Leaving: who takes over, and what stays of a group for those who went. (GRP-11, GRP-18, GRP-19)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::names,
    expect::{check, expect},
    verdict::Verdict,
    world::{User, World},
};

cases! { Groups:
    the_last_admin_hands_over_to_who_was_a_member_for_longest ["GRP-11", "GRP-20"],
    of_those_who_came_together_the_first_one_named_takes_over ["GRP-11"],
    who_was_away_meanwhile_does_not_take_over ["GRP-11"],
    while_there_is_another_admin_nobody_takes_over ["GRP-11"],
    an_admin_who_removes_themselves_from_the_admins_stays_a_member ["GRP-15", "GRP-5"],
    who_was_the_last_one_leaves_nobody_behind ["GRP-11", "GRP-20"],
    the_end_of_a_membership_follows_its_entry_and_is_the_last_event ["GRP-18", "LOG-3", "LOG-4"],
    what_stays_is_the_group_as_it_was ["GRP-19", "GRP-22", "CHT-5", "CHT-4"],
}

/// Who took over: the entries after the leaving.
fn succession(admin: &User, successor: &User) -> Value {
    json!([["member_left", admin.as_value(), null], ["admin_succeeded", admin.as_value(), [successor.as_value()]]])
}

fn told(entries: &[Value]) -> Value {
    entries.iter().map(|entry| json!([entry["kind"], entry["actor"], entry["targets"]])).collect()
}

async fn the_last_admin_hands_over_to_who_was_a_member_for_longest(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    carol.joins(&chat_id).await?;
    alice.adds(&chat_id, [&dave]).await?;
    // Having been an admin does not count, having come first does.
    alice.promotes(&chat_id, &dave).await?;
    alice.demotes(&chat_id, &dave).await?;
    let mut bobs = bob.listens().await?;
    alice.leaves(&chat_id).await?;
    let history = bob.history(&chat_id).await?;
    expect(told(&history[5..])).to_equal(succession(&alice, &bob))?;
    expect(&history[6]["targets"]).to_equal([bob.as_value()])?;
    expect(bob.group(&chat_id).await?["role"].take()).to_equal("admin")?;
    let heard = bobs.hears().await?;
    expect(heard.iter().map(|event| &event["data"]["activity"]).collect::<Vec<_>>()).to_equal(&history[5..])?;
    // The next one in line is the next one who came.
    bob.leaves(&chat_id).await?;
    // She came with the second entry.
    expect(told(&carol.history(&chat_id).await?[6..])).to_equal(succession(&bob, &carol))?;
    carol.leaves(&chat_id).await?;
    expect(dave.members(&chat_id).await?).to_equal([(&dave.username, "admin")])
}

async fn of_those_who_came_together_the_first_one_named_takes_over(world: &World) -> Verdict {
    let users: [User; 6] = world.users().await?;
    let [alice, others @ ..] = &users;
    // Neither the order of names nor that of accounts: the one in which they are named.
    let mut order: Vec<&User> = others.iter().collect();
    order.sort_by_key(|user| std::cmp::Reverse(user.username.to_lowercase()));
    let chat_id = alice.founds("ours", []).await?;
    alice.adds(&chat_id, order.iter().copied()).await?;
    let mut admin = alice;
    for next in order {
        admin.leaves(&chat_id).await?;
        let history = next.history(&chat_id).await?;
        expect(told(&history[history.len() - 2..])).to_equal(succession(admin, next))?;
        admin = next;
    }
    Ok(())
}

async fn who_was_away_meanwhile_does_not_take_over(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave]).await?;
    bob.leaves(&chat_id).await?;
    bob.joins(&chat_id).await?;
    alice.removes(&chat_id, &carol).await?;
    alice.adds(&chat_id, [&carol]).await?;
    for (leaves, takes_over) in [(&alice, &dave), (&dave, &bob), (&bob, &carol)] {
        leaves.leaves(&chat_id).await?;
        let history = takes_over.history(&chat_id).await?;
        expect(told(&history[history.len() - 2..])).to_equal(succession(leaves, takes_over))?;
    }
    Ok(())
}

async fn while_there_is_another_admin_nobody_takes_over(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    alice.promotes(&chat_id, &carol).await?;
    let mut bobs = bob.listens().await?;
    alice.leaves(&chat_id).await?;
    expect(names(&bobs.hears().await?)).to_equal(["group_activity"])?;
    let mut wanted = vec![(bob.username.clone(), "member"), (carol.username.clone(), "admin")];
    wanted.sort_by_key(|(name, _)| name.to_lowercase());
    expect(bob.members(&chat_id).await?).to_equal(&wanted)?;
    // A member who leaves hands nothing over.
    bob.leaves(&chat_id).await?;
    expect(carol.history(&chat_id).await?.len()).to_equal(4)
}

async fn an_admin_who_removes_themselves_from_the_admins_stays_a_member(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    alice.promotes(&chat_id, &bob).await?;
    alice.demoting(&chat_id, &alice.username).send().await?.succeeded_without_body()?;
    let history = alice.history(&chat_id).await?;
    expect(told(&history[2..])).to_equal(json!([["admin_removed", alice.as_value(), [alice.as_value()]]]))?;
    expect(alice.group(&chat_id).await?["role"].take()).to_equal("member")?;
    // It counts at once.
    let answer = alice.changing(&chat_id, &json!({ "name": "mine" })).send().await?;
    answer.refused_with(i9chat_spec::ErrorCode::AdminRequired)?;
    bob.demoting(&chat_id, &bob.username).send().await?.refused_with(i9chat_spec::ErrorCode::LastAdmin)?;
    Ok(())
}

async fn who_was_the_last_one_leaves_nobody_behind(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    bob.leaves(&chat_id).await?;
    let mut alices = alice.listens().await?;
    alice.leaves(&chat_id).await?;
    let heard = alices.hears().await?;
    expect(names(&heard)).to_equal(["group_activity", "membership_ended"])?;
    let entry = json!({
        "type": "activity", "seq": 3, "chat_id": chat_id, "created_at": heard[0]["data"]["activity"]["created_at"],
        "kind": "member_left", "actor": alice.as_value(), "members_count": 0,
    });
    expect(&heard[0]["data"]["activity"]).to_equal(&entry)?;
    expect(alice.history(&chat_id).await?.last()).to_equal(&entry)
}

async fn the_end_of_a_membership_follows_its_entry_and_is_the_last_event(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let (mut bobs, mut carols) = (bob.listens().await?, carol.listens().await?);
    let mut alices = alice.listens().await?;
    bob.leaves(&chat_id).await?;
    alice.removes(&chat_id, &carol).await?;
    let message_id = alice.writes(&chat_id, "now that they are gone").await?;
    alice.changes(&chat_id, &json!({ "name": "mine" })).await?;
    if world.claims(i9chat_spec::Profile::Reactions) {
        alice.reacts(&chat_id, &message_id, "👍").await?;
    }
    let bobs = bobs.hears().await?;
    expect(names(&bobs)).to_equal(["group_activity", "membership_ended"])?;
    expect(&bobs[1]["data"]).to_equal(json!({ "chat_id": chat_id, "membership": "left", "last_seq": 2 }))?;
    let carols = carols.hears().await?;
    expect(names(&carols)).to_equal(["group_activity", "group_activity", "membership_ended"])?;
    expect(&carols[2]["data"]).to_equal(json!({ "chat_id": chat_id, "membership": "removed", "last_seq": 3 }))?;
    // Addressed to the user: nobody else gets it, and it names its chat within.
    for event in [&bobs[1], &carols[2]] {
        check(event.get("chat_id").is_none(), || ("an event to a user, without chat_id", event.to_string()))?;
    }
    expect(alices.hears().await?.iter().filter(|event| event["event"] == "membership_ended").count()).to_equal(0)?;
    for (user, last) in [(&bob, 2), (&carol, 3)] {
        expect(&user.chat(&chat_id).await?["visible"]).to_equal(json!([{ "from": 1, "to": last }]))?;
    }
    Ok(())
}

async fn what_stays_is_the_group_as_it_was(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("as it was", [&bob, &carol]).await?;
    alice.changes(&chat_id, &json!({ "description": "at first" })).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.leaves(&chat_id).await?;
    alice.says(&chat_id, ["three"]).await?;
    alice.removes(&chat_id, &carol).await?;
    alice.changes(&chat_id, &json!({ "name": "changed", "description": "later" })).await?;
    alice.says(&chat_id, ["four"]).await?;
    for (user, membership, members_count, last, unread) in [(&bob, "left", 2, 5, 2), (&carol, "removed", 1, 7, 3)] {
        let mut chat = user.chat(&chat_id).await?;
        let listed = user.reads("/v1/chats").await?;
        expect(&listed["items"]).to_equal([&chat])?;
        let last_entry = user.history(&chat_id).await?.pop();
        expect(last_entry.as_ref().map(|entry| &entry["seq"])).to_equal(last)?;
        if let Some(fields) = chat.as_object_mut() {
            fields.remove("opened_at");
        }
        let wanted = json!({
            "chat_id": chat_id, "kind": "group", "membership": membership, "visible": [{ "from": 1, "to": last }],
            "last_entry": last_entry, "unread_count": unread, "delivered": 1, "read": 1,
            "group": { "name": "as it was", "description": "at first", "members_count": members_count },
        });
        expect(chat).to_equal(wanted)?;
        // Others learn what it has become, and so may they, by asking for the group itself.
        expect(&user.group(&chat_id).await?["name"]).to_equal("changed")?;
    }
    Ok(())
}
