//! If this fails, whoever outgrows one machine loses something on the way.

use i9chat_sdk::{Client, Update};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    door::Door,
    everything::assert_same,
    lab::Backends,
    people::{NAMES, connect, gather, introduce, once, sign_all_up, sign_in_over_http, talk},
    process::PATIENCE,
    world::World,
};

const SENT_ONCE: &str = "0b8e7a0e-3f10-4c39-9a70-6f8b2f9d1c11";

/// The texts that reach bob before the move: those that `talk` and `gather` send, and the one that is sent twice.
const HEARD_BEFORE: [&str; 7] = [
    "hello, with an emoji 👋 and a line\nbreak",
    "hello too",
    "in the group",
    "carol does not see this",
    "dave sees this",
    "dave does not see this",
    "only once",
];

/// Hears everything until a message with that text comes; answers the texts that came.
fn listen(client: &Client, until: &'static str) -> JoinHandle<Vec<String>> {
    let mut updates = client.updates();
    tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(update) = updates.next().await {
            assert!(!matches!(update, Update::Limited { .. } | Update::Reset { .. }), "{update:?}");
            let Some(text) = update.message().and_then(|message| message.content.text().map(ToOwned::to_owned)) else {
                continue;
            };
            heard.push(text.clone());
            if text == until {
                break;
            }
        }
        heard
    })
}

pub async fn everything_is_as_it_was_and_clients_do_not_notice(backends: &Backends) {
    let mut world = World::start().await;
    let mut node = world.node(backends);
    let place = |url: String| url.trim_start_matches("http://").to_owned();
    let door = Door::to(vec![place(world.embedded.url()), place(node.url())]).await.unwrap();
    sign_all_up(&world).await;
    let people: [Client; 4] = [
        connect(&door.url(), NAMES[0]).await,
        connect(&door.url(), NAMES[1]).await,
        connect(&door.url(), NAMES[2]).await,
        connect(&door.url(), NAMES[3]).await,
    ];
    let [alice, bob, ..] = &people;
    let mut readers = Vec::new();
    for name in NAMES {
        let opened = sign_in_over_http(&world.embedded.url(), name).await;
        let cursor = opened.caller.cursor().await;
        readers.push((name, opened, vec![cursor]));
    }
    introduce(&people).await;
    let first = talk(alice, bob).await;
    for (_, opened, cursors) in &mut readers {
        cursors.push(opened.caller.cursor().await);
    }
    gather(&people).await;
    let to_bob = alice.direct("bob").await.unwrap();
    let acknowledged = to_bob.send_message(once("only once", SENT_ONCE)).await.unwrap();
    let ended = sign_in_over_http(&world.embedded.url(), "alice").await.caller;
    ended.send(Method::DELETE, "/v1/sessions/current", &json!(null)).await;

    // What came before is heard too: updates wait from the beginning.
    let told_to_bob = [HEARD_BEFORE.as_slice(), &["after the move"]].concat();
    let heard = listen(bob, "after the move");
    let mut before = Vec::new();
    for (name, opened, cursors) in &readers {
        let answers = opened.caller.everything(&NAMES, cursors).await;
        assert!(answers.len() > 20, "{name} reads {} things only", answers.len());
        before.push(answers);
    }
    assert!(world.embedded.stop().await);
    let moved = world.migrate(backends).await;
    assert_eq!(moved.code, Some(0), "{}{}", moved.said, moved.complained);
    assert!(moved.said.contains("users: 4, equal"), "{}", moved.said);
    node.run().await;

    for ((name, opened, cursors), before) in readers.iter().zip(&before) {
        let after = opened.caller.at(&node.url()).everything(&NAMES, cursors).await;
        assert_same(name, before, &after);
    }

    // The clients come back by themselves, with the sessions and the cursors that they had.
    to_bob.send("after the move").await.unwrap();
    let heard = timeout(PATIENCE, heard).await.expect("the client goes on").unwrap();
    assert_eq!(heard, told_to_bob, "each once, and in order");
    let again = to_bob.send_message(once("only once", SENT_ONCE)).await.unwrap();
    assert_eq!(again, acknowledged, "a retry is answered as it was before the move");
    let (status, _) = ended.at(&node.url()).get("/v1/me").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a session that was ended stays so");

    assert_eq!(to_bob.message(first).await.unwrap().message_id, first);
    for (name, opened, _) in &readers {
        let body = json!({"refresh_token": opened.refresh_token});
        let (status, _) = opened.caller.at(&node.url()).send(Method::POST, "/v1/sessions/refresh", &body).await;
        assert_eq!(status, StatusCode::OK, "{name}");
        sign_in_over_http(&node.url(), name).await;
    }
    assert!(node.stop().await);
}
