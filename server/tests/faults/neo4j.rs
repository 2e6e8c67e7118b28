//! The way to Neo4j that is cut at the worst moments, and a Neo4j that is restarted.

use std::time::Duration;

use i9chat_sdk::{
    ChatHandle, Client,
    spec::{Entry, api::messages::MessageSent},
};
use neo4rs::query;
use tokio::{
    task::JoinHandle,
    time::{interval, timeout},
};

use crate::{
    cluster::{Cluster, NODES},
    ground::Ground,
    histories::history,
    lab::{Neo4j, Passage, Sign},
    load::Load,
    presence::{Watch, is_here},
};

/// What ends a transaction, as it travels: a message of two bytes that says `COMMIT`, alone in its chunk. (Bolt 4 and 5)
pub const COMMIT: Sign = [0x00, 0x02, 0xb0, 0x12, 0x00, 0x00];
/// How often Neo4j is asked how far it is.
const LOOKS: Duration = Duration::from_millis(20);
/// How often the way is cut under load, for each node.
const CUTS: usize = 2;
/// How long the log may be held up by a node that says nothing, with time to spare.
const HELD_UP: Duration = Duration::from_secs(20);

/// Two people on two nodes, who do nothing that is not asked of them.
pub struct Pair {
    names: [String; 2],
    alice: Client,
    to_bob: ChatHandle,
    bob: Client,
    to_alice: ChatHandle,
}

impl Pair {
    pub async fn meet(cluster: &Cluster) -> Self {
        let (alice_name, alice) = cluster.sign_up("alice").await;
        let (bob_name, bob) = cluster.sign_up("bob").await;
        let (alice, bob) = (cluster.connect(0, alice).await, cluster.connect(1, bob).await);
        let (to_bob, to_alice) = (alice.direct(&bob_name).await.unwrap(), bob.direct(&alice_name).await.unwrap());
        Self { names: [alice_name, bob_name], alice, to_bob, bob, to_alice }
    }

    /// Waits until both see both, as it has to be in time. (PRS-3)
    async fn are_here(&self) {
        for watcher in [&self.alice, &self.bob] {
            for name in &self.names {
                Watch::of(watcher, name).until(is_here).await;
            }
        }
    }

    /// Alice sends; the answer comes when it comes.
    pub fn send(&self, text: &'static str) -> JoinHandle<MessageSent> {
        let chat = self.to_bob.clone();
        tokio::spawn(async move { chat.send(text).await.unwrap() })
    }

    /// The next message that Bob hears, his own included.
    pub async fn bob_hears(&mut self) -> String {
        let mut updates = self.bob.updates();
        loop {
            let update = updates.next().await.expect("bob is connected");
            if let Some(message) = update.message() {
                return message.content.text().unwrap_or_default().to_owned();
            }
        }
    }

    /// The texts of the chat, which are the same for both.
    pub async fn history(&self) -> Vec<String> {
        let text = |entry: &Entry| match entry {
            Entry::Message(message) => message.content.text().unwrap_or_default().to_owned(),
            other => panic!("a direct chat holds messages alone, not {other:?}"),
        };
        let hers: Vec<_> = history(&self.to_bob).await.unwrap().iter().map(text).collect();
        let his: Vec<_> = history(&self.to_alice).await.unwrap().iter().map(text).collect();
        assert_eq!(hers, his, "both see the same");
        hers
    }

    pub async fn part(self) {
        self.alice.close().await;
        self.bob.close().await;
    }
}

/// The position of the newest change that Neo4j holds.
pub async fn head(neo4j: &Neo4j) -> i64 {
    let position = query("MATCH (log:Log {name: 'log'}) RETURN log.position AS position");
    let graph = neo4j.graph().unwrap();
    let mut rows = Box::pin(graph.execute(position)).await.unwrap();
    Box::pin(rows.next()).await.unwrap().expect("there is a log").get("position").unwrap()
}

/// Waits until Neo4j holds more than up to there.
pub async fn is_beyond(neo4j: &Neo4j, position: i64) {
    let mut pause = interval(LOOKS);
    let looking = async {
        while head(neo4j).await <= position {
            pause.tick().await;
        }
    };
    timeout(HELD_UP, looking).await.expect("a commit is done that has arrived");
}

