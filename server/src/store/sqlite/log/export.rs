use std::cmp::Reverse;

use i9chat_spec::{
    ChatId, ClientId, MediaId, ReactionCount, UserId,
    event::{EventData, GroupActivity, SessionEnded},
};
use rusqlite::{Connection, OptionalExtension};

use super::rows;
use crate::{
    domain::{LogEpoch, Pair},
    store::{
        StoreError,
        sqlite::export::{Pages, maybe_uuid, uuid},
        transfer::{ChangeRow, ChatRow, LogFacts, MemberRow, Page, ReactionRow},
    },
};

/// Which log it is, and where it ends.
pub(in crate::store::sqlite) fn facts(connection: &Connection) -> Result<LogFacts, StoreError> {
    let (epoch, kept_from, swept_to) =
        connection.query_row("SELECT epoch, kept_from, swept_to FROM log", [], |row| {
            Ok((LogEpoch(row.get(0)?), row.get(1)?, row.get(2)?))
        })?;
    Ok(LogFacts { epoch, head: rows::head(connection)?, kept_from, swept_to })
}

pub(in crate::store::sqlite) fn export_chats(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT chats.id, chats.*, low.user_id AS one, high.user_id AS other,
                (SELECT max(position) FROM changes WHERE chat = chats.id AND seq IS NULL AND user IS NULL) AS last_change
         FROM chats LEFT JOIN users AS low ON low.id = low LEFT JOIN users AS high ON high.id = high
         WHERE chats.id > ?1 ORDER BY chats.id LIMIT ?2",
    )?;
    page.of::<_, 1>(find, |columns| {
        let mut last = connection.prepare_cached(
            "SELECT seq, position FROM changes WHERE chat = ?1 AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1",
        )?;
        let last = last.query_row([columns.get::<_, i64>("id")?], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (last_seq, last_entry): (i64, i64) = last.unwrap_or_default();
        let last_change: Option<i64> = columns.get("last_change")?;
        let users = maybe_uuid(columns, "one")?.zip(maybe_uuid(columns, "other")?).map(|(one, other)| {
            let Pair { low, high } = Pair::of(UserId::from_uuid(one), UserId::from_uuid(other));
            vec![low, high]
        });
        Ok(ChatRow {
            chat_id: ChatId::from_uuid(uuid(columns, "chat_id")?),
            kind: if users.is_some() { "direct" } else { "group" }.to_owned(),
            users,
            name: columns.get("name")?,
            description: columns.get("description")?,
            picture_id: maybe_uuid(columns, "picture_id")?.map(MediaId::from_uuid),
            created_at: columns.get("created_at")?,
            members_count: columns.get("members_count")?,
            last_seq,
            last_position: last_entry.max(last_change.unwrap_or_default()),
        })
    })
}

pub(in crate::store::sqlite) fn export_members(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT user, chat, members.*, users.user_id, chats.chat_id
         FROM members JOIN users ON users.id = user JOIN chats ON chats.id = chat
         WHERE (user, chat) > (?1, ?2) ORDER BY user, chat LIMIT ?3",
    )?;
    page.of::<_, 2>(find, |columns| {
        let mut row = MemberRow {
            user_id: UserId::from_uuid(uuid(columns, "user_id")?),
            chat_id: ChatId::from_uuid(uuid(columns, "chat_id")?),
            membership: rows::membership(columns.get("membership")?)?,
            role: rows::role(columns.get("role")?),
            opened_at: columns.get("opened_at")?,
            since_seq: columns.get("since_seq")?,
            since_order: columns.get("since_order")?,
            delivered: columns.get("delivered")?,
            read: columns.get("read")?,
            left_behind: columns.get("left_behind")?,
            from_seq: Vec::new(),
            to_seq: Vec::new(),
            from_position: Vec::new(),
            to_position: Vec::new(),
        };
        let mut stretches = connection.prepare_cached(
            "SELECT from_seq, to_seq, from_position, to_position FROM stretches
             WHERE user = ?1 AND chat = ?2 ORDER BY from_seq",
        )?;
        let mut found = stretches.query([columns.get::<_, i64>("user")?, columns.get("chat")?])?;
        while let Some(stretch) = found.next()? {
            row.from_seq.push(stretch.get(0)?);
            row.to_seq.push(stretch.get::<_, Option<_>>(1)?.unwrap_or(-1));
            row.from_position.push(stretch.get(2)?);
            row.to_position.push(stretch.get::<_, Option<_>>(3)?.unwrap_or(-1));
        }
        Ok(row)
    })
}

