//! What claims to mail addresses need of a store. (ACC-1 to ACC-7, ACC-13 to ACC-16)
//!
//! The rules are in [`crate::domain::accounts::claim`]: a store loads a claim and saves what was decided, provided that nobody
//! else decided meanwhile. Claims may be forgotten: whoever had one asks again.

use async_trait::async_trait;
use i9chat_spec::{EmailAddress, Timestamp};

use super::{StoreError, mails::NewMail};
use crate::domain::accounts::{
    claim::{Claim, Purpose},
    hashes::SecretHash,
};

/// Claims to mail addresses.
#[async_trait]
pub trait ClaimStore: Send + Sync + 'static {
    /// The claim to an address for a purpose, finished or not.
    async fn claim_to(&self, purpose: Purpose, email: &EmailAddress) -> Result<Option<Stored<Claim>>, StoreError>;

    /// The claim for the purpose whose newest ticket this is. (ACC-16)
    async fn claim(&self, purpose: Purpose, ticket: SecretHash) -> Result<Option<Stored<Claim>>, StoreError>;

    /// Saves a claim, and queues the mail that comes with it: both or neither. `false`, and nothing is changed, when the stored
    /// version is not the one that was seen (`None`: there was none). Refused as [`StoreError::Overloaded`] when too many mails wait.
    async fn save_claim(&self, save: SaveClaim) -> Result<bool, StoreError>;

    /// Forgets claims that no longer matter.
    async fn forget_claims(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// A value, and the version under which it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The value.
    pub value: T,
    /// Another whenever the value was saved.
    pub version: i64,
}

/// A claim to save.
#[derive(Debug, Clone)]
pub struct SaveClaim {
    /// As it is to be.
    pub claim: Claim,
    /// The version that was seen; `None` when there was none.
    pub seen: Option<i64>,
    /// From when on it may be forgotten.
    pub forget_at: Timestamp,
    /// The mail that comes with it.
    pub mail: Option<NewMail>,
}
