//! Who sees what of a group: stretches. (GRP-16 to GRP-18, MSG-13)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, Profile};
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::{answers_alike, missing_id, names},
    expect::{expect, list_at, text_at},
    verdict::{InSetup, Verdict},
    world::{
        User, World,
        conversation::{Draft, items_of, messages_of, seqs},
    },
};

cases! { Groups:
    a_member_sees_from_their_coming_to_their_going ["GRP-16", "MSG-13", "CHT-3"],
    what_is_outside_a_stretch_is_not_there ["GRP-16", "MSG-13", "MSG-11", "ERR-6"],
    history_leaps_over_what_one_did_not_see ["GRP-16", "MSG-13", "MSG-10", "CNV-11"],
    events_come_for_what_one_may_see_and_for_nothing_else ["GRP-16", "GRP-17", "GRP-18", "LOG-4"],
    who_returns_gets_the_chat_anew ["GRP-17", "GRP-10", "GRP-16", "RCP-6"],
    a_resume_shows_of_a_group_what_a_connection_would_have ["GRP-16", "GRP-18", "RSM-4", "RSM-9"],
    an_ex_member_can_do_nothing_in_the_chat ["MSG-9", "REA-7", "RCP-8", "RCP-9", "GRP-9"],
    a_group_that_one_was_never_in_is_told_from_none ["CHT-6", "GRP-6"],
}

/// A group that bob came to, left, and came back to. The entries that he may see: 3 to 5, and 8 on.
struct Story {
    chat_id: String,
    /// By `seq`, from 1; nothing where an entry is an activity.
    message_ids: Vec<Option<String>>,
}

const VISIBLE: [u64; 6] = [3, 4, 5, 8, 9, 10];

async fn story(alice: &User, bob: &User) -> Verdict<Story> {
    let chat_id = alice.founds("ours", []).await?; // 1
    let mut message_ids = vec![None];
    message_ids.push(Some(alice.writes(&chat_id, "before").await?)); // 2
    bob.joins(&chat_id).await?; // 3
    message_ids.push(None);
    message_ids.push(Some(alice.writes(&chat_id, "inside").await?)); // 4
    bob.leaves(&chat_id).await?; // 5
    message_ids.push(None);
    message_ids.push(Some(alice.writes(&chat_id, "between").await?)); // 6
    message_ids.push(Some(alice.writes(&chat_id, "still between").await?)); // 7
    bob.joins(&chat_id).await?; // 8
    message_ids.push(None);
    message_ids.push(Some(alice.writes(&chat_id, "again").await?)); // 9
    message_ids.push(Some(bob.writes(&chat_id, "here I am").await?)); // 10
    alice.is_at(&chat_id, 10).await.in_setup("telling the story")?;
    Ok(Story { chat_id, message_ids })
}

async fn a_member_sees_from_their_coming_to_their_going(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let Story { chat_id, .. } = story(&alice, &bob).await?;
    let whole = alice.history(&chat_id).await?;
    expect(seqs(&whole)).to_equal((1..=10).collect::<Vec<u64>>())?;
    let seen: Vec<&Value> =
        whole.iter().filter(|entry| VISIBLE.contains(&entry["seq"].as_u64().unwrap_or(0))).collect();
    expect(bob.history(&chat_id).await?).to_equal(&seen)?;
    let chat = bob.chat(&chat_id).await?;
    expect(&chat["visible"]).to_equal(json!([{ "from": 3, "to": 5 }, { "from": 8 }]))?;
    expect(&chat["last_entry"]).to_equal(seen.last())?;
    // By the entry that let them in, who is added sees it too, and the one removed sees who did it.
    alice.adds(&chat_id, [&carol]).await?;
    alice.says(&chat_id, ["hello, Carol"]).await?;
    alice.removes(&chat_id, &carol).await?;
    alice.says(&chat_id, ["she is gone"]).await?;
    let carols = carol.history(&chat_id).await?;
    expect(seqs(&carols)).to_equal([11, 12, 13])?;
    expect([&carols[0]["kind"], &carols[2]["kind"]]).to_equal(["members_added", "member_removed"])?;
    let chat = carol.chat(&chat_id).await?;
    expect(&chat["visible"]).to_equal(json!([{ "from": 11, "to": 13 }]))?;
    expect(&chat["last_entry"]).to_equal(&carols[2])
}

