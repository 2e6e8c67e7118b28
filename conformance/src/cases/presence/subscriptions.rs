//! Being told of others: from the reply on, until it is enough. (PRS-4 to PRS-9)

use i9chat_spec::Profile;
use serde_json::{Value, json};

use crate::{
    cases,
    client::{Frame, socket::reply_data},
    expect::{check, expect, text_at},
    verdict::{Stop, Verdict},
    world::{
        User, World,
        presence::{Watcher, goes},
    },
};

cases! { Presence:
    the_reply_tells_in_the_order_of_the_names ["PRS-4", "PRS-5", "CNV-10"],
    one_who_is_subscribed_twice_is_told_once ["PRS-4", "PRS-6"],
    nothing_is_told_before_the_reply ["PRS-5", "PRS-6", "PRS-7"],
    what_is_told_last_is_what_is_true ["PRS-7"],
    every_subscriber_is_told ["PRS-6"],
    those_who_are_not_subscribed_to_are_not_told_of ["PRS-5", "PRS-6"],
    after_unsubscribing_nothing_is_told ["PRS-8"],
    unsubscribing_from_nobody_is_no_fault ["PRS-8"],
    subscriptions_end_with_their_connection ["PRS-8"],
    presence_is_not_in_the_log ["PRS-9", "LOG-3"],
}

async fn the_reply_tells_in_the_order_of_the_names(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let (nobody, no_one) = (world.newcomer().username, world.newcomer().username.to_uppercase());
    let mut gone = dave.connects().await?;
    let mut watcher = alice.watches([&dave]).await?;
    goes(&mut gone).await?;
    let last_seen = watcher.sees_going(&dave).await?;
    let _open = carol.connects().await?;
    let names = [&carol.username.to_uppercase(), &no_one, &dave.username.to_lowercase(), &nobody, &bob.username];
    let reply = watcher.subscribes_to_names(&names).await?;
    let away = json!({ "user": dave.as_value(), "presence": "offline", "last_seen": last_seen });
    let presences = [carol.as_online(), away, bob.as_never_seen()];
    expect(reply).to_equal(json!({ "presences": presences, "not_found": [no_one, nobody] }))
}

async fn one_who_is_subscribed_twice_is_told_once(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let mut watcher = bob.watches([&alice, &carol]).await?;
    for name in [alice.username.to_lowercase(), alice.username.to_uppercase()] {
        let reply = watcher.subscribes_to_names(&[name]).await?;
        expect(&reply["presences"]).to_equal([alice.as_never_seen()])?;
    }
    let mut socket = alice.connects().await?;
    watcher.sees_coming(&alice).await?;
    goes(&mut socket).await?;
    watcher.sees_going(&alice).await?;
    let _there = carol.connects().await?;
    watcher.sees_coming(&carol).await?;
    watcher.has_heard_nothing_of(&alice)?;
    // Unsubscribing once is enough, too.
    watcher.unsubscribes_from_names(&[&alice.username]).await?;
    let mut witness = carol.watches([&alice]).await?;
    let socket = alice.connects().await?;
    witness.sees_coming(&alice).await?;
    drop(socket);
    witness.sees_going(&alice).await?;
    watcher.socket().catches_up().await?;
    watcher.has_heard_nothing_of(&alice)
}

async fn nothing_is_told_before_the_reply(world: &World) -> Verdict {
    const ROUNDS: usize = 8;
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let mut socket = bob.connects().await?;
        let data = json!({ "usernames": [alice.username] });
        socket.sends(&json!({ "id": "subscribe", "action": "subscribe_presence", "data": data })).await?;
        // Alice comes at the same moment.
        let mut coming = alice.connects().await?;
        let first = loop {
            match socket.next().await? {
                Frame::Value(frame) if frame["type"] == "reply" => break frame,
                Frame::Value(frame) if frame["event"] == "presence_changed" => {
                    return Err(Stop::failed("the reply before any change", frame.to_string()));
                }
                Frame::Closed(closed) => return Err(Stop::failed("the reply", closed.to_string())),
                _ => {}
            }
        };
        let mut told = reply_data(&first)?["presences"][0].take();
        let mut watcher = Watcher::new(socket);
        // Whether the reply came before or after: in the end she is known to be there.
        while told["presence"] != "online" {
            told = watcher.hears_of(&alice).await?;
        }
        expect(told).to_equal(alice.as_online())?;
        goes(&mut coming).await?;
        watcher.sees_going(&alice).await?;
    }
    Ok(())
}

async fn what_is_told_last_is_what_is_true(world: &World) -> Verdict {
    const TURNS: usize = 15;
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let mut other = bob.watches([&alice]).await?;
    for _ in 0..TURNS {
        drop(alice.connects().await?);
    }
    let staying = alice.connects().await?;
    for watcher in [&mut watcher, &mut other] {
        let mut told = alice.as_never_seen();
        let mut changes = 0;
        // What is told last is true: as long as that is not so, there is more to be told.
        while told["presence"] != "online" || !has_heard_all(watcher, &bob, &alice).await? {
            let next = watcher.hears_of(&alice).await?;
            check(next["presence"] != told["presence"], || {
                ("another presence than the one told before (PRS-7)", next.to_string())
            })?;
            told = next;
            changes += 1;
            check(changes <= 2 * TURNS + 1, || ("no more changes than there were", format!("{changes} of them")))?;
        }
        expect(told).to_equal(alice.as_online())?;
    }
    drop(staying);
    watcher.sees_going(&alice).await?;
    other.sees_going(&alice).await?;
    Ok(())
}

