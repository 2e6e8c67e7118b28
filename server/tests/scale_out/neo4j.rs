//! A Neo4j with nothing in it.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use neo4rs::{Graph, query};
use testcontainers_modules::{
    neo4j::{Neo4j as Module, Neo4jImage},
    testcontainers::{
        ContainerAsync, ContainerRequest, ImageExt, TestcontainersError, core::IntoContainerPort, runners::AsyncRunner,
    },
};
use url::Url;

use super::{ANSWER, START, Unavailable};

/// The version that the server is made for.
const TAG: &str = "5.26";
const PORT: u16 = 7687;
const VARIABLE: &str = "I9CHAT_TEST_NEO4J_URL";
const USER: &str = "neo4j";
const PASSWORD: &str = "scale-out-test";

/// Takes everything out, a bounded number at a time.
const EMPTY: &str = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS";
const ANYTHING: &str = "MATCH (n) RETURN 'here' AS text LIMIT 1";
const CONSTRAINTS: &str = "SHOW CONSTRAINTS YIELD name RETURN 'DROP CONSTRAINT `' + name + '` IF EXISTS' AS text";
const INDEXES: &str =
    "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN 'DROP INDEX `' + name + '` IF EXISTS' AS text";

/// A Neo4j, and where it is.
pub struct Neo4j {
    url: Url,
    source: Source,
}

enum Source {
    /// Running already. The file is locked as long as it is ours.
    Given(File),
    Container(Box<ContainerAsync<Neo4jImage>>),
}

/// The Neo4j that the environment names.
pub(super) fn given() -> Option<String> {
    super::variable(VARIABLE)
}

impl Neo4j {
    /// One with nothing in it, which nobody else uses until [`Self::end`]. Where the environment names one, it is waited for
    /// until nobody uses it, and then emptied.
    pub async fn fresh() -> Result<Self, Unavailable> {
        let Some(url) = given() else { return Self::own().await };
        let broken = |error: &dyn std::fmt::Display| Unavailable::named("Neo4j", VARIABLE, error);
        let url = Url::parse(&url).map_err(|error| broken(&error))?;
        let turn = turn(&url).await.map_err(|error| broken(&error))?;
        let neo4j = Self { url, source: Source::Given(turn) };
        neo4j.ready(ANSWER).await.map_err(|error| broken(&error))?;
        neo4j.empty().await.map_err(|error| broken(&error))?;
        Ok(neo4j)
    }

    /// One in a container of its own, which can be stopped, paused and started again.
    pub async fn own() -> Result<Self, Unavailable> {
        let failed = |error: &dyn std::fmt::Display| Unavailable::started("Neo4j", VARIABLE, error);
        // A port chosen here, because one that the engine chooses is another after each start.
        let port = super::free_port().map_err(|error| failed(&error))?;
        let module = Module::new().with_version(TAG).with_user(USER).with_password(PASSWORD);
        let container = ContainerRequest::from(module)
            .with_mapped_port(port, PORT.tcp())
            .with_env_var("NEO4J_server_memory_heap_initial__size", "256m")
            .with_env_var("NEO4J_server_memory_heap_max__size", "640m")
            .with_env_var("NEO4J_server_memory_pagecache_size", "128m")
            .with_startup_timeout(START)
            .start();
        let container = Box::pin(container).await.map_err(|error| failed(&error))?;
        let url = format!("neo4j://{USER}:{PASSWORD}@{}:{port}", Ipv4Addr::LOCALHOST);
        let url = Url::parse(&url).map_err(|error| failed(&error))?;
        let neo4j = Self { url, source: Source::Container(Box::new(container)) };
        neo4j.ready(START).await.map_err(|error| failed(&error))?;
        Ok(neo4j)
    }

    /// Where it is, with the name and the password in it, as the server's `--store` takes it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// The same with another address in it: that of a [`Link`](super::Link) to this one.
    pub fn url_through(&self, address: SocketAddr) -> String {
        super::url_through(&self.url, address)
    }

    /// Its host and port, for a [`Link`](super::Link).
    pub fn address(&self) -> String {
        super::address(&self.url, PORT)
    }

    /// Takes out everything that is in it: nodes, relationships, constraints, indexes.
    pub async fn empty(&self) -> Result<(), neo4rs::Error> {
        self.texts(EMPTY).await?;
        // A constraint takes its index with it.
        for statements in [CONSTRAINTS, INDEXES] {
            for statement in self.texts(statements).await? {
                self.texts(&statement).await?;
            }
        }
        Ok(())
    }

    /// Whether nothing is in it: then whoever should use it does not.
    pub async fn is_empty(&self) -> Result<bool, neo4rs::Error> {
        Ok(self.texts(ANYTHING).await?.is_empty())
    }

    /// Runs a statement, and answers the column `text` of its rows.
    async fn texts(&self, statement: &str) -> Result<Vec<String>, neo4rs::Error> {
        let graph = self.graph()?;
        // The driver's futures are large.
        let mut rows = Box::pin(graph.execute(query(statement))).await?;
        let mut texts = Vec::new();
        while let Some(row) = Box::pin(rows.next()).await? {
            texts.push(row.get("text").map_err(neo4rs::Error::DeserializationError)?);
        }
        Ok(texts)
    }

    /// A connection past any server, to see and change what is in it.
    pub fn graph(&self) -> Result<Graph, neo4rs::Error> {
        let password = self.url.password().unwrap_or_default();
        Graph::new(format!("bolt://{}", self.address()), self.url.username(), password)
    }

    /// Waits until it answers.
    pub async fn ready(&self, patience: Duration) -> Result<(), String> {
        super::answers(patience, || async { self.texts("RETURN 'here' AS text").await.map(drop) }).await
    }

    /// Stops it in order. Only one of our own can be.
    pub async fn stop(&self) -> Result<(), TestcontainersError> {
        self.container().stop_with_timeout(None).await
    }

    /// Ends it at once, as a crash does.
    pub async fn kill(&self) -> Result<(), TestcontainersError> {
        self.container().stop_with_timeout(Some(0)).await
    }

    /// Starts it again, and waits until it answers.
    pub async fn start(&self) -> Result<(), TestcontainersError> {
        self.container().start().await?;
        self.ready(START).await.map_err(TestcontainersError::other)
    }

    /// Makes it stand still.
    pub async fn pause(&self) -> Result<(), TestcontainersError> {
        self.container().pause().await
    }

    /// Makes it go on.
    pub async fn unpause(&self) -> Result<(), TestcontainersError> {
        self.container().unpause().await
    }

    fn container(&self) -> &ContainerAsync<Neo4jImage> {
        match &self.source {
            Source::Container(container) => container,
            Source::Given(_) => panic!("a Neo4j that is not ours is not stopped: ask for one of your own"),
        }
    }

    /// Removes it, or lets the next one use it.
    pub async fn end(self) {
        if let Source::Container(container) = self.source
            && let Err(error) = Box::pin(container.rm()).await
        {
            eprintln!("a container of Neo4j cannot be removed: {error}");
        }
    }
}

/// Waits until no other test of this machine uses that Neo4j. It is ours until the file is dropped.
async fn turn(url: &Url) -> std::io::Result<File> {
    let name = format!("i9chat-test-{}-{}.lock", url.host_str().unwrap_or_default(), url.port().unwrap_or(PORT));
    let file = File::create(std::env::temp_dir().join(name))?;
    tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await.map_err(std::io::Error::other)?
}
