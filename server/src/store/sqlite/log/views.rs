use i9chat_spec::{Chat, ChatId, ChatKind, Entry, Limits, Membership, MessageId, Seq, Stretch, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::rows::{self, integer, number};
use crate::{
    domain::Position,
    ids::seq_of,
    store::{ChatsPage, MessageRead, Seek, StoreError},
};

/// A user's chats with what stands in their rows, and `activity`: the position of the last entry, or of the opening of an empty chat.
const CHATS: &str = "
    SELECT chats.id, chats.chat_id, members.opened_at, partner.user_id, partner.username, own.id,
           coalesce((SELECT position FROM changes WHERE chat = chats.id AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1),
                    from_position) AS activity
    FROM users own
    JOIN members ON members.user = own.id
    JOIN chats ON chats.id = members.chat
    JOIN users partner ON partner.id = iif(chats.low = own.id, chats.high, chats.low)
    WHERE own.user_id = ?1";

pub(super) fn chats(
    connection: &Connection,
    user_id: UserId,
    before: Option<Position>,
    limit: usize,
) -> Result<ChatsPage, StoreError> {
    let mut find = connection.prepare_cached(&format!("{CHATS} AND activity < ?2 ORDER BY activity DESC LIMIT ?3"))?;
    let before = before.map_or(i64::MAX, |position| integer(position.0));
    let mut found = find.query(params![user_id.as_uuid().as_bytes(), before, integer(limit as u64 + 1)])?;
    let mut page = ChatsPage { chats: Vec::new(), next: None };
    let mut last = Position::default();
    while let Some(row) = found.next()? {
        if page.chats.len() == limit {
            page.next = Some(last);
            break;
        }
        page.chats.push(chat_of(connection, row)?);
        last = Position(number(row.get(6)?));
    }
    Ok(page)
}

pub(super) fn chat(connection: &Connection, user_id: UserId, chat_id: ChatId) -> Result<Option<Chat>, StoreError> {
    let mut find = connection.prepare_cached(&format!("{CHATS} AND chats.chat_id = ?2"))?;
    let mut found = find.query(params![user_id.as_uuid().as_bytes(), chat_id.as_uuid().as_bytes()])?;
    found.next()?.map(|row| chat_of(connection, row)).transpose()
}

fn chat_of(connection: &Connection, row: &Row<'_>) -> Result<Chat, StoreError> {
    let (chat, own): (i64, i64) = (row.get(0)?, row.get(5)?);
    let mut last = connection
        .prepare_cached("SELECT data FROM changes WHERE chat = ?1 AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1")?;
    let mut found = last.query([chat])?;
    let last_entry = match found.next()? {
        Some(row) => Some(Entry::Message(rows::message(row.get_ref(0)?.as_str().map_err(rows::corrupt)?)?)),
        None => None,
    };
    Ok(Chat {
        chat_id: ChatId::from_uuid(Uuid::from_bytes(row.get(1)?)),
        kind: ChatKind::Direct,
        partner: rows::user(row.get(3)?, row.get_ref(4)?.as_str().map_err(rows::corrupt)?)?,
        membership: Membership::Member,
        opened_at: Timestamp::from_millis(row.get(2)?),
        visible: vec![Stretch { from: Seq::FIRST, to: None }],
        last_entry,
        unread_count: unread(connection, chat, own)?,
    })
}

/// Messages of others, counted up to the limit: the cost is bounded too. (CHT-4)
fn unread(connection: &Connection, chat: i64, own: i64) -> Result<u64, StoreError> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM changes WHERE chat = ?1 AND seq IS NOT NULL AND sender <> ?2 LIMIT ?3)",
    )?;
    let most = integer(Limits::default().max_unread_count);
    Ok(number(count.query_row(params![chat, own, most], |row| row.get(0))?))
}

/// The row of a chat that a user sees.
fn visible_chat(connection: &Connection, user_id: UserId, chat_id: ChatId) -> Result<Option<i64>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT chats.id FROM chats
         JOIN users ON users.user_id = ?1
         JOIN members ON members.user = users.id AND members.chat = chats.id
         WHERE chats.chat_id = ?2",
    )?;
    let ids = params![user_id.as_uuid().as_bytes(), chat_id.as_uuid().as_bytes()];
    Ok(find.query_row(ids, |row| row.get(0)).optional()?)
}

pub(super) fn entries(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
    seek: Seek,
    limit: usize,
) -> Result<Option<Vec<Entry>>, StoreError> {
    let Some(chat) = visible_chat(connection, user_id, chat_id)? else { return Ok(None) };
    let (sql, from) = match seek {
        Seek::Newest => ("seq <= ?2 ORDER BY seq DESC", i64::MAX),
        Seek::Before(seq) => ("seq < ?2 ORDER BY seq DESC", integer(seq.get())),
        Seek::After(watermark) => ("seq > ?2 ORDER BY seq", integer(watermark.get())),
    };
    let mut find =
        connection.prepare_cached(&format!("SELECT data FROM changes WHERE chat = ?1 AND {sql} LIMIT ?3"))?;
    let mut found = find.query(params![chat, from, integer(limit as u64)])?;
    let mut entries = Vec::with_capacity(limit);
    while let Some(row) = found.next()? {
        entries.push(Entry::Message(rows::message(row.get_ref(0)?.as_str().map_err(rows::corrupt)?)?));
    }
    Ok(Some(entries))
}

pub(super) fn message(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
    message_id: MessageId,
) -> Result<MessageRead, StoreError> {
    let Some(chat) = visible_chat(connection, user_id, chat_id)? else { return Ok(MessageRead::NoChat) };
    let Some(seq) = seq_of(message_id) else { return Ok(MessageRead::NoMessage) };
    let mut find = connection.prepare_cached("SELECT data FROM changes WHERE chat = ?1 AND seq = ?2")?;
    let mut found = find.query(params![chat, integer(seq.get())])?;
    let Some(row) = found.next()? else { return Ok(MessageRead::NoMessage) };
    let message = rows::message(row.get_ref(0)?.as_str().map_err(rows::corrupt)?)?;
    // Another message may stand where a made-up id points.
    let found = message.message_id == message_id;
    Ok(if found { MessageRead::Found(Box::new(message)) } else { MessageRead::NoMessage })
}