/// Whether a watcher, who was told that a user is online, has read everything that was told up to now, and somebody who asks
/// only now is answered the same.
async fn has_heard_all(watcher: &mut Watcher, viewer: &User, user: &User) -> Verdict<bool> {
    let mut fresh = Watcher::new(viewer.connects().await?);
    expect(fresh.subscribes([user]).await?).to_equal([user.as_online()])?;
    watcher.socket().catches_up().await?;
    Ok(watcher.has_heard_of(user).is_empty())
}

async fn every_subscriber_is_told(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let mut watchers = Vec::new();
    for user in [&bob, &bob, &carol, &carol] {
        watchers.push(user.watches([&alice]).await?);
    }
    let mut socket = alice.connects().await?;
    for watcher in &mut watchers {
        watcher.sees_coming(&alice).await?;
    }
    goes(&mut socket).await?;
    let mut times = Vec::new();
    for watcher in &mut watchers {
        times.push(watcher.sees_going(&alice).await?);
    }
    times.dedup();
    expect(times.len()).to_equal(1)
}

async fn those_who_are_not_subscribed_to_are_not_told_of(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    // A name that no user has when it is asked for brings no subscription: not to who takes it later either.
    let later = world.newcomer();
    let mut watcher = bob.watches([&carol]).await?;
    let reply = watcher.subscribes_to_names(&[&later.username]).await?;
    expect(&reply["not_found"]).to_equal([&later.username])?;
    let later = later.signs_up().await?;
    let mut witness = carol.watches([&alice, &later]).await?;
    // Bob hears of Carol's connection for watching.
    watcher.sees_coming(&carol).await?;
    let sockets = [alice.connects().await?, later.connects().await?];
    witness.sees_coming(&alice).await?;
    witness.sees_coming(&later).await?;
    drop(sockets);
    witness.sees_going(&alice).await?;
    witness.sees_going(&later).await?;
    witness.closes().await?;
    watcher.sees_going(&carol).await?;
    watcher.has_heard_nothing_of(&alice)?;
    watcher.has_heard_nothing_of(&later)
}

async fn after_unsubscribing_nothing_is_told(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let mut watcher = bob.watches([&alice, &carol, &dave]).await?;
    let mut witness = bob.watches([&alice]).await?;
    // In another case than the one subscribed in.
    watcher.unsubscribes_from_names(&[alice.username.to_uppercase()]).await?;
    let socket = alice.connects().await?;
    witness.sees_coming(&alice).await?;
    drop(socket);
    witness.sees_going(&alice).await?;
    // Those whom it still watches are told of.
    let mut sockets = [carol.connects().await?, dave.connects().await?];
    watcher.sees_coming(&carol).await?;
    watcher.sees_coming(&dave).await?;
    watcher.has_heard_nothing_of(&alice)?;
    // And Alice again, once she is subscribed to again.
    expect(&watcher.subscribes([&alice]).await?[0]["presence"]).to_equal("offline")?;
    let _there = alice.connects().await?;
    watcher.sees_coming(&alice).await?;
    // Several at once.
    watcher.unsubscribes_from_names(&[&carol.username, &dave.username]).await?;
    let mut witness = alice.watches([&carol, &dave]).await?;
    for (user, socket) in [&carol, &dave].into_iter().zip(&mut sockets) {
        goes(socket).await?;
        witness.sees_going(user).await?;
    }
    watcher.socket().catches_up().await?;
    watcher.has_heard_nothing_of(&carol)?;
    watcher.has_heard_nothing_of(&dave)
}

async fn unsubscribing_from_nobody_is_no_fault(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let nobody = world.newcomer().username;
    watcher.unsubscribes_from_names(&[nobody.as_str(), bob.username.as_str()]).await?;
    watcher.unsubscribes_from_names(&[nobody.as_str()]).await?;
    // What it does watch goes on.
    let _there = alice.connects().await?;
    watcher.sees_coming(&alice).await
}

async fn subscriptions_end_with_their_connection(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let cursor = text_at(&watcher.socket().hello, "cursor")?;
    watcher.closes().await?;
    let mut resumed = Watcher::new(bob.resumes(&cursor).await?);
    resumed.subscribes([&carol]).await?;
    let mut witness = bob.watches([&alice]).await?;
    let _there = alice.connects().await?;
    witness.sees_coming(&alice).await?;
    let _here = carol.connects().await?;
    resumed.sees_coming(&carol).await?;
    resumed.has_heard_nothing_of(&alice)
}

async fn presence_is_not_in_the_log(world: &World) -> Verdict {
    world.needs(Profile::Resume)?;
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let cursor = text_at(&watcher.socket().hello, "cursor")?;
    let mut socket = alice.connects().await?;
    watcher.sees_coming(&alice).await?;
    goes(&mut socket).await?;
    watcher.sees_going(&alice).await?;
    // A change of the log is there to be read, and nothing else is.
    let read = async |path: String| {
        let read = bob.get(path).send().await?.succeeded(200)?;
        let names = read["events"].as_array().into_iter().flatten().map(|event| event["event"].clone());
        Ok::<_, Stop>(names.collect::<Vec<Value>>())
    };
    bob.signs_in_again().await?.signs_out().await?;
    expect(read(format!("/v1/events?cursor={cursor}")).await?).to_equal(["session_ended"])?;
    let mut resumed = bob.resumes(&cursor).await?;
    let came = bob.has_caught_up(&mut resumed).await?;
    let names: Vec<_> = came.iter().map(|event| &event["event"]).collect();
    expect(names).to_equal(["session_ended"])
}
