use i9chat_spec::{
    ChatId, MessageStatus, UserId,
    api::receipts::{ChatReceipt, MessageReceipt},
};
use rusqlite::{Connection, params};

use super::{
    entries::{Viewer, visible_message},
    rows::{self, integer},
    viewed_by_member,
};
use crate::store::{Names, OneMessage, Seen, StoreError, log::status};

/// How far a message has come, and how far the members are with it. (RCP-7, RCP-8)
pub(in crate::store::sqlite::log) fn message_receipts(
    connection: &Connection,
    wanted: OneMessage,
    names: &Names,
) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError> {
    viewed_by_member(connection, wanted.user_id, wanted.chat_id)?.then(|viewed| {
        let viewer = Viewer { chat: viewed.chat, user: viewed.user };
        let Some(seq) = visible_message(connection, viewer, wanted)? else { return Ok(Seen::NoMessage) };
        let message = params![viewer.chat, integer(seq.get())];
        // Members other than the sender whose present stretch contains it.
        let mut all = connection.prepare_cached(
            "SELECT min(delivered), min(read) FROM members
             WHERE chat = ?1 AND membership = 0 AND since_seq <= ?2
               AND user <> (SELECT sender FROM changes WHERE chat = ?1 AND seq = ?2)",
        )?;
        let least = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?));
        let (delivered, read) = all.query_row(message, least)?;
        let mark = |mark: Option<i64>| mark.map_or(Ok(None), |mark| rows::watermark(mark).map(Some));
        let least = match (mark(delivered)?, mark(read)?) {
            (Some(delivered), Some(read)) => status(seq.into(), delivered, read),
            // Nobody is left who would have to read it.
            _ => MessageStatus::Read,
        };
        let mut find = connection.prepare_cached(
            "SELECT users.user_id, users.username, delivered, read
             FROM members JOIN users ON users.id = members.user
             WHERE chat = ?1 AND membership = 0 AND since_seq <= ?2
               AND user <> (SELECT sender FROM changes WHERE chat = ?1 AND seq = ?2)
               AND username_key > ?3
             ORDER BY username_key LIMIT ?4",
        )?;
        let mut found =
            find.query(params![viewer.chat, integer(seq.get()), names.after(), integer(names.limit as u64)])?;
        let mut receipts = Vec::new();
        while let Some(row) = found.next()? {
            let user = rows::user(row.get(0)?, rows::text(row, 1)?)?;
            let status = status(seq.into(), rows::watermark(row.get(2)?)?, rows::watermark(row.get(3)?)?);
            receipts.push(MessageReceipt { user, status });
        }
        Ok(Seen::Found((least, receipts)))
    })
}

/// How far the members of a chat are. (RCP-9)
pub(in crate::store::sqlite::log) fn chat_receipts(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
    names: &Names,
) -> Result<Seen<Vec<ChatReceipt>>, StoreError> {
    viewed_by_member(connection, user_id, chat_id)?.then(|viewed| {
        // The other user of a direct chat may not have it as yet.
        let sql = if viewed.is_group {
            "SELECT users.user_id, users.username, delivered, read
             FROM members JOIN users ON users.id = members.user
             WHERE chat = ?1 AND membership = 0 AND username_key > ?2 ORDER BY username_key LIMIT ?3"
        } else {
            "SELECT users.user_id, users.username, coalesce(delivered, 0), coalesce(read, 0)
             FROM chats JOIN users ON users.id IN (low, high)
             LEFT JOIN members ON members.chat = chats.id AND members.user = users.id
             WHERE chats.id = ?1 AND username_key > ?2 ORDER BY username_key LIMIT ?3"
        };
        let mut find = connection.prepare_cached(sql)?;
        let mut found = find.query(params![viewed.chat, names.after(), integer(names.limit as u64)])?;
        let mut receipts = Vec::new();
        while let Some(row) = found.next()? {
            receipts.push(ChatReceipt {
                user: rows::user(row.get(0)?, rows::text(row, 1)?)?,
                delivered: rows::watermark(row.get(2)?)?,
                read: rows::watermark(row.get(3)?)?,
            });
        }
        Ok(Seen::Found(receipts))
    })
}
