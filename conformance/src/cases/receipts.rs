//! Section 10: receipts.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod groups;
mod status;

use futures_util::future::try_join_all;
use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    cases::{
        chats::{missing_id, names},
        groups::is_conflicting,
    },
    client::socket::{error_code, reply_data},
    expect::{check, expect, list_at},
    verdict::Verdict,
    world::World,
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, groups::CASES, status::CASES].concat()
}

cases! { Receipts:
    watermarks_of_a_direct_chat_start_at_nothing_and_move_ahead ["RCP-1", "RCP-2", "RCP-3", "RCP-5", "RCP-6", "CHT-3"],
    a_watermark_never_goes_back ["RCP-3", "RCP-4"],
    a_move_is_told_to_oneself_and_to_the_partner ["RCP-10", "RCP-11", "LOG-3", "CHT-4"],
    what_does_not_move_makes_no_event ["RCP-3", "RCP-4"],
    a_watermark_beyond_the_last_entry_is_refused ["RCP-1", "RCP-5"],
    each_mark_is_decided_by_itself ["RCP-5", "ERR-6"],
    marks_out_of_form_are_refused ["RCP-2", "CAP-2", "ERR-4", "ERR-5"],
    the_action_marks_as_the_endpoint_does ["RCP-2", "RCP-5", "WSK-5"],
    reading_lowers_what_is_unread ["CHT-4", "RCP-5", "RCP-10"],
    marks_that_race_end_at_the_furthest ["RCP-4", "MSG-12", "RCP-12"],
    an_unseen_direct_chat_cannot_be_marked ["RCP-5", "CHT-2"],
}

fn state(delivered: u64, read: u64, unread_count: u64) -> Value {
    json!({ "delivered": delivered, "read": read, "unread_count": unread_count })
}

async fn watermarks_of_a_direct_chat_start_at_nothing_and_move_ahead(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three"]).await?;
    bob.says(&chat_id, ["four"]).await?;
    for (user, partner) in [(&alice, &bob), (&bob, &alice)] {
        let chat = user.chat(&chat_id).await?;
        // Sending moves no watermark.
        expect([&chat["delivered"], &chat["read"]]).to_equal([0, 0])?;
        expect(&chat["partner"]).to_equal(partner.as_partner(0, 0))?;
    }
    expect(bob.marks(&chat_id, json!({ "delivered": 2 })).await?).to_equal(state(2, 0, 3))?;
    expect(bob.marks(&chat_id, json!({ "read": 1 })).await?).to_equal(state(2, 1, 2))?;
    // What is read has come.
    expect(bob.marks(&chat_id, json!({ "read": 3 })).await?).to_equal(state(3, 3, 0))?;
    expect(bob.marks(&chat_id, json!({ "delivered": 4, "read": 4 })).await?).to_equal(state(4, 4, 0))?;
    expect(alice.marks(&chat_id, json!({ "delivered": 1, "read": 4 })).await?).to_equal(state(4, 4, 0))?;
    let (alices, bobs) = (alice.chat(&chat_id).await?, bob.chat(&chat_id).await?);
    expect(&alices["partner"]).to_equal(bob.as_partner(4, 4))?;
    expect(&bobs["partner"]).to_equal(alice.as_partner(4, 4))?;
    expect([&bobs["delivered"], &bobs["read"], &bobs["unread_count"]]).to_equal([4, 4, 0])
}

async fn a_watermark_never_goes_back(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three", "four"]).await?;
    bob.has_got(&chat_id, 3).await?;
    bob.has_read(&chat_id, 2).await?;
    for mark in [
        json!({ "delivered": 0 }),
        json!({ "delivered": 2 }),
        json!({ "delivered": 3 }),
        json!({ "read": 0 }),
        json!({ "read": 1 }),
        json!({ "read": 2 }),
        json!({ "delivered": 1, "read": 1 }),
        json!({ "delivered": 0, "read": 2 }),
    ] {
        expect(bob.marks(&chat_id, mark).await?).to_equal(state(3, 2, 2))?;
    }
    // One goes ahead while the other one stays.
    expect(bob.marks(&chat_id, json!({ "delivered": 1, "read": 3 })).await?).to_equal(state(3, 3, 1))?;
    expect(bob.marks(&chat_id, json!({ "delivered": 4, "read": 1 })).await?).to_equal(state(4, 3, 1))?;
    expect(&alice.chat(&chat_id).await?["partner"]).to_equal(bob.as_partner(4, 3))
}

