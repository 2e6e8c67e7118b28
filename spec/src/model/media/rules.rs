//! What may be uploaded as what: published by the capabilities, kept by the server. (MED-3)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MediaKind, MediaPart};
use crate::{ContentType, Example};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

const STILL: &[&str] = &["image/jpeg", "image/png", "image/webp", "image/avif"];
const MOVING: &[&str] = &["video/mp4", "video/webm"];
const SPOKEN: &[&str] = &["audio/ogg", "audio/aac", "audio/webm", "audio/mp4"];
const SOUND: &[&str] = &["audio/ogg", "audio/aac", "audio/mpeg", "audio/mp4", "audio/webm"];

/// One row of the table of MED-3: kind, part, whether it must be there, types, and the bounds of its size in bytes.
type Row = (MediaKind, MediaPart, bool, Option<&'static [&'static str]>, u64, u64);

const TABLE: [Row; 10] = [
    (MediaKind::Image, MediaPart::Original, true, Some(STILL), KIB, 10 * MIB),
    (MediaKind::Image, MediaPart::Preview, false, Some(STILL), KIB, 100 * KIB),
    (MediaKind::Video, MediaPart::Original, true, Some(MOVING), KIB, 40 * MIB),
    (MediaKind::Video, MediaPart::Preview, false, Some(STILL), KIB, 100 * KIB),
    (MediaKind::Voice, MediaPart::Original, true, Some(SPOKEN), 500, 10 * MIB),
    (MediaKind::Audio, MediaPart::Original, true, Some(SOUND), 500, 20 * MIB),
    (MediaKind::File, MediaPart::Original, true, None, 1, 50 * MIB),
    (MediaKind::Picture, MediaPart::Small, true, Some(STILL), 1, 500 * KIB),
    (MediaKind::Picture, MediaPart::Medium, true, Some(STILL), 1, MIB),
    (MediaKind::Picture, MediaPart::Large, true, Some(STILL), 1, 2 * MIB),
];

/// What a part of a kind may be. (MED-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaRule {
    /// The kind.
    pub kind: MediaKind,
    /// The part.
    pub part: MediaPart,
    /// Whether the kind must have the part.
    pub required: bool,
    /// The types that it may have; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_types: Option<Vec<ContentType>>,
    /// The smallest size in bytes.
    pub min_bytes: u64,
    /// The largest size in bytes.
    pub max_bytes: u64,
}

impl MediaRule {
    /// Every rule of this version, the parts of a kind together.
    pub fn all() -> Vec<Self> {
        TABLE
            .into_iter()
            .map(|(kind, part, required, types, min_bytes, max_bytes)| Self {
                kind,
                part,
                required,
                content_types: types.map(|types| types.iter().filter_map(|name| name.parse().ok()).collect()),
                min_bytes,
                max_bytes,
            })
            .collect()
    }

    /// Whether a part may be of that type.
    pub fn takes_type(&self, content_type: &ContentType) -> bool {
        self.content_types.as_ref().is_none_or(|types| types.contains(content_type))
    }

    /// Whether a part may be of that size, in bytes.
    pub fn takes_size(&self, size: u64) -> bool {
        (self.min_bytes..=self.max_bytes).contains(&size)
    }
}

impl Example for MediaRule {
    fn example() -> Self {
        Self {
            kind: MediaKind::Image,
            part: MediaPart::Original,
            required: true,
            content_types: Some(vec![ContentType::example()]),
            min_bytes: KIB,
            max_bytes: 10 * MIB,
        }
    }
}
