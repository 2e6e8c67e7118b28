//! What is remembered of who was there. (PRS-2, PRS-3)

use async_trait::async_trait;
use i9chat_spec::{Timestamp, UserId};

use super::StoreError;

/// When users were last seen, and the lease of the node.
#[async_trait]
pub trait PresenceRecords: Send + Sync + 'static {
    /// A node begins at that moment. Those who are noted as there were last seen when the lease was last renewed, or when
    /// they came if that is later; they are there no more. All or nothing.
    async fn begin(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Notes who has come and gone. All or nothing, and durable when this returns.
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError>;

    /// Whoever is noted as there was still there at that moment. One row, however many they are.
    async fn renew(&self, now: Timestamp) -> Result<(), StoreError>;

    /// When users were last noted: one answer for each, in their order; `None` for who never was.
    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError>;
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
