use std::time::Duration;

use i9chat_spec::{CloseCode, CloseReason, Cursor, Problem, api::messages::MessageSent};

use serde_json::Value;

use super::{AskFrame, Backoff, SendFrame, StopReason, Update};

/// Bounds and delays of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How many sends may wait for their outcome; one more is refused with [`SendError::Overloaded`].
    pub max_pending_sends: usize,
    /// How many sends may be under way, unanswered, at a time.
    pub window: usize,
    /// How long opening may take, up to the hello.
    pub open_timeout: Duration,
    /// How long an answer may take before the line counts as dead.
    pub answer_timeout: Duration,
    /// The delays between attempts, and after errors that are worth a retry.
    pub backoff: Backoff,
    /// A line that lasted so long makes the next delay a first one again.
    pub stable_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_pending_sends: 256,
            window: 64,
            open_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(30),
            backoff: Backoff::default(),
            stable_after: Duration::from_secs(10),
        }
    }
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a line, in place of any other.
    Open {
        /// For the query of the handshake.
        cursor: Option<Cursor>,
        /// Get a new token first: the one before was refused.
        renew: bool,
    },
    /// Close the line, if there is one.
    Close,
    /// Send a frame over the line.
    Transmit(SendFrame),
    /// Send the frame of an ask over the line.
    Ask(AskFrame),
    /// Hand an update to the application.
    Deliver(Update),
    /// Tell the application what became of a send: once for each.
    Complete {
        /// Which send.
        send: SendKey,
        /// What became of it.
        outcome: Result<MessageSent, SendError>,
    },
    /// Tell the application what became of an ask: once for each.
    Answer {
        /// Which ask.
        ask: AskKey,
        /// The `data` of the reply, or why there is none.
        outcome: Result<Value, AskError>,
    },
}

/// Names a send until its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendKey(pub(super) u64);

/// What became of a send that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Too many sends wait for their outcome; this one was not taken.
    #[error("too many messages wait for their acknowledgement")]
    Overloaded,
    /// The server refused it, and would again.
    #[error("the server refused the message: {}", .0.detail)]
    Refused(Box<Problem>),
    /// The connection stopped before the acknowledgement: whether the message was stored is not known.
    #[error("the connection stopped before the acknowledgement: {0}")]
    Stopped(StopReason),
}

/// Names an ask until its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AskKey(pub(super) u64);

/// What became of an ask that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// There is no line now, or it broke before the answer: whether it was done is not known.
    #[error("there is no connection now")]
    NotConnected,
    /// Too many asks wait for their answer; this one was not taken.
    #[error("too many actions wait for their answer")]
    Overloaded,
    /// The server refused it; the problem says whether a retry may succeed.
    #[error("the server refused: {}", .0.detail)]
    Refused(Box<Problem>),
    /// It was answered, but not as the protocol says.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The connection has stopped for good.
    #[error("the connection has stopped: {0}")]
    Stopped(StopReason),
}

/// How a line was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It could not be opened, or broke.
    Broken,
    /// The server closed it with one of the protocol's codes.
    Closed(CloseReason),
    /// The handshake itself was answered with 401.
    TokenRefused,
    /// No new token is to be had: the session is over.
    SessionOver,
}

impl Lost {
    /// Reads a close frame. A number that is not of the protocol counts as a break: trying again, later and later, does no harm. (WSK-13)
    ///
    /// ```
    /// use i9chat_sdk::connection::Lost;
    /// use i9chat_spec::{CloseCode, CloseReason};
    ///
    /// let reason = CloseReason { code: CloseCode::GoingAway, retry_after_ms: Some(1500) };
    /// assert_eq!(Lost::from_close(4007, "going_away retry_after_ms=1500"), Lost::Closed(reason));
    /// assert_eq!(Lost::from_close(1006, ""), Lost::Broken);
    /// ```
    pub fn from_close(number: u16, reason: &str) -> Self {
        let Some(code) = CloseCode::from_number(number) else { return Self::Broken };
        let retry_after_ms = reason.parse().ok().and_then(|reason: CloseReason| reason.retry_after_ms);
        Self::Closed(CloseReason { code, retry_after_ms })
    }
}
