//! How a client hears of a change. (LOG-3)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Chat, Example, Message, SessionId, endpoint::Part};

/// Whom an event is addressed to. (LOG-1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Everybody who may see that place of a chat.
    Chat,
    /// One user.
    User,
}

/// The `data` of one kind of event.
pub trait EventData: Part + Into<Event> {
    /// The name in the frame.
    const NAME: &'static str;
    /// Whom it is addressed to.
    const ADDRESS: Address;
    /// One sentence on when it comes.
    const SUMMARY: &'static str;
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $address:ident;)*) => {
        /// An event: its name and data.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($(#[doc = $doc])* $variant($variant),)*
            /// An event that this version does not know; it moves the cursor and nothing else. (CNV-14)
            Unknown {
                /// Its name.
                name: String,
                /// Its data, as it came.
                data: Value,
            },
        }

        impl Event {
            /// The names of all events.
            pub const NAMES: &[&'static str] = &[$($name),*];

            /// The name in the frame.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Unknown { name, .. } => name,
                }
            }

            /// Reads the data of an event of that name.
            pub(crate) fn from_parts(name: String, data: Value) -> Result<Self, serde_json::Error> {
                match name.as_str() {
                    $($name => serde_json::from_value(data).map(Self::$variant),)*
                    _ => Ok(Self::Unknown { name, data }),
                }
            }

            pub(crate) fn serialize_data<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self {
                    $(Self::$variant(data) => map.serialize_entry("data", data),)*
                    Self::Unknown { data, .. } => map.serialize_entry("data", data),
                }
            }
        }

        $(
            impl EventData for $variant {
                const NAME: &'static str = $name;
                const ADDRESS: Address = Address::$address;
                const SUMMARY: &'static str = concat!($($doc),*).trim_ascii();
            }

            impl From<$variant> for Event {
                fn from(data: $variant) -> Self {
                    Self::$variant(data)
                }
            }
        )*

        /// Shows a visitor every event.
        pub fn visit_events(visitor: &mut impl EventVisitor) {
            $(visitor.visit::<$variant>();)*
        }
    };
}

/// Sees every event's data as a type.
pub trait EventVisitor {
    /// Called once for each event.
    fn visit<E: EventData>(&mut self);
}

events! {
    /// A message was sent to the chat. (LOG-6)
    MessageCreated "message_created" Chat;
    /// A chat was added for the user; comes before any other event of that chat. (LOG-7)
    ChatAdded "chat_added" User;
    /// One of the user's sessions has ended. (LOG-8)
    SessionEnded "session_ended" User;
}

/// The data of `message_created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageCreated {
    /// The message, as history shows it.
    #[serde(with = "message_entry")]
    #[schemars(with = "crate::Entry")]
    pub message: Message,
}

/// The data of `chat_added`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatAdded {
    /// The chat, as it was at that place of the log.
    pub chat: Chat,
}

/// The data of `session_ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEnded {
    /// The session that has ended.
    pub session_id: SessionId,
}

/// A message travels as the entry that it is, with its `type`. (LOG-6)
mod message_entry {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::{Entry, Message};

    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Borrowed<'a> {
        Message(&'a Message),
    }

    pub(super) fn serialize<S: Serializer>(message: &Message, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed::Message(message).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Message, D::Error> {
        match Entry::deserialize(deserializer)? {
            Entry::Message(message) => Ok(message),
            Entry::Unknown(_) => Err(D::Error::custom("bad_format: not an entry of the type message")),
        }
    }
}

impl Example for MessageCreated {
    fn example() -> Self {
        Self { message: Message::example() }
    }
}

impl Example for ChatAdded {
    fn example() -> Self {
        Self { chat: Chat { last_entry: None, unread_count: 0, ..Chat::example() } }
    }
}

impl Example for SessionEnded {
    fn example() -> Self {
        Self { session_id: SessionId::example() }
    }
}
