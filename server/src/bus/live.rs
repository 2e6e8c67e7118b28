use std::{fmt, sync::OnceLock};

use bytes::Bytes;
use i9chat_spec::{ChatId, Event, EventFrame, Format, ServerFrame, UserId};

/// An event that is not durable, on its way to connections. Encoded once per encoding, whoever many see it. (PRS-9)
pub struct LiveEvent {
    /// What it tells. Of two with the same topic only the newer one matters.
    pub topic: Topic,
    event: Event,
    json: OnceLock<Bytes>,
    messagepack: OnceLock<Bytes>,
}

/// What a live event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Whether a user is there.
    Presence(UserId),
    /// That a user is typing in a chat.
    Typing(ChatId, UserId),
}

impl LiveEvent {
    /// An event that tells something.
    pub fn new(topic: Topic, event: impl Into<Event>) -> Self {
        Self { topic, event: event.into(), json: OnceLock::new(), messagepack: OnceLock::new() }
    }

    /// What happened.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The frame.
    pub fn frame(&self, format: Format) -> Bytes {
        let encoded = match format {
            Format::Json => &self.json,
            Format::MessagePack => &self.messagepack,
        };
        let encode = || {
            let frame = EventFrame { cursor: None, chat_id: None, event: self.event.clone() };
            format.encode(&ServerFrame::Event(frame)).unwrap_or_default().into()
        };
        encoded.get_or_init(encode).clone()
    }
}

impl fmt::Debug for LiveEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveEvent").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Carries events that are not durable to the connections of users, on every node. They may be lost on the way.
pub trait LiveBus: Send + Sync + 'static {
    /// Tells those users.
    fn tell(&self, users: &[UserId], event: LiveEvent);
}