pub async fn a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let pair = Pair::meet(&cluster).await;
    let link = &cluster.nodes[0].to_neo4j;
    let before = head(&ground.neo4j).await;
    let committing = link.set_before(COMMIT, Passage::AnswersHeld);
    let sending = pair.send("is it there?");
    committing.await.unwrap();
    is_beyond(&ground.neo4j, before).await;
    assert!(!sending.is_finished(), "the node does not know");
    link.reset();
    let sent = sending.await.unwrap();
    assert_eq!(sent.seq.get(), 1);
    assert_eq!(pair.history().await, ["is it there?"]);
    assert!(cluster.nodes[0].process.output().contains(LOOKED_UP), "the node looks up what became of its commit");
    pair.part().await;

    under_load(&cluster, Passage::AnswersHeld).await;
    cluster.end().await;
}

pub async fn a_commit_that_does_not_arrive_is_done_once(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let pair = Pair::meet(&cluster).await;
    let link = &cluster.nodes[0].to_neo4j;
    let before = head(&ground.neo4j).await;
    let committing = link.set_before(COMMIT, Passage::Cut);
    let sending = pair.send("did it arrive?");
    committing.await.unwrap();
    assert_eq!(head(&ground.neo4j).await, before, "it did not");
    assert!(!sending.is_finished(), "the node does not know");
    link.set(Passage::FREE);
    let sent = sending.await.unwrap();
    assert_eq!(sent.seq.get(), 1);
    assert_eq!(pair.history().await, ["did it arrive?"]);
    assert!(cluster.nodes[0].process.output().contains(LOOKED_UP), "the node looks up what became of its commit");
    pair.part().await;

    under_load(&cluster, Passage::Cut).await;
    cluster.end().await;
}

/// What a node says when it cannot know.
const LOOKED_UP: &str = "it is not known whether a batch was committed";

/// Each node loses its way to Neo4j in the middle of a commit, again and again, while the other goes on.
async fn under_load(cluster: &Cluster, at_commit: Passage) {
    let load = Load::start(cluster).await;
    for _ in 0..CUTS {
        for (number, node) in cluster.nodes.iter().enumerate() {
            load.goes_on().await;
            node.to_neo4j.set_before(COMMIT, at_commit).await.unwrap();
            // The commit is done by now, or undone: nobody else could write before.
            load.goes_on_at((number + 1) % NODES).await;
            node.to_neo4j.reset();
        }
    }
    load.goes_on().await;
    load.all_are_here().await;
    load.finish(cluster).await;
}

pub async fn a_node_whose_commit_is_stuck_holds_nobody_up_for_long(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let pair = Pair::meet(&cluster).await;
    let link = &cluster.nodes[0].to_neo4j;
    let committing = link.set_before(COMMIT, Passage::Stalled);
    let sending = pair.send("stuck");
    committing.await.unwrap();
    let answer = timeout(HELD_UP, pair.to_alice.send("not held up")).await;
    let sent = answer.expect("the log is taken from a node that says nothing").unwrap();
    assert_eq!(sent.seq.get(), 1);
    assert!(!sending.is_finished(), "the way is still blocked");
    link.reset();
    let sent = sending.await.unwrap();
    assert_eq!(sent.seq.get(), 2);
    assert_eq!(pair.history().await, ["not held up", "stuck"]);
    pair.are_here().await;
    pair.part().await;
    cluster.end().await;
}

pub async fn neo4j_is_stopped_and_started_again(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let load = Load::start(&cluster).await;
    load.goes_on().await;
    ground.neo4j.stop().await.unwrap();
    come_back(ground, cluster, load).await;
}

pub async fn neo4j_crashes_and_is_started_again(ground: &Ground) {
    let cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let load = Load::start(&cluster).await;
    load.goes_on().await;
    ground.neo4j.kill().await.unwrap();
    come_back(ground, cluster, load).await;
}

async fn come_back(ground: &Ground, cluster: Cluster, load: Load) {
    for node in &cluster.nodes {
        let url = format!("{}/readyz", node.process.url());
        let ready = reqwest::get(url).await.unwrap();
        assert_eq!(ready.status(), reqwest::StatusCode::SERVICE_UNAVAILABLE, "a node says that it cannot serve");
    }
    // Nothing is committed now: whoever waits has to wait until Neo4j is back.
    load.is_busy().await;
    ground.neo4j.start().await.unwrap();
    load.goes_on().await;
    load.all_are_here().await;
    load.finish(&cluster).await;
    cluster.end().await;
}