async fn what_is_outside_a_stretch_is_not_there(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let Story { chat_id, message_ids } = story(&alice, &bob).await?;
    let missing = missing_id();
    for (message_id, seq) in message_ids.iter().zip(1u64..) {
        let Some(message_id) = message_id else { continue };
        expect(&alice.message(&chat_id, message_id).await?["seq"]).to_equal(seq)?;
        if VISIBLE.contains(&seq) {
            expect(&bob.message(&chat_id, message_id).await?["seq"]).to_equal(seq)?;
            continue;
        }
        let ask = |id: &str| bob.get(format!("{}/{id}", messages_of(&chat_id))).header("X-Request-Id", "same");
        let hidden = ask(message_id).send().await?;
        hidden.refused_with(ErrorCode::MessageNotFound)?;
        answers_alike(&hidden, &ask(&missing).send().await?)?;
    }
    Ok(())
}

async fn history_leaps_over_what_one_did_not_see(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let Story { chat_id, .. } = story(&alice, &bob).await?;
    let path = format!("/v1/chats/{chat_id}/entries");
    let page = async |query: &str| {
        let page = bob.reads(format!("{path}?{query}")).await?;
        Ok::<_, crate::verdict::Stop>((seqs(list_at(&page, "items")?), page["next"].as_u64()))
    };
    for (query, items, next) in [
        ("limit=3", vec![10, 9, 8], Some(8)),
        ("limit=4", vec![10, 9, 8, 5], Some(5)),
        ("before=8", vec![5, 4, 3], None),
        ("before=7", vec![5, 4, 3], None),
        ("before=8&limit=3", vec![5, 4, 3], None),
        ("before=4", vec![3], None),
        ("before=3", vec![], None),
        ("before=2", vec![], None),
        ("after=0", VISIBLE.to_vec(), None),
        ("after=0&limit=3", vec![3, 4, 5], Some(5)),
        ("after=5&limit=2", vec![8, 9], Some(9)),
        ("after=6", vec![8, 9, 10], None),
        ("after=10", vec![], None),
    ] {
        let came = page(query).await?;
        expect(json!([query, came.0, came.1])).to_equal(json!([query, items, next]))?;
    }
    for limit in 1..=7 {
        let down = items_of(&bob.reads_pages(&format!("{path}?limit={limit}"), "before").await?)?;
        expect(seqs(&down)).to_equal(VISIBLE.iter().rev().collect::<Vec<_>>())?;
    }
    Ok(())
}

async fn events_come_for_what_one_may_see_and_for_nothing_else(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut bobs = bob.listens().await?;
    let Story { chat_id, .. } = story(&alice, &bob).await?;
    let heard = bobs.hears().await?;
    let wanted = [
        "chat_added",
        "group_activity",
        "message_created",
        "group_activity",
        "membership_ended",
        "chat_added",
        "group_activity",
        "message_created",
        "message_created",
    ];
    expect(names(&heard)).to_equal(wanted)?;
    let entries: Vec<&Value> =
        heard.iter().filter_map(|event| event["data"].get("activity").or(event["data"].get("message"))).collect();
    expect(entries).to_equal(bob.history(&chat_id).await?)
}

async fn who_returns_gets_the_chat_anew(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.leaves(&chat_id).await?;
    alice.says(&chat_id, ["without bob"]).await?;
    alice.changes(&chat_id, &json!({ "name": "still ours" })).await?;
    let mut bobs = bob.listens().await?;
    let joined = bob.joins(&chat_id).await?;
    text_at(&joined, "cursor")?;
    expect(&joined["chat"]).to_equal(bob.chat(&chat_id).await?)?;
    let heard = bobs.hears().await?;
    expect(names(&heard)).to_equal(["chat_added", "group_activity"])?;
    let mut chat = heard[0]["data"]["chat"].clone();
    expect(&chat["opened_at"]).to_equal(&joined["chat"]["opened_at"])?;
    if let Some(fields) = chat.as_object_mut() {
        fields.remove("opened_at");
    }
    // The unread messages of before lie below the watermarks, which start again.
    let wanted = json!({
        "chat_id": chat_id, "kind": "group", "membership": "member", "visible": [{ "from": 1, "to": 4 }, { "from": 7 }],
        "group": { "name": "still ours", "description": "", "members_count": 2, "role": "member" },
        "unread_count": 0, "delivered": 7, "read": 7,
    });
    expect(chat).to_equal(wanted)?;
    // Brought back after a removal it is the same.
    alice.removes(&chat_id, &bob).await?;
    alice.adds(&chat_id, [&bob]).await?;
    let heard = bobs.hears().await?;
    expect(names(&heard)).to_equal(["group_activity", "membership_ended", "chat_added", "group_activity"])?;
    let chat = &heard[2]["data"]["chat"];
    expect(&chat["visible"]).to_equal(json!([{ "from": 1, "to": 4 }, { "from": 7, "to": 8 }, { "from": 9 }]))?;
    expect([&chat["delivered"], &chat["read"]]).to_equal([9, 9])
}

