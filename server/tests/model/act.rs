//! What a user asks for, in full.

use i9chat_server::domain::groups::Named;
use i9chat_spec::{
    ChatId, ClientId, Emoji, MessageId, MessageText, NewContent, Role, User, Username,
    api::{
        groups::{GroupChanges, NewGroup},
        receipts::Mark,
    },
};

/// What a user asks for.
#[derive(Debug, Clone)]
pub enum Act {
    OpenDirect { with: User },
    Send { chat_id: ChatId, client_id: ClientId, text: MessageText, reply_to: Option<MessageId> },
    React { chat_id: ChatId, message_id: MessageId, emoji: Option<Emoji> },
    Mark { marks: Vec<Mark> },
    CreateGroup { asked: NewGroup, members: Vec<Named> },
    Join { chat_id: ChatId },
    Leave { chat_id: ChatId },
    Add { chat_id: ChatId, names: Vec<Named> },
    Remove { chat_id: ChatId, target: Named },
    ChangeAdmin { chat_id: ChatId, target: Named, role: Role },
    Update { chat_id: ChatId, asked: GroupChanges },
}

/// What a user asks for, and who.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The number of the user.
    pub by: usize,
    pub act: Act,
}

impl Act {
    /// The chats that it is about, as far as they are there already.
    pub fn chats(&self) -> Vec<ChatId> {
        match self {
            Self::OpenDirect { .. } | Self::CreateGroup { .. } => Vec::new(),
            Self::Mark { marks } => marks.iter().map(|mark| mark.chat_id).collect(),
            Self::Send { chat_id, .. }
            | Self::React { chat_id, .. }
            | Self::Join { chat_id }
            | Self::Leave { chat_id }
            | Self::Add { chat_id, .. }
            | Self::Remove { chat_id, .. }
            | Self::ChangeAdmin { chat_id, .. }
            | Self::Update { chat_id, .. } => vec![*chat_id],
        }
    }

    /// Whether a WebSocket takes it.
    pub fn is_action(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::React { .. } | Self::Mark { .. })
    }
}

/// Content of that text.
pub fn content(text: &MessageText) -> NewContent {
    NewContent::Text { text: text.clone() }
}

/// The names, as they were given.
pub fn usernames(named: &[Named]) -> Vec<Username> {
    named.iter().map(|named| named.username.clone()).collect()
}
