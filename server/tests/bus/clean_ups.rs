//! Media to clean up.

use std::collections::HashSet;

use i9chat_spec::MediaId;

use super::{
    case::cases,
    heard::until,
    scene::{Node, Scene, uuid},
};

cases! {
    Any {
        what_is_offered_is_taken_once,
        what_is_done_can_be_offered_again,
        nodes_share_the_work,
        nothing_to_do_is_no_fault,
        what_was_taken_and_not_done_comes_back_after_some_time,
    }
}

fn media(count: usize) -> Vec<MediaId> {
    (0..count).map(|_| MediaId::from_uuid(uuid())).collect()
}

async fn take(node: &Node, at_most: usize) -> HashSet<MediaId> {
    let taken = node.clean_ups.take(at_most).await.unwrap();
    let set: HashSet<_> = taken.iter().copied().collect();
    assert_eq!(set.len(), taken.len());
    set
}

async fn what_is_offered_is_taken_once(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let offered = media(3);
    for node in [&one, &other, &one] {
        node.clean_ups.offer(&offered).await.unwrap();
    }
    assert_eq!(take(&other, 10).await, offered.iter().copied().collect());
    one.clean_ups.offer(&offered).await.unwrap();
    assert!(take(&one, 10).await.is_empty(), "the other is at it");
    other.clean_ups.done(&offered).await.unwrap();
    assert!(take(&one, 10).await.is_empty());
}

async fn what_is_done_can_be_offered_again(scene: &Scene) {
    let node = scene.node().await;
    let offered = media(1);
    for _ in 0..2 {
        node.clean_ups.offer(&offered).await.unwrap();
        assert_eq!(take(&node, 1).await.len(), 1);
        node.clean_ups.done(&offered).await.unwrap();
    }
}

async fn nodes_share_the_work(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let offered = media(1000);
    one.clean_ups.offer(&offered).await.unwrap();
    let (first, second) = (take(&one, 600).await, take(&other, 600).await);
    assert_eq!((first.len(), second.len()), (600, 400));
    assert!(first.is_disjoint(&second));
}

async fn nothing_to_do_is_no_fault(scene: &Scene) {
    let node = scene.node().await;
    node.clean_ups.offer(&[]).await.unwrap();
    assert!(take(&node, 10).await.is_empty());
    node.clean_ups.done(&[]).await.unwrap();
    node.clean_ups.done(&media(1)).await.unwrap();
}

async fn what_was_taken_and_not_done_comes_back_after_some_time(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let offered = media(2);
    one.clean_ups.offer(&offered).await.unwrap();
    assert_eq!(take(&one, 10).await.len(), 2);
    one.clean_ups.done(&offered[..1]).await.unwrap();
    if one.buses.is_some() {
        time_passes(scene).await;
    }
    drop(one);
    let left = until("it comes back", async || Some(take(&other, 10).await).filter(|taken| !taken.is_empty())).await;
    assert_eq!(left, HashSet::from([offered[1]]));
}

/// Makes what was taken look as if that were long ago.
async fn time_passes(scene: &Scene) {
    let (mut redis, prefix) = scene.redis().await;
    let stream = format!("{prefix}clean-ups");
    let mut pending = redis::cmd("XPENDING");
    pending.arg(&stream).arg("cleaners").arg("-").arg("+").arg(10);
    let pending: Vec<(String, String, u64, u64)> = pending.query_async(&mut redis).await.unwrap();
    assert_eq!(pending.len(), 1, "what is done is not waited for");
    let mut claim = redis::cmd("XCLAIM");
    claim.arg(&stream).arg("cleaners").arg("whoever").arg(0).arg(&pending[0].0).arg("IDLE").arg(3_600_000);
    claim.query_async::<redis::Value>(&mut redis).await.unwrap();
}
