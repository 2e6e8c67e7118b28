use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Activity, ContentKind, Snippet};
use crate::{ChatId, ClientId, Content, Emoji, Example, MessageId, Seq, Timestamp, User};

/// What stands in a chat at one `seq`. (MSG-5, GRP-20)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// A message.
    Message(Message),
    /// Something that happened to a group.
    Activity(Activity),
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
            Self::Activity(activity) => Some(activity.seq),
            Self::Unknown(fields) => fields.get("seq")?.as_u64()?.try_into().ok(),
        }
    }

    /// The message, if the entry is one.
    pub fn as_message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The activity, if the entry is one.
    pub fn as_activity(&self) -> Option<&Activity> {
        match self {
            Self::Activity(activity) => Some(activity),
            _ => None,
        }
    }
}

/// A message. In an event it is as it was sent; an answer adds what became of it since. (MSG-5, REA-4)
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
    /// What it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Quote>,
    /// Which emojis it was given, and how often: the most frequent first. (REA-4)
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionCount>,
    /// The viewer's own reaction; in answers over HTTP only. (REA-4)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_reaction: Option<Emoji>,
}

/// What a reply shows of the message that it replies to, frozen when it was sent. (MSG-16)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quote {
    /// The message.
    pub message_id: MessageId,
    /// Its place in the chat.
    pub seq: Seq,
    /// Who sent it.
    pub sender: User,
    /// The kind of its content.
    pub kind: ContentKind,
    /// Its first 100 characters, when it has words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
}

/// How often an emoji was given to a message. (REA-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionCount {
    /// The emoji.
    pub emoji: Emoji,
    /// By how many users.
    pub count: u64,
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
            reply_to: None,
            reactions: Vec::new(),
            own_reaction: None,
        }
    }
}

impl Example for Quote {
    fn example() -> Self {
        let quoted = Message::example();
        Self {
            message_id: quoted.message_id,
            seq: quoted.seq,
            sender: quoted.sender,
            kind: quoted.content.kind(),
            snippet: quoted.content.snippet(),
        }
    }
}

impl Example for ReactionCount {
    fn example() -> Self {
        Self { emoji: Emoji::example(), count: 2 }
    }
}

impl Example for Entry {
    fn example() -> Self {
        Self::Message(Message {
            reply_to: Some(Quote::example()),
            reactions: vec![ReactionCount::example()],
            own_reaction: Some(Emoji::example()),
            ..Message::example()
        })
    }
}
