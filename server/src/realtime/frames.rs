//! Frames as they go out. An event is encoded once per encoding, whoever many see it.

use std::{fmt::Write, sync::OnceLock};

use axum::{body::Bytes, extract::ws::Utf8Bytes};
use i9chat_spec::{ChatId, Format, FrameId, Heartbeat, Hello, Problem};
use serde::Serialize;

use crate::domain::{LogEpoch, Place, Record};

/// An event on its way to connections.
#[derive(Debug)]
pub struct EncodedEvent {
    record: Record,
    epoch: LogEpoch,
    json: OnceLock<Utf8Bytes>,
    messagepack: OnceLock<Bytes>,
}

impl EncodedEvent {
    /// The event of a change.
    pub fn new(record: Record, epoch: LogEpoch) -> Self {
        Self { record, epoch, json: OnceLock::new(), messagepack: OnceLock::new() }
    }

    /// Where the change stands.
    pub fn place(&self) -> Place {
        self.record.place
    }

    /// The chat that the change is addressed to, if it is one.
    pub fn chat_id(&self) -> Option<ChatId> {
        self.record.chat_id
    }

    /// The frame as JSON.
    pub fn json(&self) -> Utf8Bytes {
        self.json.get_or_init(|| event_json(&self.record, self.epoch).into()).clone()
    }

    /// The frame as MessagePack.
    pub fn messagepack(&self) -> Bytes {
        self.messagepack.get_or_init(|| messagepack_of(&self.json())).clone()
    }
}

/// The frame of a change as JSON. The data stands in the log as JSON already.
fn event_json(record: &Record, epoch: LogEpoch) -> String {
    let cursor = record.place.cursor(epoch);
    let data = &*record.data;
    let mut frame = String::with_capacity(data.len() + 192);
    // Names, cursors and ids are of characters that JSON takes as they are; writing to a String does not fail.
    let written = write!(frame, "{{\"type\":\"event\",\"event\":\"{}\",\"cursor\":\"{cursor}\",", record.event)
        .and_then(|()| match record.chat_id {
            Some(chat_id) => write!(frame, "\"chat_id\":\"{chat_id}\","),
            None => Ok(()),
        });
    debug_assert!(written.is_ok());
    frame.push_str("\"data\":");
    frame.push_str(data);
    frame.push('}');
    frame
}

fn messagepack_of(json: &str) -> Bytes {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    Format::MessagePack.encode(&value).unwrap_or_default().into()
}

/// A frame that is not an event.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Frame<'a, T = ()> {
    Hello(&'a Hello),
    Reply { id: &'a FrameId, data: T },
    Error { id: &'a FrameId, error: &'a Problem },
    Heartbeat(&'a Heartbeat),
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{ChatId, EventFrame, Example, ServerFrame, event::MessageCreated};

    use super::*;
    use crate::domain::Position;

    #[test]
    fn an_event_reads_as_the_type_that_the_documents_describe() {
        let data = serde_json::to_string(&MessageCreated::example()).unwrap();
        let place = Place { position: Position(7), tag: 9 };
        let record = Record { place, event: "message_created", chat_id: Some(ChatId::example()), data: data.into() };
        let epoch = LogEpoch([1; 8]);
        let event = EncodedEvent::new(record, epoch);
        let expected = ServerFrame::Event(EventFrame {
            cursor: Some(place.cursor(epoch)),
            chat_id: Some(ChatId::example()),
            event: MessageCreated::example().into(),
        });
        assert_eq!(Format::Json.decode::<ServerFrame>(event.json().as_bytes()).unwrap(), expected);
        assert_eq!(Format::MessagePack.decode::<ServerFrame>(&event.messagepack()).unwrap(), expected);
    }
}
