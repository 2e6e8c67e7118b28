//! Adding, removing and listing members; what a group says about itself. (GRP-4, GRP-7, GRP-9, GRP-12, GRP-13)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use super::creation::is_conflicting;
use crate::{
    cases,
    cases::chats::{answers_alike, missing_id, names, names_field},
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{User, World, conversation::items_of, group::group_path},
};

cases! { Groups:
    those_who_are_added_make_one_activity_in_the_order_given ["GRP-4", "GRP-12", "GRP-17", "GRP-20"],
    when_nobody_is_added_there_is_no_activity ["GRP-12", "GRP-4", "ERR-5"],
    names_to_add_have_bounds ["GRP-4", "GRP-12", "CAP-2", "ERR-5"],
    a_group_takes_no_more_members_than_it_may ["GRP-4", "GRP-6", "CAP-2"],
    names_in_paths_are_taken_in_any_case ["GRP-13", "GRP-14", "GRP-15", "CNV-10"],
    anybody_may_know_what_a_group_is ["GRP-7"],
    what_is_no_group_is_not_found ["GRP-6", "GRP-7", "ERR-6"],
    a_direct_chat_is_no_group ["GRP-7", "GRP-6"],
    members_are_listed_by_name ["GRP-9", "CNV-11", "CNV-12"],
    who_returns_has_joined_anew ["GRP-9", "GRP-5"],
    a_limit_of_names_has_bounds ["GRP-9", "CNV-12"],
    members_are_shown_with_their_presence ["GRP-7", "GRP-9", "PRS-1", "PRS-2"],
}

async fn those_who_are_added_make_one_activity_in_the_order_given(world: &World) -> Verdict {
    let [alice, bob, carol, dave, erin] = world.users().await?;
    let chat_id = alice.founds("ours", [&erin]).await?;
    erin.leaves(&chat_id).await?;
    let mut alices = alice.listens().await?;
    let mut daves = dave.listens().await?;
    let nobody = world.newcomer().username;
    let given =
        [&dave.username.to_uppercase(), &nobody, &bob.username, &alice.username, &erin.username, &carol.username];
    let answer = alice.adding(&chat_id, &given).send().await?.succeeded(200)?;
    let refused = |name: &str, code: ErrorCode| json!({ "username": name, "added": false, "code": code.as_str() });
    let added = |name: &str| json!({ "username": name, "added": true });
    let results = [
        added(given[0]),
        refused(given[1], ErrorCode::UserNotFound),
        added(given[2]),
        refused(given[3], ErrorCode::AlreadyMember),
        refused(given[4], ErrorCode::LeftGroup),
        added(given[5]),
    ];
    expect(&answer).to_equal(json!({ "results": results, "members_count": 4 }))?;

    let history = alice.history(&chat_id).await?;
    expect(history.len()).to_equal(3)?;
    let wanted = json!({
        "type": "activity", "seq": 3, "chat_id": chat_id, "created_at": history[2]["created_at"], "kind": "members_added",
        "actor": alice.as_value(), "targets": [dave.as_value(), bob.as_value(), carol.as_value()], "members_count": 4,
    });
    expect(&history[2]).to_equal(&wanted)?;
    let heard = alices.hears().await?;
    expect(names(&heard)).to_equal(["group_activity"])?;
    let daves = daves.hears().await?;
    expect(names(&daves)).to_equal(["chat_added", "group_activity"])?;
    expect(&daves[1]).to_equal(&heard[0])?;
    let chat = &daves[0]["data"]["chat"];
    expect(&chat["visible"]).to_equal(json!([{ "from": 3 }]))?;
    let group = json!({ "name": "ours", "description": "", "members_count": 4, "role": "member" });
    expect(&chat["group"]).to_equal(group)?;
    expect([&chat["delivered"], &chat["read"], &chat["unread_count"]]).to_equal([3, 3, 0])
}

