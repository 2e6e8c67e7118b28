use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, Watermark};

/// How far a user is in a chat. (RCP-1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadState {
    /// How far the user's clients have got the chat.
    pub delivered: Watermark,
    /// How far the user has read.
    pub read: Watermark,
    /// Visible messages of others above `read`, counted up to `max_unread_count`. (CHT-4)
    pub unread_count: u64,
}

/// How far a message has come, or how far one member is with it. (RCP-7)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// The server has it.
    Sent,
    /// It has reached a client.
    Delivered,
    /// It was read.
    Read,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl Example for ReadState {
    fn example() -> Self {
        Self { delivered: Watermark::example(), read: Watermark::example(), unread_count: 1 }
    }
}
