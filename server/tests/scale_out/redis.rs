//! A Redis with nothing under our prefix.

use std::{
    fmt::Display,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use redis::{AsyncCommands, Client, RedisError, aio::MultiplexedConnection};
use testcontainers_modules::{
    redis::{REDIS_PORT, Redis as Module},
    testcontainers::{ContainerAsync, ImageExt, TestcontainersError, core::IntoContainerPort, runners::AsyncRunner},
};
use tokio::time::{interval, timeout};
use url::Url;
use uuid::Uuid;

use super::Unavailable;

/// The version that the server is made for.
const TAG: &str = "7";
const VARIABLE: &str = "I9CHAT_TEST_REDIS_URL";
/// How long it may take until it answers.
const START: Duration = Duration::from_secs(90);
/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// A Redis, and where it is.
pub struct Redis {
    url: Url,
    prefix: String,
    container: Option<Box<ContainerAsync<Module>>>,
}

impl Redis {
    /// One with nothing under our prefix: the one that the environment names, or one in a container of its own.
    pub async fn fresh() -> Result<Self, Unavailable> {
        let Some(url) = super::variable(VARIABLE) else { return Self::own().await };
        let broken = |error: &dyn Display| Unavailable::named("Redis", VARIABLE, error);
        let url = Url::parse(&url).map_err(|error| broken(&error))?;
        let redis = Self { url, prefix: prefix(), container: None };
        redis.ready().await.map_err(|error| broken(&error))?;
        Ok(redis)
    }

    /// One in a container of its own, which keeps nothing when it is stopped.
    pub async fn own() -> Result<Self, Unavailable> {
        let failed = |error: &dyn Display| Unavailable::started("Redis", VARIABLE, error);
        let port = super::free_port().map_err(|error| failed(&error))?;
        let container = Module::default()
            .with_tag(TAG)
            .with_mapped_port(port, REDIS_PORT.tcp())
            .with_cmd(["redis-server", "--save", "", "--appendonly", "no"])
            .with_startup_timeout(START)
            .start();
        let container = Box::pin(container).await.map_err(|error| failed(&error))?;
        let url = format!("redis://{}:{port}", Ipv4Addr::LOCALHOST);
        let url = Url::parse(&url).map_err(|error| failed(&error))?;
        let redis = Self { url, prefix: prefix(), container: Some(Box::new(container)) };
        redis.ready().await.map_err(|error| failed(&error))?;
        Ok(redis)
    }

    /// Where it is, as the server's `--bus` takes it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// The same with another address in it: that of a [`Link`](super::Link) to this one.
    pub fn url_through(&self, address: SocketAddr) -> String {
        let mut url = self.url.clone();
        url.set_ip_host(address.ip()).and_then(|()| url.set_port(Some(address.port()))).unwrap();
        url.to_string()
    }

    /// Its host and port, for a [`Link`](super::Link).
    pub fn address(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap(), self.url.port().unwrap_or(REDIS_PORT))
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
    pub async fn ready(&self) -> Result<(), String> {
        let mut last = "nothing".to_owned();
        let answering = async {
            let mut pause = interval(PAUSE);
            loop {
                pause.tick().await;
                match self.ping().await {
                    Ok(()) => return,
                    Err(error) => last = error.to_string(),
                }
            }
        };
        let answered = timeout(START, answering).await.is_ok();
        if answered { Ok(()) } else { Err(format!("it does not answer in {} s: {last}", START.as_secs())) }
    }

    async fn ping(&self) -> Result<(), RedisError> {
        self.connection().await?.ping().await
    }

    /// Ends it, and what is in it is lost. Only one of our own can be.
    pub async fn stop(&self) -> Result<(), TestcontainersError> {
        self.container().stop_with_timeout(Some(0)).await
    }

    /// Starts it again with nothing in it, and waits until it answers.
    pub async fn start(&self) -> Result<(), TestcontainersError> {
        self.container().start().await?;
        self.ready().await.map_err(TestcontainersError::other)
    }

    /// Makes it stand still.
    pub async fn pause(&self) -> Result<(), TestcontainersError> {
        self.container().pause().await
    }

    /// Makes it go on.
    pub async fn unpause(&self) -> Result<(), TestcontainersError> {
        self.container().unpause().await
    }

    fn container(&self) -> &ContainerAsync<Module> {
        self.container.as_ref().expect("a Redis that is not ours is not stopped: ask for one of your own")
    }

    /// Removes it, or what we left in one that is not ours.
    pub async fn end(mut self) {
        match self.container.take() {
            Some(container) => {
                if let Err(error) = Box::pin(container.rm()).await {
                    eprintln!("a container of Redis cannot be removed: {error}");
                }
            }
            None => {
                if let Err(error) = self.remove_keys().await {
                    eprintln!("what tests left in Redis cannot be removed: {error}");
                }
            }
        }
    }

    async fn remove_keys(&self) -> Result<(), RedisError> {
        let (mut connection, mut scanning) = (self.connection().await?, self.connection().await?);
        let mut keys = Vec::new();
        let mut found = scanning.scan_match::<_, String>(format!("{}*", self.prefix)).await?;
        while let Some(key) = found.next_item().await {
            keys.push(key?);
        }
        for some in keys.chunks(500) {
            connection.unlink::<_, ()>(some).await?;
        }
        Ok(())
    }
}

fn prefix() -> String {
    format!("i9chat-test-{}", Uuid::new_v4().simple())
}