pub(in crate::store::sqlite) fn export_changes(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT position, changes.*, chats.chat_id, users.user_id, sender.user_id AS sender_id, chats.creation
         FROM changes LEFT JOIN chats ON chats.id = chat LEFT JOIN users ON users.id = user
              LEFT JOIN users AS sender ON sender.id = sender
         WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    page.of::<_, 1>(find, |columns| {
        let chat_id = maybe_uuid(columns, "chat_id")?.map(ChatId::from_uuid);
        let user_id = maybe_uuid(columns, "user_id")?.map(UserId::from_uuid);
        let (chat_id, about) = if user_id.is_some() { (None, chat_id) } else { (chat_id, None) };
        let (kind, data) = (rows::event(columns.get("kind")?)?, columns.get::<_, String>("data")?);
        let ends = (kind == SessionEnded::NAME)
            .then(|| serde_json::from_str::<SessionEnded>(&data).map_err(rows::corrupt))
            .transpose()?
            .map(|ended| ended.session_id);
        let seq: Option<i64> = columns.get("seq")?;
        let client_id = maybe_uuid(columns, "client_id")?.map(ClientId::from_uuid);
        // Of activities only the creation of a group was sent with an id.
        let is_creation = kind == GroupActivity::NAME && client_id.is_some();
        let reactions = match seq {
            Some(seq) => reactions(connection, columns.get("chat")?, seq)?,
            None => None,
        };
        Ok(ChangeRow {
            position: columns.get("position")?,
            tag: columns.get("tag")?,
            kind: kind.to_owned(),
            data,
            chat_id,
            user_id,
            about,
            ends,
            entry_of: seq.and(chat_id),
            seq,
            sender_id: maybe_uuid(columns, "sender_id")?.map(UserId::from_uuid),
            client_id,
            creation: if is_creation { columns.get("creation")? } else { None },
            reactions,
        })
    })
}

/// How often which emoji was given to an entry, as JSON. (REA-4)
fn reactions(connection: &Connection, chat: i64, seq: i64) -> Result<Option<String>, StoreError> {
    let mut find =
        connection.prepare_cached("SELECT emoji, count FROM reaction_counts WHERE chat = ?1 AND seq = ?2")?;
    let mut found = find.query([chat, seq])?;
    let mut counts = Vec::new();
    while let Some(row) = found.next()? {
        let emoji = rows::text(row, 0)?.parse().map_err(rows::corrupt)?;
        counts.push(ReactionCount { emoji, count: rows::number(row.get(1)?) });
    }
    counts.sort_by(|one, other| {
        (Reverse(one.count), one.emoji.as_str()).cmp(&(Reverse(other.count), other.emoji.as_str()))
    });
    (!counts.is_empty()).then(|| serde_json::to_string(&counts).map_err(rows::corrupt)).transpose()
}

pub(in crate::store::sqlite) fn export_reactions(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT chat, seq, user, emoji, users.user_id, chats.chat_id
         FROM reactions JOIN users ON users.id = user JOIN chats ON chats.id = chat
         WHERE (chat, seq, user) > (?1, ?2, ?3) ORDER BY chat, seq, user LIMIT ?4",
    )?;
    page.of::<_, 3>(find, |columns| {
        Ok(ReactionRow {
            chat_id: ChatId::from_uuid(uuid(columns, "chat_id")?),
            seq: columns.get("seq")?,
            user_id: UserId::from_uuid(uuid(columns, "user_id")?),
            emoji: columns.get("emoji")?,
        })
    })
}
