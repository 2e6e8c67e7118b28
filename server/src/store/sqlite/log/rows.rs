//! How what travels stands in columns.

use std::sync::Arc;

use i9chat_spec::{Event, Message, User, UserId, event::MessageCreated};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use crate::{
    domain::{Place, Position, Record},
    store::StoreError,
};

/// A number of ours in a column: SQLite knows only signed ones, and ours stay below 2^63.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

pub(super) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// The end of the log.
pub(super) fn head(connection: &Connection) -> Result<Place, StoreError> {
    let mut last = connection.prepare_cached("SELECT position, tag FROM changes ORDER BY position DESC LIMIT 1")?;
    Ok(last.query_row([], place).optional()?.unwrap_or_default())
}

pub(super) fn place_at(connection: &Connection, position: Position) -> Result<Option<Place>, StoreError> {
    if position == Position::default() {
        return Ok(Some(Place::default()));
    }
    let mut one = connection.prepare_cached("SELECT position, tag FROM changes WHERE position = ?1")?;
    Ok(one.query_row([integer(position.0)], place).optional()?)
}

/// Reads `position, tag`.
fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place { position: Position(number(row.get(0)?)), tag: number(row.get(1)?) })
}

/// The number of an event's name in the column `kind`; the order of names never changes.
pub(super) fn kind(event: &str) -> i64 {
    Event::NAMES.iter().position(|name| *name == event).and_then(|index| index.try_into().ok()).unwrap_or(i64::MAX)
}

/// Reads `position, tag, kind, chat_id, data`.
pub(super) fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let kind: usize = usize::try_from(row.get::<_, i64>(2)?).map_err(corrupt)?;
    let event = Event::NAMES.get(kind).copied().ok_or_else(|| corrupt(format_args!("a change of kind {kind}")))?;
    let chat_id: Option<Uuid> = row.get::<_, Option<[u8; 16]>>(3)?.map(Uuid::from_bytes);
    // Not parsed: what stands here was encoded when it was written, and goes out as it is.
    let data = Arc::from(row.get_ref(4)?.as_str().map_err(corrupt)?);
    Ok(Record { place: place(row)?, event, chat_id: chat_id.map(i9chat_spec::ChatId::from_uuid), data })
}

/// Reads a message out of the data of its event.
pub(super) fn message(data: &str) -> Result<Message, StoreError> {
    serde_json::from_str::<MessageCreated>(data).map(|created| created.message).map_err(corrupt)
}

pub(super) fn user(user_id: [u8; 16], username: &str) -> Result<User, StoreError> {
    let user_id = UserId::from_uuid(Uuid::from_bytes(user_id));
    Ok(User { user_id, username: username.parse().map_err(corrupt)? })
}
