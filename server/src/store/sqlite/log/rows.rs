//! How what travels stands in columns.

use std::sync::Arc;

use i9chat_spec::{
    ChatId, Entry, Event, Membership, Message, Role, Seq, Stretch, User, UserId, Watermark,
    event::{EventData, GroupActivity, MessageCreated},
};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

pub(super) use crate::store::raw::{corrupt, integer, number};
use crate::{
    domain::{Place, Position, Record},
    store::StoreError,
};

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

/// Up to here only entries are left in the log.
pub(super) fn kept_from(connection: &Connection) -> Result<Position, StoreError> {
    let mut kept = connection.prepare_cached("SELECT kept_from FROM log")?;
    Ok(Position(number(kept.query_row([], |row| row.get(0))?)))
}

/// Reads `position, tag`.
fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place { position: Position(number(row.get(0)?)), tag: number(row.get(1)?) })
}

/// The number of an event's name in the column `kind`; the order of names never changes.
pub(super) fn kind(event: &str) -> i64 {
    Event::NAMES.iter().position(|name| *name == event).and_then(|index| index.try_into().ok()).unwrap_or(i64::MAX)
}

pub(super) fn event(kind: i64) -> Result<&'static str, StoreError> {
    let name = usize::try_from(kind).ok().and_then(|kind| Event::NAMES.get(kind));
    name.copied().ok_or_else(|| corrupt(format_args!("a change of kind {kind}")))
}

/// Reads `position, tag, kind, chat_id, data`, the `chat_id` being that of the address.
pub(super) fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let chat_id: Option<Uuid> = row.get::<_, Option<[u8; 16]>>(3)?.map(Uuid::from_bytes);
    // Not parsed: what stands here was encoded when it was written, and goes out as it is.
    let data = Arc::from(text(row, 4)?);
    Ok(Record { place: place(row)?, event: event(row.get(2)?)?, chat_id: chat_id.map(ChatId::from_uuid), data })
}

/// The text in a column.
pub(super) fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<&'a str, StoreError> {
    row.get_ref(index)?.as_str().map_err(corrupt)
}

/// Reads a message out of the data of its event.
pub(super) fn message(data: &str) -> Result<Message, StoreError> {
    serde_json::from_str::<MessageCreated>(data).map(|created| created.message).map_err(corrupt)
}

/// Reads an entry out of `kind` and `data`.
pub(super) fn entry(kind: i64, data: &str) -> Result<Entry, StoreError> {
    if event(kind)? == GroupActivity::NAME {
        let activity: GroupActivity = serde_json::from_str(data).map_err(corrupt)?;
        return Ok(Entry::Activity(activity.activity));
    }
    message(data).map(Entry::Message)
}

pub(super) fn user(user_id: [u8; 16], username: &str) -> Result<User, StoreError> {
    let user_id = UserId::from_uuid(Uuid::from_bytes(user_id));
    Ok(User { user_id, username: username.parse().map_err(corrupt)? })
}

pub(super) fn seq(integer: i64) -> Result<Seq, StoreError> {
    Seq::try_from(number(integer)).map_err(corrupt)
}

pub(super) fn watermark(integer: i64) -> Result<Watermark, StoreError> {
    Watermark::try_from(number(integer)).map_err(corrupt)
}

pub(super) fn stretch(from: i64, to: Option<i64>) -> Result<Stretch, StoreError> {
    Ok(Stretch { from: seq(from)?, to: to.map(seq).transpose()? })
}

/// The column `membership`.
pub(super) const fn membership_column(membership: Membership) -> i64 {
    match membership {
        Membership::Member => 0,
        Membership::Left => 1,
        Membership::Removed | Membership::Unknown => 2,
    }
}

pub(super) fn membership(column: i64) -> Result<Membership, StoreError> {
    match column {
        0 => Ok(Membership::Member),
        1 => Ok(Membership::Left),
        2 => Ok(Membership::Removed),
        _ => Err(corrupt(format_args!("a membership {column}"))),
    }
}

/// The column `role`.
pub(super) const fn role_column(role: Role) -> i64 {
    match role {
        Role::Admin => 1,
        Role::Member | Role::Unknown => 0,
    }
}

pub(super) const fn role(column: i64) -> Role {
    if column == 1 { Role::Admin } else { Role::Member }
}
