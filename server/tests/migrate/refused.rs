//! If these fail, a move that went wrong destroys something.

use neo4rs::query;

use crate::{
    lab::Backends,
    people::{connect, sign_all_up},
    world::World,
};

/// A folder with something in it, whose server has stopped.
async fn stopped() -> World {
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
    let again = world.migrate(backends).await;
    assert_eq!(again.code, Some(1), "what was moved is not moved again");
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
