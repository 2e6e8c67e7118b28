//! Changing what a group is, and the activities that tell of it. (GRP-8, GRP-20)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use super::creation::{bad_names, refused_for};
use crate::{
    cases,
    cases::chats::{missing_id, names, names_field},
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::{World, media::Plan},
};

cases! { Groups:
    each_change_makes_one_activity_in_their_order ["GRP-8", "GRP-20", "GRP-7"],
    what_is_there_already_changes_nothing ["GRP-8", "CNV-5", "CNV-6"],
    a_change_is_done_as_a_whole_or_not_at_all ["GRP-8", "ERR-5", "GRP-2"],
    changes_out_of_bounds_are_refused ["GRP-8", "GRP-2", "CNV-9", "ERR-5"],
    every_activity_has_exactly_its_fields ["GRP-20", "MSG-4", "CNV-10"],
    a_picture_that_comes_changes_and_goes_makes_activities ["GRP-8", "GRP-20", "GRP-17", "CNV-5"],
    activities_are_events_of_the_chat_for_everybody_alike ["GRP-20", "LOG-3", "LOG-4", "LOG-5"],
}

async fn each_change_makes_one_activity_in_their_order(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("before", [&bob]).await?;
    let mut bobs = bob.listens().await?;
    // In the order of the specification, not that of the body.
    let changes = json!({ "description": "what is new", "name": "after" });
    let mut answer = alice.changing(&chat_id, &changes).send().await?.succeeded(200)?;
    let mut group = alice.group(&chat_id).await?;
    // Who is online may differ by then.
    for answer in [&mut group, &mut answer] {
        answer["online_members_count"].take();
    }
    expect(&answer).to_equal(&group)?;
    expect([&answer["name"], &answer["description"]]).to_equal(["after", "what is new"])?;
    expect([&answer["role"], &answer["chat_id"]]).to_equal(["admin", &chat_id])?;
    let mut history = alice.history(&chat_id).await?;
    let news = history.split_off(1);
    let wanted = json!([
        {
            "type": "activity", "seq": 2, "chat_id": chat_id, "created_at": news[0]["created_at"], "kind": "name_changed",
            "actor": alice.as_value(), "from": "before", "to": "after",
        },
        {
            "type": "activity", "seq": 3, "chat_id": chat_id, "created_at": news[1]["created_at"],
            "kind": "description_changed", "actor": alice.as_value(), "from": "", "to": "what is new",
        },
    ]);
    expect(&news).to_equal(&wanted)?;
    let heard = bobs.hears().await?;
    expect(heard.iter().map(|event| &event["data"]["activity"]).collect::<Vec<_>>()).to_equal(&wanted)?;
    expect(&bob.chat(&chat_id).await?["group"])
        .to_equal(json!({ "name": "after", "description": "what is new", "members_count": 2, "role": "member" }))?;
    // An empty description is one, too, and `null` is that. A group always has a name.
    for empty in [json!(""), Value::Null] {
        alice.changes(&chat_id, &json!({ "description": "more" })).await?;
        alice.changes(&chat_id, &json!({ "description": empty })).await?;
        let last = bob.history(&chat_id).await?.pop().unwrap_or_default();
        expect([&last["from"], &last["to"]]).to_equal(["more", ""])?;
    }
    let nameless = json!({ "name": null, "description": "and this" });
    names_field(&alice.changing(&chat_id, &nameless).send().await?, "name")?;
    expect(&bob.group(&chat_id).await?["description"]).to_equal("")
}

async fn what_is_there_already_changes_nothing(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("the same", [&bob]).await?;
    alice.changes(&chat_id, &json!({ "description": "as ever" })).await?;
    let mut bobs = bob.listens().await?;
    for changes in [
        json!({}),
        json!({ "name": "the same" }),
        json!({ "name": "the same", "description": "as ever" }),
        json!({ "picture_id": null }),
        json!({ "colour": "red", "members_count": 7, "role": "member" }),
    ] {
        let answer = alice.changing(&chat_id, &changes).send().await?.succeeded(200)?;
        expect([&answer["name"], &answer["description"]]).to_equal(["the same", "as ever"])?;
        check(answer.get("picture_id").is_none(), || ("no picture_id", answer.to_string()))?;
    }
    expect(names(&bobs.hears().await?)).to_equal(json!([]))?;
    expect(bob.history(&chat_id).await?.len()).to_equal(2)?;
    // Of two, only the one that becomes another makes an activity.
    alice.changes(&chat_id, &json!({ "name": "the Same", "description": "as ever" })).await?;
    let heard = bobs.hears().await?;
    let kinds: Vec<_> = heard.iter().map(|event| &event["data"]["activity"]["kind"]).collect();
    expect(kinds).to_equal(["name_changed"])
}

