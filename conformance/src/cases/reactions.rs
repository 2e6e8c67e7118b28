//! Section 11: reactions.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod emojis;

use futures_util::future::try_join_all;
use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    cases::chats::{answers_alike, missing_id, names, names_field},
    client::socket::{error_code, reply_data},
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{
        World,
        conversation::{items_of, messages_of},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, emojis::CASES].concat()
}

cases! { Reactions:
    a_reaction_is_set_replaced_and_removed ["REA-1", "REA-3", "REA-4"],
    a_reaction_is_shown_wherever_its_message_is ["REA-4", "MSG-5", "CHT-3", "LOG-10"],
    the_actions_react_as_the_endpoints_do ["REA-1", "REA-3", "WSK-5"],
    reactions_stand_in_the_order_of_their_number ["REA-4"],
    who_reacted_is_listed_by_name ["REA-5", "CNV-11", "CNV-12"],
    a_changed_reaction_is_told_to_everybody ["REA-6", "LOG-3", "LOG-5"],
    what_changes_no_reaction_makes_no_event ["REA-3", "REA-6"],
    an_event_shows_a_message_as_it_was_sent ["REA-4", "LOG-6"],
    one_reacts_to_messages_that_one_may_see ["REA-7", "ERR-6", "CHT-6"],
    who_came_later_hears_of_reactions_to_what_they_cannot_see ["REA-6", "REA-7", "GRP-16"],
    who_went_sees_the_reactions_of_now ["REA-5", "REA-7"],
    reactions_that_race_leave_one_for_each_user ["REA-1", "REA-4", "MSG-12"],
    a_message_has_a_bound_of_different_emojis ["REA-7", "CAP-2", "ERR-5"],
}

fn counted(reactions: &[(&str, u64)]) -> Value {
    reactions.iter().map(|(emoji, count)| json!({ "emoji": emoji, "count": count })).collect()
}

async fn a_reaction_is_set_replaced_and_removed(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    expect(bob.reacts(&chat_id, &message_id, "👍").await?).to_equal(counted(&[("👍", 1)]))?;
    expect(bob.reacts(&chat_id, &message_id, "🎉").await?).to_equal(counted(&[("🎉", 1)]))?;
    // To one's own message, too.
    expect(alice.reacts(&chat_id, &message_id, "🎉").await?).to_equal(counted(&[("🎉", 2)]))?;
    expect(bob.reacts(&chat_id, &message_id, "🎉").await?).to_equal(counted(&[("🎉", 2)]))?;
    expect(bob.unreacts(&chat_id, &message_id).await?).to_equal(counted(&[("🎉", 1)]))?;
    // Without one it changes nothing.
    expect(bob.unreacts(&chat_id, &message_id).await?).to_equal(counted(&[("🎉", 1)]))?;
    expect(alice.reactions_of(&chat_id, &message_id).await?).to_equal([(&alice.username, "🎉")])?;
    expect(alice.unreacts(&chat_id, &message_id).await?).to_equal(json!([]))?;
    expect(alice.reactions_of(&chat_id, &message_id).await?).to_equal(json!([]))
}

async fn a_reaction_is_shown_wherever_its_message_is(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    let plain = alice.message(&chat_id, &message_id).await?;
    let is_everywhere = async |alices: Value, bobs: Value| {
        for (user, fields) in [(&alice, alices), (&bob, bobs)] {
            let mut wanted = plain.clone();
            for (field, value) in fields.as_object().into_iter().flatten() {
                wanted[field] = value.clone();
            }
            expect(user.message(&chat_id, &message_id).await?).to_equal(&wanted)?;
            expect(user.history(&chat_id).await?).to_equal([&wanted])?;
            expect(&user.chat(&chat_id).await?["last_entry"]).to_equal(&wanted)?;
            expect(&user.reads("/v1/chats").await?["items"][0]["last_entry"]).to_equal(&wanted)?;
        }
        Ok::<_, Stop>(())
    };
    is_everywhere(json!({}), json!({})).await?;
    bob.reacts(&chat_id, &message_id, "👍").await?;
    let one = counted(&[("👍", 1)]);
    is_everywhere(json!({ "reactions": one }), json!({ "reactions": one, "own_reaction": "👍" })).await?;
    alice.reacts(&chat_id, &message_id, "👍").await?;
    bob.reacts(&chat_id, &message_id, "😀").await?;
    let both = counted(&[("👍", 1), ("😀", 1)]);
    let alices = json!({ "reactions": both, "own_reaction": "👍" });
    is_everywhere(alices, json!({ "reactions": both, "own_reaction": "😀" })).await?;
    bob.unreacts(&chat_id, &message_id).await?;
    alice.unreacts(&chat_id, &message_id).await?;
    is_everywhere(json!({}), json!({})).await
}

