use i9chat_spec::{Chat, Message, SessionId, Timestamp, User};
use rusqlite::{Connection, params};

use super::{
    cache::LogCache,
    load::user_row,
    rows::{self, integer},
};
use crate::{
    domain::{Change, ChangeBody, ChatState, Record},
    store::StoreError,
};

/// Writes changes to the log, and what they do to the tables beside it.
pub(super) fn append(connection: &Connection, cache: &mut LogCache, changes: &[Change]) -> Result<(), StoreError> {
    for Change { record, body } in changes {
        match body {
            ChangeBody::MessageCreated { message, .. } => message_created(connection, cache, record, message)?,
            ChangeBody::ChatAdded { user, chat } => chat_added(connection, cache, record, user, chat)?,
            ChangeBody::SessionEnded { user_id, session_id, at } => {
                let user = user_row(connection, cache, *user_id)?;
                session_ended(connection, record, user, *session_id, *at)?;
            }
        }
    }
    Ok(())
}

fn message_created(
    connection: &Connection,
    cache: &mut LogCache,
    record: &Record,
    message: &Message,
) -> Result<(), StoreError> {
    let (chat, _) =
        cache.chats.get(&message.chat_id).ok_or_else(|| rows::corrupt("a message to a chat that was not read"))?;
    let chat = *chat;
    let sender = user_row(connection, cache, message.sender.user_id)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO changes (position, tag, kind, chat, seq, sender, client_id, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        integer(record.place.position.0),
        integer(record.place.tag),
        rows::kind(record.event),
        chat,
        integer(message.seq.get()),
        sender,
        message.client_id.as_uuid().as_bytes(),
        &*record.data,
    ])?;
    Ok(())
}

fn chat_added(
    connection: &Connection,
    cache: &mut LogCache,
    record: &Record,
    user: &User,
    chat: &Chat,
) -> Result<(), StoreError> {
    let own = user_row(connection, cache, user.user_id)?;
    let partner = user_row(connection, cache, chat.partner.user_id)?;
    let row = if let Some((row, _)) = cache.chats.get(&chat.chat_id) {
        *row
    } else {
        let mut make =
            connection.prepare_cached("INSERT INTO chats (chat_id, low, high) VALUES (?1, ?2, ?3) RETURNING id")?;
        let chat_id = chat.chat_id.as_uuid().as_bytes();
        let row = make.query_row(params![chat_id, own.min(partner), own.max(partner)], |row| row.get(0))?;
        let state = ChatState::new(chat.chat_id, user.clone(), chat.partner.clone());
        cache.chats.put(chat.chat_id, (row, state));
        row
    };
    let mut member = connection
        .prepare_cached("INSERT INTO members (user, chat, from_position, opened_at) VALUES (?1, ?2, ?3, ?4)")?;
    member.execute(params![own, row, integer(record.place.position.0), chat.opened_at.as_millis()])?;
    to_user(connection, record, own)
}

fn session_ended(
    connection: &Connection,
    record: &Record,
    user: i64,
    session_id: SessionId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut end = connection.prepare_cached("UPDATE sessions SET ended_at = ?2 WHERE session_id = ?1")?;
    end.execute(params![session_id.as_uuid().as_bytes(), at.as_millis()])?;
    to_user(connection, record, user)
}

/// Writes a change that is addressed to a user.
fn to_user(connection: &Connection, record: &Record, user: i64) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT INTO changes (position, tag, kind, user, data) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    insert.execute(params![
        integer(record.place.position.0),
        integer(record.place.tag),
        rows::kind(record.event),
        user,
        &*record.data,
    ])?;
    Ok(())
}
