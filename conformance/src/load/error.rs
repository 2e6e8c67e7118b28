use std::{io, path::PathBuf, time::Duration};

use i9chat_spec::{CloseCode, Problem};
use tokio_tungstenite::tungstenite;

/// Why no load could be measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The server is not on this machine, and nobody said that it may be elsewhere.
    #[error(
        "{0} is not on this machine; load goes to loopback addresses only, unless --allow-remote says that the server is yours"
    )]
    Remote(url::Url),
    /// The URL cannot be used.
    #[error("{0} is no http or https URL with a host")]
    BadUrl(url::Url),
    /// The runtime could not be made.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file of accounts is not what an earlier run wrote.
    #[error("{}: not a list of accounts: {reason}", path.display())]
    Users {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The process may not open enough connections.
    #[error(
        "{needed} connections need as many open files, and the limit of this process is {limit}: raise it with `ulimit -Hn`"
    )]
    TooFewDescriptors {
        /// How many are needed.
        needed: u64,
        /// How many there may be.
        limit: u64,
    },
    /// An HTTP request had no answer.
    #[error("{endpoint}: {source}")]
    Http {
        /// What was asked for.
        endpoint: &'static str,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The server refused something that the load needs.
    #[error("{endpoint} was refused: {} {}: {}", problem.status, problem.code, problem.detail)]
    Refused {
        /// What was asked for.
        endpoint: &'static str,
        /// The refusal.
        problem: Box<Problem>,
    },
    /// A WebSocket could not be opened, or broke.
    #[error("WebSocket: {0}")]
    Socket(#[from] Box<tungstenite::Error>),
    /// The server closed a WebSocket.
    #[error("the server closed a WebSocket: {}", .code.map_or("without a code of the protocol", CloseCode::name))]
    Closed {
        /// Why, if it said so.
        code: Option<CloseCode>,
        /// How long it asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The server answered something that is not i9chat.
    #[error("{0}")]
    Unexpected(String),
    /// No code came by mail.
    #[error("signing up: {0}")]
    Mail(String),
    /// What was asked for does not fit this server.
    #[error("{0}")]
    DoesNotFit(String),
}

impl From<tungstenite::Error> for LoadError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}
