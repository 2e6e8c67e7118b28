//! Commits whose outcome is not known: they are looked up, never guessed.

use super::{
    lab::Neo4j,
    meddler::{Meddler, Meddling},
    world::{cases, numbers, shelf, two_in_a_chat},
};

cases![
    a_commit_whose_answer_is_lost_is_found_and_not_done_twice,
    a_commit_that_never_arrived_is_sent_again,
    a_commit_that_nobody_hears_of_is_undone_and_sent_again,
];

async fn a_commit_whose_answer_is_lost_is_found_and_not_done_twice(neo4j: &Neo4j) {
    is_done_once(neo4j, Meddling::Answer).await;
}

async fn a_commit_that_never_arrived_is_sent_again(neo4j: &Neo4j) {
    is_done_once(neo4j, Meddling::Commit).await;
}

async fn a_commit_that_nobody_hears_of_is_undone_and_sent_again(neo4j: &Neo4j) {
    is_done_once(neo4j, Meddling::Silence).await;
}

async fn is_done_once(neo4j: &Neo4j, meddling: Meddling) {
    let meddler = Meddler::to(neo4j.address()).await;
    let shelf = shelf(&neo4j.url_through(meddler.address)).await;
    let (alice, chat_id) = two_in_a_chat(&shelf).await;
    let before = shelf.head().await;
    meddler.meddle(meddling);
    let sent = shelf.send(&alice, chat_id, "once").await;
    assert!(meddler.is_done(), "no commit was met");
    assert_eq!(sent.seq.get(), 1);
    let again = shelf.send(&alice, chat_id, "and on").await;
    assert_eq!(again.seq.get(), 2);
    let (seqs, positions) = numbers(neo4j).await;
    assert_eq!(seqs, [1, 2]);
    assert_eq!(shelf.head().await.position.0, before.position.0 + 3);
    let expected: Vec<_> = (1..).take(positions.len()).collect();
    assert_eq!(positions, expected, "a hole in the log");
}
