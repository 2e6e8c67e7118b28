use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, MediaId, MediaKind, MediaPurpose, SignedIn, endpoint, model::PartInfo, refusals};

endpoint! {
    /// Checks what has arrived, and makes the media usable. (MED-13)
    ///
    /// The same answer however often it is asked; what arrived is durable before it is acknowledged. (MED-14)
    CompleteUpload("complete_upload"): POST "/v1/uploads/{media_id}/complete" => 200 {
        caller: SignedIn,
        path: OneMedia,
        response: MediaInfo,
        refusal: CompleteUploadRefusal,
    }
}

refusals! {
    /// Why the upload is not complete.
    CompleteUploadRefusal { MediaNotFound, UploadIncomplete, MediaRejected }
}

/// Names media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneMedia {
    /// The media.
    pub media_id: MediaId,
}

/// Media that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaInfo {
    /// The media.
    pub media_id: MediaId,
    /// What it is for.
    pub purpose: MediaPurpose,
    /// What it is.
    pub kind: MediaKind,
    /// Its parts, in the order in which they were stated.
    pub parts: Vec<PartInfo>,
}

impl Example for OneMedia {
    fn example() -> Self {
        Self { media_id: MediaId::example() }
    }
}

impl Example for MediaInfo {
    fn example() -> Self {
        Self {
            media_id: MediaId::example(),
            purpose: MediaPurpose::example(),
            kind: MediaKind::example(),
            parts: vec![PartInfo::example()],
        }
    }
}
