//! A client that reads once and then applies events holds what a fresh read shows. (LOG-9, CHT-7, GRP-21)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::Profile;
use serde_json::{Value, json};

use crate::{
    cases,
    client::Frame,
    expect::{check, expect, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{User, World, conversation::Draft, held::Held},
};

cases! { Resume:
    a_snapshot_and_the_events_after_it_give_a_fresh_snapshot ["LOG-9", "CHT-7", "LOG-7"],
    one_chat_and_the_events_after_it_give_the_chat_anew ["LOG-9", "CHT-7"],
    a_view_stays_fresh_through_every_kind_of_change ["LOG-9", "GRP-17", "GRP-18", "GRP-19", "GRP-21", "RCP-10", "REA-6", "USR-4"],
    a_view_of_groups_that_is_read_in_pieces_becomes_fresh ["LOG-9", "CHT-7", "CHT-5", "GRP-21"],
    a_view_outlives_any_number_of_breaks ["LOG-9", "RSM-4", "GRP-21", "RSM-13"],
    members_who_come_and_go_while_others_write_hold_what_is ["LOG-9", "GRP-16", "GRP-19", "MSG-12"],
}

async fn a_snapshot_and_the_events_after_it_give_a_fresh_snapshot(world: &World) -> Verdict {
    let [alice, bob, carol, dave, erin] = world.users().await?;
    let mut chats = Vec::new();
    for partner in [&bob, &carol, &dave] {
        let chat_id = alice.opens_direct_chat_with(partner).await?;
        alice.says(&chat_id, ["hello"]).await?;
        chats.push((partner, chat_id));
    }
    // Others write while alice reads her chats one by one, and somebody new comes in.
    let reading = Held::read(world, &alice, 1);
    let writing = async {
        for number in 0..6 {
            for (partner, chat_id) in &chats {
                partner.says(chat_id, [format!("number {number}")]).await?;
            }
            if number == 2 {
                let chat_id = erin.opens_direct_chat_with(&alice).await?;
                erin.says(&chat_id, ["I am new", "here"]).await?;
            }
            let (_, chat_id) = &chats[0];
            alice.says(chat_id, ["and I"]).await?;
        }
        Ok::<_, Stop>(())
    };
    let (held, written) = Box::pin(async { tokio::join!(reading, writing) }).await;
    written?;
    let mut held = held?;
    held.catches_up().await?;
    held.equals_a_fresh_read(world).await
}

async fn one_chat_and_the_events_after_it_give_the_chat_anew(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["hello"]).await?;
    let writing = async {
        for number in 0..12 {
            let writer = if number % 3 == 0 { &bob } else { &alice };
            writer.says(&chat_id, [format!("number {number}")]).await?;
        }
        Ok::<_, Stop>(())
    };
    let reading = async {
        let mut snapshots = Vec::new();
        for _ in 0..8 {
            snapshots.push(bob.reads(format!("/v1/chats/{chat_id}")).await?);
            snapshots.push(bob.puts_direct(&alice.username).await?.succeeded(200)?);
        }
        Ok::<_, Stop>(snapshots)
    };
    let (written, snapshots) = Box::pin(async { tokio::join!(writing, reading) }).await;
    written?;
    expect(&bob.chat(&chat_id).await?["last_entry"]["seq"]).to_equal(13)?;
    for snapshot in snapshots? {
        let mut held = Held::of_chat(world, &bob, snapshot).await?;
        held.catches_up().await?;
        held.equals_a_fresh_read(world).await?;
    }
    Ok(())
}

/// The people of a lively group, and what they do to it, step by step.
struct Lively {
    alice: User,
    bob: User,
    carol: User,
    dave: User,
    chat_id: String,
    direct: String,
    message_id: String,
}

/// How many steps there are.
const STEPS: usize = 26;

impl Lively {
    async fn begin(world: &World) -> Verdict<Self> {
        let [alice, bob, carol, dave] = world.users().await?;
        let chat_id = alice.founds("lively", [&bob]).await?;
        let direct = alice.opens_direct_chat_with(&bob).await?;
        let message_id = alice.writes(&chat_id, "the first").await?;
        Ok(Self { alice, bob, carol, dave, chat_id, direct, message_id })
    }