async fn a_change_is_done_as_a_whole_or_not_at_all(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("as it was", [&bob]).await?;
    let mut bobs = bob.listens().await?;
    let most = usize::try_from(world.limits().max_group_description_chars).unwrap_or(500);
    let too_long = json!({ "name": "another", "description": "x".repeat(most + 1) });
    alice.changing(&chat_id, &too_long).send().await?.refused_field("description", FieldCode::TooLong)?;
    let unknown = json!({ "name": "another", "description": "another", "picture_id": missing_id() });
    alice.changing(&chat_id, &unknown).send().await?.refused_with(ErrorCode::MediaNotUsable)?;
    let group = bob.group(&chat_id).await?;
    expect([&group["name"], &group["description"]]).to_equal(["as it was", ""])?;
    expect(names(&bobs.hears().await?)).to_equal(json!([]))?;
    expect(bob.history(&chat_id).await?.len()).to_equal(1)
}

async fn changes_out_of_bounds_are_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let chat_id = alice.founds("good", []).await?;
    for (name, code) in bad_names(world) {
        refused_for(&alice.changing(&chat_id, &json!({ "name": name })).send().await?, "name", code)?;
    }
    for (changes, field, code) in [
        (json!({ "name": 7 }), "name", FieldCode::WrongType),
        (json!({ "description": ["x"] }), "description", FieldCode::WrongType),
        (json!({ "picture_id": "x" }), "picture_id", FieldCode::BadFormat),
        (json!({ "picture_id": 7 }), "picture_id", FieldCode::WrongType),
    ] {
        alice.changing(&chat_id, &changes).send().await?.refused_field(field, code)?;
    }
    expect(alice.history(&chat_id).await?.len()).to_equal(1)?;
    let most = usize::try_from(world.limits().max_group_name_chars).unwrap_or(100);
    for name in ["x".to_owned(), "\u{1F600}".repeat(most), "  שלום e\u{301} ".to_owned()] {
        expect(&alice.changes(&chat_id, &json!({ "name": name })).await?["name"]).to_equal(name)?;
    }
    Ok(())
}

/// The fields of each kind besides `type`, `seq`, `chat_id`, `created_at`, `kind` and `actor`, in the order of the story.
async fn every_activity_has_exactly_its_fields(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("one", [&bob]).await?;
    alice.changes(&chat_id, &json!({ "name": "two" })).await?;
    alice.changes(&chat_id, &json!({ "description": "about" })).await?;
    carol.joins(&chat_id).await?;
    alice.adds(&chat_id, [&dave]).await?;
    alice.promotes(&chat_id, &carol).await?;
    carol.demotes(&chat_id, &carol).await?;
    alice.removes(&chat_id, &dave).await?;
    carol.leaves(&chat_id).await?;
    alice.leaves(&chat_id).await?;
    let history = bob.history(&chat_id).await?;
    let client_id = text_at(&history[0], "client_id")?;
    let (alice, bob, carol, dave) = (alice.as_value(), bob.as_value(), carol.as_value(), dave.as_value());
    let wanted = [
        ("group_created", &alice, json!({ "targets": [bob], "to": "one", "members_count": 2, "client_id": client_id })),
        ("name_changed", &alice, json!({ "from": "one", "to": "two" })),
        ("description_changed", &alice, json!({ "from": "", "to": "about" })),
        ("member_joined", &carol, json!({ "members_count": 3 })),
        ("members_added", &alice, json!({ "targets": [dave], "members_count": 4 })),
        ("admin_added", &alice, json!({ "targets": [carol] })),
        ("admin_removed", &carol, json!({ "targets": [carol] })),
        ("member_removed", &alice, json!({ "targets": [dave], "members_count": 3 })),
        ("member_left", &carol, json!({ "members_count": 2 })),
        ("member_left", &alice, json!({ "members_count": 1 })),
        ("admin_succeeded", &alice, json!({ "targets": [bob] })),
    ];
    expect(history.len()).to_equal(wanted.len())?;
    for ((entry, (kind, actor, besides)), seq) in history.iter().zip(wanted).zip(1..) {
        let mut wanted = json!({
            "type": "activity", "seq": seq, "chat_id": chat_id, "created_at": entry["created_at"], "kind": kind,
            "actor": actor,
        });
        for (field, value) in besides.as_object().into_iter().flatten() {
            wanted[field] = value.clone();
        }
        expect(entry).to_equal(wanted)?;
    }
    Ok(())
}

