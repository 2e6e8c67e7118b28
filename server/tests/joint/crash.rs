//! If these fail, users lose messages that they were told are safe.

use std::{sync::Arc, time::Duration};

use i9chat_sdk::{
    Client, Update,
    spec::{Entry, MessageId, Seq},
};
use tokio::sync::watch;

use crate::{
    histories::{Line, assert_same, assert_stored_once, assert_without_holes, history, lines},
    people::join,
    process::PATIENCE,
    server::Server,
};

/// How often the server is killed.
const KILLS: usize = 12;
/// How many messages are acknowledged between two kills, at least.
const BETWEEN: usize = 40;
const PAIRS: usize = 3;
const SENDS_AT_ONCE: usize = 4;

/// Sends until it is told to stop; answers what was acknowledged.
async fn keep_sending(
    client: Client,
    partner: String,
    acknowledged: Arc<watch::Sender<usize>>,
    stop: watch::Receiver<bool>,
) -> Vec<(MessageId, Seq)> {
    let chat = client.direct(&partner).await.unwrap();
    let senders = (0..SENDS_AT_ONCE).map(|lane| {
        let (chat, stop, acknowledged) = (chat.clone(), stop.clone(), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            let mut sent = Vec::new();
            while !*stop.borrow() {
                let ack = chat.send(format!("lane {lane}, number {}", sent.len())).await.unwrap();
                sent.push((ack.message_id, ack.seq));
                acknowledged.send_modify(|count| *count += 1);
            }
            sent
        })
    });
    let mut sent = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        sent.extend(sender.await.unwrap());
    }
    sent
}

/// Follows a client's events; answers the messages in the order in which they came, up to an expected number.
async fn listen(client: Client, mut total: watch::Receiver<Option<usize>>) -> Vec<Line> {
    let mut updates = client.updates();
    let mut heard = Vec::new();
    loop {
        if total.borrow().is_some_and(|total| heard.len() >= total) {
            return heard;
        }
        tokio::select! {
            update = updates.next() => {
                let update = update.expect("the client goes on");
                assert!(!matches!(update, Update::Limited { .. } | Update::Reset { .. }), "{update:?}");
                heard.extend(Line::heard(&update).map(|(_, line)| line));
            }
            changed = total.changed() => changed.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let mut server = Server::start(&[]).await;
    let acknowledged = Arc::new(watch::Sender::new(0));
    let (stop, stopped) = watch::channel(false);
    let mut pairs = Vec::new();
    for pair in 0..PAIRS {
        let (total, totalled) = watch::channel(None);
        let names = [format!("alice{pair}"), format!("bob{pair}")];
        let clients = [join(&server, &names[0]).await, join(&server, &names[1]).await];
        let mut senders = Vec::new();
        let mut listeners = Vec::new();
        for (own, partner) in [(0, 1), (1, 0)] {
            listeners.push(tokio::spawn(listen(clients[own].clone(), totalled.clone())));
            let sending =
                keep_sending(clients[own].clone(), names[partner].clone(), Arc::clone(&acknowledged), stopped.clone());
            senders.push(tokio::spawn(sending));
        }
        pairs.push((names, clients, senders, listeners, total));
    }

    for _ in 0..KILLS {
        let enough = *acknowledged.borrow() + BETWEEN;
        let mut progress = acknowledged.subscribe();
        tokio::time::timeout(PATIENCE, progress.wait_for(|count| *count >= enough))
            .await
            .expect("sending goes on")
            .unwrap();
        server.kill().await;
        server.run().await;
    }
    stop.send(true).unwrap();

    let mut histories = Vec::new();
    for (names, clients, senders, ..) in &mut pairs {
        let mut acks = Vec::new();
        for sender in senders.drain(..) {
            acks.extend(tokio::time::timeout(PATIENCE, sender).await.expect("every send ends").unwrap());
        }
        let seen = history(&clients[0].direct(&names[1]).await.unwrap()).await.unwrap();
        let other = history(&clients[1].direct(&names[0]).await.unwrap()).await.unwrap();
        assert_same(&names[0], &lines(&seen), &names[1], &lines(&other));
        assert_without_holes(&lines(&seen));
        let stored = seen.iter().filter_map(|entry| match entry {
            Entry::Message(message) => Some((message.message_id, message.seq)),
            _ => None,
        });
        assert_stored_once(acks, stored.collect());
        histories.push(lines(&seen));
    }
    for ((_, _, _, listeners, total), seen) in pairs.into_iter().zip(histories) {
        total.send_replace(Some(seen.len()));
        for listener in listeners {
            let heard = tokio::time::timeout(PATIENCE, listener).await.expect("every event comes").unwrap();
            assert_same("what a client heard", &heard, "the history", &seen);
        }
    }
    assert!(*acknowledged.borrow() >= KILLS * BETWEEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_a_moment_before_a_crash_is_there_after_it() {
    let mut server = Server::start(&[]).await;
    let alice = join(&server, "alice").await;
    let bob = join(&server, "bob").await;
    let chat = alice.direct("bob").await.unwrap();
    let sent = chat.send("the last word").await.unwrap();
    server.kill().await;
    server.run().await;
    let message = tokio::time::timeout(Duration::from_secs(30), bob.chat(sent.chat_id).message(sent.message_id)).await;
    let message = message.expect("an answer").expect("the message is there");
    assert_eq!(message.content.text(), Some("the last word"));
}
