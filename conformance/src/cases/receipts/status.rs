//! How far a message has come, and who has got and read it. (RCP-7 to RCP-9)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, Profile};
use serde_json::json;

use crate::{
    cases,
    cases::chats::{missing_id, names_field},
    expect::{expect, list_at},
    verdict::Verdict,
    world::{
        User, World,
        conversation::{items_of, messages_of},
    },
};

cases! { Receipts:
    a_message_of_a_direct_chat_is_sent_then_delivered_then_read ["RCP-7", "RCP-8"],
    a_message_of_a_group_has_come_when_it_has_come_to_all ["RCP-7", "RCP-8"],
    who_came_later_or_went_does_not_count ["RCP-7", "RCP-8", "GRP-16"],
    a_message_that_nobody_is_left_for_is_read ["RCP-7", "RCP-8"],
    the_receipts_of_a_chat_show_everybody ["RCP-9", "CNV-11"],
    receipts_are_listed_by_name ["RCP-8", "RCP-9", "CNV-11", "CNV-12"],
    receipts_of_what_one_may_not_see_are_not_there ["RCP-8", "RCP-9", "ERR-6", "CHT-6"],
}

async fn a_message_of_a_direct_chat_is_sent_then_delivered_then_read(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let first = alice.writes(&chat_id, "one").await?;
    let second = alice.writes(&chat_id, "two").await?;
    let answer = bob.writes(&chat_id, "three").await?;
    let is = async |message_id: &str, other: &User, status: &str| {
        // Whoever of the two asks.
        for user in [&alice, &bob] {
            let receipts = user.receipts_of(&chat_id, message_id).await?;
            expect(receipts).to_equal((status, [(&other.username, status)]))?;
        }
        Ok::<_, crate::verdict::Stop>(())
    };
    is(&first, &bob, "sent").await?;
    // One's own watermark does not count for one's own message.
    alice.has_read(&chat_id, 2).await?;
    is(&first, &bob, "sent").await?;
    bob.has_got(&chat_id, 1).await?;
    is(&first, &bob, "delivered").await?;
    is(&second, &bob, "sent").await?;
    bob.has_read(&chat_id, 1).await?;
    is(&first, &bob, "read").await?;
    bob.has_got(&chat_id, 3).await?;
    is(&second, &bob, "delivered").await?;
    is(&answer, &alice, "sent").await?;
    bob.has_read(&chat_id, 3).await?;
    is(&second, &bob, "read").await?;
    alice.has_read(&chat_id, 3).await?;
    is(&answer, &alice, "read").await
}

async fn a_message_of_a_group_has_come_when_it_has_come_to_all(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let message_id = alice.writes(&chat_id, "to both").await?;
    let is = async |whole: &str, bobs: &str, carols: &str| {
        let mut each = vec![(&bob.username, bobs), (&carol.username, carols)];
        each.sort_by_key(|(name, _)| name.to_lowercase());
        expect(alice.receipts_of(&chat_id, &message_id).await?).to_equal((whole, each))
    };
    is("sent", "sent", "sent").await?;
    bob.has_got(&chat_id, 2).await?;
    is("sent", "delivered", "sent").await?;
    bob.has_read(&chat_id, 2).await?;
    is("sent", "read", "sent").await?;
    carol.has_got(&chat_id, 2).await?;
    is("delivered", "read", "delivered").await?;
    carol.has_read(&chat_id, 2).await?;
    is("read", "read", "read").await
}

async fn who_came_later_or_went_does_not_count(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?; // 1
    let first = alice.writes(&chat_id, "before dave").await?; // 2
    dave.joins(&chat_id).await?; // 3
    let second = alice.writes(&chat_id, "after dave").await?; // 4
    bob.has_read(&chat_id, 4).await?;
    let whom = async |message_id: &str| {
        let (status, each) = alice.receipts_of(&chat_id, message_id).await?;
        let mut each: Vec<_> = each.into_iter().map(|(name, _)| name).collect();
        each.sort_unstable();
        Ok::<_, crate::verdict::Stop>((status, each))
    };
    let sorted = |users: &[&User]| {
        let mut names: Vec<_> = users.iter().map(|user| user.username.clone()).collect();
        names.sort_unstable();
        names
    };
    expect(whom(&first).await?).to_equal(("sent", sorted(&[&bob, &carol])))?;
    expect(whom(&second).await?).to_equal(("sent", sorted(&[&bob, &carol, &dave])))?;
    // Carol was the last one who had not read the first.
    carol.leaves(&chat_id).await?; // 5
    expect(whom(&first).await?).to_equal(("read", sorted(&[&bob])))?;
    expect(whom(&second).await?).to_equal(("sent", sorted(&[&bob, &dave])))?;
    // She returns to another stretch, and the status does not go back.
    carol.joins(&chat_id).await?; // 6
    expect(whom(&first).await?).to_equal(("read", sorted(&[&bob])))?;
    alice.removes(&chat_id, &dave).await?; // 7
    expect(whom(&second).await?).to_equal(("read", sorted(&[&bob])))?;
    alice.adds(&chat_id, [&dave]).await?; // 8
    expect(whom(&second).await?).to_equal(("read", sorted(&[&bob])))
}

