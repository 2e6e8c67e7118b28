//! Two nodes on one Neo4j and one Redis, with links between that a test can cut, and doors in front.

use std::time::Duration;

use futures_util::future::join_all;
use i9chat_conformance::mail::Mailbox;
use i9chat_sdk::{Client, Credentials, connection::Backoff};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    door::Door,
    lab::{Link, Neo4j, Redis},
    process::{Process, signal},
    sign_up::{PASSWORD, sign_up},
};

/// How many nodes there are.
pub const NODES: usize = 2;

/// What every node is started with: silence is noticed soon, no client is told to slow down, and none has missed too much.
const OPTIONS: [&str; 12] = [
    "--log",
    "info",
    "--heartbeat-ms",
    "1000",
    "--max-resume-events",
    "100000",
    "--requests-per-second",
    "100000",
    "--requests-burst",
    "100000",
    "--frames-burst",
    "100000",
];

/// How many lines of a node's output are shown when a test fails.
const SHOWN: usize = 40;

/// How clients come back.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1) };

/// A node, and its links.
pub struct Node {
    pub process: Process,
    pub to_neo4j: Link,
    pub to_redis: Link,
}

/// Nodes that belong together. Users are spread over doors: there is one for each node, which leads elsewhere when that is gone.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub doors: Vec<Door>,
    mailbox: Mailbox,
    has_ended: bool,
    _data: TempDir,
}

impl Cluster {
    /// Starts the nodes, with further options.
    pub async fn start(neo4j: &Neo4j, redis: &Redis, options: &[&str]) -> Self {
        let mailbox = Mailbox::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let data = TempDir::new().unwrap();
        let prefix = format!("{}-{}", redis.prefix(), tag());
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let to_neo4j = Link::to(neo4j.address()).await.unwrap();
            let to_redis = Link::to(redis.address()).await.unwrap();
            let own = [
                ("--store", neo4j.url_through(to_neo4j.address())),
                ("--bus", redis.url_through(to_redis.address())),
                ("--bus-prefix", prefix.clone()),
                ("--data", data.path().join("data").display().to_string()),
                ("--smtp-url", mailbox.url()),
            ];
            let own = own.into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
            let line = own.chain(OPTIONS.iter().chain(options).map(ToString::to_string)).collect();
            let process = Process::new(&[], line, data.path().join(format!("node-{number}.log")));
            nodes.push(Node { process, to_neo4j, to_redis });
        }
        join_all(nodes.iter_mut().map(|node| node.process.run())).await;
        let mut doors = Vec::new();
        for first in 0..NODES {
            let order = (0..NODES).map(|step| &nodes[(first + step) % NODES]);
            let places = order.map(|node| node.process.url().trim_start_matches("http://").to_owned());
            doors.push(Door::to(places.collect()).await.unwrap());
        }
        Self { nodes, doors, mailbox, has_ended: false, _data: data }
    }

    /// Signs a user up, whose name begins as said, and answers the name and what they sign in with.
    pub async fn sign_up(&self, stem: &str) -> (String, Credentials) {
        let name = format!("{stem}-{}", tag());
        drop(sign_up(&self.doors[0].url(), &self.mailbox, &name).await);
        // Unlike what signing up gives, these are good at every door.
        let credentials = Credentials::password(&name, PASSWORD);
        (name, credentials)
    }

    /// Connects a user through a door, which leads to the node of the same number when that is there.
    pub async fn connect(&self, door: usize, credentials: Credentials) -> Client {
        connect(&self.doors[door].url(), credentials).await
    }

    /// Connects a user to a node and to no other.
    pub async fn connect_to_node(&self, node: usize, credentials: Credentials) -> Client {
        connect(&self.nodes[node].process.url(), credentials).await
    }

    /// Sends everybody back to the node that they belong to.
    pub fn spread(&self) {
        for door in &self.doors {
            door.call_back();
        }
    }

    /// Stops all nodes in order.
    pub async fn end(mut self) {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            assert!(node.process.stop().await, "node {number} stops in order");
        }
        self.has_ended = true;
    }
}

/// Shows what the nodes said last, when a test fails.
impl Drop for Cluster {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let output = node.process.output();
            let from = output.lines().count().saturating_sub(SHOWN);
            eprintln!("node {number} said last:");
            output.lines().skip(from).for_each(|line| eprintln!("    {line}"));
        }
    }
}

impl Node {
    /// Makes the process stand still.
    pub async fn pause(&self) {
        signal(self.process.pid(), "-STOP").await;
    }

    /// Makes it go on.
    pub async fn wake(&self) {
        signal(self.process.pid(), "-CONT").await;
    }

    /// One of its numbers, over all labels.
    pub async fn metric(&self, name: &str) -> u64 {
        let url = format!("{}/metrics", self.process.url());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        let values = text.lines().filter(is_it).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values.sum()
    }
}

/// What tells names apart that are used twice.
fn tag() -> String {
    Uuid::new_v4().simple().to_string().split_off(24)
}

async fn connect(url: &str, credentials: Credentials) -> Client {
    Client::builder(url, credentials).backoff(BACKOFF).connect().await.unwrap()
}
