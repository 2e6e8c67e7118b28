use neo4rs::{Error, Neo4jClientErrorKind, Neo4jErrorKind};

use crate::store::StoreError;

/// Why a statement or a transaction was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(in crate::store::neo4j) enum Failure {
    /// It was surely not done, and may go well when it is tried again: a deadlock, a server that starts.
    #[error("{0}")]
    Again(String),
    /// The connection was lost, or no answer came in time. What was being committed may be committed or not.
    #[error("{0}")]
    Lost(String),
    /// It was not done: something with the same key is there.
    #[error("{0}")]
    Taken(String),
    /// It was not done, and it is no use to try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure {
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::Neo4j(error) => Self::of_server(error.code(), error.message()),
            Error::IOError { detail } if detail.kind() == std::io::ErrorKind::ConnectionRefused => {
                Self::Again(format!("Neo4j cannot be reached: {detail}"))
            }
            // Does not tell a wrong password from a database that is not there yet; a connection of our own does.
            Error::AuthenticationError(message) => {
                Self::Store(StoreError::Unavailable(format!("Neo4j refuses to let us in: {message}")))
            }
            Error::DeserializationError(error) => Self::Store(StoreError::Corrupt(error.to_string())),
            Error::UrlParseError(_)
            | Error::UnsupportedScheme(_)
            | Error::InvalidDnsName(_)
            | Error::InvalidConfig
            | Error::UnsupportedVersion(..)
            | Error::ProtocolMismatch(_)
            | Error::StringTooLong
            | Error::MapTooBig
            | Error::BytesTooBig
            | Error::ListTooLong => Self::Store(StoreError::Unavailable(error.to_string())),
            error => Self::Lost(format!("the connection to Neo4j: {error}")),
        }
    }

    /// What the server answered.
    pub(super) fn of_server(code: &str, message: &str) -> Self {
        let text = format!("Neo4j: {message} ({code})");
        match (Neo4jErrorKind::from(code), code) {
            (
                _,
                "Neo.ClientError.Schema.ConstraintValidationFailed"
                | "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
            ) => Self::Taken(text),
            // It took too long, or somebody ended it, or the server stops: undone, whatever it is called.
            (
                Neo4jErrorKind::Transient
                | Neo4jErrorKind::Client(
                    Neo4jClientErrorKind::SessionExpired | Neo4jClientErrorKind::TransactionTerminated,
                ),
                _,
            )
            | (
                _,
                "Neo.ClientError.Transaction.TransactionTimedOut"
                | "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration"
                | "Neo.ClientError.Transaction.LockClientStopped"
                | "Neo.ClientError.Transaction.TransactionMarkedAsFailed"
                // Another transaction removed it between our finding and our locking it.
                | "Neo.ClientError.Statement.EntityNotFound",
            ) => Self::Again(text),
            (
                _,
                "Neo.ClientError.Security.Unauthorized"
                | "Neo.ClientError.Security.AuthenticationRateLimit"
                | "Neo.ClientError.Security.CredentialsExpired"
                | "Neo.ClientError.Security.Forbidden",
            ) => Self::Store(StoreError::Denied(text)),
            (Neo4jErrorKind::Client(Neo4jClientErrorKind::Security(_)), _) => {
                Self::Store(StoreError::Unavailable(text))
            }
            (Neo4jErrorKind::Client(_), _) => Self::Store(StoreError::Corrupt(text)),
            // A full disk, a database that stopped. A commit may have been half-way.
            (Neo4jErrorKind::Database | Neo4jErrorKind::Unknown, _) => Self::Lost(text),
        }
    }

    /// What a failure is before anything was committed: a lost connection undoes the transaction.
    pub(in crate::store::neo4j) fn before_commit(self) -> Self {
        match self {
            Self::Lost(text) => Self::Again(text),
            other => other,
        }
    }

    /// Whether it was surely not done and may be tried again.
    pub(in crate::store::neo4j) fn is_surely_undone(&self) -> bool {
        matches!(self, Self::Again(_))
    }

    /// Whether it may be tried again, if it does no harm to do it twice.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Again(_) | Self::Lost(_))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Again(text) | Failure::Lost(text) => Self::Unavailable(text),
            Failure::Taken(text) => Self::Corrupt(text),
            Failure::Store(error) => error,
        }
    }
}
