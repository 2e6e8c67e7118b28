//! A session that was ended by one node is over on the other, whatever that one hears of it.

use std::time::Duration;

use i9chat_sdk::{ChatHandle, Client, ConnectionState, StopReason, spec::Entry};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};

use crate::{cluster::Cluster, ground::Ground, histories::history, lab::Passage};

/// How long anything may take. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(20);
const AFTER: &str = "sent after the session was ended";

/// A user with a session at either node, and somebody who writes to them.
struct Scene {
    /// By node 0.
    here: Client,
    /// By node 1.
    there: Client,
    friend: Client,
    chat: ChatHandle,
    /// The same chat, as the one with the sessions has it there.
    chat_there: ChatHandle,
    token: String,
    url: String,
}

impl Scene {
    async fn set(cluster: &Cluster) -> Self {
        let (name, user) = cluster.sign_up("user").await;
        let (friend_name, friend) = cluster.sign_up("friend").await;
        let here = cluster.connect_to_node(0, user.clone()).await;
        let there = cluster.connect_to_node(1, user).await;
        let friend = cluster.connect_to_node(0, friend).await;
        let chat = friend.direct(&name).await.unwrap();
        let chat_there = there.direct(&friend_name).await.unwrap();
        let token = there.session().await.expect("signed in").tokens.token.as_str().to_owned();
        let url = format!("{}/v1/me", cluster.nodes[1].process.url());
        let scene = Self { here, there, friend, chat, chat_there, token, url };
        scene.chat.send("before").await.unwrap();
        scene
    }

    /// Ends the session there, by the node here; and then the friend writes.
    async fn end_session(&self) {
        let session = self.there.session().await.expect("signed in");
        timeout(PATIENCE, self.here.end_session(session.session_id)).await.expect("in time").unwrap();
        timeout(PATIENCE, self.chat.send(AFTER)).await.expect("in time").unwrap();
    }

    /// A request there, with the token of the session.
    fn request(&self) -> JoinHandle<(StatusCode, Value)> {
        let request = reqwest::Client::new().get(&self.url).bearer_auth(&self.token);
        tokio::spawn(async move {
            let answer = request.send().await.unwrap();
            (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
        })
    }

    /// The connection there is closed for good, and has heard nothing of what came after.
    async fn assert_over(self) {
        let mut updates = self.there.updates();
        let mut texts = Vec::new();
        let listening = async {
            while let Some(update) = updates.next().await {
                texts.extend(update.message().map(|message| message.content.text().unwrap_or_default().to_owned()));
            }
        };
        timeout(PATIENCE, listening).await.expect("the connection is closed");
        assert_eq!(*self.there.state().borrow(), ConnectionState::Stopped(StopReason::SessionEnded));
        // What came before may still have waited when the session ended, and goes with it.
        assert!(texts.iter().all(|text| text != AFTER), "what came after the end was heard: {texts:?}");
        assert_refused(&self.request().await.unwrap());
        self.here.close().await;
        self.friend.close().await;
    }
}

fn assert_refused((status, problem): &(StatusCode, Value)) {
    assert_eq!(*status, StatusCode::UNAUTHORIZED, "{problem}");
    assert_eq!(problem["code"], "session_ended");
}

/// A session that is ended by one node is dead by the other at once.
pub async fn end_on_both_nodes(cluster: &Cluster) {
    let scene = Scene::set(cluster).await;
    scene.end_session().await;
    assert_refused(&scene.request().await.unwrap());
    scene.assert_over().await;
}

pub async fn a_session_that_was_ended_by_one_node_is_dead_by_the_other(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    end_on_both_nodes(&cluster).await;

    // Without Redis, the node finds it in the log.
    let scene = Scene::set(&cluster).await;
    cluster.nodes[1].to_redis.set(Passage::Cut);
    scene.end_session().await;
    assert_refused(&scene.request().await.unwrap());
    scene.assert_over().await;
    cluster.nodes[1].to_redis.set(Passage::FREE);

    // Without Neo4j, it hears it from the other; and it refuses what it cannot look up.
    let scene = Scene::set(&cluster).await;
    cluster.nodes[1].to_neo4j.set(Passage::Cut);
    scene.end_session().await;
    let (status, problem) = scene.request().await.unwrap();
    assert!(status == StatusCode::UNAUTHORIZED || status == StatusCode::SERVICE_UNAVAILABLE, "{status}: {problem}");
    cluster.nodes[1].to_neo4j.set(Passage::FREE);
    scene.assert_over().await;
    cluster.end().await;
}

pub async fn a_connection_whose_session_was_ended_by_another_node_does_nothing_more(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let scene = Scene::set(&cluster).await;
    // So that the node hears of the end late: when it next looks at the log.
    cluster.nodes[1].to_redis.set(Passage::Cut);
    scene.chat_there.send("while it was open").await.unwrap();
    let session = scene.there.session().await.expect("signed in");
    scene.here.end_session(session.session_id).await.unwrap();
    let sent = timeout(PATIENCE, scene.chat_there.send(AFTER)).await.expect("in time");
    assert!(sent.is_err(), "{sent:?}");
    let entries = history(&scene.chat).await.unwrap();
    let texts: Vec<_> =
        entries.iter().filter_map(Entry::as_message).filter_map(|message| message.content.text()).collect();
    assert_eq!(texts, ["before", "while it was open"]);
    cluster.nodes[1].to_redis.set(Passage::FREE);
    scene.assert_over().await;
    cluster.end().await;
}

pub async fn a_node_that_hears_nothing_refuses_a_session_that_was_ended(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let scene = Scene::set(&cluster).await;
    let deaf = &cluster.nodes[1];
    deaf.to_redis.set(Passage::Cut);
    deaf.to_neo4j.set(Passage::Cut);
    scene.end_session().await;
    let (status, problem) = scene.request().await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(problem["code"], "unavailable");
    assert_eq!(problem["retryable"], true);
    deaf.to_redis.set(Passage::FREE);
    deaf.to_neo4j.set(Passage::FREE);
    scene.assert_over().await;
    cluster.end().await;
}

pub async fn a_node_that_stood_still_while_a_session_was_ended_delivers_nothing_to_it(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let scene = Scene::set(&cluster).await;
    cluster.nodes[1].pause().await;
    let request = scene.request();
    scene.end_session().await;
    assert!(!request.is_finished(), "the node stands still");
    cluster.nodes[1].wake().await;
    assert_refused(&request.await.unwrap());
    scene.assert_over().await;
    cluster.end().await;
}