async fn when_nobody_is_added_there_is_no_activity(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let mut bobs = bob.listens().await?;
    let nobody = world.newcomer().username;
    let answer = alice.adding(&chat_id, &[&bob.username, &nobody]).send().await?.succeeded(200)?;
    let results = json!([
        { "username": bob.username, "added": false, "code": "already_member" },
        { "username": nobody, "added": false, "code": "user_not_found" },
    ]);
    expect(answer).to_equal(json!({ "results": results, "members_count": 2 }))?;
    expect(names(&bobs.hears().await?)).to_equal(json!([]))?;
    expect(alice.history(&chat_id).await?.len()).to_equal(1)
}

async fn names_to_add_have_bounds(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let most = usize::try_from(world.limits().max_members_per_call).unwrap_or(100);
    let chat_id = alice.founds("ours", []).await?;
    let none: [&str; 0] = [];
    alice.adding(&chat_id, &none).send().await?.refused_field("usernames", FieldCode::TooShort)?;
    let mark = world.newcomer().username;
    let mut many: Vec<String> = (0..most).map(|number| format!("{mark}-{number}")).collect();
    let answer = alice.adding(&chat_id, &many).send().await?.succeeded(200)?;
    expect(list_at(&answer, "results")?.len()).to_equal(most)?;
    many.push(bob.username.clone());
    alice.adding(&chat_id, &many).send().await?.refused_field("usernames", FieldCode::TooLong)?;
    for wrong in ["ab", "not a name", "-abc", "", "a@b.example"] {
        alice.adding(&chat_id, &[&bob.username, wrong]).send().await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    let path = group_path(&chat_id, "/members");
    alice.post(&path, &json!({})).send().await?.refused_field("usernames", FieldCode::Missing)?;
    let text = json!({ "usernames": bob.username });
    alice.post(&path, &text).send().await?.refused_field("usernames", FieldCode::WrongType)?;
    is_conflicting(&alice.adding(&chat_id, &[&bob.username, &bob.username]).send().await?)?;
    expect(alice.history(&chat_id).await?.len()).to_equal(1)
}

async fn a_group_takes_no_more_members_than_it_may(world: &World) -> Verdict {
    let most = usize::try_from(world.limits().max_group_members).unwrap_or(usize::MAX);
    let crowd = world.crowd(most.saturating_add(1)).await?;
    let [alice] = world.users().await?;
    let chat_id = alice.founds("full", []).await?;
    // All but one place is taken, the last one is asked for by two.
    let (last, others) = crowd.split_at(3);
    for some in others.get(..most - 2).unwrap_or_default().chunks(50) {
        alice.adds(&chat_id, some).await?;
    }
    let names: Vec<_> = last.iter().take(2).map(|user| &user.username).collect();
    let answer = alice.adding(&chat_id, &names).send().await?.succeeded(200)?;
    let results = json!([
        { "username": names[0], "added": true },
        { "username": names[1], "added": false, "code": "group_full" },
    ]);
    expect(answer).to_equal(json!({ "results": results, "members_count": most }))?;
    last[2].joining(&chat_id).send().await?.refused_with(ErrorCode::GroupFull)?;
    // A place that becomes free is free.
    last[0].leaves(&chat_id).await?;
    last[2].joins(&chat_id).await?;
    expect(&alice.group(&chat_id).await?["members_count"]).to_equal(most)
}

async fn names_in_paths_are_taken_in_any_case(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let loud = bob.username.to_uppercase();
    alice.promoting(&chat_id, &loud).send().await?.succeeded_without_body()?;
    alice.demoting(&chat_id, &bob.username.to_lowercase()).send().await?.succeeded_without_body()?;
    alice.removing(&chat_id, &alice.username.to_uppercase()).send().await?.refused_with(ErrorCode::UseLeave)?;
    alice.removing(&chat_id, &loud).send().await?.succeeded_without_body()?;
    // What is told of it has the name as its owner chose it.
    for entry in alice.history(&chat_id).await? {
        expect(&entry["targets"]).to_equal([bob.as_value()])?;
    }
    for path in ["/members/ab", "/members/not%20a%20name", "/admins/-abc"] {
        names_field(&alice.delete(group_path(&chat_id, path)).send().await?, "username")?;
    }
    Ok(())
}

async fn anybody_may_know_what_a_group_is(world: &World) -> Verdict {
    let club = world.club().await?;
    let [erin] = world.users().await?;
    club.admin.changes(&club.chat_id, &json!({ "description": "for all" })).await?;
    let online = club.admin.group(&club.chat_id).await?["online_members_count"].take();
    expect(&online).to_be_within(0, 3)?;
    let created_at = text_at(&club.admin.group(&club.chat_id).await?, "created_at")?;
    for (user, role) in [
        (&club.admin, Some("admin")),
        (&club.other_admin, Some("admin")),
        (&club.member, Some("member")),
        (&club.left, None),
        (&club.removed, None),
        (&club.stranger, None),
        (&erin, None),
    ] {
        let mut wanted = json!({
            "chat_id": club.chat_id, "name": "the club", "description": "for all", "created_at": created_at,
            "members_count": 3, "online_members_count": online,
        });
        if let Some(role) = role {
            wanted["role"] = json!(role);
        }
        expect(user.group(&club.chat_id).await?).to_equal(wanted)?;
    }
    Ok(())
}

async fn what_is_no_group_is_not_found(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let missing = missing_id();
    for request in requests(&alice, &missing, &bob) {
        request.send().await?.refused_with(ErrorCode::GroupNotFound)?;
    }
    alice.get(group_path("x", "")).send().await?.refused_field("chat_id", FieldCode::BadFormat)
}

async fn a_direct_chat_is_no_group(world: &World) -> Verdict {
    world.needs(Profile::Messages)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["between us"]).await?;
    let missing = missing_id();
    for user in [&alice, &carol] {
        for (direct, missing) in requests(user, &chat_id, &bob).into_iter().zip(requests(user, &missing, &bob)) {
            let direct = direct.header("X-Request-Id", "same").send().await?;
            direct.refused_with(ErrorCode::GroupNotFound)?;
            answers_alike(&direct, &missing.header("X-Request-Id", "same").send().await?)?;
        }
    }
    expect(alice.history(&chat_id).await?.len()).to_equal(1)
}