    fn people(&self) -> [&User; 4] {
        [&self.alice, &self.bob, &self.carol, &self.dave]
    }

    /// One step. Where the server does not claim what it takes, nothing happens.
    async fn step(&self, world: &World, number: usize) -> Verdict {
        let Self { alice, bob, carol, dave, chat_id, direct, message_id } = self;
        let last = async |user: &User| {
            let entry = user.chat(chat_id).await?["last_entry"].take();
            Ok::<_, Stop>((entry["message_id"].as_str().unwrap_or(message_id).to_owned(), entry["seq"].as_u64()))
        };
        let (reactions, receipts) = (world.claims(Profile::Reactions), world.claims(Profile::Receipts));
        match number {
            0 => carol.joins(chat_id).await.map(drop),
            1 => bob.says(chat_id, ["hello, carol"]).await.map(drop),
            2 if reactions => carol.reacts(chat_id, &last(carol).await?.0, "👍").await.map(drop),
            3 if reactions => alice.reacts(chat_id, &last(alice).await?.0, "👍").await.map(drop),
            4 => alice.changes(chat_id, &json!({ "name": "livelier", "description": "by the day" })).await.map(drop),
            5 if receipts => bob.has_read(chat_id, last(bob).await?.1.unwrap_or(0)).await.map(drop),
            6 if receipts => carol.has_got(chat_id, last(carol).await?.1.unwrap_or(0)).await.map(drop),
            7 => alice.promotes(chat_id, carol).await,
            8 => alice.says(direct, ["just you and me", "bob"]).await.map(drop),
            9 if receipts => bob.has_read(direct, 1).await.map(drop),
            10 => carol.adds(chat_id, [dave]).await,
            11 => dave.says(chat_id, ["here I am", "at last"]).await.map(drop),
            12 if reactions => bob.reacts(chat_id, &last(bob).await?.0, "🎉").await.map(drop),
            13 => bob.leaves(chat_id).await,
            // What follows concerns bob no more.
            14 => alice.says(chat_id, ["without bob"]).await.map(drop),
            15 if reactions => dave.reacts(chat_id, &last(dave).await?.0, "😀").await.map(drop),
            16 => carol.changes(chat_id, &json!({ "name": "liveliest" })).await.map(drop),
            17 => alice.removes(chat_id, dave).await,
            18 => bob.joins(chat_id).await.map(drop),
            19 => bob.says(chat_id, ["back again"]).await.map(drop),
            20 if reactions => carol.unreacts(chat_id, &last(carol).await?.0).await.map(drop),
            21 => carol.demotes(chat_id, carol).await,
            22 => alice.leaves(chat_id).await,
            23 => carol.says(chat_id, ["who is in charge?"]).await.map(drop),
            24 if receipts => carol.has_read(chat_id, last(carol).await?.1.unwrap_or(0)).await.map(drop),
            25 if world.claims(Profile::Users) => {
                let request = bob.request("PATCH", "/v1/me").json(&json!({ "bio": "livelier than ever" }));
                request.send().await?.succeeded(200).map(drop)
            }
            _ => Ok(()),
        }
        .in_setup("a lively group")
    }
}

async fn a_view_stays_fresh_through_every_kind_of_change(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let lively = Lively::begin(world).await?;
    let mut views = Vec::new();
    for user in lively.people() {
        views.push(Held::read(world, user, 50).await?);
    }
    for number in 0..STEPS {
        lively.step(world, number).await?;
        // The person who acts and another one each time, and everybody in the end.
        for (at, view) in views.iter_mut().enumerate() {
            if number + 1 == STEPS || (number + at) % 3 == 0 {
                view.catches_up().await?;
                view.equals_a_fresh_read(world).await?;
            }
        }
    }
    Ok(())
}

