//! Where the bytes of media are kept: behind URLs that are good without a token. (MED-7 to MED-12, MED-23 to MED-27)
//!
//! The application knows media by id and part; what a store calls them is its own affair, and never comes from outside.

pub mod disk;
pub mod gcs;
mod range;
mod urls;

use async_trait::async_trait;
use i9chat_spec::{ContentType, MediaId, MediaPart, Timestamp, UserId};

pub use range::{ByteRange, ContentRange, PartialRequest};
pub use urls::{MediaUrls, Permission, PermissionKind};

/// Names the bytes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartName {
    /// The media.
    pub media_id: MediaId,
    /// The part of it.
    pub part: MediaPart,
}

/// What is stated of a part: this and nothing else may be stored under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedPart {
    /// The part.
    pub name: PartName,
    /// Its type.
    pub content_type: ContentType,
    /// Its exact size in bytes.
    pub size: u64,
}

/// What has arrived of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// How many bytes.
    pub size: u64,
    /// The first of them, as many as tell what they are. (MED-15)
    pub head: Vec<u8>,
}

/// Why bytes could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("the media cannot be stored or read: {0}")]
pub struct MediaError(#[from] pub std::io::Error);

/// Keeps the bytes of media.
#[async_trait]
pub trait MediaStore: Send + Sync + 'static {
    /// Where the upload of a part starts, good until then, for its uploader. (MED-7, MED-8)
    async fn upload_url(&self, part: &StatedPart, by: UserId, times: UploadTimes) -> Result<String, MediaError>;

    /// What has arrived of a part, all of it durable; `None` while bytes are missing. (MED-14)
    async fn arrived(&self, part: &StatedPart) -> Result<Option<Arrived>, MediaError>;

    /// Where the bytes of a part are, good until then. Those of an attachment are offered for saving, never shown. (MED-23, MED-25)
    async fn download_url(
        &self,
        part: &StatedPart,
        is_attachment: bool,
        by: UserId,
        until: Timestamp,
    ) -> Result<String, MediaError>;

    /// Removes every byte of media; there may be none.
    async fn remove(&self, media_id: MediaId) -> Result<(), MediaError>;
}

/// How long an upload is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadTimes {
    /// Until when it may start. (MED-7)
    pub start_until: Timestamp,
    /// Until when it may go on. (MED-12)
    pub until: Timestamp,
}