/// Everything that is asked of a group.
fn requests(user: &User, chat_id: &str, other: &User) -> Vec<crate::client::Request> {
    vec![
        user.get(group_path(chat_id, "")),
        user.changing(chat_id, &json!({ "name": "another" })),
        user.joining(chat_id),
        user.leaving(chat_id),
        user.get(group_path(chat_id, "/members")),
        user.adding(chat_id, &[&other.username]),
        user.removing(chat_id, &other.username),
        user.promoting(chat_id, &other.username),
        user.demoting(chat_id, &other.username),
    ]
}

async fn members_are_listed_by_name(world: &World) -> Verdict {
    let [alice, bob, carol, dave, erin] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol, &dave, &erin]).await?;
    alice.promotes(&chat_id, &carol).await?;
    alice.removes(&chat_id, &erin).await?;
    let mut wanted: Vec<_> = [(&alice, "admin"), (&bob, "member"), (&carol, "admin"), (&dave, "member")]
        .map(|(user, role)| (user.username.clone(), role.to_owned()))
        .to_vec();
    wanted.sort_by_key(|(name, _)| name.to_lowercase());
    for user in [&alice, &bob] {
        expect(user.members(&chat_id).await?).to_equal(&wanted)?;
    }
    let path = group_path(&chat_id, "/members");
    for (limit, sizes) in [(1, vec![1, 1, 1, 1]), (2, vec![2, 2]), (3, vec![3, 1]), (4, vec![4]), (5, vec![4])] {
        let pages = bob.reads_pages(&format!("{path}?limit={limit}"), "after").await?;
        let came: Vec<_> = pages.iter().map(|page| page["items"].as_array().map_or(0, Vec::len)).collect();
        expect(came).to_equal(sizes)?;
        let came = items_of(&pages)?;
        expect(came.iter().map(|item| &item["user"]["username"]).collect::<Vec<_>>())
            .to_equal(wanted.iter().map(|(name, _)| name).collect::<Vec<_>>())?;
        for item in &came {
            text_at(item, "joined_at")?;
        }
    }
    // After any name, in any case, whoever has it.
    let page = bob.reads(format!("{path}?after={}", wanted[1].0.to_uppercase())).await?;
    expect(list_at(&page, "items")?.len()).to_equal(2)?;
    let page = bob.reads(format!("{path}?after=zzz")).await?;
    expect(&page).to_equal(json!({ "items": [] }))?;
    let page = bob.reads(format!("{path}?after=aaa")).await?;
    expect(list_at(&page, "items")?.len()).to_equal(4)
}