async fn a_message_that_nobody_is_left_for_is_read(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let message_id = alice.writes(&chat_id, "hello, Bob").await?;
    expect(alice.status_of(&chat_id, &message_id).await?).to_equal("sent")?;
    bob.leaves(&chat_id).await?;
    expect(alice.receipts_of(&chat_id, &message_id).await?).to_equal(json!(["read", []]))?;
    let to_nobody = alice.writes(&chat_id, "is anybody there?").await?;
    expect(alice.receipts_of(&chat_id, &to_nobody).await?).to_equal(json!(["read", []]))?;
    bob.joins(&chat_id).await?;
    expect(alice.receipts_of(&chat_id, &to_nobody).await?).to_equal(json!(["read", []]))
}

async fn the_receipts_of_a_chat_show_everybody(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.marks(&chat_id, json!({ "delivered": 2, "read": 1 })).await?;
    let mut wanted = vec![
        json!({ "user": alice.as_value(), "delivered": 0, "read": 0 }),
        json!({ "user": bob.as_value(), "delivered": 2, "read": 1 }),
    ];
    wanted.sort_by_key(|item| item["user"]["username"].as_str().unwrap_or_default().to_lowercase());
    for user in [&alice, &bob] {
        let page = user.reads(format!("/v1/chats/{chat_id}/receipts")).await?;
        expect(page).to_equal(json!({ "items": wanted }))?;
    }
    if !world.claims(Profile::Groups) {
        return Ok(());
    }
    let [carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    carol.leaves(&chat_id).await?;
    bob.has_read(&chat_id, 2).await?;
    let mut wanted = vec![
        json!({ "user": alice.as_value(), "delivered": 1, "read": 1 }),
        json!({ "user": bob.as_value(), "delivered": 2, "read": 2 }),
    ];
    wanted.sort_by_key(|item| item["user"]["username"].as_str().unwrap_or_default().to_lowercase());
    let page = bob.reads(format!("/v1/chats/{chat_id}/receipts")).await?;
    expect(page).to_equal(json!({ "items": wanted }))
}

async fn receipts_are_listed_by_name(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave]).await?;
    let message_id = alice.writes(&chat_id, "to all").await?;
    let of_chat = format!("/v1/chats/{chat_id}/receipts");
    let of_message = format!("{}/{message_id}/receipts", messages_of(&chat_id));
    for (path, mut users) in [(of_chat, vec![&alice, &bob, &carol, &dave]), (of_message, vec![&bob, &carol, &dave])] {
        users.sort_by_key(|user| user.username.to_lowercase());
        let wanted: Vec<_> = users.iter().map(|user| user.as_value()).collect();
        for limit in 1..=5 {
            let pages = alice.reads_pages(&format!("{path}?limit={limit}"), "after").await?;
            expect(pages.len()).to_equal(wanted.len().div_ceil(limit))?;
            let came: Vec<_> = items_of(&pages)?.iter().map(|item| item["user"].clone()).collect();
            expect(came).to_equal(&wanted)?;
        }
        let after = users[1].username.to_uppercase();
        let page = alice.reads(format!("{path}?after={after}")).await?;
        expect(list_at(&page, "items")?.len()).to_equal(wanted.len() - 2)?;
        let most = world.limits().max_page_items;
        alice.reads(format!("{path}?limit={most}")).await?;
        for bad in ["0", "-1", &(most + 1).to_string(), "ten", ""] {
            names_field(&alice.get(format!("{path}?limit={bad}")).send().await?, "limit")?;
        }
        names_field(&alice.get(format!("{path}?after=x")).send().await?, "after")?;
    }
    Ok(())
}

async fn receipts_of_what_one_may_not_see_are_not_there(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "between us").await?;
    let of_chat = |chat_id: &str| format!("/v1/chats/{chat_id}/receipts");
    let of_message = |chat_id: &str, id: &str| format!("{}/{id}/receipts", messages_of(chat_id));
    for path in [of_chat(&chat_id), of_message(&chat_id, &message_id), of_chat(&missing_id())] {
        carol.get(path).send().await?.refused_with(ErrorCode::ChatNotFound)?;
    }
    bob.get(of_message(&chat_id, &missing_id())).send().await?.refused_with(ErrorCode::MessageNotFound)?;
    if !world.claims(Profile::Groups) {
        return Ok(());
    }
    let group = alice.founds("ours", [&bob]).await?;
    let early = alice.writes(&group, "before carol").await?;
    carol.joins(&group).await?;
    carol.get(of_message(&group, &early)).send().await?.refused_with(ErrorCode::MessageNotFound)?;
    // A message of another chat is none of this one.
    carol.get(of_message(&group, &message_id)).send().await?.refused_with(ErrorCode::MessageNotFound)?;
    carol.reads(of_chat(&group)).await?;
    carol.leaves(&group).await?;
    carol.get(of_chat(&group)).send().await?.refused_with(ErrorCode::NotMember)?;
    carol.get(of_message(&group, &early)).send().await?.refused_with(ErrorCode::NotMember)?;
    Ok(())
}
