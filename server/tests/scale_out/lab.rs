//! A real Neo4j and a real Redis for tests, what stands between them and a server, and the program of such tests.
//!
//! Used by several test programs, each with `#[path = "../scale_out/lab.rs"] mod lab;` and each some of it. They come from
//! containers, which are removed at the end, or are running already and named by `I9CHAT_TEST_NEO4J_URL` and
//! `I9CHAT_TEST_REDIS_URL`. Where there are neither, a test ends as [`Unavailable`] says.

#![allow(dead_code, unused_imports, reason = "no test program uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that misuses it fails")]

mod link;
mod neo4j;
mod redis;
mod trials;
mod unavailable;

use std::{fmt::Display, net::SocketAddr, time::Duration};

use tokio::time::{interval, timeout};
use url::Url;

pub use link::{Link, Passage, Sign};
pub use neo4j::Neo4j;
pub use redis::Redis;
pub use trials::{Shared, Trials, Verdict, in_time};
pub use unavailable::Unavailable;

/// How long either may take until it answers, when it is started and when it runs already.
const START: Duration = Duration::from_secs(90);
const ANSWER: Duration = Duration::from_secs(10);
/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// A Neo4j and a Redis for one cluster.
pub struct Backends {
    pub neo4j: Neo4j,
    pub redis: Redis,
}

impl Backends {
    /// Some with nothing in them, which nobody else uses until [`Self::end`].
    pub async fn fresh() -> Result<Self, Unavailable> {
        let (neo4j, redis) = tokio::join!(Neo4j::fresh(), Redis::fresh());
        Self::both(neo4j, redis).await
    }

    /// Some in containers of their own, which can be stopped, paused and started again.
    pub async fn own() -> Result<Self, Unavailable> {
        let (neo4j, redis) = tokio::join!(Neo4j::own(), Redis::own());
        Self::both(neo4j, redis).await
    }

    async fn both(neo4j: Result<Neo4j, Unavailable>, redis: Result<Redis, Unavailable>) -> Result<Self, Unavailable> {
        match (neo4j, redis) {
            (Ok(neo4j), Ok(redis)) => Ok(Self { neo4j, redis }),
            (Ok(neo4j), Err(unavailable)) => {
                neo4j.end().await;
                Err(unavailable)
            }
            (Err(unavailable), Ok(redis)) => {
                redis.end().await;
                Err(unavailable)
            }
            (Err(unavailable), Err(_)) => Err(unavailable),
        }
    }

    /// The options by which a server uses them.
    pub fn options(&self) -> Vec<String> {
        ["--store", &self.neo4j.url(), "--bus", &self.redis.url(), "--bus-prefix", self.redis.prefix()]
            .map(ToOwned::to_owned)
            .into()
    }

    /// Gives back what was taken: removes the containers, or lets the next one use what is running.
    pub async fn end(self) {
        tokio::join!(self.neo4j.end(), self.redis.end());
    }
}

/// Whether the environment names what is running: then there is one database, and whoever has it has it alone.
pub fn are_given() -> bool {
    neo4j::given().is_some()
}

/// What an environment variable says, if it says anything.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}

/// Where something is, as a [`Link`] takes it: its host and port.
fn address(url: &Url, default_port: u16) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(default_port))
}

/// The same URL with another address in it: that of a [`Link`].
fn url_through(url: &Url, address: SocketAddr) -> String {
    let mut url = url.clone();
    url.set_ip_host(address.ip()).and_then(|()| url.set_port(Some(address.port()))).unwrap();
    url.to_string()
}

/// Asks until there is an answer.
async fn answers<E: Display, F: Future<Output = Result<(), E>>>(
    patience: Duration,
    ask: impl Fn() -> F,
) -> Result<(), String> {
    let mut last = "nothing".to_owned();
    let answering = async {
        let mut pause = interval(PAUSE);
        loop {
            pause.tick().await;
            match ask().await {
                Ok(()) => return,
                Err(error) => last = error.to_string(),
            }
        }
    };
    let answered = timeout(patience, answering).await.is_ok();
    if answered { Ok(()) } else { Err(format!("it does not answer in {} s: {last}", patience.as_secs())) }
}

/// A port on the loopback interface that nobody listens on.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
