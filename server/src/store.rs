//! Where everything durable is kept: load state, persist changes, read views. No rules.

pub mod accounts;
pub mod claims;
#[cfg(test)]
pub(crate) mod fake;
mod log;
pub mod mails;
pub mod media;
pub mod neo4j;
pub mod presence;
mod raw;
pub mod sqlite;
pub mod transfer;

pub use log::{
    AudienceRead, ChatsPage, ChatsQuery, Decide, Decided, LogHead, LogStore, MemberRead, Missed, MissedQuery, Names,
    OneMessage, PlaceAt, Seek, Seen, Snapshot,
};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be written or read now: a full disk, a lost connection. Nothing is acknowledged; trying later may help.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// It refuses the user, the password, or what the user asks for: trying later is of no use, a new configuration is.
    #[error("the user, the password or the user's rights are refused: {0}")]
    Denied(String),
    /// Too much waits for it.
    #[error("too much waits for the store")]
    Overloaded,
    /// It holds what this server did not write.
    #[error("the store holds what cannot be read: {0}")]
    Corrupt(String),
}
