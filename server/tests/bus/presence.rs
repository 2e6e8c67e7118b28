//! Who is there, in order.

use std::time::Duration;

use i9chat_server::{
    bus::{Presence, PresenceOf},
    store::presence::PresenceNote,
};
use i9chat_spec::UserId;
use tokio::time::timeout;

use super::{
    case::cases,
    heard::until,
    memory::at,
    scene::{Node, Scene, user_ids},
};

cases! {
    Any {
        a_user_is_there_while_a_connection_is_open,
        connections_of_a_user_are_counted_over_all_nodes,
        states_come_in_the_order_asked_and_those_there_are_counted,
        watchers_on_all_nodes_hear_each_change_in_order,
        when_users_were_last_seen_is_written_down,
        what_cannot_be_written_down_is_known_all_the_same_and_written_later,
        nobody_is_there_any_more_when_a_node_has_stopped,
        thousands_come_and_go_at_once,
        nobody_is_asked_about_nobody,
    }
}

pub async fn state(presence: &dyn Presence, user_id: UserId) -> PresenceOf {
    presence.states(&[user_id]).await.unwrap()[0]
}

async fn a_user_is_there_while_a_connection_is_open(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice] = user_ids();
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(None), "never there");
    one.presence.connect(alice).await;
    one.presence.connect(alice).await;
    for node in [&one, &other] {
        assert_eq!(state(&*node.presence, alice).await, PresenceOf::ONLINE, "as soon as that returned, on every node");
    }
    scene.clock.set(5);
    one.presence.disconnect(alice).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::ONLINE, "one of two is open");
    other.presence.connect(alice).await;
    scene.clock.set(7);
    one.presence.disconnect(alice).await;
    assert_eq!(state(&*one.presence, alice).await, PresenceOf::ONLINE, "one is open elsewhere");
    scene.clock.set(9);
    other.presence.disconnect(alice).await;
    for node in [&one, &other] {
        assert_eq!(state(&*node.presence, alice).await, PresenceOf::offline(Some(at(9))));
    }
    one.presence.connect(alice).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::ONLINE);
}

async fn connections_of_a_user_are_counted_over_all_nodes(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice, bob] = user_ids();
    for (turn, node) in [&one, &other, &other, &one, &other].into_iter().enumerate() {
        assert_eq!(node.presence.connect(alice).await as usize, turn + 1, "with this one, wherever the others are");
    }
    assert_eq!(one.presence.connect(bob).await, 1, "those of others do not count");
    // Six that open at once on two nodes are the sixth to the eleventh: no two of them are told that there is room for one.
    let nodes = [&one, &other, &one, &other, &one, &other];
    let mut ranks = futures_util::future::join_all(nodes.map(|node| node.presence.connect(alice))).await;
    ranks.sort_unstable();
    assert_eq!(ranks.last(), Some(&11), "{ranks:?}");
    assert!(ranks.iter().zip(6..).all(|(rank, at_least)| *rank >= at_least), "{ranks:?}");
    other.presence.disconnect(alice).await;
    until("one less is counted", async || {
        let connections = one.presence.connect(alice).await;
        one.presence.disconnect(alice).await;
        (connections == 11).then_some(())
    })
    .await;
}

async fn states_come_in_the_order_asked_and_those_there_are_counted(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let users: [_; 4] = user_ids();
    one.presence.connect(users[1]).await;
    other.presence.connect(users[3]).await;
    scene.clock.set(3);
    one.presence.connect(users[2]).await;
    one.presence.disconnect(users[2]).await;
    let expected = [
        PresenceOf::offline(None),
        PresenceOf::ONLINE,
        PresenceOf::offline(Some(at(3))),
        PresenceOf::ONLINE,
        PresenceOf::ONLINE,
    ];
    let asked = [users[0], users[1], users[2], users[3], users[1]];
    assert_eq!(other.presence.states(&asked).await.unwrap(), expected);
    assert_eq!(one.presence.online_among(&users).await.unwrap(), 2);
}

