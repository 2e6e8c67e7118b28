//! Who holds the log's lock, and for how long.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::poll;
use i9chat_server::{
    domain::{Place, State, Wanted},
    store::{Decided, LogStore},
};
use i9chat_spec::Timestamp;
use serde_json::json;
use tokio::{
    sync::oneshot,
    time::{interval, timeout},
};

use super::{
    lab::{Link, Neo4j, Passage},
    world::{bolt, cases, node, shelf, two_in_a_chat},
};

cases![
    a_look_at_the_head_waits_for_who_appends,
    a_look_that_nobody_waits_for_any_more_answers_nobody_else,
    a_node_is_ready_while_another_one_holds_the_log,
    a_node_that_goes_silent_with_the_lock_loses_it,
    a_batch_that_nobody_waits_for_lets_go_of_the_lock,
];

/// How long anything may take: ten times as long as a silent client may hold the lock. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(40);
/// How many batches are given up: if each kept the lock for as long as it may, it would take twice as long.
const GIVEN_UP: usize = 20;
/// How often it is looked who waits.
const LOOKS: Duration = Duration::from_millis(10);

/// What a node takes the lock with.
const LOCK: &str = "MATCH (log:Log {name: 'log'}) SET log.turn = 0 RETURN log.position";

/// The transactions that wait for a lock.
const BLOCKED: &str = "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked'";

/// Does something until it waits for a lock that somebody else has.
async fn until_blocked<T>(neo4j: &Neo4j, work: Pin<&mut impl Future<Output = T>>) {
    let mut watcher = bolt(neo4j);
    let looking = async {
        let mut pause = interval(LOOKS);
        while watcher.run(BLOCKED, json!({})).unwrap().rows.is_empty() {
            pause.tick().await;
        }
    };
    tokio::select! {
        _ = work => panic!("it was done without the lock"),
        seen = timeout(PATIENCE, looking) => seen.expect("it waits for the lock"),
    }
}

async fn a_look_at_the_head_waits_for_who_appends(neo4j: &Neo4j) {
    let store = node(&neo4j.url()).await;
    let before = store.head().await.unwrap().place.position;
    let mut holder = bolt(neo4j);
    holder.begin().unwrap();
    holder.run(LOCK, json!({})).unwrap();
    let mut look = pin!(store.head());
    until_blocked(neo4j, look.as_mut()).await;
    // Ends the transaction.
    drop(holder);
    assert_eq!(look.await.unwrap().place.position, before);
}

async fn a_look_that_nobody_waits_for_any_more_answers_nobody_else(neo4j: &Neo4j) {
    let link = Link::to(neo4j.address()).await.unwrap();
    let store = node(&neo4j.url_through(link.address())).await;
    link.set(Passage::Stalled);
    // One looks, two share the next look; then the callers go away, each while it looks for the others.
    let [mut first, mut second, mut third] = [store.head(), store.head(), store.head()];
    for look in [&mut first, &mut second, &mut third] {
        assert!(poll!(look).is_pending());
    }
    drop(first);
    assert!(poll!(&mut second).is_pending());
    drop(second);
    assert!(poll!(&mut third).is_pending(), "nobody has looked for it");
    link.reset();
    third.await.unwrap();
}

async fn a_node_is_ready_while_another_one_holds_the_log(neo4j: &Neo4j) {
    let store = node(&neo4j.url()).await;
    let mut holder = bolt(neo4j);
    holder.begin().unwrap();
    holder.run(LOCK, json!({})).unwrap();
    store.check().await.unwrap();
    holder.run(LOCK, json!({})).expect("it had the lock all the while");
}

async fn a_node_that_goes_silent_with_the_lock_loses_it(neo4j: &Neo4j) {
    let link = Link::to(neo4j.address()).await.unwrap();
    let silent = node(&neo4j.url_through(link.address())).await;
    let living = shelf(&neo4j.url()).await;
    let (alice, chat_id) = two_in_a_chat(&living).await;
    let link = Arc::new(link);
    let (tell, told) = oneshot::channel();
    let stalls = Arc::clone(&link);
    let holds = tokio::spawn(async move {
        let decide = Box::new(move |_: &mut State, _: Place| {
            stalls.set(Passage::Stalled);
            tell.send(()).unwrap();
            Ok(Decided::default())
        });
        silent.transact(Wanted::default(), Timestamp::from_millis(1), decide).await
    });
    told.await.unwrap();
    let mut sending = pin!(living.send(&alice, chat_id, "on with it"));
    until_blocked(neo4j, sending.as_mut()).await;
    timeout(PATIENCE, sending).await.expect("the lock is taken from who says nothing");
    link.set(Passage::Cut);
    drop(holds.await.unwrap());
}

async fn a_batch_that_nobody_waits_for_lets_go_of_the_lock(neo4j: &Neo4j) {
    let store = node(&neo4j.url()).await;
    let giving_up = async {
        for _ in 0..GIVEN_UP {
            let (tell, told) = oneshot::channel();
            let decide = Box::new(move |_: &mut State, _: Place| {
                tell.send(()).unwrap();
                Ok(Decided::default())
            });
            tokio::select! {
                _ = told => {}
                _ = store.transact(Wanted::default(), Timestamp::from_millis(1), decide) => {}
            }
        }
        store.head().await.unwrap();
    };
    timeout(PATIENCE, giving_up).await.expect("the lock is let go of");
}
