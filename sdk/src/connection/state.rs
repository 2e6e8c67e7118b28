use std::{fmt, time::Duration};

use i9chat_spec::{CloseCode, ConnectionId};

/// Where a connection stands, as [`Client::state`](crate::Client::state) shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// A line is being opened.
    Connecting {
        /// How many lines were lost, or could not be opened, since the last one that held.
        failures: u32,
    },
    /// Events arrive and sends go out.
    Connected {
        /// The server's name of the connection, for questions to its operator.
        connection_id: ConnectionId,
    },
    /// The line is down; another try follows by itself.
    Waiting {
        /// How many lines were lost, or could not be opened, since the last one that held.
        failures: u32,
        /// How long after the loss the next try comes.
        retry_in: Duration,
    },
    /// The end: nothing follows by itself.
    Stopped(StopReason),
}

/// Why a connection does not come back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The application stopped it.
    ByApplication,
    /// The session has ended: sign in again. (SES-10)
    SessionEnded,
    /// The server closed it with a code after which the same handshake would fail again.
    Closed(CloseCode),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByApplication => f.write_str("stopped by the application"),
            Self::SessionEnded => f.write_str("the session has ended"),
            Self::Closed(code) => write!(f, "closed by the server with {} {}", code.number(), code.name()),
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { failures: 0 } => f.write_str("connecting"),
            Self::Connecting { .. } => f.write_str("connecting again"),
            Self::Connected { .. } => f.write_str("connected"),
            Self::Waiting { retry_in, .. } => {
                write!(f, "disconnected, next try in {:.1} s", retry_in.as_secs_f64())
            }
            Self::Stopped(reason) => reason.fmt(f),
        }
    }
}