async fn the_actions_react_as_the_endpoints_do(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    let mut socket = bob.connects().await?;
    let of = json!({ "chat_id": chat_id, "message_id": message_id });
    let with = |emoji: Value| json!({ "chat_id": chat_id, "message_id": message_id, "emoji": emoji });
    let reply = reply_data(&socket.asks("1", "set_reaction", &with(json!("👍"))).await?)?;
    expect(reply).to_equal(json!({ "reactions": counted(&[("👍", 1)]) }))?;
    expect(&bob.message(&chat_id, &message_id).await?["own_reaction"]).to_equal("👍")?;
    let missing = json!({ "chat_id": chat_id, "message_id": missing_id(), "emoji": "👍" });
    error_code(&socket.asks("2", "set_reaction", &missing).await?, ErrorCode::MessageNotFound)?;
    error_code(&socket.asks("3", "remove_reaction", &missing).await?, ErrorCode::MessageNotFound)?;
    let nowhere = json!({ "chat_id": missing_id(), "message_id": message_id, "emoji": "👍" });
    error_code(&socket.asks("4", "set_reaction", &nowhere).await?, ErrorCode::ChatNotFound)?;
    error_code(&socket.asks("5", "remove_reaction", &nowhere).await?, ErrorCode::ChatNotFound)?;
    for (number, wrong) in
        [with(json!("")), with(json!("x")), with(json!("👍👍")), with(json!(7)), of.clone()].iter().enumerate()
    {
        let answer = socket.asks(&format!("wrong-{number}"), "set_reaction", wrong).await?;
        error_code(&answer, ErrorCode::InvalidRequest)?;
    }
    let reply = reply_data(&socket.asks("6", "remove_reaction", &of).await?)?;
    expect(&reply).to_equal(json!({ "reactions": [] }))?;
    expect(reply_data(&socket.asks("7", "remove_reaction", &of).await?)?).to_equal(&reply)
}

async fn reactions_stand_in_the_order_of_their_number(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave, erin] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave, &erin]).await?;
    let message_id = alice.writes(&chat_id, "vote").await?;
    // By code points 1️⃣ (U+0031) comes before ❤ (U+2764), that before ❤️ (U+2764 U+FE0F), that before 👍 (U+1F44D).
    for (user, emoji) in
        [(&alice, "👍"), (&bob, "❤\u{fe0f}"), (&carol, "1\u{fe0f}\u{20e3}"), (&dave, "❤"), (&erin, "👍")]
    {
        user.reacts(&chat_id, &message_id, emoji).await?;
    }
    let wanted = counted(&[("👍", 2), ("1\u{fe0f}\u{20e3}", 1), ("❤", 1), ("❤\u{fe0f}", 1)]);
    expect(&bob.message(&chat_id, &message_id).await?["reactions"]).to_equal(&wanted)?;
    // One who changes their mind changes the order.
    let changed = alice.reacts(&chat_id, &message_id, "❤").await?;
    let wanted = counted(&[("❤", 2), ("1\u{fe0f}\u{20e3}", 1), ("❤\u{fe0f}", 1), ("👍", 1)]);
    expect(&changed).to_equal(&wanted)?;
    expect(&erin.message(&chat_id, &message_id).await?["reactions"]).to_equal(&wanted)
}