async fn a_move_is_told_to_oneself_and_to_the_partner(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three"]).await?;
    let mut alices = alice.listens().await?;
    let (mut bobs, mut tablet) = (bob.listens().await?, bob.listens().await?);
    for (mark, delivered, read, unread) in
        [(json!({ "delivered": 3 }), 3, 0, 3), (json!({ "read": 2 }), 3, 2, 1), (json!({ "read": 3 }), 3, 3, 0)]
    {
        bob.marks(&chat_id, mark).await?;
        let to_bob = bobs.hears().await?;
        let mut told = names(&to_bob);
        told.sort_unstable();
        expect(told).to_equal(["read_state_changed", "receipts_updated"])?;
        let of_state = to_bob.iter().find(|event| event["event"] == "read_state_changed").cloned().unwrap_or_default();
        let wanted = json!({ "chat_id": chat_id, "delivered": delivered, "read": read, "unread_count": unread });
        expect(&of_state["data"]).to_equal(wanted)?;
        check(of_state.get("chat_id").is_none(), || ("an event to a user, without chat_id", of_state.to_string()))?;
        expect(tablet.hears().await?).to_equal(&to_bob)?;
        let to_alice = alices.hears().await?;
        expect(names(&to_alice)).to_equal(["receipts_updated"])?;
        expect(&to_alice[0]["chat_id"]).to_equal(&chat_id)?;
        let wanted = json!({ "user": bob.as_value(), "delivered": delivered, "read": read });
        expect(&to_alice[0]["data"]).to_equal(wanted)?;
        // The same event for both.
        expect(to_bob.contains(&to_alice[0])).to_equal(true)?;
    }
    Ok(())
}

async fn what_does_not_move_makes_no_event(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.has_read(&chat_id, 2).await?;
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    for mark in [json!({ "read": 2 }), json!({ "read": 1 }), json!({ "delivered": 2 }), json!({ "delivered": 0 })] {
        bob.marks(&chat_id, mark).await?;
    }
    // Nor does what is refused, or what is sent.
    bob.marking(&json!([{ "chat_id": chat_id, "read": 3 }])).send().await?.succeeded(200)?;
    bob.says(&chat_id, ["three"]).await?;
    expect(names(&alices.hears().await?)).to_equal(["message_created"])?;
    expect(names(&bobs.hears().await?)).to_equal(["message_created"])
}

async fn a_watermark_beyond_the_last_entry_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let beyond = async |mark: Value| {
        let mut mark = mark;
        mark["chat_id"] = json!(chat_id);
        let answer = alice.marking(&json!([mark])).send().await?.succeeded(200)?;
        expect(answer)
            .to_equal(json!({ "results": [{ "chat_id": chat_id, "code": ErrorCode::BeyondLastEntry.as_str() }] }))
    };
    // Nothing is there yet.
    beyond(json!({ "delivered": 1 })).await?;
    expect(alice.marks(&chat_id, json!({ "read": 0 })).await?).to_equal(state(0, 0, 0))?;
    alice.says(&chat_id, ["one", "two"]).await?;
    for mark in [
        json!({ "delivered": 3 }),
        json!({ "read": 3 }),
        json!({ "read": 9_007_199_254_740_991_u64 }),
        // Of a mark all is done or nothing.
        json!({ "delivered": 2, "read": 3 }),
        json!({ "delivered": 3, "read": 1 }),
    ] {
        beyond(mark).await?;
    }
    let chat = alice.chat(&chat_id).await?;
    expect([&chat["delivered"], &chat["read"]]).to_equal([0, 0])?;
    expect(alice.marks(&chat_id, json!({ "delivered": 2, "read": 2 })).await?).to_equal(state(2, 2, 0))
}

