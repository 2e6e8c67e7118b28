use std::sync::Arc;

use i9chat_spec::{
    Chat, ChatId, Message, SessionId, Timestamp, User, UserId,
    event::{ChatAdded, EventData, MessageCreated, SessionEnded},
};

use super::{Place, Position};
use crate::ids::Ids;

/// A change of the log: what is stored, and what it does to whom.
#[derive(Debug, Clone)]
pub struct Change {
    /// How clients hear of it.
    pub record: Record,
    /// What it does.
    pub body: ChangeBody,
}

/// A change as its event shows it. The data is encoded once, for the log and for every viewer.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it stands.
    pub place: Place,
    /// The name of the event.
    pub event: &'static str,
    /// The chat that it is addressed to; else it is addressed to a user.
    pub chat_id: Option<ChatId>,
    /// The data of the event, as JSON.
    pub data: Arc<str>,
}

/// What a change does.
#[derive(Debug, Clone)]
pub enum ChangeBody {
    /// A message stands in a chat.
    MessageCreated {
        /// Who may see it.
        audience: Arc<[UserId]>,
        /// The message.
        message: Box<Message>,
    },
    /// A user has a chat, from this position on.
    ChatAdded {
        /// Who.
        user: User,
        /// The chat as they see it.
        chat: Box<Chat>,
    },
    /// A session has ended.
    SessionEnded {
        /// Whose.
        user_id: UserId,
        /// Which.
        session_id: SessionId,
        /// When.
        at: Timestamp,
    },
}

impl ChangeBody {
    /// Whom the change is for.
    pub fn audience(&self) -> &[UserId] {
        match self {
            Self::MessageCreated { audience, .. } => audience,
            Self::ChatAdded { user, .. } => std::slice::from_ref(&user.user_id),
            Self::SessionEnded { user_id, .. } => std::slice::from_ref(user_id),
        }
    }

    /// Gives the change its place and encodes its event.
    pub fn at(self, position: Position, ids: &dyn Ids) -> Result<Change, serde_json::Error> {
        let (event, chat_id, data) = match &self {
            Self::MessageCreated { message, .. } => (
                MessageCreated::NAME,
                Some(message.chat_id),
                serde_json::to_string(&MessageCreated { message: (**message).clone() })?,
            ),
            Self::ChatAdded { chat, .. } => {
                (ChatAdded::NAME, None, serde_json::to_string(&ChatAdded { chat: (**chat).clone() })?)
            }
            Self::SessionEnded { session_id, .. } => {
                (SessionEnded::NAME, None, serde_json::to_string(&SessionEnded { session_id: *session_id })?)
            }
        };
        let place = Place { position, tag: ids.tag() };
        Ok(Change { record: Record { place, event, chat_id, data: data.into() }, body: self })
    }
}
