//! Several nodes that append at once, and what fails in between.

use std::{sync::Arc, thread};

use i9chat_server::{
    domain::{Command, Position, Stamp, State, Wanted},
    ids::SystemIds,
    store::{Decided, LogStore, StoreError, neo4j::Neo4jStore},
};
use i9chat_spec::{ChatId, Timestamp, User};
use serde_json::json;
use tokio::runtime::Handle;

use super::{
    acts::{sending, text},
    bolt::Bolt,
    lab::Neo4j,
    shelf::{Shelf, append},
    world::{cases, node, numbers, on, shelf, two_in_a_chat},
};

cases![
    two_nodes_append_without_holes_and_in_one_order,
    a_chat_that_another_node_changed_is_read_again,
    a_batch_that_was_ended_is_sent_again,
    a_batch_is_not_sent_again_when_another_node_was_faster,
    another_log_in_the_database_stops_a_node,
];

/// How many messages each of two nodes sends.
const EACH: u64 = 40;

async fn two_nodes_append_without_holes_and_in_one_order(neo4j: &Neo4j) {
    let url = neo4j.url();
    let (one, other) = tokio::join!(shelf(&url), shelf(&url));
    let (alice, chat_id) = two_in_a_chat(&one).await;
    let (bob, _) = other.user_with_session("bobby").await;
    let chat_of_others = other.open(&bob, &alice).await;
    let before = one.head().await.position;
    let sends = async |shelf: &Shelf, sender: &User, chat_id: ChatId| {
        for _ in 0..EACH {
            let sent = shelf.send(sender, chat_id, "one of many").await;
            assert!(shelf.head().await.position > before, "{} is not in the head", sent.message_id);
        }
    };
    tokio::join!(Box::pin(sends(&one, &alice, chat_id)), Box::pin(sends(&other, &bob, chat_of_others)));
    let (_, positions) = numbers(neo4j).await;
    let expected: Vec<_> = (1..).take(positions.len()).collect();
    assert_eq!(positions, expected, "positions are dense");
    for shelf in [&one, &other] {
        let changes = shelf.store.changes(Position::default(), 1000).await.unwrap();
        let read: Vec<_> = changes.iter().map(|change| change.record.place).collect();
        assert_eq!(read.len(), positions.len());
        assert_eq!(read.last(), Some(&shelf.head().await), "the head is the last change");
        assert!(read.is_sorted_by_key(|place| place.position));
    }
}

async fn a_chat_that_another_node_changed_is_read_again(neo4j: &Neo4j) {
    let url = neo4j.url();
    let (one, other) = tokio::join!(shelf(&url), shelf(&url));
    let [alice, bob, carol] = one.users(["alice", "bob", "carol"]).await;
    let chat_id = one.group(&alice, "A group", &[&bob]).await;
    // Both remember the group from here on.
    one.send(&alice, chat_id, "hello").await;
    other.send(&bob, chat_id, "hello").await;
    other.add(&alice, chat_id, &carol).await;
    assert_eq!(one.send(&carol, chat_id, "I am in").await.seq.get(), 5);
    one.remove(&alice, chat_id, &bob).await;
    let refused = other.try_to(&other.store, sending(&bob, chat_id, text("I am out"))).await;
    assert!(refused.is_err(), "who was removed through one node writes through another");
}

/// Takes a batch up to where it is decided, lets something happen there, and answers how it ends.
async fn meanwhile(
    store: &Arc<Neo4jStore>,
    shelf: &Shelf,
    happens: impl FnOnce() + Send + 'static,
) -> Result<usize, StoreError> {
    let (alice, chat_id) = two_in_a_chat(shelf).await;
    let send = sending(&alice, chat_id, text("in between"));
    let mut wanted = Wanted::default();
    send.wants(&mut wanted);
    let decide = Box::new(move |state: &mut State, head| {
        // On a thread of its own: it may wait for futures of its own.
        thread::scope(|scope| scope.spawn(happens).join()).unwrap();
        let stamp = Stamp { at: Timestamp::from_millis(1), ids: &SystemIds };
        let decision = send.decide(state, &stamp).map_err(|_| StoreError::Corrupt("refused".to_owned()))?;
        append(state, head, decision.changes, decision.effects)
    });
    store.transact(wanted, Timestamp::from_millis(1), decide).await.map(|changes| changes.len())
}

/// Ends whatever transaction holds the log's lock.
fn end_holder(neo4j: &str) {
    let mut bolt = Bolt::connect(neo4j).unwrap();
    // It waits for its client, and so runs nothing.
    let idle = "SHOW TRANSACTIONS YIELD transactionId AS id, currentQuery WHERE currentQuery = '' RETURN id";
    let shown = bolt.run(idle, json!({})).unwrap();
    let ids: Vec<_> = shown.rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids.len(), 1, "one transaction holds the lock");
    bolt.run("TERMINATE TRANSACTIONS $ids YIELD transactionId AS id", json!({ "ids": ids })).unwrap();
}

async fn a_batch_that_was_ended_is_sent_again(neo4j: &Neo4j) {
    let store = node(&neo4j.url()).await;
    let shelf = on(&store);
    let url = neo4j.url();
    let committed = meanwhile(&store, &shelf, move || end_holder(&url)).await.unwrap();
    assert_eq!(committed, 2, "the chat for the partner, and the message");
    let (seqs, positions) = numbers(neo4j).await;
    assert_eq!((seqs.as_slice(), positions.as_slice()), ([1].as_slice(), [1, 2, 3].as_slice()));
}

async fn a_batch_is_not_sent_again_when_another_node_was_faster(neo4j: &Neo4j) {
    let (store, faster) = (node(&neo4j.url()).await, node(&neo4j.url()).await);
    let shelf = on(&store);
    let [carol, dave] = shelf.users(["carol", "dave"]).await;
    let (url, handle) = (neo4j.url(), Handle::current());
    let outcome = meanwhile(&store, &shelf, move || {
        end_holder(&url);
        handle.block_on(on(&faster).open(&carol, &dave));
    })
    .await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    let (seqs, positions) = numbers(neo4j).await;
    assert_eq!((seqs.len(), positions.as_slice()), (0, [1, 2].as_slice()), "the faster one stands, and it alone");
}

async fn another_log_in_the_database_stops_a_node(neo4j: &Neo4j) {
    let store = node(&neo4j.url()).await;
    Neo4jStore::new_epoch(&neo4j.url()).await.unwrap();
    let head = store.head().await;
    assert!(matches!(head, Err(StoreError::Unavailable(_))), "{head:?}");
    assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))), "nor is it ready");
    let decide = Box::new(|_: &mut _, _| -> Result<Decided, StoreError> { panic!("it is not asked") });
    let outcome = store.transact(Wanted::default(), Timestamp::from_millis(1), decide).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    // One that starts after the restore goes on.
    assert!(node(&neo4j.url()).await.head().await.is_ok());
}
