//! The frames of a WebSocket. (WSK-3 to WSK-8)

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IntoDeserializer},
    ser::SerializeMap,
};
use serde_json::Value;

use crate::{
    ChatId, ConnectionId, ConnectionLimits, Cursor, Epoch, Event, Example, FrameId, Lifetimes, PROTOCOL_VERSION,
    Problem, SessionId,
    event::{Address, EventData, MessageCreated},
};

/// A frame from the client: `{id, action, data}`. (WSK-4)
///
/// With the data as any [`Value`] it is read as a server reads it: what is wrong with the data has an answer of its own.
/// (WSK-5, WSK-6)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientFrame<T = Value> {
    /// The client's own id for the frame; the answer has the same.
    pub id: FrameId,
    /// What to do.
    pub action: String,
    /// What to do it with.
    pub data: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ClientFrame<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw<T> {
            id: FrameId,
            action: String,
            data: Option<T>,
        }

        let raw = Raw::deserialize(deserializer)?;
        let data = match raw.data {
            Some(data) => data,
            // A frame without data is readable: it is for the action to say that it needs some.
            None => T::deserialize(().into_deserializer())?,
        };
        Ok(Self { id: raw.id, action: raw.action, data })
    }
}

/// A frame from the server, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a frame is read, acted on and gone; there are never many at once")]
pub enum ServerFrame {
    /// The first frame. (WSK-3)
    Hello(Hello),
    /// The answer to an action that succeeded.
    Reply(ReplyFrame),
    /// The answer to an action that was refused.
    Error(ErrorFrame),
    /// Something happened.
    Event(EventFrame),
    /// Nothing happened for a while. (WSK-8)
    Heartbeat(Heartbeat),
    /// A frame of a type that this version does not know, to be ignored. (CNV-14)
    #[serde(untagged)]
    Unknown(serde_json::Map<String, Value>),
}

/// What became of the cursor of a resume. (RSM-2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// No cursor was given; live from here.
    Fresh,
    /// Every missed event follows, then live.
    Resumed,
    /// Too much was missed: nothing is replayed; read what is shown anew.
    Limited,
    /// The cursor is not of this log: drop what you hold.
    Reset,
}

/// The first frame of a connection. (WSK-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Names the connection.
    pub connection_id: ConnectionId,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// The version of the protocol: 1.
    pub protocol: u32,
    /// The epoch of the log. (RSM-1)
    pub epoch: Epoch,
    /// Where the connection starts in the log.
    pub cursor: Cursor,
    /// What became of the cursor that was given.
    pub resume: Resume,
    /// The longest silence of the connection, in milliseconds. (WSK-8)
    pub heartbeat_ms: u64,
    /// The limits that concern a connection.
    pub limits: ConnectionLimits,
}

/// The answer to an action that succeeded. (WSK-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyFrame<T = Value> {
    /// The id of the client's frame.
    pub id: FrameId,
    /// What the action answers.
    pub data: T,
}

/// The answer to an action that was refused. (WSK-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorFrame {
    /// The id of the client's frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<FrameId>,
    /// Why.
    pub error: Problem,
}

/// Nothing happened for a while; the cursor is safe to resume from. (WSK-8, RSM-11)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// Every event up to here was sent on this connection.
    pub cursor: Cursor,
}

/// Something happened. (LOG-3)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFrame {
    /// Its place in the log; events that are not durable have none.
    pub cursor: Option<Cursor>,
    /// The chat that it is addressed to, if it is.
    pub chat_id: Option<ChatId>,
    /// What happened.
    pub event: Event,
}

impl Serialize for EventFrame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = 2 + usize::from(self.cursor.is_some()) + usize::from(self.chat_id.is_some());
        let mut map = serializer.serialize_map(Some(length))?;
        map.serialize_entry("event", self.event.name())?;
        if let Some(cursor) = &self.cursor {
            map.serialize_entry("cursor", cursor)?;
        }
        if let Some(chat_id) = &self.chat_id {
            map.serialize_entry("chat_id", chat_id)?;
        }
        self.event.serialize_data(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for EventFrame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            event: String,
            #[serde(default)]
            cursor: Option<Cursor>,
            #[serde(default)]
            chat_id: Option<ChatId>,
            #[serde(default)]
            data: Value,
        }

        let raw = Raw::deserialize(deserializer)?;
        let event = Event::from_parts(raw.event, raw.data).map_err(D::Error::custom)?;
        Ok(Self { cursor: raw.cursor, chat_id: raw.chat_id, event })
    }
}

/// As it is read from the log, which holds nothing that is live. (PRS-9)
impl JsonSchema for EventFrame {
    fn schema_name() -> Cow<'static, str> {
        "EventFrame".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        struct Variants<'a>(&'a mut SchemaGenerator, Vec<Schema>);

        impl crate::event::EventVisitor for Variants<'_> {
            fn visit<E: EventData>(&mut self) {
                if E::ADDRESS != Address::Live {
                    self.1.push(event_schema::<E>(self.0));
                }
            }
        }

        let mut variants = Variants(generator, Vec::new());
        crate::event::visit_events(&mut variants);
        json_schema!({ "description": "Something happened that the log keeps. (LOG-3)", "oneOf": variants.1 })
    }
}

/// The schema of the frame of one kind of event.
pub fn event_schema<E: EventData>(generator: &mut SchemaGenerator) -> Schema {
    let mut cursor = generator.subschema_for::<Cursor>();
    cursor.insert("description".to_owned(), "Its place in the log.".into());
    let mut properties = serde_json::Map::from_iter([
        ("event".to_owned(), serde_json::json!({ "const": E::NAME })),
        ("cursor".to_owned(), cursor.into()),
        ("data".to_owned(), generator.subschema_for::<E>().into()),
    ]);
    let mut required = vec!["event", "cursor", "data"];
    if E::ADDRESS == Address::Live {
        properties.remove("cursor");
        required.retain(|name| *name != "cursor");
    }
    if E::ADDRESS == Address::Chat {
        let mut chat_id = generator.subschema_for::<ChatId>();
        chat_id.insert("description".to_owned(), "The chat that it is addressed to.".into());
        properties.insert("chat_id".to_owned(), chat_id.into());
        required.push("chat_id");
    }
    json_schema!({
        "type": "object",
        "title": E::NAME,
        "description": E::SUMMARY,
        "properties": properties,
        "required": required,
    })
}

impl Example for Hello {
    fn example() -> Self {
        Self {
            connection_id: ConnectionId::example(),
            session_id: SessionId::example(),
            protocol: PROTOCOL_VERSION,
            epoch: Epoch::example(),
            cursor: Cursor::example(),
            resume: Resume::Resumed,
            heartbeat_ms: Lifetimes::default().heartbeat_ms,
            limits: ConnectionLimits::example(),
        }
    }
}

impl Example for ErrorFrame {
    fn example() -> Self {
        Self { id: Some(FrameId::example()), error: Problem::example() }
    }
}

impl Example for Heartbeat {
    fn example() -> Self {
        Self { cursor: Cursor::example() }
    }
}

impl Example for EventFrame {
    fn example() -> Self {
        Self {
            cursor: Some(Cursor::example()),
            chat_id: Some(ChatId::example()),
            event: Event::MessageCreated(MessageCreated::example()),
        }
    }
}