async fn who_reacted_is_listed_by_name(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave]).await?;
    let message_id = alice.writes(&chat_id, "vote").await?;
    let mut wanted = Vec::new();
    for (user, emoji) in [(&alice, "👍"), (&bob, "🎉"), (&dave, "👍")] {
        user.reacts(&chat_id, &message_id, emoji).await?;
        wanted.push(json!({ "user": user.as_value(), "emoji": emoji }));
    }
    wanted.sort_by_key(|item| item["user"]["username"].as_str().unwrap_or_default().to_lowercase());
    let path = format!("{}/{message_id}/reactions", messages_of(&chat_id));
    expect(carol.reads(path.clone()).await?).to_equal(json!({ "items": wanted }))?;
    for limit in 1..=4 {
        let pages = carol.reads_pages(&format!("{path}?limit={limit}"), "after").await?;
        expect(pages.len()).to_equal(wanted.len().div_ceil(limit))?;
        expect(items_of(&pages)?).to_equal(&wanted)?;
    }
    let after = text_at(&wanted[0], "user.username")?.to_uppercase();
    let page = carol.reads(format!("{path}?after={after}")).await?;
    expect(list_at(&page, "items")?).to_equal(&wanted[1..])?;
    let most = world.limits().max_page_items;
    carol.reads(format!("{path}?limit={most}")).await?;
    for bad in ["0", "-1", &(most + 1).to_string(), "ten", ""] {
        names_field(&carol.get(format!("{path}?limit={bad}")).send().await?, "limit")?;
    }
    names_field(&carol.get(format!("{path}?after=x")).send().await?, "after")
}

async fn a_changed_reaction_is_told_to_everybody(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one"]).await?;
    let message_id = alice.writes(&chat_id, "two").await?;
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    bob.reacts(&chat_id, &message_id, "👍").await?;
    bob.reacts(&chat_id, &message_id, "🎉").await?;
    alice.reacts(&chat_id, &message_id, "🎉").await?;
    bob.unreacts(&chat_id, &message_id).await?;
    let told = alices.hears().await?;
    let wanted = [
        json!({ "user": bob.as_value(), "emoji": "👍", "reactions": counted(&[("👍", 1)]) }),
        json!({ "user": bob.as_value(), "emoji": "🎉", "reactions": counted(&[("🎉", 1)]) }),
        json!({ "user": alice.as_value(), "emoji": "🎉", "reactions": counted(&[("🎉", 2)]) }),
        json!({ "user": bob.as_value(), "reactions": counted(&[("🎉", 1)]) }),
    ]
    .map(|mut data| {
        data["message_id"] = json!(message_id);
        data["seq"] = json!(2);
        data
    });
    expect(names(&told)).to_equal(["reaction_changed"; 4])?;
    expect(told.iter().map(|event| &event["data"]).collect::<Vec<_>>()).to_equal(wanted)?;
    for event in &told {
        expect(&event["chat_id"]).to_equal(&chat_id)?;
    }
    expect(bobs.hears().await?).to_equal(&told)?;
    // The last one that goes leaves an empty list.
    alice.unreacts(&chat_id, &message_id).await?;
    let told = bobs.hears().await?;
    expect(&told[0]["data"]["reactions"]).to_equal(json!([]))?;
    // Reacting is no entry.
    alice.is_at(&chat_id, 2).await
}

async fn what_changes_no_reaction_makes_no_event(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    bob.reacts(&chat_id, &message_id, "👍").await?;
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    bob.reacts(&chat_id, &message_id, "👍").await?;
    alice.unreacts(&chat_id, &message_id).await?;
    bob.reacting(&chat_id, &message_id, "no emoji").send().await?.refused_with(ErrorCode::InvalidRequest)?;
    bob.reacting(&chat_id, &missing_id(), "👍").send().await?.refused_with(ErrorCode::MessageNotFound)?;
    expect(names(&alices.hears().await?)).to_equal(json!([]))?;
    // With another spelling of the same picture it is another emoji.
    bob.reacts(&chat_id, &message_id, "👍🏽").await?;
    expect(names(&bobs.hears().await?)).to_equal(["reaction_changed"])
}

