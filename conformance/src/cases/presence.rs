//! Section 12: who is there, and who is typing.

mod limits;
mod subscriptions;
mod typing;

use i9chat_spec::Timestamp;
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    expect::{check, expect, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World, patiently,
        presence::{Watcher, goes},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, subscriptions::CASES, limits::CASES, typing::CASES].concat()
}

cases! { Presence:
    one_is_online_while_a_connection_is_open ["PRS-1", "PRS-2", "USR-2"],
    one_who_never_had_a_connection_was_never_seen ["PRS-2", "PRS-5"],
    last_seen_is_when_the_last_connection_closed ["PRS-2"],
    a_second_connection_changes_nothing ["PRS-1", "PRS-6"],
    the_end_of_a_session_takes_its_user_offline ["PRS-1", "SES-10"],
    a_connection_that_breaks_takes_its_user_offline ["PRS-1", "PRS-2"],
    one_may_watch_oneself ["PRS-6"],
}

/// A user as others see them. (USR-2)
async fn profile(viewer: &User, user: &User) -> Verdict<Value> {
    patiently(viewer.get(format!("/v1/users/{}", user.username))).await?.succeeded(200)
}

/// What a profile says of presence.
fn presence_of(profile: &Value) -> Value {
    let mut told = json!({ "presence": profile["presence"] });
    if let Some(last_seen) = profile.get("last_seen") {
        told["last_seen"] = last_seen.clone();
    }
    told
}

async fn one_is_online_while_a_connection_is_open(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    expect(presence_of(&profile(&bob, &alice).await?)).to_equal(json!({ "presence": "offline" }))?;
    for _ in 0..3 {
        let mut socket = alice.connects().await?;
        expect(presence_of(&profile(&bob, &alice).await?)).to_equal(json!({ "presence": "online" }))?;
        watcher.sees_coming(&alice).await?;
        goes(&mut socket).await?;
        let last_seen = watcher.sees_going(&alice).await?;
        let offline = json!({ "presence": "offline", "last_seen": last_seen });
        expect(presence_of(&profile(&bob, &alice).await?)).to_equal(offline)?;
    }
    Ok(())
}

async fn one_who_never_had_a_connection_was_never_seen(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    // Requests over HTTP are no connection.
    alice.signs_in_again().await?.get("/v1/me").send().await?.succeeded(200)?;
    let mut watcher = Watcher::new(bob.connects().await?);
    expect(watcher.subscribes([&alice]).await?).to_equal([alice.as_never_seen()])?;
    expect(presence_of(&profile(&bob, &alice).await?)).to_equal(json!({ "presence": "offline" }))?;
    // Nor is a handshake that was refused.
    alice.handshake().protocols(["chat"]).upgrade().await?.closed().await?;
    expect(presence_of(&profile(&bob, &alice).await?)).to_equal(json!({ "presence": "offline" }))?;
    let _open = alice.connects().await?;
    watcher.sees_coming(&alice).await
}

/// What time it is by the server: when a session was made that is new. In milliseconds.
async fn time_of_server(user: &User) -> Verdict<i64> {
    let sessions = user.signs_in_again().await?.get("/v1/sessions").send().await?.succeeded(200)?;
    millis(&text_at(&sessions, "items.0.created_at").in_setup("asking for the time")?)
}

fn millis(time: &str) -> Verdict<i64> {
    let parsed = time.parse::<Timestamp>().map(Timestamp::as_millis);
    parsed.map_err(|_| Stop::failed("a time as CNV-8 has it", time))
}

async fn last_seen_is_when_the_last_connection_closed(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let mut before = 0;
    for _ in 0..2 {
        let mut sockets = [alice.connects().await?, alice.connects().await?];
        watcher.sees_coming(&alice).await?;
        let [first, last] = &mut sockets;
        goes(first).await?;
        let earliest = time_of_server(&alice).await?;
        goes(last).await?;
        let last_seen = millis(&watcher.sees_going(&alice).await?)?;
        let latest = time_of_server(&alice).await?;
        expect(last_seen).to_be_within(earliest, latest)?;
        check(last_seen > before, || ("a later last_seen each time", last_seen.to_string()))?;
        before = last_seen;
    }
    Ok(())
}

async fn a_second_connection_changes_nothing(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let mut watcher = bob.watches([&alice, &carol]).await?;
    let mut first = alice.connects().await?;
    watcher.sees_coming(&alice).await?;
    let mut second = phone.connects().await?;
    let mut third = alice.connects().await?;
    // The first one to come is the first one to go.
    goes(&mut first).await?;
    goes(&mut third).await?;
    // Whatever was said of Alice comes before what is said of Carol, who comes later.
    let _there = carol.connects().await?;
    watcher.sees_coming(&carol).await?;
    watcher.has_heard_nothing_of(&alice)?;
    expect(presence_of(&profile(&bob, &alice).await?)).to_equal(json!({ "presence": "online" }))?;
    goes(&mut second).await?;
    watcher.sees_going(&alice).await?;
    Ok(())
}

async fn the_end_of_a_session_takes_its_user_offline(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let mut sockets = [phone.connects().await?, phone.connects().await?];
    watcher.sees_coming(&alice).await?;
    phone.signs_out().await?;
    for socket in &mut sockets {
        socket.closed().await?;
    }
    watcher.sees_going(&alice).await?;
    expect(&profile(&bob, &alice).await?["presence"]).to_equal("offline")
}

async fn a_connection_that_breaks_takes_its_user_offline(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut watcher = bob.watches([&alice]).await?;
    let socket = alice.connects().await?;
    watcher.sees_coming(&alice).await?;
    // Gone without a close frame.
    drop(socket);
    let last_seen = watcher.sees_going(&alice).await?;
    let offline = json!({ "presence": "offline", "last_seen": last_seen });
    expect(presence_of(&profile(&bob, &alice).await?)).to_equal(offline)
}

async fn one_may_watch_oneself(world: &World) -> Verdict {
    let [alice, carol] = world.users().await?;
    let mut watcher = alice.watches([&carol]).await?;
    expect(watcher.subscribes([&alice]).await?).to_equal([alice.as_online()])?;
    // Others of one's connections come and go, and nothing changes.
    let mut other = alice.connects().await?;
    goes(&mut other).await?;
    let _there = carol.connects().await?;
    watcher.sees_coming(&carol).await?;
    watcher.has_heard_nothing_of(&alice)
}
