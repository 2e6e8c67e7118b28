use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, MediaId, MediaPart, SignedIn, Timestamp, endpoint, model::known, refusals};

endpoint! {
    /// Leads to the bytes of a part: a redirect, or a link for those who ask for JSON or MessagePack. (MED-21, MED-22)
    ///
    /// Media that the caller may not see is answered as media that does not exist. (ERR-6)
    GetMedia("get_media"): GET "/v1/media/{media_id}/{part}" => 200 {
        caller: SignedIn,
        path: OneMediaPart,
        response: MediaLink,
        refusal: GetMediaRefusal,
        redirects: true,
    }
}

refusals! {
    /// Why there is no link.
    GetMediaRefusal { MediaNotFound }
}

/// Names a part of media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneMediaPart {
    /// The media.
    pub media_id: MediaId,
    /// The part.
    #[serde(deserialize_with = "known")]
    pub part: MediaPart,
}

/// A link that is good without a token, for a while. (MED-23)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaLink {
    /// Where the bytes are; may be relative to the URL that was asked.
    pub url: String,
    /// Until when the link is good.
    pub expires_at: Timestamp,
}

impl Example for OneMediaPart {
    fn example() -> Self {
        Self { media_id: MediaId::example(), part: MediaPart::example() }
    }
}

impl Example for MediaLink {
    fn example() -> Self {
        Self { url: "/media/files/Zt8oJm2Yk0e4Vw".to_owned(), expires_at: Timestamp::example() }
    }
}
