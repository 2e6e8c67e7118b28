//! How what the log holds stands in rows.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use i9chat_spec::{ChatId, Event, Message, event::MessageCreated};
use serde::Deserialize;

pub(super) use crate::store::raw::{corrupt, integer, number};
use crate::{
    domain::{LogEpoch, Place, Position, Record},
    store::{LogHead, StoreError},
};

/// The end of the log, as its node has it.
#[derive(Debug, Deserialize)]
pub(super) struct HeadRow {
    pub(super) epoch: String,
    pub(super) position: i64,
    pub(super) tag: i64,
}

impl HeadRow {
    pub(super) fn head(&self) -> Result<LogHead, StoreError> {
        let epoch = URL_SAFE_NO_PAD.decode(&self.epoch).ok().and_then(|bytes| bytes.try_into().ok());
        let epoch = LogEpoch(epoch.ok_or_else(|| corrupt("the log has an epoch that cannot be read"))?);
        Ok(LogHead { epoch, place: place(self.position, self.tag) })
    }
}

pub(super) fn place(position: i64, tag: i64) -> Place {
    Place { position: Position(number(position)), tag: number(tag) }
}

/// A change as its event shows it.
#[derive(Debug, Deserialize)]
pub(super) struct RecordRow {
    pub(super) position: i64,
    pub(super) tag: i64,
    pub(super) kind: String,
    pub(super) chat_id: Option<ChatId>,
    pub(super) data: String,
}

impl RecordRow {
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    pub(super) fn record(self) -> Result<Record, StoreError> {
        let event = Event::NAMES.iter().find(|name| **name == self.kind);
        let event = *event.ok_or_else(|| corrupt(format_args!("a change of kind {}", self.kind)))?;
        // Not parsed: what stands here was encoded when it was written, and goes out as it is.
        Ok(Record { place: place(self.position, self.tag), event, chat_id: self.chat_id, data: Arc::from(self.data) })
    }
}

/// Reads a message out of the data of its event.
pub(super) fn message(data: &str) -> Result<Message, StoreError> {
    serde_json::from_str::<MessageCreated>(data).map(|created| created.message).map_err(corrupt)
}
