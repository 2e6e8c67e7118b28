//! What can go wrong, sorted by what the caller can do about it.

use std::{io, time::Duration};

use i9chat_spec::{
    ErrorCode, FieldCode, Problem, list::ListError, location::CoordinateError, number::NumberError, text::TextError,
};

use crate::connection::{AskError, SendError, StopReason};

/// Why a call did not succeed.
///
/// [`class`](Self::class) says in one word what to do; [`code`](Self::code) names the reason of a server that refused.
///
/// ```
/// use i9chat_sdk::{Error, ErrorClass, spec::ErrorCode};
///
/// fn advice(error: &Error) -> &'static str {
///     match (error.code(), error.class()) {
///         (Some(ErrorCode::UserNotFound), _) => "nobody has that name",
///         (_, ErrorClass::Network) => "check the network",
///         (_, ErrorClass::Transient) => "try again later",
///         (_, ErrorClass::Refused | ErrorClass::Permanent) => "this will not work",
///     }
/// }
/// assert_eq!(advice(&Error::Overloaded), "try again later");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server was not reached, or the answer was lost on its way. What was asked may or may not have happened.
    #[error("the server cannot be reached")]
    Network(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot do it now, and says that a later try may succeed.
    #[error("{}: {}", .0.title, .0.detail)]
    Transient(Box<Problem>),
    /// A proxy before the server answered in its place, with this HTTP status.
    #[error("the server is not available (HTTP status {0})")]
    Gateway(u16),
    /// Too many sends of this client wait for their acknowledgement; this one was not taken.
    #[error("too many messages wait for their acknowledgement")]
    Overloaded,
    /// The server refused, and would again.
    #[error("{}: {}", .0.title, .0.detail)]
    Refused(Box<Problem>),
    /// The connection has stopped for good. A send that ends so may or may not have been stored.
    #[error("the connection has stopped: {0}")]
    Stopped(StopReason),
    /// The answer is not one of this protocol: the address is not that of an i9chat server, or its version is another.
    #[error("the answer is not one of an i9chat server: {0}")]
    Unexpected(String),
    /// An argument does not have the form that the protocol gives; nothing was asked.
    #[error("{}", .0.message)]
    Invalid(TextError),
    /// Not the address of a server.
    #[error("not the address of a server: {0}")]
    InvalidUrl(String),
    /// The store holds no session: sign in or sign up first.
    #[error("no session is stored")]
    NoStoredSession,
    /// The stored session is one of another server, which this is the address of.
    #[error("the stored session belongs to {0}")]
    OtherServer(String),
    /// The session cannot be read from its store or kept in it. Tokens that cannot be kept are not used.
    #[error("the session store failed")]
    Store(#[source] io::Error),
    /// The system's certificates or cryptography cannot be used.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Nobody answered: try again when the network is back.
    Network,
    /// Try again later, not before [`Error::retry_after`].
    Transient,
    /// The server says no: change what is asked.
    Refused,
    /// The same call cannot succeed.
    Permanent,
}

impl Error {
    /// What to do about it.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Network(_) => ErrorClass::Network,
            Self::Transient(_) | Self::Gateway(_) | Self::Overloaded => ErrorClass::Transient,
            Self::Refused(_) => ErrorClass::Refused,
            Self::Stopped(_)
            | Self::Unexpected(_)
            | Self::Invalid(_)
            | Self::InvalidUrl(_)
            | Self::NoStoredSession
            | Self::OtherServer(_)
            | Self::Store(_)
            | Self::Tls(_) => ErrorClass::Permanent,
        }
    }

    /// Whether the same call may succeed later. A send that is repeated by hand takes the same `client_id`
    /// ([`ChatHandle::send_message`](crate::ChatHandle::send_message)), lest it be stored twice.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.class(), ErrorClass::Network | ErrorClass::Transient)
    }

    /// How long the server asks to wait before the next try. (ERR-7)
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem()?.retry_after_ms.map(Duration::from_millis)
    }

    /// The server's own words, when it answered.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Transient(problem) | Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// The code of the server's answer, if this version of the protocol knows it. (ERR-2, CNV-14)
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem()?.known()
    }

    fn out_of_range(error: &dyn std::error::Error) -> Self {
        Self::Invalid(TextError { code: FieldCode::OutOfRange, message: error.to_string() })
    }

    /// Whether the session is over, so that only signing in again helps. (SES-10)
    pub fn is_session_over(&self) -> bool {
        matches!(self, Self::Stopped(StopReason::SessionEnded))
            || matches!(
                self.code(),
                Some(
                    ErrorCode::SessionEnded
                        | ErrorCode::RefreshTokenInvalid
                        | ErrorCode::TokenInvalid
                        | ErrorCode::Unauthenticated
                )
            )
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let problem = Box::new(problem);
        if problem.retryable { Self::Transient(problem) } else { Self::Refused(problem) }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Overloaded => Self::Overloaded,
            SendError::Refused(problem) => Self::Refused(problem),
            SendError::Stopped(reason) => Self::Stopped(reason),
        }
    }
}

impl From<AskError> for Error {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NotConnected => Self::Network(error.into()),
            AskError::Overloaded => Self::Overloaded,
            AskError::Refused(problem) => (*problem).into(),
            AskError::Unreadable => Self::Unexpected(error.to_string()),
            AskError::Stopped(reason) => Self::Stopped(reason),
        }
    }
}

impl From<NumberError> for Error {
    fn from(error: NumberError) -> Self {
        Self::out_of_range(&error)
    }
}

impl From<CoordinateError> for Error {
    fn from(error: CoordinateError) -> Self {
        Self::out_of_range(&error)
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        Self::out_of_range(&error)
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self::Invalid(error)
    }
}
