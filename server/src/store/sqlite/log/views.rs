//! What users read: chats, entries, groups, and who is how far.

mod chats;
mod entries;
mod groups;
mod reactions;
mod receipts;

use i9chat_spec::{ChatId, Stretch, UserId};
use rusqlite::{Connection, params};

pub(super) use self::{
    chats::{chat, chats},
    entries::{entries, message},
    groups::{audience, group, members},
    reactions::reactions,
    receipts::{chat_receipts, message_receipts},
};
use super::rows;
use crate::store::{Seen, StoreError};

/// A chat and somebody who is or was in it, by their rows.
#[derive(Debug, Clone, Copy)]
struct Viewed {
    chat: i64,
    user: i64,
    is_group: bool,
    /// Whether they are in it now.
    is_member: bool,
}

/// A chat as somebody finds it who is or was in it.
fn viewed(connection: &Connection, user_id: UserId, chat_id: ChatId) -> Result<Seen<Viewed>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT chats.id, users.id, chats.name IS NOT NULL, members.membership FROM chats
         JOIN users ON users.user_id = ?1
         LEFT JOIN members ON members.user = users.id AND members.chat = chats.id
         WHERE chats.chat_id = ?2",
    )?;
    let mut found = find.query(params![user_id.as_uuid().as_bytes(), chat_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(Seen::NoChat) };
    let is_group = row.get(2)?;
    let Some(membership) = row.get::<_, Option<i64>>(3)? else {
        return Ok(if is_group { Seen::NotMember } else { Seen::NoChat });
    };
    Ok(Seen::Found(Viewed { chat: row.get(0)?, user: row.get(1)?, is_group, is_member: membership == 0 }))
}

/// A chat as one finds it who is in it now.
fn viewed_by_member(connection: &Connection, user_id: UserId, chat_id: ChatId) -> Result<Seen<Viewed>, StoreError> {
    Ok(match viewed(connection, user_id, chat_id)? {
        Seen::Found(viewed) if !viewed.is_member => Seen::NotMember,
        seen => seen,
    })
}

/// What they may see of it, in order.
fn stretches(connection: &Connection, chat: i64, user: i64) -> Result<Vec<Stretch>, StoreError> {
    let mut find = connection
        .prepare_cached("SELECT from_seq, to_seq FROM stretches WHERE user = ?1 AND chat = ?2 ORDER BY from_seq")?;
    let mut found = find.query([user, chat])?;
    let mut stretches = Vec::new();
    while let Some(row) = found.next()? {
        stretches.push(rows::stretch(row.get(0)?, row.get(1)?)?);
    }
    Ok(stretches)
}
