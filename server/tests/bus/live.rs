//! What is not durable.

use i9chat_server::bus::{LiveEvent, Topic};
use i9chat_spec::{
    ChatId, PresenceState, User,
    event::{PresenceChanged, Typing},
};

use super::{
    case::cases,
    heard::until,
    memory::at,
    scene::{Scene, user_ids, uuid},
};

cases! {
    Any {
        an_event_reaches_the_connections_of_all_nodes_once_and_in_order,
        an_event_says_the_same_on_all_nodes,
    }
    Redis {
        what_a_node_does_not_understand_does_it_no_harm,
    }
}

fn typing(number: u64) -> LiveEvent {
    let user = User { user_id: user_ids::<1>()[0], username: format!("user{number}").parse().unwrap() };
    let chat_id = ChatId::from_uuid(uuid());
    LiveEvent::new(Topic::Typing(chat_id, user.user_id), Typing { chat_id, user, expires_in_ms: number })
}

async fn an_event_reaches_the_connections_of_all_nodes_once_and_in_order(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let users: [_; 2] = user_ids();
    heard_on_both(&one, &other, &users).await;
    let before = (one.heard.told().len(), other.heard.told().len());
    for number in 0..200 {
        one.live.tell(&users, typing(number));
    }
    for (node, before) in [(&one, before.0), (&other, before.1)] {
        until("everything is told", async || (node.heard.told().len() >= before + 200).then_some(())).await;
        let told = node.heard.told().split_off(before);
        assert_eq!(told.len(), 200);
        for (number, (whom, frame)) in told.iter().enumerate() {
            assert_eq!(whom[..], users);
            assert!(frame.contains(&format!("\"user{number}\"")), "{number}: {frame}");
        }
    }
}

/// Waits until what one node tells is heard on the other: it listens from some moment after its start on.
async fn heard_on_both(one: &super::scene::Node, other: &super::scene::Node, users: &[i9chat_spec::UserId]) {
    let mut told = 0;
    until("the other node listens", async || {
        one.live.tell(users, typing(1000 + told));
        told += 1;
        let last = format!("\"user{}\"", 999 + told);
        let settled = async {
            until("it comes back here", async || {
                one.heard.told().last().is_some_and(|(_, frame)| frame.contains(&last)).then_some(())
            })
            .await;
        };
        settled.await;
        (!other.heard.told().is_empty()).then_some(())
    })
    .await;
    // Everything that was told before this has come by then.
    let mark = typing(5000);
    one.live.tell(users, mark);
    until("the mark comes", async || {
        other.heard.told().last().is_some_and(|(_, frame)| frame.contains("\"user5000\"")).then_some(())
    })
    .await;
}

async fn an_event_says_the_same_on_all_nodes(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let users: [_; 1] = user_ids();
    heard_on_both(&one, &other, &users).await;
    let user = User { user_id: users[0], username: "alice".parse().unwrap() };
    let changed = PresenceChanged { user, presence: PresenceState::Offline, last_seen: Some(at(5)) };
    let before = other.heard.told().len();
    one.live.tell(&users, LiveEvent::new(Topic::Presence(users[0]), changed));
    until("it is told", async || (other.heard.told().len() > before).then_some(())).await;
    assert_eq!(one.heard.told().last(), other.heard.told().last());
}

async fn what_a_node_does_not_understand_does_it_no_harm(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    heard_on_both(&one, &other, &user_ids::<1>()).await;
    let (mut redis, prefix) = scene.redis().await;
    for rubbish in [&b""[..], b"\x01", b"\x02\x94", b"\x01\xc1\xff", b"-", b"+short"] {
        for channel in ["live", "presence"] {
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(format!("{prefix}{channel}")).arg(rubbish);
            assert_eq!(publish.query_async::<u64>(&mut redis).await.unwrap(), 2, "both nodes listen");
        }
    }
    heard_on_both(&other, &one, &user_ids::<1>()).await;
    let alice = user_ids::<1>()[0];
    other.presence.connect(alice).await;
    until("presence is heard", async || (!one.heard.changes_of(alice).is_empty()).then_some(())).await;
}
