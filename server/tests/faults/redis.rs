//! A Redis that loses everything, is out of reach, or stands still: what is durable goes on.

use i9chat_sdk::{Credentials, Signup, spec::ErrorCode};

use crate::{
    cluster::Cluster,
    ground::Ground,
    lab::Passage,
    load::Load,
    presence::{Watch, is_here},
};

/// Users would count as gone after so many seconds.
const LEASE: [&str; 2] = ["--presence-lease-s", "3"];

pub async fn redis_is_restarted_with_nothing_in_it(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &LEASE).await;
    let load = Load::start(&cluster).await;
    load.goes_on().await;
    ground.redis.stop().await.unwrap();
    load.goes_on().await;
    refuses_to_sign_up(&cluster).await;
    ground.redis.start().await.unwrap();
    load.goes_on().await;
    for node in &cluster.nodes {
        assert!(node.metric("i9chat_redis_outages_total").await > 0, "the node was without Redis");
        assert!(node.metric("i9chat_bus_dropped_total").await > 0, "the node could not tell of something");
    }
    load.all_are_here().await;
    cluster.sign_up("newcomer").await;
    load.finish(&cluster).await;
    cluster.end().await;
}

pub async fn a_node_that_is_cut_from_redis_goes_on(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &LEASE).await;
    let load = Load::start(&cluster).await;
    load.goes_on().await;
    let (cut, other) = (&cluster.nodes[0], &cluster.nodes[1]);
    let before = other.metric("i9chat_redis_outages_total").await;
    cut.to_redis.set(Passage::Cut);
    load.goes_on().await;
    load.goes_on().await;
    assert!(cut.metric("i9chat_redis_outages_total").await > 0, "the node is without Redis");
    assert!(cut.metric("i9chat_bus_dropped_total").await > 0, "the node could not tell of something");
    assert_eq!(other.metric("i9chat_redis_outages_total").await, before, "the other is not");
    refuses_to_sign_up(&cluster).await;
    cut.to_redis.set(Passage::FREE);
    load.goes_on().await;
    load.all_are_here().await;
    load.finish(&cluster).await;
    cluster.end().await;
}

pub async fn a_redis_that_stands_still_holds_nothing_durable_up(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &LEASE).await;
    let load = Load::start(&cluster).await;
    let (name, latecomer) = cluster.sign_up("latecomer").await;
    let before = cluster.connect(0, latecomer).await;
    let latecomer = Credentials::session(before.session().await.expect("signed in"));
    before.close().await;
    load.goes_on().await;
    for node in &cluster.nodes {
        node.to_redis.set(Passage::Stalled);
    }
    load.goes_on().await;
    // Whoever is signed in is let in meanwhile, too.
    let latecomer = cluster.connect(0, latecomer).await;
    latecomer.direct(&load.people[0].name).await.unwrap().send("is anybody there?").await.unwrap();
    load.goes_on().await;
    for node in &cluster.nodes {
        assert!(node.metric("i9chat_redis_outages_total").await > 0, "the node is without Redis");
        node.to_redis.set(Passage::FREE);
    }
    load.goes_on().await;
    load.all_are_here().await;
    Watch::of(&load.people[1].client, &name).until(is_here).await;
    latecomer.close().await;
    load.finish(&cluster).await;
    cluster.end().await;
}

/// What needs Redis says so, in a way that asks to try again.
async fn refuses_to_sign_up(cluster: &Cluster) {
    let refused = Signup::start(&cluster.nodes[0].process.url(), "somebody@example.com").await;
    let error = refused.map(drop).expect_err("a ticket cannot be kept");
    assert_eq!(error.code(), Some(ErrorCode::Unavailable), "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
}