async fn an_event_shows_a_message_as_it_was_sent(world: &World) -> Verdict {
    world.needs(Profile::Resume)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let start = alice.present_cursor().await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    let plain = alice.message(&chat_id, &message_id).await?;
    alice.reacts(&chat_id, &message_id, "👍").await?;
    bob.reacts(&chat_id, &message_id, "🎉").await?;
    for user in [&alice, &bob] {
        let mut events = user.events_after(&start).await?;
        events.retain(|event| event["event"] != "chat_added");
        expect(names(&events)).to_equal(["message_created", "reaction_changed", "reaction_changed"])?;
        expect(&events[0]["data"]["message"]).to_equal(&plain)?;
    }
    Ok(())
}

async fn one_reacts_to_messages_that_one_may_see(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let message_id = alice.writes(&chat_id, "for bob").await?;
    alice.writes(&with_carol, "for carol").await?;
    let missing = missing_id();
    // Of a chat of others nothing is told, and of another chat's message neither.
    for (chat, message, code) in [
        (&chat_id, &message_id, ErrorCode::ChatNotFound),
        (&missing, &message_id, ErrorCode::ChatNotFound),
        (&with_carol, &message_id, ErrorCode::MessageNotFound),
        (&with_carol, &missing, ErrorCode::MessageNotFound),
    ] {
        carol.reacting(chat, message, "👍").send().await?.refused_with(code)?;
        carol.unreacting(chat, message).send().await?.refused_with(code)?;
        carol.get(format!("{}/{message}/reactions", messages_of(chat))).send().await?.refused_with(code)?;
    }
    let same = |message: &str| carol.reacting(&with_carol, message, "👍").header("X-Request-Id", "same");
    answers_alike(&same(&message_id).send().await?, &same(&missing).send().await?)?;
    carol
        .put(crate::world::marks::reaction_to(&with_carol, "x"))
        .json(&json!({ "emoji": "👍" }))
        .send()
        .await?
        .refused_field("message_id", FieldCode::BadFormat)?;
    check(bob.message(&chat_id, &message_id).await?.get("reactions").is_none(), || ("no reactions", "some"))
}

async fn who_came_later_hears_of_reactions_to_what_they_cannot_see(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let message_id = alice.writes(&chat_id, "before carol").await?;
    carol.joins(&chat_id).await?;
    carol.reacting(&chat_id, &message_id, "👍").send().await?.refused_with(ErrorCode::MessageNotFound)?;
    carol.unreacting(&chat_id, &message_id).send().await?.refused_with(ErrorCode::MessageNotFound)?;
    let (mut bobs, mut carols) = (bob.listens().await?, carol.listens().await?);
    alice.reacts(&chat_id, &message_id, "👍").await?;
    let told = bobs.hears().await?;
    expect(names(&told)).to_equal(["reaction_changed"])?;
    expect(carols.hears().await?).to_equal(&told)
}

async fn who_went_sees_the_reactions_of_now(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    bob.reacts(&chat_id, &message_id, "👍").await?;
    bob.leaves(&chat_id).await?;
    let mut bobs = bob.listens().await?;
    alice.reacts(&chat_id, &message_id, "🎉").await?;
    expect(names(&bobs.hears().await?)).to_equal(json!([]))?;
    let mut wanted = vec![(&alice.username, "🎉"), (&bob.username, "👍")];
    wanted.sort_by_key(|(name, _)| name.to_lowercase());
    expect(bob.reactions_of(&chat_id, &message_id).await?).to_equal(&wanted)?;
    let message = bob.message(&chat_id, &message_id).await?;
    expect([&message["reactions"], &message["own_reaction"]])
        .to_equal(json!([counted(&[("🎉", 1), ("👍", 1)]), "👍"]))?;
    // Theirs stays as it is: reacting is for members.
    bob.unreacting(&chat_id, &message_id).send().await?.refused_with(ErrorCode::NotMember)?;
    bob.reacting(&chat_id, &message_id, "😀").send().await?.refused_with(ErrorCode::NotMember)?;
    expect(alice.reactions_of(&chat_id, &message_id).await?).to_equal(&wanted)
}

