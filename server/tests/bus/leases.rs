//! Nodes that end without a word, and nodes that are slow.

use i9chat_server::bus::PresenceOf;

use super::{
    case::cases,
    heard::until,
    lab::{Link, Passage},
    memory::at,
    presence::{listens, state},
    scene::{Scene, Setup, user_ids},
};

cases! {
    Redis {
        users_of_a_node_that_ended_without_a_word_are_gone_when_its_lease_runs_out,
        who_is_elsewhere_too_stays_when_a_node_ends,
        users_of_a_node_that_stops_are_gone_at_once,
        what_an_ended_node_did_not_write_down_others_do,
    }
    OwnRedis {
        a_node_that_was_away_for_longer_than_its_lease_registers_its_users_again,
        a_lease_costs_the_same_however_many_users_are_registered_under_it,
    }
}

async fn users_of_a_node_that_ended_without_a_word_are_gone_when_its_lease_runs_out(scene: &Scene) {
    let [one, other] = scene.nodes_with(Setup::with_lease(1)).await;
    let [alice] = user_ids();
    listens(&one, &other).await;
    one.presence.connect(alice).await;
    drop(one);
    scene.clock.set(50);
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::ONLINE, "nobody knows better");
    let seen = PresenceOf::offline(Some(at(0)));
    until("she is gone", async || (state(&*other.presence, alice).await == seen).then_some(())).await;
    until("watchers hear of it", async || (other.heard.changes_of(alice).last() == Some(&seen)).then_some(())).await;
    until("it is written", async || scene.memory.note_of(alice).filter(|note| !note.is_here && note.at == at(0))).await;
    assert_eq!(other.heard.changes_of(alice), [PresenceOf::ONLINE, seen]);
}

async fn who_is_elsewhere_too_stays_when_a_node_ends(scene: &Scene) {
    let [one, other] = scene.nodes_with(Setup::with_lease(1)).await;
    let [alice, bob] = user_ids();
    listens(&one, &other).await;
    one.presence.connect(alice).await;
    one.presence.connect(bob).await;
    other.presence.connect(alice).await;
    drop(one);
    until("bob is gone", async || {
        other.heard.changes_of(bob).contains(&PresenceOf::offline(Some(at(0)))).then_some(())
    })
    .await;
    assert_eq!(other.heard.changes_of(alice), [PresenceOf::ONLINE]);
    scene.clock.set(9);
    other.presence.disconnect(alice).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(9))));
}

async fn users_of_a_node_that_stops_are_gone_at_once(scene: &Scene) {
    // Far longer than this test.
    let [one, other] = scene.nodes_with(Setup::with_lease(600)).await;
    let [alice, bob] = user_ids();
    listens(&one, &other).await;
    one.presence.connect(alice).await;
    one.presence.connect(bob).await;
    other.presence.connect(bob).await;
    scene.clock.set(3);
    one.presence.stop().await.unwrap();
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(3))));
    assert_eq!(state(&*other.presence, bob).await, PresenceOf::ONLINE);
    assert_eq!(scene.memory.note_of(alice).map(|note| note.at), Some(at(3)));
    // Whoever comes too late does not wait, and is not there.
    one.presence.connect(alice).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(3))));
}

async fn what_an_ended_node_did_not_write_down_others_do(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice] = user_ids();
    scene.memory.set_broken(true);
    one.presence.connect(alice).await;
    scene.clock.set(2);
    one.presence.disconnect(alice).await;
    drop(one);
    scene.memory.set_broken(false);
    scene.clock.set(60);
    until("it is written", async || scene.memory.note_of(alice).filter(|note| !note.is_here && note.at == at(2))).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(2))));
}

async fn a_node_that_was_away_for_longer_than_its_lease_registers_its_users_again(scene: &Scene) {
    let link = Link::to(scene.own_redis().address()).await.unwrap();
    let through = Setup { url: Some(format!("redis://{}", link.address())), ..Setup::with_lease(1) };
    let (one, other) = (scene.node_with(through).await, scene.node_with(Setup::with_lease(1)).await);
    let [alice, bob] = user_ids();
    other.heard.watch(&[alice]);
    listens(&one, &other).await;
    one.presence.connect(alice).await;
    one.presence.connect(bob).await;
    for passage in [Passage::Stalled, Passage::Cut] {
        link.set(passage);
        until("she is taken for gone", async || {
            (other.heard.changes_of(alice).last() == Some(&PresenceOf::offline(Some(at(0))))).then_some(())
        })
        .await;
        // Meanwhile one goes, one stays.
        one.presence.disconnect(bob).await;
        link.set(Passage::FREE);
        until("she is there again", async || {
            (other.heard.changes_of(alice).last() == Some(&PresenceOf::ONLINE)).then_some(())
        })
        .await;
        assert_eq!(state(&*one.presence, alice).await, PresenceOf::ONLINE);
        until("he is not", async || (state(&*other.presence, bob).await != PresenceOf::ONLINE).then_some(())).await;
        one.presence.connect(bob).await;
    }
}

/// How many renewals are waited for.
const RENEWALS: u64 = 6;
/// More commands than a node has for Redis from one renewal to the next, whatever they are.
const MOST: u64 = 40;

async fn a_lease_costs_the_same_however_many_users_are_registered_under_it(scene: &Scene) {
    // Renewed several times a second.
    let node = scene.node_with(Setup::with_lease(1)).await;
    let users: Vec<_> = (0..5000).map(|_| user_ids::<1>()[0]).collect();
    futures_util::future::join_all(users.iter().map(|user_id| node.presence.connect(*user_id))).await;
    until("all are registered", async || (node.presence.online_among(&users).await.ok()? == 5000).then_some(())).await;
    let (mut redis, _) = scene.redis().await;
    redis::cmd("CONFIG").arg("RESETSTAT").query_async::<()>(&mut redis).await.unwrap();
    let spent = until("it is renewed again and again", async || {
        let stats = redis::cmd("INFO").arg("commandstats").query_async::<String>(&mut redis).await.ok()?;
        let calls = stats.lines().filter_map(calls);
        // A renewal writes one such field, and nobody else writes any.
        let (renewals, others): (Vec<_>, _) =
            calls.filter(|(name, _)| *name != "info").partition(|(name, _)| *name == "hset");
        let renewals: u64 = renewals.iter().map(|(_, calls)| calls).sum();
        (renewals >= RENEWALS).then(|| others.iter().map(|(_, calls)| calls).sum::<u64>())
    })
    .await;
    assert!(
        spent < RENEWALS * MOST,
        "{spent} commands while a lease was renewed {RENEWALS} times and nobody came or went"
    );
    assert_eq!(node.presence.online_among(&users).await.unwrap(), 5000);
}

/// A command and how often it was called, out of what Redis says of all of them.
fn calls(line: &str) -> Option<(&str, u64)> {
    let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    Some((name, rest.split(',').next()?.parse().ok()?))
}
