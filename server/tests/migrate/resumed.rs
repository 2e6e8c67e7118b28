//! If these fail, a move that was broken off has to be started anew, or tells of what it did not do.

use neo4rs::{Graph, query};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    everything::{Answers, Caller, assert_same},
    lab::Backends,
    people::{NAMES, chatter, connect, gather, introduce, sign_all_up, sign_in_over_http, talk},
    refused::stopped,
    world::World,
};

/// So many that every kill comes before the end.
const MESSAGES: usize = 6400;
/// So many that the changes take several batches.
const SOME_MESSAGES: usize = 3200;
/// The server says a line for each table, and then for each comparison: at each of them it is killed once.
const MOST_LINES: usize = 40;

/// What a statement answers in the column `answer` of its first row.
async fn asked<T: DeserializeOwned>(graph: &Graph, statement: &str) -> Option<T> {
    // The driver's futures are large.
    let mut rows = Box::pin(graph.execute(query(statement))).await.unwrap();
    let row = Box::pin(rows.next()).await.unwrap();
    row.map(|row| row.get("answer").unwrap())
}

/// Whether the database is marked as one that is not whole yet.
async fn is_moving(backends: &Backends) -> bool {
    let graph = backends.neo4j.graph().unwrap();
    asked(&graph, "MATCH (log:Log) RETURN log.moving IS NOT NULL AS answer").await.unwrap_or(true)
}

/// Whether some changes are there, and it is noted up to which.
async fn is_amid_changes(graph: &Graph) -> bool {
    let moving: Option<String> =
        asked(graph, "MATCH (log:Log) WHERE log.moving IS NOT NULL RETURN log.moving AS answer").await;
    let moving: Value = serde_json::from_str(&moving.unwrap_or_default()).unwrap_or_default();
    let is_start = moving.pointer("/progress/mark/0") == Some(&json!(i64::MIN));
    moving.pointer("/progress/table") == Some(&json!("changes")) && !is_start
}

/// An embedded server with everything that people do in it, which has stopped, and what everybody read there.
async fn used(messages: usize) -> (World, Vec<(&'static str, Caller, Answers)>) {
    let mut world = World::start().await;
    sign_all_up(&world).await;
    let url = world.embedded.url();
    let people = [
        connect(&url, "alice").await,
        connect(&url, "bob").await,
        connect(&url, "carol").await,
        connect(&url, "Dave").await,
    ];
    introduce(&people).await;
    talk(&people[0], &people[1]).await;
    gather(&people).await;
    chatter(&people, messages).await;
    let mut readers = Vec::new();
    for name in NAMES {
        let caller = sign_in_over_http(&url, name).await.caller;
        readers.push((name, caller.clone(), caller.chats(&NAMES).await));
    }
    for client in &people {
        client.close().await;
    }
    assert!(world.embedded.stop().await);
    (world, readers)
}

pub async fn a_move_that_is_killed_again_and_again_goes_on_and_doubles_nothing(backends: &Backends) {
    let (world, readers) = used(MESSAGES).await;
    let mut node = world.node(backends);
    let mut kills = 0;
    for lines in (1..MOST_LINES).step_by(2) {
        // The last thing that it does may have been done when it is killed.
        if world.migrate_until(backends, lines).await || !is_moving(backends).await {
            break;
        }
        kills += 1;
        if kills == 1 {
            let refused = world.refused_node(backends).await;
            assert!(refused.contains("migrate"), "no server starts on what is half there: {refused}");
        }
    }
    assert!(kills >= 5, "it was killed {kills} times only");
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    node.run().await;
    for (name, caller, before) in readers {
        assert_same(name, &before, &caller.at(&node.url()).chats(&NAMES).await);
    }
    assert!(node.stop().await);
}

pub async fn a_move_that_is_killed_amid_a_table_goes_on_there(backends: &Backends) {
    let (world, readers) = used(SOME_MESSAGES).await;
    let graph = backends.neo4j.graph().unwrap();
    let amid = async { while !is_amid_changes(&graph).await {} };
    assert!(!world.migrate_while(backends, amid).await, "it is killed before its end");
    assert!(is_amid_changes(&graph).await, "it is killed before the end of the table");
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    let lines: Vec<_> = moved.said.lines().collect();
    assert_eq!(lines[0], "It goes on where it was broken off.");
    // A table that is begun is told of, and how many rows it has; a comparison is told of further in.
    assert!(!lines.iter().any(|line| line.starts_with("changes of the log")), "{}", moved.said);
    assert!(lines[1].starts_with("reactions: "), "{}", moved.said);
    let mut node = world.node(backends);
    node.run().await;
    for (name, caller, before) in readers {
        assert_same(name, &before, &caller.at(&node.url()).chats(&NAMES).await);
    }
    assert!(node.stop().await);
}

pub async fn a_move_that_is_killed_at_its_very_end_is_found_done(backends: &Backends) {
    let world = stopped().await;
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    let mark = world.data().join("i9chat.moved");
    let place = std::fs::read_to_string(&mark).unwrap();
    let there = everything_in(backends).await;
    for is_marked in [true, false] {
        if !is_marked {
            std::fs::remove_file(&mark).unwrap();
        }
        let again = world.migrate(backends).await;
        assert_eq!(again.code, Some(0), "{}{}", again.said, again.complained);
        assert_eq!(again.said, "It was moved and compared before. Start the nodes.\n");
        assert_eq!(std::fs::read_to_string(&mark).unwrap(), place);
        assert_eq!(everything_in(backends).await, there);
    }
    // With another key nobody's sessions would be good there.
    let graph = backends.neo4j.graph().unwrap();
    Box::pin(graph.run(query("MATCH (n:Secret) SET n.key = 'another'"))).await.unwrap();
    let refused = world.migrate(backends).await;
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(refused.complained.contains("holds something already"), "{}", refused.complained);
}

/// How many nodes and relationships there are.
async fn everything_in(backends: &Backends) -> Option<[i64; 2]> {
    let graph = backends.neo4j.graph().unwrap();
    asked(&graph, "RETURN [COUNT { () }, COUNT { ()-->() }] AS answer").await
}

pub async fn what_nodes_take_as_soon_as_they_may_is_no_difference(backends: &Backends) {
    let world = stopped().await;
    let graph = backends.neo4j.graph().unwrap();
    // As a node does that is started again and again until it may: it goes on with the log at once.
    let node = async {
        let append =
            "MATCH (log:Log) WHERE log.moving IS NULL SET log.position = log.position + 1 RETURN true AS answer";
        while asked::<bool>(&graph, append).await.is_none() {}
    };
    let (moved, ()) = tokio::join!(world.migrate(backends), node);
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
}
