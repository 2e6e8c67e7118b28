use async_trait::async_trait;
use i9chat_spec::{PresenceState, Timestamp, UserId};

use crate::store::StoreError;

/// Whether a user is there. (PRS-1, PRS-2)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceOf {
    /// Whether they are there.
    pub presence: PresenceState,
    /// When they were last there, if they are not and ever were.
    pub last_seen: Option<Timestamp>,
}

impl PresenceOf {
    /// One who is there.
    pub const ONLINE: Self = Self { presence: PresenceState::Online, last_seen: None };

    /// One who is not.
    pub const fn offline(last_seen: Option<Timestamp>) -> Self {
        Self { presence: PresenceState::Offline, last_seen }
    }
}

/// Who is there, over all nodes. A node that stops without a word is forgotten when its lease runs out. (PRS-3)
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// A connection of the user has opened on this node. When this returns, every node answers that they are there. Answers how many
    /// connections they have with this one, on all nodes as far as those can be asked. (WSK-14)
    async fn connect(&self, user_id: UserId) -> u32;

    /// A connection of the user on this node has closed: one for which [`connect`](Self::connect) returned.
    async fn disconnect(&self, user_id: UserId);

    /// Whether users are there: one answer for each, in their order.
    async fn states(&self, users: &[UserId]) -> Result<Vec<PresenceOf>, StoreError>;

    /// How many of the users are there.
    async fn online_among(&self, users: &[UserId]) -> Result<u64, StoreError>;

    /// The node stops: nobody is there by way of it any more, and what is known of them is written down.
    async fn stop(&self) -> Result<(), StoreError>;
}

/// Hears who comes and goes, each user's changes in their order. Must not call back.
pub trait PresenceWatcher: Send + Sync + 'static {
    /// A user has come or gone.
    fn changed(&self, user_id: UserId, now: PresenceOf);

    /// Whose changes are of interest now. After some may have been lost, what they are is [told](Self::changed) anew.
    fn watched(&self) -> Vec<UserId>;
}
