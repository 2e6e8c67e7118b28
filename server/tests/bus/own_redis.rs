//! A Redis of a case's own, which keeps nothing when it ends: a process where the program is installed, else a container.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Stdio,
};

use redis::{AsyncCommands, Client, aio::MultiplexedConnection};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
};

use super::{
    heard::until,
    lab::{Redis, Unavailable},
};

const PROGRAM: &str = "redis-server";

/// A Redis that can be ended, stopped and started again, always at the same place.
pub enum OwnRedis {
    Process(Process),
    Container(Box<Redis>),
}

pub struct Process {
    address: SocketAddr,
    folder: TempDir,
    child: Mutex<Option<Child>>,
}

impl OwnRedis {
    pub async fn start() -> Result<Self, Unavailable> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = Process { address, folder: tempfile::tempdir().unwrap(), child: Mutex::default() };
        if process.spawn().await.is_err() {
            return Ok(Self::Container(Box::new(Redis::own().await?)));
        }
        let redis = Self::Process(process);
        redis.ready().await;
        Ok(redis)
    }

    pub fn url(&self) -> String {
        match self {
            Self::Process(process) => format!("redis://{}", process.address),
            Self::Container(redis) => redis.url(),
        }
    }

    /// Its host and port.
    pub fn address(&self) -> String {
        match self {
            Self::Process(process) => process.address.to_string(),
            Self::Container(redis) => redis.address(),
        }
    }

    /// A connection past any node.
    pub async fn connection(&self) -> MultiplexedConnection {
        Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    /// Ends it, and everything in it is lost.
    pub async fn kill(&self) {
        match self {
            Self::Process(process) => process.child.lock().await.take().unwrap().kill().await.unwrap(),
            Self::Container(redis) => redis.stop().await.unwrap(),
        }
    }

    /// Starts it again, with nothing in it.
    pub async fn restart(&self) {
        match self {
            Self::Process(process) => process.spawn().await.unwrap(),
            Self::Container(redis) => redis.start().await.unwrap(),
        }
        self.ready().await;
    }

    /// Makes it stand still.
    pub async fn pause(&self) {
        match self {
            Self::Process(process) => process.signal("-STOP").await,
            Self::Container(redis) => redis.pause().await.unwrap(),
        }
    }

    /// Makes it go on.
    pub async fn unpause(&self) {
        match self {
            Self::Process(process) => process.signal("-CONT").await,
            Self::Container(redis) => redis.unpause().await.unwrap(),
        }
    }

    async fn ready(&self) {
        let client = Client::open(self.url()).unwrap();
        until("Redis answers", async || {
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            connection.ping::<()>().await.ok()
        })
        .await;
    }

    /// Ends it for good.
    pub async fn end(self) {
        match self {
            Self::Process(process) => drop(process),
            Self::Container(redis) => redis.end().await,
        }
    }
}

impl Process {
    async fn spawn(&self) -> std::io::Result<()> {
        let child = Command::new(PROGRAM)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.address.port().to_string()])
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        *self.child.lock().await = Some(child);
        Ok(())
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.lock().await.as_ref().unwrap().id().unwrap();
        let status = Command::new("kill").args([name, &pid.to_string()]).status().await.unwrap();
        assert!(status.success());
    }
}