async fn who_returns_has_joined_anew(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let joined_at = async || {
        let page = alice.reads(group_path(&chat_id, "/members")).await?;
        let member = list_at(&page, "items")?.iter().find(|item| item["user"] == bob.as_value()).cloned();
        text_at(&member.unwrap_or_default(), "joined_at")
    };
    let first = joined_at().await?;
    alice.promotes(&chat_id, &bob).await?;
    expect(joined_at().await?).to_equal(&first)?;
    bob.leaves(&chat_id).await?;
    bob.joins(&chat_id).await?;
    // Times of this form sort as text does. (CNV-8)
    let left = text_at(&alice.history(&chat_id).await?[2], "created_at")?;
    let again = joined_at().await?;
    check(first <= left && left <= again, || {
        (format!("{left} between the two times of joining"), format!("{first} and {again}"))
    })?;
    // Who returns comes as a member.
    expect(&bob.group(&chat_id).await?["role"]).to_equal("member")
}

async fn a_limit_of_names_has_bounds(world: &World) -> Verdict {
    let alice = world.user().await?;
    let chat_id = alice.founds("ours", []).await?;
    let path = group_path(&chat_id, "/members");
    let most = world.limits().max_page_items;
    for good in [1, most] {
        alice.reads(format!("{path}?limit={good}")).await?;
    }
    for bad in ["0", "-1", &(most + 1).to_string(), "10000", "1.5", "ten", ""] {
        names_field(&alice.get(format!("{path}?limit={bad}")).send().await?, "limit")?;
    }
    for bad in ["", "ab", "not%20a%20name"] {
        names_field(&alice.get(format!("{path}?after={bad}")).send().await?, "after")?;
    }
    Ok(())
}

async fn members_are_shown_with_their_presence(world: &World) -> Verdict {
    world.needs(Profile::Presence)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let is_there = async |wanted: u64| {
        let group = alice.group(&chat_id).await?;
        expect(&group["online_members_count"]).to_equal(wanted)?;
        expect(&group["members_count"]).to_equal(3)?;
        let page = alice.reads(group_path(&chat_id, "/members")).await?;
        Ok::<Vec<Value>, Stop>(list_at(&page, "items")?.clone())
    };
    for member in is_there(0).await? {
        expect(&member["presence"]).to_equal("offline")?;
        check(member.get("last_seen").is_none(), || ("no last_seen of who never was there", member.to_string()))?;
    }
    // Two connections of one user count once.
    let mut sockets = vec![bob.connects().await?, bob.connects().await?];
    for member in is_there(1).await? {
        let wanted = if member["user"] == bob.as_value() { "online" } else { "offline" };
        expect(&member["presence"]).to_equal(wanted)?;
    }
    sockets.push(carol.connects().await?);
    is_there(2).await?;
    Ok(())
}