async fn a_picture_that_comes_changes_and_goes_makes_activities(world: &World) -> Verdict {
    world.needs(Profile::Media)?;
    let [alice, bob] = world.users().await?;
    let first = alice.uploads(&Plan::picture("group_picture")).await?;
    let second = alice.uploads(&Plan::picture("group_picture")).await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let mut bobs = bob.listens().await?;
    // The second time the same picture is there already.
    for picture in [json!(first), json!(first), json!(second), Value::Null, Value::Null] {
        let group = alice.changes(&chat_id, &json!({ "picture_id": picture })).await?;
        let wanted = picture.as_str();
        expect(group.get("picture_id")).to_equal(wanted)?;
        expect(bob.chat(&chat_id).await?["group"].get("picture_id")).to_equal(wanted)?;
    }
    let heard = bobs.hears().await?;
    let told: Vec<Value> = heard
        .iter()
        .map(|event| &event["data"]["activity"])
        .map(|activity| json!([activity["kind"], activity.get("from"), activity.get("to")]))
        .collect();
    let changed = |from: Value, to: Value| json!(["picture_changed", from, to]);
    let wanted =
        [changed(Value::Null, json!(first)), changed(json!(first), json!(second)), changed(json!(second), Value::Null)];
    expect(told).to_equal(wanted)?;
    // All three at once come in the order of the specification.
    let all = json!({ "picture_id": second, "description": "with a picture", "name": "pictured" });
    alice.changes(&chat_id, &all).await?;
    let kinds: Vec<Value> = bobs.hears().await?.iter().map(|event| event["data"]["activity"]["kind"].clone()).collect();
    expect(kinds).to_equal(["name_changed", "description_changed", "picture_changed"])?;
    // Who comes then gets the group with it.
    let [carol] = world.users().await?;
    let joined = carol.joins(&chat_id).await?;
    expect(&joined["chat"]["group"]["picture_id"]).to_equal(&second)
}

async fn activities_are_events_of_the_chat_for_everybody_alike(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let (mut alices, mut bobs, mut tablet) = (alice.listens().await?, bob.listens().await?, bob.listens().await?);
    alice.changes(&chat_id, &json!({ "name": "all of ours" })).await?;
    alice.adds(&chat_id, [&carol]).await?;
    alice.says(&chat_id, ["between two activities"]).await?;
    alice.promotes(&chat_id, &bob).await?;
    let heard = [alices.hears().await?, bobs.hears().await?, tablet.hears().await?];
    expect(names(&heard[0])).to_equal(["group_activity", "group_activity", "message_created", "group_activity"])?;
    for other in &heard[1..] {
        // The cursor included.
        expect(other).to_equal(&heard[0])?;
    }
    let entries: Vec<&Value> =
        heard[0].iter().map(|event| event["data"].get("activity").unwrap_or(&event["data"]["message"])).collect();
    expect(entries).to_equal(bob.history(&chat_id).await?.get(1..))?;
    for event in &heard[0] {
        expect(&event["chat_id"]).to_equal(&chat_id)?;
        check(event["data"].as_object().is_some_and(|data| data.len() == 1), || {
            ("data with the entry alone", event["data"].to_string())
        })?;
    }
    Ok(())
}
