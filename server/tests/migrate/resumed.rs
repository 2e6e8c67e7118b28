//! If this fails, a move that was broken off has to be started anew, or tells of what it did not do.

use neo4rs::query;

use crate::{
    everything::assert_same,
    lab::Backends,
    people::{NAMES, chatter, connect, gather, introduce, sign_all_up, sign_in_over_http, talk},
    world::World,
};

/// So many that every kill comes before the end.
const MESSAGES: usize = 6400;
/// The server says a line for each table, and then for each comparison: at each of them it is killed once.
const MOST_LINES: usize = 40;

/// Whether the database is marked as one that is not whole yet.
async fn is_moving(backends: &Backends) -> bool {
    let graph = backends.neo4j.graph().unwrap();
    let marked = query("MATCH (log:Log) RETURN log.moving IS NOT NULL AS is_moving");
    // The driver's futures are large.
    let mut rows = Box::pin(graph.execute(marked)).await.unwrap();
    let row = Box::pin(rows.next()).await.unwrap();
    row.is_none_or(|row| row.get("is_moving").unwrap())
}

pub async fn a_move_that_is_killed_again_and_again_goes_on_and_doubles_nothing(backends: &Backends) {
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
    chatter(&people, MESSAGES).await;
    let mut readers = Vec::new();
    for name in NAMES {
        let caller = sign_in_over_http(&url, name).await.caller;
        readers.push((name, caller.clone(), caller.chats(&NAMES).await));
    }
    for client in &people {
        client.close().await;
    }
    assert!(world.embedded.stop().await);

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
    if is_moving(backends).await {
        let moved = world.migrate(backends).await;
        assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    }
    node.run().await;
    for (name, caller, before) in readers {
        assert_same(name, &before, &caller.at(&node.url()).chats(&NAMES).await);
    }
    assert!(node.stop().await);
}
