//! What media needs of a store: what was uploaded by whom, for what, and what uses it. (section 13 of `docs/protocol.md`)
//!
//! A method that writes is one transaction: all or nothing, and durable when it returns. A method that reads sees
//! everything that was written before it began. The bytes are elsewhere: see [`crate::media::MediaStore`].

use async_trait::async_trait;
use i9chat_spec::{MediaId, MediaKind, MediaPurpose, PartInfo, Timestamp, UserId};

use super::StoreError;

/// Records of media.
#[async_trait]
pub trait MediaRecords: Send + Sync + 'static {
    /// Notes an upload that may start. `false`, and nothing is noted, when its owner has `max_unused` that are not complete or not
    /// used; counted and noted in one transaction. (MED-6)
    async fn start(&self, upload: NewMedia, max_unused: u64) -> Result<bool, StoreError>;

    /// An upload of that owner, complete or not; `None` when it has expired too. (MED-13)
    async fn upload(&self, media_id: MediaId, owner: UserId, now: Timestamp)
    -> Result<Option<MediaRecord>, StoreError>;

    /// Notes that every byte has arrived, and until when the media lives if nothing uses it. The second time changes
    /// nothing. `false` when the upload has expired. (MED-14, MED-16)
    async fn complete(&self, media_id: MediaId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// Media that is complete, if that user may read it. (MED-20)
    async fn readable(
        &self,
        media_id: MediaId,
        reader: UserId,
        now: Timestamp,
    ) -> Result<Option<MediaRecord>, StoreError>;

    /// Media that expired before then and that nothing uses, the longest ago first. (MED-16, MED-17)
    async fn expired(&self, before: Timestamp, at_most: usize) -> Result<Vec<MediaId>, StoreError>;

    /// Forgets media whose bytes are gone.
    async fn forget(&self, media_ids: Vec<MediaId>) -> Result<(), StoreError>;
}

/// An upload that may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMedia {
    /// Names it.
    pub media_id: MediaId,
    /// Who uploads it.
    pub owner: UserId,
    /// What for.
    pub purpose: MediaPurpose,
    /// What it is.
    pub kind: MediaKind,
    /// Its parts, as they were stated.
    pub parts: Vec<PartInfo>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it expires if it is not complete by then.
    pub expires_at: Timestamp,
}

/// What is known of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRecord {
    /// Names it.
    pub media_id: MediaId,
    /// Who uploaded it.
    pub owner: UserId,
    /// What for.
    pub purpose: MediaPurpose,
    /// What it is.
    pub kind: MediaKind,
    /// Its parts, as they were stated.
    pub parts: Vec<PartInfo>,
    /// Whether every byte has arrived and was checked.
    pub is_complete: bool,
}
