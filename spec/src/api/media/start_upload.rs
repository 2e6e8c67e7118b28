use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    ContentType, Example, MediaId, MediaKind, MediaPart, MediaPurpose, SignedIn, Timestamp, codec::Map, endpoint,
    list::List, model::known, number::exact, refusals,
};

endpoint! {
    /// Authorises an upload: what is stated here is what must arrive. (MED-4)
    ///
    /// Each part goes to an upload URL of its own, resumably; then the upload is completed. (MED-8, MED-13)
    StartUpload("start_upload"): POST "/v1/uploads" => 201 {
        caller: SignedIn,
        body: NewUpload,
        response: UploadStarted,
        refusal: StartUploadRefusal,
    }
}

refusals! {
    /// Why no upload is authorised.
    StartUploadRefusal { TooManyUploads }
}

/// What is going to be uploaded, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewUpload {
    /// What it is for. (MED-1)
    #[serde(deserialize_with = "known")]
    pub purpose: MediaPurpose,
    /// What it is: `picture` exactly when it is for a profile or a group.
    #[serde(deserialize_with = "known")]
    pub kind: MediaKind,
    /// Every part of it, each once. (MED-2)
    pub parts: List<PartPlan, 1, 3>,
}

/// One part of what is going to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartPlan {
    /// Which part.
    pub part: MediaPart,
    /// Its type, one of those that the capabilities publish for it.
    pub content_type: ContentType,
    /// Its exact size in bytes, within the bounds that the capabilities publish for it.
    pub size: u64,
}

#[derive(Deserialize)]
struct PartPlanFields {
    #[serde(deserialize_with = "known")]
    part: MediaPart,
    content_type: ContentType,
    #[serde(deserialize_with = "exact")]
    size: u64,
}

impl<'de> Deserialize<'de> for PartPlan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Map(PartPlanFields { part, content_type, size }) = Map::deserialize(deserializer)?;
        Ok(Self { part, content_type, size })
    }
}

/// Where the parts go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadStarted {
    /// Names the media from now on.
    pub media_id: MediaId,
    /// Where each part goes, in the order in which they were stated.
    pub parts: Vec<PartTarget>,
    /// Until when the upload URLs are good. (MED-7)
    pub expires_at: Timestamp,
}

/// Where one part goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartTarget {
    /// Which part.
    pub part: MediaPart,
    /// Where its upload starts; may be relative to the URL that was asked. (MED-8)
    pub upload_url: String,
}

impl Example for NewUpload {
    fn example() -> Self {
        Self { purpose: MediaPurpose::example(), kind: MediaKind::example(), parts: List::example() }
    }
}

impl Example for PartPlan {
    fn example() -> Self {
        Self { part: MediaPart::example(), content_type: ContentType::example(), size: 245_760 }
    }
}

impl Example for UploadStarted {
    fn example() -> Self {
        Self { media_id: MediaId::example(), parts: vec![PartTarget::example()], expires_at: Timestamp::example() }
    }
}

impl Example for PartTarget {
    fn example() -> Self {
        Self { part: MediaPart::example(), upload_url: "/media/uploads/Zt8oJm2Yk0e4Vw".to_owned() }
    }
}
