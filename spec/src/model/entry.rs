use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ChatId, ClientId, Content, Example, MessageId, Seq, Timestamp, User};

/// What stands in a chat at one `seq`. (MSG-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// A message.
    Message(Message),
    /// An entry of a type that this version does not know, kept as it came. (CNV-14)
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(serde_json::Map<String, Value>),
}

impl Entry {
    /// The place in the chat, which every entry has.
    pub fn seq(&self) -> Option<Seq> {
        match self {
            Self::Message(message) => Some(message.seq),
            Self::Unknown(fields) => fields.get("seq")?.as_u64()?.try_into().ok(),
        }
    }

    /// The message, if the entry is one.
    pub fn as_message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Unknown(_) => None,
        }
    }
}

/// A message, the same for every viewer. (MSG-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its place in the chat.
    pub seq: Seq,
    /// Names the message.
    pub message_id: MessageId,
    /// Where it stands.
    pub chat_id: ChatId,
    /// Who sent it.
    pub sender: User,
    /// The id that its sender's client gave it. (MSG-6)
    pub client_id: ClientId,
    /// When the server took it.
    pub created_at: Timestamp,
    /// What it says.
    pub content: Content,
}

impl Example for Message {
    fn example() -> Self {
        Self {
            seq: Seq::example(),
            message_id: MessageId::example(),
            chat_id: ChatId::example(),
            sender: User::example(),
            client_id: ClientId::example(),
            created_at: Timestamp::example(),
            content: Content::example(),
        }
    }
}

impl Example for Entry {
    fn example() -> Self {
        Self::Message(Message::example())
    }
}
