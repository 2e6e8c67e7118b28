//! How a client hears of a change. (LOG-3)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Activity, Bio, Chat, ChatId, Emoji, Example, Location, MediaId, Membership, Message, MessageId, PresenceState,
    ReactionCount, Seq, SessionId, Timestamp, User, Watermark, endpoint::Part,
};

/// Whom an event is addressed to. (LOG-1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Everybody who may see that place of a chat.
    Chat,
    /// One user.
    User,
    /// Connections that are open now and concerned: not durable, without a place in the log. (PRS-9)
    Live,
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
    /// The user's own profile has changed. (USR-4)
    ProfileChanged "profile_changed" User;
    /// Something happened to a group. (GRP-20)
    GroupActivity "group_activity" Chat;
    /// A message's reactions have changed. (REA-6)
    ReactionChanged "reaction_changed" Chat;
    /// A member of a small chat has got or read more of it. (RCP-11)
    ReceiptsUpdated "receipts_updated" Chat;
    /// The user has left a group or was removed from it; comes directly after the entry that says so. (GRP-18)
    MembershipEnded "membership_ended" User;
    /// The user has got or read more of a chat. (RCP-10)
    ReadStateChanged "read_state_changed" User;
    /// A user to whose presence the connection is subscribed has come or gone. (PRS-6)
    PresenceChanged "presence_changed" Live;
    /// Another member of a chat is typing. (PRS-11)
    Typing "typing" Live;
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

/// The data of `profile_changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileChanged {
    /// What the user says about themselves.
    pub bio: Bio,
    /// The picture, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// Where the user is, if they say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// The data of `presence_changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresenceChanged {
    /// Who.
    pub user: User,
    /// Whether they are there.
    pub presence: PresenceState,
    /// When they were last there; left out while they are, and when they never were. (PRS-2)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// The data of `typing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Typing {
    /// The chat.
    pub chat_id: ChatId,
    /// Who is typing.
    pub user: User,
    /// How long that is to be shown, in milliseconds, unless it is said again.
    pub expires_in_ms: u64,
}

/// The data of `group_activity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupActivity {
    /// The activity, as history shows it.
    #[serde(with = "activity_entry")]
    #[schemars(with = "crate::Entry")]
    pub activity: Activity,
}

/// The data of `reaction_changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionChanged {
    /// The message.
    pub message_id: MessageId,
    /// Its place in the chat.
    pub seq: Seq,
    /// Whose reaction has changed.
    pub user: User,
    /// Their reaction now; left out when they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<Emoji>,
    /// All reactions of the message now: the most frequent first. (REA-4)
    pub reactions: Vec<ReactionCount>,
}

/// The data of `receipts_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptsUpdated {
    /// Whose watermarks have moved.
    pub user: User,
    /// How far their clients have got the chat.
    pub delivered: Watermark,
    /// How far they have read.
    pub read: Watermark,
}

/// The data of `membership_ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MembershipEnded {
    /// The group.
    pub chat_id: ChatId,
    /// What the user is to it now: `left` or `removed`.
    pub membership: Membership,
    /// The last entry that the user may see: the one that let them out.
    pub last_seq: Seq,
}

/// The data of `read_state_changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadStateChanged {
    /// The chat.
    pub chat_id: ChatId,
    /// How far the user's clients have got it.
    pub delivered: Watermark,
    /// How far the user has read.
    pub read: Watermark,
    /// Visible messages of others above `read`, counted up to `max_unread_count`. (CHT-4)
    pub unread_count: u64,
}

/// An activity travels as the entry that it is, with its `type`. (GRP-20)
mod activity_entry {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::{Activity, Entry};

    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Borrowed<'a> {
        Activity(&'a Activity),
    }

    pub(super) fn serialize<S: Serializer>(activity: &Activity, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed::Activity(activity).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activity, D::Error> {
        match Entry::deserialize(deserializer)? {
            Entry::Activity(activity) => Ok(activity),
            _ => Err(D::Error::custom("bad_format: not an entry of the type activity")),
        }
    }
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
            _ => Err(D::Error::custom("bad_format: not an entry of the type message")),
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

impl Example for GroupActivity {
    fn example() -> Self {
        Self { activity: Activity::example() }
    }
}

impl Example for ReactionChanged {
    fn example() -> Self {
        Self {
            message_id: MessageId::example(),
            seq: Seq::example(),
            user: User::example(),
            emoji: Some(Emoji::example()),
            reactions: vec![ReactionCount::example()],
        }
    }
}

impl Example for ReceiptsUpdated {
    fn example() -> Self {
        Self { user: User::example(), delivered: Watermark::example(), read: Watermark::example() }
    }
}

impl Example for MembershipEnded {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), membership: Membership::Left, last_seq: Seq::example() }
    }
}

impl Example for ReadStateChanged {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            delivered: Watermark::example(),
            read: Watermark::example(),
            unread_count: 1,
        }
    }
}

impl Example for SessionEnded {
    fn example() -> Self {
        Self { session_id: SessionId::example() }
    }
}

impl Example for ProfileChanged {
    fn example() -> Self {
        Self { bio: Bio::example(), picture_id: Some(MediaId::example()), location: Some(Location::example()) }
    }
}

impl Example for PresenceChanged {
    fn example() -> Self {
        Self { user: User::example(), presence: PresenceState::Offline, last_seen: Some(Timestamp::example()) }
    }
}

impl Example for Typing {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), user: User::example(), expires_in_ms: 6000 }
    }
}