async fn a_resume_shows_of_a_group_what_a_connection_would_have(world: &World) -> Verdict {
    world.needs(Profile::Resume)?;
    let [alice, bob] = world.users().await?;
    let mut live = bob.listens().await?;
    let start = live.start().to_owned();
    let Story { chat_id, message_ids } = story(&alice, &bob).await?;
    alice.removes(&chat_id, &bob).await?;
    // Nothing of what follows is for bob, though it concerns a message that he has seen.
    alice.says(&chat_id, ["gone"]).await?;
    if let (true, Some(Some(inside))) = (world.claims(Profile::Reactions), message_ids.get(3)) {
        alice.reacts(&chat_id, inside, "👍").await?;
    }
    if world.claims(Profile::Receipts) {
        alice.has_read(&chat_id, 12).await?;
    }
    let live = live.hears().await?;
    expect(live.len()).to_equal(11)?;
    let mut listed = bob.events_after(&start).await?;
    listed.retain(|event| event["event"] != "session_ended");
    for event in &mut listed {
        event["type"] = json!("event");
    }
    expect(&listed).to_equal(&live)?;
    // From each place in the middle what follows is the same.
    for (place, event) in live.iter().enumerate() {
        let mut socket = bob.resumes(&text_at(event, "cursor")?).await?;
        expect(&socket.hello["resume"]).to_equal("resumed")?;
        for wanted in &live[place + 1..] {
            let is_event = |frame: &Value| frame["type"] == "event" && frame["event"] != "session_ended";
            expect(socket.until("the next event", is_event).await?).to_equal(wanted)?;
        }
    }
    Ok(())
}

async fn an_ex_member_can_do_nothing_in_the_chat(world: &World) -> Verdict {
    let club = world.club().await?;
    let mut admins = club.admin.listens().await?;
    for user in [&club.left, &club.removed] {
        user.sending(&club.chat_id, &Draft::new("hello?")).send().await?.refused_with(ErrorCode::NotMember)?;
        let mut socket = user.connects().await?;
        let draft = Draft::new("hello?");
        socket.sends(&draft.frame(&club.chat_id)).await?;
        crate::client::socket::error_code(&socket.answered(&draft.client_id).await?, ErrorCode::NotMember)?;
        if world.claims(Profile::Reactions) {
            let (chat_id, message_id) = (&club.chat_id, &club.message_id);
            user.reacting(chat_id, message_id, "👍").send().await?.refused_with(ErrorCode::NotMember)?;
            user.unreacting(chat_id, message_id).send().await?.refused_with(ErrorCode::NotMember)?;
        }
        if world.claims(Profile::Receipts) {
            let of_message = format!("{}/{}/receipts", messages_of(&club.chat_id), club.message_id);
            user.get(of_message).send().await?.refused_with(ErrorCode::NotMember)?;
            let of_chat = format!("/v1/chats/{}/receipts", club.chat_id);
            user.get(of_chat).send().await?.refused_with(ErrorCode::NotMember)?;
        }
        // Reading what they saw goes on.
        expect(&user.message(&club.chat_id, &club.message_id).await?["content"]["text"]).to_equal("welcome")?;
    }
    expect(names(&admins.hears().await?)).to_equal(json!([]))
}

async fn a_group_that_one_was_never_in_is_told_from_none(world: &World) -> Verdict {
    let club = world.club().await?;
    let missing = missing_id();
    for (chat_id, code) in [(&club.chat_id, ErrorCode::NotMember), (&missing, ErrorCode::ChatNotFound)] {
        for path in [
            format!("/v1/chats/{chat_id}"),
            format!("/v1/chats/{chat_id}/entries"),
            format!("{}/{}", messages_of(chat_id), club.message_id),
            format!("{}/{missing}", messages_of(chat_id)),
        ] {
            club.stranger.get(path).send().await?.refused_with(code)?;
        }
        club.stranger.sending(chat_id, &Draft::new("hello?")).send().await?.refused_with(code)?;
    }
    expect(&club.stranger.reads("/v1/chats").await?["items"]).to_equal(json!([]))
}
