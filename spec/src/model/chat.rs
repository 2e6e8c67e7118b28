use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChatId, Entry, Example, Seq, Timestamp, User};

/// A chat as one of its members sees it. (CHT-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// Names the chat.
    pub chat_id: ChatId,
    /// What kind of chat it is.
    pub kind: ChatKind,
    /// The other user of a direct chat.
    pub partner: User,
    /// What the viewer is to the chat.
    pub membership: Membership,
    /// When the chat was added for the viewer.
    pub opened_at: Timestamp,
    /// The stretches of `seq` that the viewer may see.
    pub visible: Vec<Stretch>,
    /// The latest entry that the viewer may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entry: Option<Entry>,
    /// Visible messages of others above the viewer's read watermark, counted up to `max_unread_count`. (CHT-4)
    pub unread_count: u64,
}

/// What kind of chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Between two users.
    Direct,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// What a user is to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// May read and send.
    Member,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// Entries that somebody may see: from one `seq` to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// The first one.
    pub from: Seq,
    /// The last one; left out while the stretch goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Seq>,
}

impl Example for Chat {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            kind: ChatKind::Direct,
            partner: User::example(),
            membership: Membership::Member,
            opened_at: Timestamp::example(),
            visible: vec![Stretch { from: Seq::FIRST, to: None }],
            last_entry: Some(Entry::example()),
            unread_count: 1,
        }
    }
}
