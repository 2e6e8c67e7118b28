//! The schema: made by whoever comes first, and refused when it is newer.

use i9chat_server::{
    domain::{LogEpoch, Place, Position},
    store::{
        LogStore, StoreError,
        neo4j::{ImportError, Neo4jImport, Neo4jStore},
        transfer::LogFacts,
    },
};
use neo4rs::query;
use url::Url;

use super::{
    lab::Neo4j,
    world::{bolt, cases, node},
};

cases![
    nodes_that_start_at_once_on_an_empty_database_make_one_log,
    a_database_of_a_newer_version_is_refused,
    nodes_have_one_secret,
    a_database_without_a_log_gets_no_new_epoch,
    whoever_is_not_let_in_is_told_so,
];

async fn a_database_without_a_log_gets_no_new_epoch(neo4j: &Neo4j) {
    neo4j.empty().await.unwrap();
    let outcome = Neo4jStore::new_epoch(&neo4j.url()).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    assert!(neo4j.is_empty().await.unwrap(), "nothing is made in a database that was named by mistake");
}

async fn nodes_that_start_at_once_on_an_empty_database_make_one_log(neo4j: &Neo4j) {
    neo4j.empty().await.unwrap();
    let url = neo4j.url();
    let nodes = tokio::join!(node(&url), node(&url), node(&url), node(&url));
    let mut epochs = Vec::new();
    for node in [nodes.0, nodes.1, nodes.2, nodes.3] {
        epochs.push(node.head().await.unwrap().epoch);
    }
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
    let logs = bolt(neo4j).run("MATCH (log:Log) RETURN count(log)", serde_json::json!({})).unwrap();
    assert_eq!(logs.rows[0][0], 1);
}

async fn a_database_of_a_newer_version_is_refused(neo4j: &Neo4j) {
    node(&neo4j.url()).await;
    let graph = neo4j.graph().unwrap();
    Box::pin(graph.run(query("MATCH (log:Log) SET log.schema = 99"))).await.unwrap();
    match Box::pin(Neo4jStore::connect(&neo4j.url())).await {
        Err(StoreError::Corrupt(why)) => assert!(why.contains("newer"), "{why}"),
        other => panic!("it is used: {other:?}"),
    }
}

async fn nodes_have_one_secret(neo4j: &Neo4j) {
    let (one, other) = (node(&neo4j.url()).await, node(&neo4j.url()).await);
    let (first, second) = tokio::join!(one.shared_secret("test", "mine"), other.shared_secret("test", "yours"));
    assert_eq!(first.unwrap(), second.unwrap());
}

async fn whoever_is_not_let_in_is_told_so(neo4j: &Neo4j) {
    // Somebody whom Neo4j does not know: after too many wrong passwords it would lock out whom it does.
    let mut url: Url = neo4j.url().parse().unwrap();
    url.set_username("nobody").unwrap();
    let refused = Box::pin(Neo4jStore::connect(url.as_str())).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    let facts =
        LogFacts { epoch: LogEpoch([1; 8]), head: Place { position: Position(0), tag: 0 }, kept_from: 0, swept_to: 0 };
    let refused = Box::pin(Neo4jImport::begin(url.as_str(), facts)).await;
    assert!(matches!(refused, Err(ImportError::Store(StoreError::Denied(_)))), "{:?}", refused.err());
}