async fn each_mark_is_decided_by_itself(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let of_others = bob.opens_direct_chat_with(&carol).await?;
    for (user, chat_id) in [(&alice, &with_bob), (&alice, &with_carol), (&bob, &of_others)] {
        user.says(chat_id, ["one", "two"]).await?;
    }
    let missing = missing_id();
    let mut marks = vec![
        json!({ "chat_id": of_others, "read": 1 }),
        json!({ "chat_id": with_carol, "read": 2 }),
        json!({ "chat_id": missing, "read": 1 }),
        json!({ "chat_id": with_bob, "delivered": 3 }),
    ];
    let mut wanted = vec![
        json!({ "chat_id": of_others, "code": "chat_not_found" }),
        json!({ "chat_id": with_carol, "state": state(2, 2, 0) }),
        json!({ "chat_id": missing, "code": "chat_not_found" }),
        json!({ "chat_id": with_bob, "code": "beyond_last_entry" }),
    ];
    if world.claims(Profile::Groups) {
        let group = bob.founds("without alice", [&carol]).await?;
        marks.push(json!({ "chat_id": group, "read": 1 }));
        wanted.push(json!({ "chat_id": group, "code": ErrorCode::NotMember.as_str() }));
    }
    let answer = alice.marking(&json!(marks)).send().await?.succeeded(200)?;
    expect(answer).to_equal(json!({ "results": wanted }))?;
    expect(&alice.chat(&with_carol).await?["read"]).to_equal(2)?;
    expect(&alice.chat(&with_bob).await?["delivered"]).to_equal(0)
}

async fn marks_out_of_form_are_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    let mark = json!({ "chat_id": chat_id, "read": 1 });
    alice.marking(&json!([])).send().await?.refused_field("marks", FieldCode::TooShort)?;
    alice.post("/v1/receipts", &json!({})).send().await?.refused_field("marks", FieldCode::Missing)?;
    alice.marking(&mark).send().await?.refused_field("marks", FieldCode::WrongType)?;
    is_conflicting(&alice.marking(&json!([mark, mark])).send().await?)?;
    let others = json!([mark, { "chat_id": missing_id(), "read": 1 }, { "chat_id": chat_id, "delivered": 2 }]);
    is_conflicting(&alice.marking(&others).send().await?)?;
    for wrong in [
        json!({ "chat_id": chat_id }),
        json!({ "chat_id": chat_id, "read": null, "delivered": null }),
        json!({ "read": 1 }),
        json!({ "chat_id": "x", "read": 1 }),
        json!({ "chat_id": chat_id, "read": -1 }),
        json!({ "chat_id": chat_id, "read": 1.5 }),
        json!({ "chat_id": chat_id, "read": 1.0 }),
        json!({ "chat_id": chat_id, "read": "1" }),
        json!({ "chat_id": chat_id, "delivered": 9_007_199_254_740_992_u64 }),
        json!("a mark"),
    ] {
        // One that is of the wrong form spoils the others, too.
        let good = json!({ "chat_id": missing_id(), "read": 1 });
        alice.marking(&json!([good, wrong])).send().await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    let neither = alice.marking(&json!([{ "chat_id": chat_id }])).send().await?;
    let problem = neither.refused_with(ErrorCode::InvalidRequest)?;
    let missing = list_at(&problem, "fields")?.iter().any(|field| field["code"] == FieldCode::Missing.as_str());
    check(missing, || ("a field with the code missing", neither.to_string()))?;
    // At the limit, and one beyond it.
    let most = usize::try_from(world.limits().max_marks_per_call).unwrap_or(100);
    let mut many: Vec<Value> = (1..most).map(|_| json!({ "chat_id": missing_id(), "read": 1 })).collect();
    many.push(mark.clone());
    let answer = alice.marking(&json!(many)).send().await?.succeeded(200)?;
    let results = list_at(&answer, "results")?;
    expect(results.len()).to_equal(most)?;
    expect(&results[most - 1]["state"]).to_equal(state(1, 1, 0))?;
    many.push(json!({ "chat_id": missing_id(), "read": 1 }));
    alice.marking(&json!(many)).send().await?.refused_field("marks", FieldCode::TooLong)?;
    expect(&alice.chat(&chat_id).await?["read"]).to_equal(1)
}

