//! The server's own binary, started as one node or several.

use futures_util::future::try_join_all;
use i9chat_conformance::{
    mail::{MailSource, Mailbox},
    start::Started,
    target::Target,
};
use tempfile::TempDir;

use crate::lab::{Backends, Unavailable};

/// What nodes there are, and what they stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One on SQLite.
    Embedded,
    /// One on Neo4j and Redis.
    OneNode,
    /// Two on the same Neo4j and Redis.
    TwoNodes,
}

impl Layout {
    pub const ALL: [Self; 3] = [Self::Embedded, Self::OneNode, Self::TwoNodes];

    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::OneNode => "one_node",
            Self::TwoNodes => "two_nodes",
        }
    }

    pub fn is_embedded(self) -> bool {
        self == Self::Embedded
    }

    fn nodes(self) -> usize {
        match self {
            Self::Embedded | Self::OneNode => 1,
            Self::TwoNodes => 2,
        }
    }
}

/// What tells clusters apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    pub layout: Layout,
    pub options: &'static str,
}

/// Why there is no cluster.
#[derive(Debug)]
pub enum Trouble {
    /// There is nothing for it to stand on.
    Unavailable(Unavailable),
    /// Its servers do not start.
    Server(String),
}

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Server(error.to_string())
    }
}

/// Servers that run, and what they stand on.
pub struct Cluster {
    servers: Vec<Started>,
    target: Target,
    backends: Option<Backends>,
    _data: TempDir,
}

impl Cluster {
    pub async fn start(kind: Kind) -> Result<Self, Trouble> {
        let backends = match kind.layout {
            Layout::Embedded => None,
            Layout::OneNode | Layout::TwoNodes => Some(Backends::fresh().await.map_err(Trouble::Unavailable)?),
        };
        // The folder that the nodes have in common.
        let data = tempfile::tempdir()?;
        let started = match nodes(kind, backends.as_ref(), &data).await {
            Ok(started) => used(backends.as_ref()).await.map(|()| started),
            Err(trouble) => Err(trouble),
        };
        match started {
            Ok((servers, target)) => Ok(Self { servers, target, backends, _data: data }),
            Err(trouble) => {
                if let Some(backends) = backends {
                    backends.end().await;
                }
                Err(trouble)
            }
        }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The newest of what the servers have warned of.
    pub fn warnings(&self) -> String {
        let logs = self.servers.iter().map(|server| {
            let output = server.output();
            let warnings: Vec<_> =
                output.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
            format!("{} warned:\n{}", server.url(), warnings.join("\n"))
        });
        logs.collect::<Vec<_>>().join("\n")
    }

    /// Stops the servers and what they stand on. Servers that do not stop in order are killed, and said.
    pub async fn end(self) {
        for server in self.servers {
            match server.stop().await {
                Ok(true) => {}
                Ok(false) => eprintln!("a server did not stop when it was asked to"),
                Err(error) => eprintln!("a server cannot be stopped: {error}"),
            }
        }
        if let Some(backends) = self.backends {
            backends.end().await;
        }
    }
}

/// Nodes that keep their data elsewhere would pass on Neo4j what they pass without it.
async fn used(backends: Option<&Backends>) -> Result<(), Trouble> {
    match backends {
        Some(backends) if backends.neo4j.is_empty().await? => {
            Err(Trouble::Server("the servers keep nothing in the Neo4j that they were told to use".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The nodes are started at once, so that what they make at their start is made by several.
async fn nodes(kind: Kind, backends: Option<&Backends>, data: &TempDir) -> Result<(Vec<Started>, Target), Trouble> {
    let mailbox = Mailbox::listen("127.0.0.1:0".parse()?).await?;
    let backing = backends.map(|backends| backends.options().join(" ")).unwrap_or_default();
    let command = format!(
        "{} --listen 127.0.0.1:{{port}} --data '{}' --smtp-url {{smtp_url}} --log warn {backing} {}",
        env!("CARGO_BIN_EXE_i9chat-server"),
        data.path().display(),
        kind.options,
    );
    let smtp_url = mailbox.url();
    let starting = (0..kind.layout.nodes()).map(|_| Started::start(&command, &smtp_url));
    let servers = try_join_all(starting).await?;
    let urls: Vec<_> = servers.iter().map(Started::url).collect();
    let target = Target::new(&urls, MailSource::Receiver(mailbox))?;
    Ok((servers, target))
}
