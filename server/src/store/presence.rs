//! What is remembered of who was there. (PRS-2, PRS-3)

use async_trait::async_trait;
use i9chat_spec::{Timestamp, UserId};

use super::StoreError;

/// When users were last seen.
#[async_trait]
pub trait LastSeen: Send + Sync + 'static {
    /// Notes who has come and gone. All or nothing, and durable when this returns. Of two notes of a user the later counts,
    /// whichever comes first.
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError>;

    /// When users were last noted: one answer for each, in their order; `None` for who never was.
    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError>;
}

/// When users were last seen, and the lease of the one node that there is.
#[async_trait]
pub trait PresenceRecords: LastSeen {
    /// A node begins at that moment. Those who are noted as there were last seen when the lease was last renewed, or when
    /// they came if that is later; they are there no more. All or nothing.
    async fn begin(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Whoever is noted as there was still there at that moment. One row, however many they are.
    async fn renew(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// A user has come or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceNote {
    /// Who.
    pub user_id: UserId,
    /// Whether they are there now.
    pub is_here: bool,
    /// Since when.
    pub at: Timestamp,
}
