//! What is needed to go on with an upload in another run of the program.

use i9chat_spec::{ContentType, MediaId, MediaPart};
use serde::{Deserialize, Serialize};

/// An upload that has begun, to be kept and given to [`Client::resume_upload`](crate::Client::resume_upload).
///
/// It holds the places where the bytes go: whoever has it can write there. Good for a day, as `unused_upload_ttl_s` in the capabilities
/// says exactly. (MED-12)
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{"server":"https://chat.example","media_id":"018f2f9e-1111-7000-8000-000000000001","parts":[]}"#;
/// use i9chat_sdk::uploads::UploadTicket;
///
/// let ticket: UploadTicket = serde_json::from_str(text)?;
/// assert_eq!(serde_json::to_string(&ticket)?, text);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadTicket {
    /// The server that the media is uploaded for.
    pub server: String,
    /// Names the media.
    pub media_id: MediaId,
    /// Its parts.
    pub parts: Vec<PartTicket>,
}

/// One part of an upload that has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTicket {
    /// Which part.
    pub part: MediaPart,
    /// Its type.
    pub content_type: ContentType,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes go. (MED-8)
    pub location: String,
}

/// Who knows the place can write there, so no log shows it.
impl std::fmt::Debug for PartTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartTicket").field("part", &self.part).field("size", &self.size).finish_non_exhaustive()
    }
}
