//! Committed changes.

use std::{sync::Arc, time::Duration};

use i9chat_server::{
    bus::{Committed, Told},
    domain::{Audience, LogEpoch, Place, Position, Record},
    store::{LogHead, LogStore},
};
use i9chat_spec::{ChatId, SessionId};
use tokio::time::timeout;

use super::{
    case::cases,
    heard::until,
    scene::{Node, Scene, Setup, user_ids, uuid},
};

cases! {
    Any {
        changes_reach_all_nodes_once_and_in_order,
        changes_arrive_as_they_were_committed,
    }
    Redis {
        changes_that_are_told_in_the_wrong_order_are_delivered_in_the_right_one,
        changes_of_which_nobody_was_told_are_found,
        a_lost_last_change_is_found,
        what_a_node_misses_before_it_starts_is_not_told_it,
        changes_of_another_log_are_not_heard,
        what_is_published_last_is_sent_before_a_node_stops,
    }
}

async fn told(told: Told) {
    if let Told::Later(delivered) = told {
        timeout(Duration::from_secs(10), delivered).await.expect("it is said when they are delivered").unwrap();
    }
}

async fn changes_reach_all_nodes_once_and_in_order(scene: &Scene) {
    let alice = scene.user("alice").await;
    let [one, other] = scene.nodes().await;
    for round in 1..=20 {
        let node = if round % 3 == 0 { &other } else { &one };
        told(node.bus.publish(scene.commit(&alice, round % 4 + 1).await)).await;
    }
    let head = scene.store.head().await.unwrap().place.position.0;
    one.heard.delivered_up_to(head).await;
    other.heard.delivered_up_to(head).await;
    told(one.bus.publish(Vec::new())).await;
}

/// A change that is in no store: only news of it brings it.
fn change(position: u64, audience: Audience, ends: Option<SessionId>) -> Committed {
    let place = Place { position: Position(position), tag: u64::MAX - position };
    let chat_id = matches!(audience, Audience::Many(_)).then(|| ChatId::from_uuid(uuid()));
    let record = Record { place, event: "message_created", chat_id, data: "{\"text\":\"ä \\n\"}".into() };
    Committed { record, audience, ends }
}

/// Tells until the other node has heard it: it listens from some moment after its start on. Told twice is heard once.
async fn tell(one: &Node, other: &Node, changes: &[Committed]) {
    let last = changes.last().unwrap().record.place.position.0;
    until("the other node hears it", async || {
        told(one.bus.publish(changes.to_vec())).await;
        let heard = async || (other.heard.positions().last() == Some(&last)).then_some(());
        timeout(Duration::from_millis(200), until("it arrives", heard)).await.ok()
    })
    .await;
}

async fn changes_arrive_as_they_were_committed(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let users: [_; 3] = user_ids();
    let group: Arc<[_]> = users.into();
    let sent = vec![
        change(1, Audience::Many(Arc::clone(&group)), None),
        change(2, Audience::One(users[0]), Some(SessionId::from_uuid(uuid()))),
        change(3, Audience::Many(group), None),
        change(4, Audience::Many([users[1]].into()), None),
    ];
    tell(&one, &other, &sent).await;
    for node in [one, other] {
        node.heard.delivered_up_to(4).await;
        for (heard, sent) in node.heard.delivered().iter().zip(&sent) {
            assert_eq!((heard.record.place, heard.record.event), (sent.record.place, sent.record.event));
            assert_eq!((heard.record.chat_id, &heard.record.data), (sent.record.chat_id, &sent.record.data));
            assert_eq!((heard.audience.as_slice(), heard.ends), (sent.audience.as_slice(), sent.ends));
            assert_eq!(matches!(heard.audience, Audience::One(_)), matches!(sent.audience, Audience::One(_)));
        }
    }
}

async fn changes_that_are_told_in_the_wrong_order_are_delivered_in_the_right_one(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let made = |position| change(position, Audience::One(user_ids::<1>()[0]), None);
    tell(&one, &other, &[made(1)]).await;
    tell(&other, &one, &[made(2)]).await;
    for round in 1..=10 {
        let first = round * 3;
        let later = other.bus.publish(vec![made(first + 2)]);
        assert!(matches!(later, Told::Later(_)), "something that comes before it was not heard of");
        assert!(matches!(one.bus.publish(vec![made(first), made(first + 1)]), Told::Now));
        told(later).await;
        one.heard.delivered_up_to(first + 2).await;
        other.heard.delivered_up_to(first + 2).await;
    }
}

async fn changes_of_which_nobody_was_told_are_found(scene: &Scene) {
    let alice = scene.user("alice").await;
    let [one, other] = scene.nodes().await;
    drop(scene.commit(&alice, 1500).await);
    told(one.bus.publish(scene.commit(&alice, 1).await)).await;
    one.heard.delivered_up_to(1501).await;
    other.heard.delivered_up_to(1501).await;
}

async fn a_lost_last_change_is_found(scene: &Scene) {
    let alice = scene.user("alice").await;
    let [one, other] = scene.nodes().await;
    told(one.bus.publish(scene.commit(&alice, 1).await)).await;
    drop(scene.commit(&alice, 1).await);
    one.heard.delivered_up_to(2).await;
    other.heard.delivered_up_to(2).await;
}

async fn what_a_node_misses_before_it_starts_is_not_told_it(scene: &Scene) {
    let alice = scene.user("alice").await;
    let one = scene.node().await;
    told(one.bus.publish(scene.commit(&alice, 3).await)).await;
    let other = scene.node().await;
    told(one.bus.publish(scene.commit(&alice, 1).await)).await;
    one.heard.delivered_up_to(4).await;
    until("the other hears of it", async || (!other.heard.positions().is_empty()).then_some(())).await;
    assert_eq!(other.heard.positions(), [4]);
}

async fn changes_of_another_log_are_not_heard(scene: &Scene) {
    let alice = scene.user("alice").await;
    let one = scene.node().await;
    let head = Some(LogHead { epoch: LogEpoch([0xEE; 8]), place: Place::default() });
    let stranger = scene.node_with(Setup { head, ..Setup::default() }).await;
    let real = scene.commit(&alice, 2).await;
    let mut forged = real.clone();
    for change in &mut forged {
        change.record.data = "{}".into();
    }
    told(stranger.bus.publish(forged)).await;
    stranger.buses.as_ref().unwrap().stop().await;
    told(one.bus.publish(real)).await;
    one.heard.delivered_up_to(2).await;
    assert!(one.heard.delivered().iter().all(|change| &*change.record.data != "{}"));
}

async fn what_is_published_last_is_sent_before_a_node_stops(scene: &Scene) {
    let alice = scene.user("alice").await;
    let [one, other] = scene.nodes().await;
    told(one.bus.publish(scene.commit(&alice, 5).await)).await;
    one.buses.as_ref().unwrap().stop().await;
    let (mut redis, prefix) = scene.redis().await;
    let length: u64 = redis::cmd("XLEN").arg(format!("{prefix}changes")).query_async(&mut redis).await.unwrap();
    assert_eq!(length, 1);
    drop(one);
    other.heard.delivered_up_to(5).await;
}
