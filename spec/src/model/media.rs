//! What is uploaded: purposes, kinds, parts, and what may be uploaded as what. (MED-1 to MED-6)

mod names;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use names::known;
pub use names::{MediaKind, MediaPart, MediaPurpose};
pub use rules::MediaRule;

use crate::{ContentType, Example, MediaId};

/// What a message shows of its media; the bytes are asked for by `media_id` and part. (MED-2)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The media, for `GET /v1/media/{media_id}/{part}`.
    pub media_id: MediaId,
    /// The type of the part `original`.
    pub content_type: ContentType,
    /// The size of the part `original`, in bytes.
    pub size: u64,
    /// The part `preview`, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<PreviewInfo>,
}

/// The small still picture of an image or a video. (MED-2)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewInfo {
    /// The type of the part `preview`.
    pub content_type: ContentType,
    /// The size of the part `preview`, in bytes.
    pub size: u64,
}

/// One part of a media: what it is, and how large exactly. (MED-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartInfo {
    /// Which part.
    pub part: MediaPart,
    /// Its type.
    pub content_type: ContentType,
    /// Its exact size in bytes.
    pub size: u64,
}

impl Example for Attachment {
    fn example() -> Self {
        Self {
            media_id: MediaId::example(),
            content_type: ContentType::example(),
            size: 245_760,
            preview: Some(PreviewInfo::example()),
        }
    }
}

impl Example for PreviewInfo {
    fn example() -> Self {
        Self { content_type: ContentType::example(), size: 8_192 }
    }
}

impl Example for PartInfo {
    fn example() -> Self {
        Self { part: MediaPart::Original, content_type: ContentType::example(), size: 245_760 }
    }
}