async fn a_view_of_groups_that_is_read_in_pieces_becomes_fresh(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let lively = Lively::begin(world).await?;
    for (number, name) in ["one", "two", "three"].into_iter().enumerate() {
        let chat_id = lively.alice.founds(name, [&lively.bob, &lively.carol]).await?;
        lively.bob.says(&chat_id, [format!("number {number}")]).await?;
    }
    let stepping = async {
        for number in 0..STEPS {
            lively.step(world, number).await?;
        }
        Ok::<_, Stop>(())
    };
    // Read over and over, chat by chat, while all of it happens.
    let reading = async {
        let mut views = Vec::new();
        for _ in 0..3 {
            for user in lively.people() {
                views.push(Held::read(world, user, 1).await?);
            }
        }
        Ok::<_, Stop>(views)
    };
    let (stepped, views) = Box::pin(async { tokio::join!(stepping, reading) }).await;
    stepped?;
    for mut view in views? {
        view.catches_up().await?;
        view.equals_a_fresh_read(world).await?;
    }
    Ok(())
}

async fn a_view_outlives_any_number_of_breaks(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let lively = Lively::begin(world).await?;
    let bob = &lively.bob;
    let mut view = Held::read(world, bob, 50).await?;
    let stepping = async {
        for number in 0..STEPS {
            lively.step(world, number).await?;
        }
        // The last event that bob is to hear.
        text_at(&bob.sends(&lively.direct, &Draft::new("the end")).await?, "message_id")
    };
    let listening = async {
        let mut breaks = 0;
        loop {
            let mut socket = bob.resumes(view.cursor()).await?;
            expect(&socket.hello["resume"]).to_equal("resumed")?;
            for _ in 0..rand::random_range(0..=breaks.min(6)) {
                let event = loop {
                    match socket.next().await? {
                        Frame::Value(value) if value["type"] == "event" => break value,
                        Frame::Closed(closed) => return Err(Stop::failed("an event", closed.to_string())),
                        _ => {}
                    }
                };
                let is_last = event["data"]["message"]["content"]["text"] == "the end";
                view.applies(&[event]).await?;
                if is_last {
                    return Ok(breaks);
                }
            }
            breaks += 1;
        }
    };
    let (stepped, breaks) = Box::pin(async { tokio::join!(stepping, listening) }).await;
    stepped?;
    let breaks = breaks?;
    check(breaks > 3, || ("several breaks", breaks.to_string()))?;
    view.catches_up().await?;
    view.equals_a_fresh_read(world).await
}

async fn members_who_come_and_go_while_others_write_hold_what_is(world: &World) -> Verdict {
    const ROUNDS: usize = 5;
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("a door", [&carol]).await?;
    let mut views = Vec::new();
    for user in [&alice, &bob, &carol] {
        views.push(Held::read(world, user, 50).await?);
    }
    for round in 0..ROUNDS {
        let coming_and_going = async {
            bob.joins(&chat_id).await?;
            bob.says(&chat_id, [format!("hello {round}")]).await?;
            if round % 2 == 0 { bob.leaves(&chat_id).await } else { alice.removes(&chat_id, &bob).await }?;
            if round % 2 == 1 {
                // Whoever was removed comes back by an admin alone, and may leave and join from then on.
                alice.adds(&chat_id, [&bob]).await?;
                bob.leaves(&chat_id).await?;
            }
            Ok::<_, Stop>(())
        };
        let writing = async {
            for number in 0..8 {
                carol.says(&chat_id, [format!("{round} {number}")]).await?;
            }
            Ok::<_, Stop>(())
        };
        let changing = async {
            for number in 0..3 {
                alice.changes(&chat_id, &json!({ "name": format!("a door {round} {number}") })).await?;
            }
            Ok::<_, Stop>(())
        };
        let (came, wrote, changed) = Box::pin(async { tokio::join!(coming_and_going, writing, changing) }).await;
        came.and(wrote).and(changed)?;
        for view in &mut views {
            view.catches_up().await?;
            view.equals_a_fresh_read(world).await?;
        }
    }
    let visible: Vec<Value> = bob.chat(&chat_id).await?["visible"].as_array().cloned().unwrap_or_default();
    // Five times through the door, and twice more by the hand of an admin.
    expect(visible.len()).to_equal(ROUNDS + ROUNDS / 2)
}
