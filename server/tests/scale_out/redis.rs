//! A Redis with nothing under our prefix.

use std::{
    fmt::Display,
    io,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    time::Duration,
};

use redis::{AsyncCommands, Client, RedisError, aio::MultiplexedConnection};
use testcontainers_modules::{
    redis::{REDIS_PORT, Redis as Module},
    testcontainers::{ContainerAsync, ImageExt, TestcontainersError, core::IntoContainerPort, runners::AsyncRunner},
};
use tokio::{
    process::{Child, Command},
    sync::Mutex,
};
use url::Url;
use uuid::Uuid;

use super::{ANSWER, START, Unavailable};

/// The version that the server is made for.
const TAG: &str = "7";
const VARIABLE: &str = "I9CHAT_TEST_REDIS_URL";

/// A Redis, and where it is.
pub struct Redis {
    url: Url,
    prefix: String,
    source: Source,
}

enum Source {
    /// Running already.
    Given,
    Container(Box<ContainerAsync<Module>>),
    /// The program of this machine. `None` while it is stopped.
    Process(Box<Mutex<Option<Child>>>),
}

impl Redis {
    /// One with nothing under our prefix: the one that the environment names, or one in a container of its own.
    pub async fn fresh() -> Result<Self, Unavailable> {
        let Some(url) = super::variable(VARIABLE) else { return Self::own().await };
        let broken = |error: &dyn Display| Unavailable::named("Redis", VARIABLE, error);
        let url = Url::parse(&url).map_err(|error| broken(&error))?;
        let redis = Self { url, prefix: prefix(), source: Source::Given };
        redis.ready(ANSWER).await.map_err(|error| broken(&error))?;
        Ok(redis)
    }

    /// One of its own, which keeps nothing when it is stopped: in a container, or the program of this machine where there is no
    /// container engine.
    pub async fn own() -> Result<Self, Unavailable> {
        let failed = |error: &dyn Display| Unavailable::started("Redis", VARIABLE, error);
        let port = super::free_port().map_err(|error| failed(&error))?;
        let container = Module::default()
            .with_tag(TAG)
            .with_mapped_port(port, REDIS_PORT.tcp())
            .with_cmd(["redis-server", "--save", "", "--appendonly", "no"])
            .with_startup_timeout(START)
            .start();
        let source = match Box::pin(container).await {
            Ok(container) => Source::Container(Box::new(container)),
            Err(error) => Source::Process(Box::new(Mutex::new(Some(program(port).map_err(|_| failed(&error))?)))),
        };
        let url = format!("redis://{}:{port}", Ipv4Addr::LOCALHOST);
        let url = Url::parse(&url).map_err(|error| failed(&error))?;
        let redis = Self { url, prefix: prefix(), source };
        redis.ready(START).await.map_err(|error| failed(&error))?;
        Ok(redis)
    }

    /// Where it is, as the server's `--bus` takes it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// The same with another address in it: that of a [`Link`](super::Link) to this one.
    pub fn url_through(&self, address: SocketAddr) -> String {
        super::url_through(&self.url, address)
    }

    /// Its host and port, for a [`Link`](super::Link).
    pub fn address(&self) -> String {
        super::address(&self.url, REDIS_PORT)
    }

    /// What our keys begin with, as the server's `--bus-prefix` takes it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A connection past any server, to see and change what is in it.
    pub async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        Client::open(self.url.as_str())?.get_multiplexed_async_connection().await
    }

    /// Waits until it answers.
    pub async fn ready(&self, patience: Duration) -> Result<(), String> {
        super::answers(patience, || async { self.connection().await?.ping::<()>().await }).await
    }

    /// Ends it, and what is in it is lost. Only one of our own can be.
    pub async fn stop(&self) -> Result<(), TestcontainersError> {
        match &self.source {
            Source::Given => not_ours(),
            Source::Container(container) => container.stop_with_timeout(Some(0)).await,
            Source::Process(child) => match child.lock().await.take() {
                Some(mut child) => child.kill().await.map_err(TestcontainersError::other),
                None => Ok(()),
            },
        }
    }

    /// Starts it again with nothing in it, and waits until it answers.
    pub async fn start(&self) -> Result<(), TestcontainersError> {
        match &self.source {
            Source::Given => not_ours(),
            Source::Container(container) => container.start().await?,
            Source::Process(child) => {
                let port = self.url.port().unwrap_or(REDIS_PORT);
                *child.lock().await = Some(program(port).map_err(TestcontainersError::other)?);
            }
        }
        self.ready(START).await.map_err(TestcontainersError::other)
    }

    /// Makes it stand still.
    pub async fn pause(&self) -> Result<(), TestcontainersError> {
        match &self.source {
            Source::Given => not_ours(),
            Source::Container(container) => container.pause().await,
            Source::Process(child) => signal(child, "-STOP").await,
        }
    }

    /// Makes it go on.
    pub async fn unpause(&self) -> Result<(), TestcontainersError> {
        match &self.source {
            Source::Given => not_ours(),
            Source::Container(container) => container.unpause().await,
            Source::Process(child) => signal(child, "-CONT").await,
        }
    }

    /// Removes it, or what we left in one that is not ours.
    pub async fn end(self) {
        match &self.source {
            Source::Given => {
                if let Err(error) = self.remove_keys().await {
                    eprintln!("what tests left in Redis cannot be removed: {error}");
                }
            }
            Source::Container(_) | Source::Process(_) => {
                if let Err(error) = self.remove().await {
                    eprintln!("a Redis cannot be removed: {error}");
                }
            }
        }
    }

    async fn remove(self) -> Result<(), TestcontainersError> {
        match self.source {
            Source::Container(container) => Box::pin(container.rm()).await,
            Source::Given | Source::Process(_) => self.stop().await,
        }
    }

    async fn remove_keys(&self) -> Result<(), RedisError> {
        let (mut connection, mut scanning) = (self.connection().await?, self.connection().await?);
        let mut keys = Vec::new();
        let mut found = scanning.scan_match::<_, String>(format!("{{{}*", self.prefix)).await?;
        while let Some(key) = found.next_item().await {
            keys.push(key?);
        }
        for some in keys.chunks(500) {
            connection.unlink::<_, ()>(some).await?;
        }
        Ok(())
    }
}

/// The program of this machine. It ends with its value.
fn program(port: u16) -> io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

async fn signal(child: &Mutex<Option<Child>>, name: &str) -> Result<(), TestcontainersError> {
    let Some(pid) = child.lock().await.as_ref().and_then(Child::id) else { return Ok(()) };
    let sent =
        Command::new("kill").args([name, &pid.to_string()]).status().await.map_err(TestcontainersError::other)?;
    if sent.success() { Ok(()) } else { Err(TestcontainersError::other(format!("kill {name}: {sent}"))) }
}

fn not_ours() -> ! {
    panic!("a Redis that is not ours is not stopped: ask for one of your own")
}

fn prefix() -> String {
    format!("i9chat-test-{}", Uuid::new_v4().simple())
}
