//! Nodes that end, and one that stands still.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    cluster::{Cluster, NODES},
    ground::Ground,
    lab::Passage,
    load::Load,
    neo4j::{COMMIT, Pair, head, is_beyond},
    presence::{Watch, is_gone, is_here},
};

/// How often a node is killed.
const KILLS: usize = 4;
/// How soon what no node tells of is found in the log, with time to spare.
const FOUND: Duration = Duration::from_secs(10);

pub async fn nodes_that_are_killed_under_load_lose_and_double_nothing(ground: &Ground) {
    let mut cluster = Cluster::start(&ground.neo4j, &ground.redis, &["--presence-lease-s", "2"]).await;
    let load = Load::start(&cluster).await;
    for kill in 0..KILLS {
        load.goes_on().await;
        let number = kill % NODES;
        // It stops somewhere in its work, and whoever waits from then on waits for what it never does.
        cluster.nodes[number].pause().await;
        load.is_busy_at(number).await;
        cluster.nodes[number].process.kill().await;
        load.goes_on().await;
        cluster.nodes[number].process.run().await;
        cluster.spread();
    }
    load.goes_on().await;
    load.all_are_here().await;
    load.finish(&cluster).await;
    cluster.end().await;
}

pub async fn a_node_that_ends_between_its_commit_and_telling_of_it_is_made_up_for(ground: &Ground) {
    let mut cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let mut pair = Pair::meet(&cluster).await;
    let before = head(&ground.neo4j).await;
    let committing = cluster.nodes[0].to_neo4j.set_before(COMMIT, Passage::AnswersHeld);
    let sending = pair.send("told by nobody");
    committing.await.unwrap();
    is_beyond(&ground.neo4j, before).await;
    assert!(!sending.is_finished(), "the node itself does not know");
    cluster.nodes[0].process.kill().await;
    let heard = timeout(FOUND, pair.bob_hears()).await.expect("the other node looks at the log");
    assert_eq!(heard, "told by nobody");
    let sent = sending.await.unwrap();
    assert_eq!(pair.history().await, ["told by nobody"], "sent again by the SDK, and stored once");
    assert_eq!(sent.seq.get(), 1);
    cluster.nodes[0].to_neo4j.set(Passage::FREE);
    cluster.nodes[0].process.run().await;
    cluster.end().await;
}

pub async fn nodes_that_are_stopped_in_turn_and_started_again_are_hardly_noticed(ground: &Ground) {
    let mut cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let load = Load::start(&cluster).await;
    for node in 0..NODES {
        load.goes_on().await;
        let moved: Vec<_> = load.connections_at(node);
        assert!(cluster.nodes[node].process.stop().await, "a node stops in order, under load too");
        load.goes_on().await;
        assert!(moved.iter().all(|before| !load.connections_at(node).contains(before)), "all were sent elsewhere");
        cluster.nodes[node].process.run().await;
        cluster.spread();
    }
    load.goes_on().await;
    load.all_are_here().await;
    load.finish(&cluster).await;
    cluster.end().await;
}

pub async fn a_node_that_stood_still_with_the_log_in_its_hands_comes_back_as_one_among_others(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &["--presence-lease-s", "2"]).await;
    let load = Load::start(&cluster).await;
    load.goes_on().await;
    let alice = load.people.iter().find(|person| person.door == 0).unwrap();
    let bob = load.people.iter().find(|person| person.door == 1).unwrap();
    let mut watch = Watch::of(&bob.client, &alice.name);
    watch.until(is_here).await;

    let sleeper = &cluster.nodes[0];
    sleeper.to_neo4j.set_before(COMMIT, Passage::Stalled).await.unwrap();
    sleeper.pause().await;
    // The log is taken out of its hands, and its lease runs out.
    load.goes_on_at(1).await;
    watch.until(is_gone).await;
    // What it said last is never heard.
    sleeper.to_neo4j.reset();
    sleeper.wake().await;
    load.goes_on().await;
    watch.until(is_here).await;
    load.all_are_here().await;
    load.finish(&cluster).await;
    cluster.end().await;
}