async fn reactions_that_race_leave_one_for_each_user(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let emojis = ["👍", "🎉", "😀", "👍", "🚀", "🎉"];
    for _ in 0..6 {
        let message_id = alice.writes(&chat_id, "race").await?;
        let mut bobs = bob.listens().await?;
        let reacting = emojis.iter().enumerate().flat_map(|(number, emoji)| {
            let first = alice.reacting(&chat_id, &message_id, emoji);
            let second = if number % 3 == 2 {
                bob.unreacting(&chat_id, &message_id)
            } else {
                bob.reacting(&chat_id, &message_id, emoji)
            };
            [first.send(), second.send()]
        });
        for answer in Box::pin(try_join_all(reacting)).await? {
            answer.succeeded(200)?;
        }
        let listed = alice.reactions_of(&chat_id, &message_id).await?;
        let users = listed.iter().map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>();
        check(users.len() == listed.len() && users.contains(&alice.username), || {
            ("one reaction for each user, and alice's among them", json!(listed).to_string())
        })?;
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        for (_, emoji) in &listed {
            *counts.entry(emoji).or_default() += 1;
        }
        let mut wanted: Vec<(&str, u64)> = counts.into_iter().collect();
        wanted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let message = bob.message(&chat_id, &message_id).await?;
        expect(&message["reactions"]).to_equal(counted(&wanted))?;
        // The last event of each user, and the last of all, say what is.
        let told = bobs.hears().await?;
        let told: Vec<&Value> = told.iter().filter(|event| event["event"] == "reaction_changed").collect();
        expect(told.last().map(|event| &event["data"]["reactions"])).to_equal(counted(&wanted))?;
        for user in [&alice, &bob] {
            let last = told.iter().rev().find(|event| event["data"]["user"] == user.as_value());
            let own = listed.iter().find(|(name, _)| *name == user.username).map(|(_, emoji)| emoji);
            expect(last.and_then(|event| event["data"].get("emoji"))).to_equal(own)?;
        }
    }
    Ok(())
}

async fn a_message_has_a_bound_of_different_emojis(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let most = usize::try_from(world.limits().max_different_reactions).unwrap_or(usize::MAX);
    let crowd = world.crowd(most.saturating_add(1)).await?;
    let [alice] = world.users().await?;
    let chat_id = alice.founds("many moods", []).await?;
    for some in crowd.chunks(50) {
        alice.adds(&chat_id, some).await?;
    }
    let message_id = alice.writes(&chat_id, "how do you feel?").await?;
    // The faces from U+1F600 on, and then the animals.
    let mut emojis = (0x1F600..=0x1F64F).chain(0x1F400..=0x1F43E).filter_map(char::from_u32).map(String::from);
    let mut used = Vec::new();
    let (extra, others) = crowd.split_at(1);
    for user in others {
        let emoji = emojis.next().unwrap_or_default();
        user.reacts(&chat_id, &message_id, &emoji).await?;
        used.push(emoji);
    }
    let one_more = emojis.next().unwrap_or_default();
    extra[0].reacting(&chat_id, &message_id, &one_more).send().await?.refused_with(ErrorCode::TooManyReactions)?;
    let mut socket = alice.connects().await?;
    let data = json!({ "chat_id": chat_id, "message_id": message_id, "emoji": one_more });
    error_code(&socket.asks("1", "set_reaction", &data).await?, ErrorCode::TooManyReactions)?;
    let reactions = alice.message(&chat_id, &message_id).await?["reactions"].take();
    expect(reactions.as_array().map(Vec::len)).to_equal(most)?;
    // One that is there already is no further one.
    extra[0].reacts(&chat_id, &message_id, &used[0]).await?;
    // Where the last of one goes, another one has its place.
    others[1].unreacts(&chat_id, &message_id).await?;
    let reactions = others[1].reacts(&chat_id, &message_id, &one_more).await?;
    expect(reactions.as_array().map(Vec::len)).to_equal(most)
}