async fn the_action_marks_as_the_endpoint_does(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two", "three"]).await?;
    let mut socket = bob.connects().await?;
    let marks = json!({ "marks": [{ "chat_id": chat_id, "delivered": 3, "read": 2 }] });
    let reply = reply_data(&socket.asks("1", "mark_receipts", &marks).await?)?;
    expect(reply).to_equal(json!({ "results": [{ "chat_id": chat_id, "state": state(3, 2, 1) }] }))?;
    let missing = missing_id();
    let marks = json!({ "marks": [{ "chat_id": missing, "read": 2 }, { "chat_id": chat_id, "read": 4 }] });
    let reply = reply_data(&socket.asks("2", "mark_receipts", &marks).await?)?;
    let refused = [(&missing, "chat_not_found"), (&chat_id, "beyond_last_entry")]
        .map(|(chat_id, code)| json!({ "chat_id": chat_id, "code": code }));
    expect(reply).to_equal(json!({ "results": refused }))?;
    for (number, wrong) in [
        json!({}),
        json!({ "marks": [] }),
        json!({ "marks": [{ "chat_id": chat_id }] }),
        json!({ "marks": [{ "chat_id": chat_id, "read": 3 }, { "chat_id": chat_id, "read": 3 }] }),
    ]
    .iter()
    .enumerate()
    {
        let answer = socket.asks(&format!("wrong-{number}"), "mark_receipts", wrong).await?;
        error_code(&answer, ErrorCode::InvalidRequest)?;
    }
    expect(&alice.chat(&chat_id).await?["partner"]).to_equal(bob.as_partner(3, 2))
}

async fn reading_lowers_what_is_unread(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.says(&chat_id, ["three"]).await?;
    alice.says(&chat_id, ["four"]).await?;
    expect(bob.has_read(&chat_id, 1).await?).to_equal(state(1, 1, 2))?;
    // One's own message is none to read.
    expect(bob.has_read(&chat_id, 2).await?).to_equal(state(2, 2, 1))?;
    expect(bob.has_read(&chat_id, 3).await?).to_equal(state(3, 3, 1))?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(1)?;
    expect(&bob.reads("/v1/chats").await?["items"][0]["unread_count"]).to_equal(1)?;
    expect(bob.has_read(&chat_id, 4).await?).to_equal(state(4, 4, 0))?;
    alice.says(&chat_id, ["five"]).await?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(1)
}

async fn marks_that_race_end_at_the_furthest(world: &World) -> Verdict {
    const COUNT: u64 = 40;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, (1..=COUNT).map(|number| format!("number {number}"))).await?;
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    let phone = bob.signs_in_again().await?;
    let marking = (1..=COUNT).rev().map(|seq| {
        let user = if seq % 2 == 0 { &bob } else { &phone };
        let chat_id = &chat_id;
        async move { user.marks(chat_id, json!({ "read": seq })).await }
    });
    for state in Box::pin(try_join_all(marking)).await? {
        check(state["read"] == state["delivered"], || ("what is read as delivered too", state.to_string()))?;
    }
    expect(&bob.chat(&chat_id).await?["read"]).to_equal(COUNT)?;
    for (listener, name) in [(&mut alices, "receipts_updated"), (&mut bobs, "read_state_changed")] {
        let heard = listener.hears().await?;
        let told: Vec<u64> = heard
            .iter()
            .filter(|event| event["event"] == name)
            .map(|event| event["data"]["read"].as_u64().unwrap_or(0))
            .collect();
        check(told.is_sorted_by(|one, next| one < next), || ("watermarks that only go ahead", format!("{told:?}")))?;
        expect(told.last()).to_equal(COUNT)?;
    }
    Ok(())
}

async fn an_unseen_direct_chat_cannot_be_marked(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let answer = bob.marking(&json!([{ "chat_id": chat_id, "read": 0 }])).send().await?.succeeded(200)?;
    expect(answer).to_equal(json!({ "results": [{ "chat_id": chat_id, "code": "chat_not_found" }] }))?;
    alice.says(&chat_id, ["now you see it"]).await?;
    expect(bob.marks(&chat_id, json!({ "read": 1 })).await?).to_equal(state(1, 1, 0))
}
