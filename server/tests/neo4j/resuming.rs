//! A resume at the moment when old events are removed. (RSM-12)

use std::pin::pin;

use i9chat_server::{
    domain::Position,
    store::{LogStore, Missed, MissedQuery},
};

use super::{
    lab::{Link, Neo4j, Passage, Sign},
    shelf::at,
    world::{cases, node, shelf, two_in_a_chat},
};

cases![a_resume_that_meets_a_sweep_does_not_pass_over_what_it_removed,];

/// The beginning of the statement that finds what was missed. The resume has looked by then how much is kept.
const FINDING: Sign = *b"CALL (";

async fn a_resume_that_meets_a_sweep_does_not_pass_over_what_it_removed(neo4j: &Neo4j) {
    let link = Link::to(neo4j.address()).await.unwrap();
    let (resuming, other) = (node(&neo4j.url_through(link.address())).await, shelf(&neo4j.url()).await);
    let sweep = async |seconds| other.store.forget_events(at(seconds), at(seconds).minus_seconds(100)).await.unwrap();
    let (alice, chat_id) = two_in_a_chat(&other).await;
    other.send(&alice, chat_id, "one").await;
    sweep(0).await;
    other.send(&alice, chat_id, "two").await;
    let query = || MissedQuery { user_id: alice.user_id, after: Position(0), up_to: None, most: 100, limit: 100 };
    let all = resuming.missed(query()).await.unwrap();
    assert!(
        matches!(&all, Missed::Events { records, .. } if records.len() == 3),
        "her chat and both messages: {all:?}"
    );

    let is_found = link.set_before(FINDING, Passage::Stalled);
    let mut resume = pin!(resuming.missed(query()));
    tokio::select! {
        resumed = &mut resume => panic!("it did not look for what was missed: {resumed:?}"),
        found = is_found => found.unwrap(),
    }
    sweep(100).await;
    link.set(Passage::FREE);
    let resumed = resume.await.unwrap();
    assert!(matches!(resumed, Missed::TooMuch { .. }), "what was removed is left out: {resumed:?}");
}
