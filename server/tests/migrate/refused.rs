//! If these fail, a move that went wrong destroys something.

use neo4rs::query;
use url::Url;

use crate::{
    lab::Backends,
    people::{connect, sign_all_up},
    world::World,
};

/// A folder with something in it, whose server has stopped.
pub async fn stopped() -> World {
    let mut world = World::start().await;
    sign_all_up(&world).await;
    let alice = connect(&world.embedded.url(), "alice").await;
    alice.direct("bob").await.unwrap().send("hello").await.unwrap();
    alice.close().await;
    assert!(world.embedded.stop().await);
    world
}

/// Changes something in the database, past every server.
async fn run(backends: &Backends, statement: &str) {
    let graph = backends.neo4j.graph().unwrap();
    // The driver's futures are large.
    Box::pin(graph.run(query(statement))).await.unwrap();
}

async fn nodes(backends: &Backends) -> i64 {
    let graph = backends.neo4j.graph().unwrap();
    let mut rows = Box::pin(graph.execute(query("MATCH (n) RETURN count(n) AS nodes"))).await.unwrap();
    Box::pin(rows.next()).await.unwrap().unwrap().get("nodes").unwrap()
}

pub async fn a_folder_that_a_server_uses_is_not_moved(backends: &Backends) {
    let world = World::start().await;
    let refused = world.migrate(backends).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complained.contains("another server"), "{}", refused.complained);
    assert_eq!(nodes(backends).await, 0);

    let nowhere = world.migrate_with(&[]).await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.complained.contains("--store"), "{}", nowhere.complained);
}

pub async fn a_database_that_holds_something_is_left_alone(backends: &Backends) {
    let world = stopped().await;
    run(backends, "CREATE (:Someone {name: 'else'})").await;
    let refused = world.migrate(backends).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complained.contains("holds something already"), "{}", refused.complained);
    assert_eq!(nodes(backends).await, 1);

    run(backends, "MATCH (n) DETACH DELETE n").await;
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    let there = nodes(backends).await;
    run(backends, "MATCH (log:Log) SET log.position = log.position + 1").await;
    let again = world.migrate(backends).await;
    assert_eq!(again.code, Some(1), "what goes on elsewhere is not moved again");
    assert!(again.complained.contains("holds something already"), "{}", again.complained);
    assert_eq!(nodes(backends).await, there);
}

pub async fn a_move_goes_on_with_the_folder_that_it_was_begun_with(backends: &Backends) {
    let (one, other) = (stopped().await, stopped().await);
    assert!(!one.migrate_until(backends, 2).await, "it is killed before its end");
    let refused = other.migrate(backends).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complained.contains("another data folder"), "{}", refused.complained);
    let moved = one.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
}

pub async fn a_row_that_is_another_than_was_sent_is_found(backends: &Backends) {
    let world = stopped().await;
    // Whatever is written to it is another in the end.
    assert!(!world.migrate_until(backends, 3).await, "it is killed before its end");
    run(backends, "MATCH (n:User {username: 'alice'}) SET n.bio = 'somebody else'").await;
    let different = world.migrate(backends).await;
    assert_eq!(different.code, Some(1), "{}", different.said);
    assert!(different.complained.contains("users: 4 were sent, 4 are found"), "{}", different.complained);
    let refused = world.refused_node(backends).await;
    assert!(refused.contains("migrate"), "{refused}");
}

pub async fn no_server_goes_on_with_a_folder_that_was_moved(backends: &Backends) {
    let mut world = stopped().await;
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    let mark = world.data().join("i9chat.moved");
    let neo4j: Url = backends.neo4j.url().parse().unwrap();
    let place = format!("neo4j://{}:{}", neo4j.host_str().unwrap(), neo4j.port().unwrap());
    let epoch = world.new_epoch().await;
    assert_eq!(epoch.code, Some(1), "{}", epoch.said);
    for said in [world.refused_embedded().await, epoch.complained] {
        assert!(said.contains(&place), "it says where everything is now: {said}");
        assert!(said.contains(mark.to_str().unwrap()), "it says how to go on all the same: {said}");
        assert!(!said.contains(neo4j.password().unwrap()), "it tells no secret: {said}");
    }

    // What was moved is there to be moved again; and while that is not over, no node can start.
    run(backends, "MATCH (n) DETACH DELETE n").await;
    assert!(!world.migrate_until(backends, 3).await, "it is killed before its end");
    assert!(!mark.exists());
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    world.refused_embedded().await;
    std::fs::remove_file(mark).unwrap();
    world.embedded.run().await;
    assert!(world.embedded.stop().await);
}

pub async fn a_difference_leaves_the_folder_to_its_server(backends: &Backends) {
    let mut world = stopped().await;
    assert!(!world.migrate_until(backends, 3).await, "it is killed before its end");
    run(backends, "MATCH (n:User {username: 'alice'}) SET n.bio = 'somebody else'").await;
    assert_eq!(world.migrate(backends).await.code, Some(1));
    world.embedded.run().await;
    assert!(world.embedded.stop().await);
}