async fn watchers_on_all_nodes_hear_each_change_in_order(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice, bob] = user_ids();
    listens(&one, &other).await;
    for second in 1..=10 {
        one.presence.connect(alice).await;
        other.presence.connect(bob).await;
        scene.clock.set(second);
        one.presence.disconnect(alice).await;
    }
    let coming_and_going = (1..=10).flat_map(|second| [PresenceOf::ONLINE, PresenceOf::offline(Some(at(second)))]);
    let expected: Vec<_> = coming_and_going.collect();
    for node in [&one, &other] {
        until("everything is heard", async || (node.heard.changes_of(alice).len() >= expected.len()).then_some(()))
            .await;
        assert_eq!(node.heard.changes_of(alice), expected);
        assert_eq!(node.heard.changes_of(bob), [PresenceOf::ONLINE], "not of a second connection");
    }
}

/// Waits until both nodes hear of who comes and goes: they do from some moment after their start on.
pub async fn listens(one: &Node, other: &Node) {
    until("both nodes listen", async || {
        let [somebody] = user_ids();
        one.presence.connect(somebody).await;
        let heard = async || [one, other].iter().all(|node| !node.heard.changes_of(somebody).is_empty()).then_some(());
        timeout(Duration::from_millis(200), until("it is heard", heard)).await.ok()
    })
    .await;
}

async fn when_users_were_last_seen_is_written_down(scene: &Scene) {
    let [one, _other] = scene.nodes().await;
    let [alice] = user_ids();
    one.presence.connect(alice).await;
    let noted = |is_here, second| Some(PresenceNote { user_id: alice, is_here, at: at(second) });
    until("it is written", async || (scene.memory.note_of(alice) == noted(true, 0)).then_some(())).await;
    scene.clock.set(4);
    one.presence.disconnect(alice).await;
    until("it is written", async || (scene.memory.note_of(alice) == noted(false, 4)).then_some(())).await;
    assert_eq!(state(&*one.presence, alice).await, PresenceOf::offline(Some(at(4))), "after it was written too");
}

async fn what_cannot_be_written_down_is_known_all_the_same_and_written_later(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice] = user_ids();
    scene.memory.set_broken(true);
    one.presence.connect(alice).await;
    scene.clock.set(2);
    one.presence.disconnect(alice).await;
    one.presence.stop().await.unwrap_err();
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(2))));
    scene.memory.set_broken(false);
    // By whichever node, at the latest when it is no more likely that the other is at it.
    scene.clock.set(60);
    until("it is written", async || scene.memory.note_of(alice).filter(|note| !note.is_here)).await;
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(2))));
}

async fn nobody_is_there_any_more_when_a_node_has_stopped(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let [alice] = user_ids();
    one.presence.connect(alice).await;
    scene.clock.set(3);
    one.presence.disconnect(alice).await;
    one.presence.stop().await.unwrap();
    assert_eq!(state(&*other.presence, alice).await, PresenceOf::offline(Some(at(3))));
    assert_eq!(scene.memory.note_of(alice).map(|note| (note.is_here, note.at)), Some((false, at(3))), "it is written");
}

async fn thousands_come_and_go_at_once(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let users: Vec<_> = (0..3000).map(|_| user_ids::<1>()[0]).collect();
    let come = |user_id: &UserId| one.presence.connect(*user_id);
    futures_util::future::join_all(users.iter().map(come)).await;
    assert_eq!(other.presence.online_among(&users).await.unwrap(), 3000);
    let go = |user_id: &UserId| one.presence.disconnect(*user_id);
    futures_util::future::join_all(users[..1000].iter().map(go)).await;
    assert_eq!(other.presence.online_among(&users).await.unwrap(), 2000);
    let states = other.presence.states(&users).await.unwrap();
    assert!(states[..1000].iter().all(|state| *state == PresenceOf::offline(Some(at(0)))));
    assert!(states[1000..].iter().all(|state| *state == PresenceOf::ONLINE));
}

async fn nobody_is_asked_about_nobody(scene: &Scene) {
    let node = scene.node().await;
    assert_eq!(node.presence.states(&[]).await.unwrap(), []);
    assert_eq!(node.presence.online_among(&[]).await.unwrap(), 0);
    // One who never came does not go.
    let [alice] = user_ids();
    node.presence.disconnect(alice).await;
    assert_eq!(state(&*node.presence, alice).await, PresenceOf::offline(None));
}
