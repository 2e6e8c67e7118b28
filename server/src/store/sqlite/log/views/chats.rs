use i9chat_spec::{
    Chat, ChatId, ChatKind, Entry, GroupSummary, Limits, MediaId, Membership, Partner, Stretch, Timestamp, UserId,
    Watermark,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    entries::{Viewer, last_entry},
    rows::{self, integer, number},
    stretches, viewed,
};
use crate::{
    domain::Position,
    store::{ChatsPage, ChatsQuery, Seen, StoreError},
};

/// A user's chats with the position of the latest entry that they may see, or of the opening of an empty chat.
const ACTIVITY: &str = "
    SELECT members.chat, members.user,
           coalesce((SELECT position FROM changes
                     WHERE chat = members.chat AND seq IS NOT NULL AND seq <= coalesce(to_seq, 1 << 53)
                     ORDER BY seq DESC LIMIT 1),
                    from_position) AS activity
    FROM members
    JOIN stretches USING (user, chat)
    WHERE user = (SELECT id FROM users WHERE user_id = ?1) AND from_seq = since_seq";

/// Whether the user would have heard something of the chat after a position: an entry or something else that they may see, or
/// something that is addressed to them. (CHT-8)
const HEARD: &str = "
    (EXISTS (SELECT 1 FROM stretches s WHERE s.user = members.user AND s.chat = members.chat AND (
        (SELECT position FROM changes
         WHERE chat = s.chat AND seq IS NOT NULL AND seq <= coalesce(s.to_seq, 1 << 53)
         ORDER BY seq DESC LIMIT 1) > ?4
        OR EXISTS (SELECT 1 FROM changes
                   WHERE chat = s.chat AND seq IS NULL AND changes.user IS NULL
                     AND position > max(?4, s.from_position) AND position <= coalesce(s.to_position, 1 << 53))))
     OR members.chat IN (SELECT chat FROM changes
                         WHERE user = (SELECT id FROM users WHERE user_id = ?1) AND position > ?4 AND chat IS NOT NULL))";

pub(in crate::store::sqlite::log) fn chats(
    connection: &Connection,
    user_id: UserId,
    query: ChatsQuery,
) -> Result<ChatsPage, StoreError> {
    let heard = query.changed_since.map_or(String::new(), |_| format!(" AND {HEARD}"));
    let mut find =
        connection.prepare_cached(&format!("{ACTIVITY} AND activity < ?2{heard} ORDER BY activity DESC LIMIT ?3"))?;
    let before = query.before.map_or(i64::MAX, |position| integer(position.0));
    let limit = integer(query.limit as u64 + 1);
    let user_id = user_id.as_uuid().as_bytes();
    let mut found = match query.changed_since {
        Some(since) => find.query(params![user_id, before, limit, integer(since.0)])?,
        None => find.query(params![user_id, before, limit])?,
    };
    let mut page = ChatsPage { chats: Vec::new(), next: None };
    let mut last = Position::default();
    while let Some(row) = found.next()? {
        if page.chats.len() == query.limit {
            page.next = Some(last);
            break;
        }
        page.chats.push(chat_of(connection, row.get(0)?, row.get(1)?)?);
        last = Position(number(row.get(2)?));
    }
    Ok(page)
}

pub(in crate::store::sqlite::log) fn chat(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<Seen<Chat>, StoreError> {
    viewed(connection, user_id, chat_id)?.then(|viewed| Ok(Seen::Found(chat_of(connection, viewed.chat, viewed.user)?)))
}

/// A chat as a user sees it who is or was in it.
fn chat_of(connection: &Connection, chat: i64, user: i64) -> Result<Chat, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT chats.chat_id, own.membership, own.opened_at, own.delivered, own.read,
                other.user_id, other.username, coalesce(theirs.delivered, 0), coalesce(theirs.read, 0),
                chats.name, chats.description, chats.picture_id, chats.members_count, own.role, own.left_behind
         FROM chats
         JOIN members own ON own.user = ?2 AND own.chat = chats.id
         LEFT JOIN users other ON other.id = iif(chats.low = ?2, chats.high, chats.low)
         LEFT JOIN members theirs ON theirs.user = other.id AND theirs.chat = chats.id
         WHERE chats.id = ?1",
    )?;
    let mut found = find.query([chat, user])?;
    let row = found.next()?.ok_or_else(|| rows::corrupt("a member without a chat"))?;
    let visible = stretches(connection, chat, user)?;
    let (delivered, read) = (rows::watermark(row.get(3)?)?, rows::watermark(row.get(4)?)?);
    let viewer = Viewer { chat, user };
    let (kind, partner, group) = match partner(row)? {
        Some(partner) => (ChatKind::Direct, Some(partner), None),
        None => (ChatKind::Group, None, Some(group(row)?)),
    };
    Ok(Chat {
        chat_id: ChatId::from_uuid(Uuid::from_bytes(row.get(0)?)),
        kind,
        partner,
        group,
        membership: rows::membership(row.get(1)?)?,
        opened_at: Timestamp::from_millis(row.get(2)?),
        last_entry: last(connection, viewer, &visible)?,
        unread_count: unread(connection, viewer, read, &visible)?,
        visible,
        delivered,
        read,
    })
}

/// The latest entry that may be seen: each stretch but that of an empty direct chat holds one.
fn last(connection: &Connection, viewer: Viewer, visible: &[Stretch]) -> Result<Option<Entry>, StoreError> {
    match visible.last() {
        Some(stretch) => last_entry(connection, viewer, stretch.to),
        None => Ok(None),
    }
}

fn partner(row: &Row<'_>) -> Result<Option<Partner>, StoreError> {
    let Some(user_id) = row.get(5)? else { return Ok(None) };
    Ok(Some(Partner {
        user: rows::user(user_id, rows::text(row, 6)?)?,
        delivered: rows::watermark(row.get(7)?)?,
        read: rows::watermark(row.get(8)?)?,
    }))
}

fn group(row: &Row<'_>) -> Result<GroupSummary, StoreError> {
    if rows::membership(row.get(1)?)? != Membership::Member {
        return serde_json::from_str(rows::text(row, 14)?).map_err(rows::corrupt);
    }
    Ok(GroupSummary {
        name: rows::text(row, 9)?.parse().map_err(rows::corrupt)?,
        description: rows::text(row, 10)?.parse().map_err(rows::corrupt)?,
        picture_id: row.get::<_, Option<[u8; 16]>>(11)?.map(|bytes| MediaId::from_uuid(Uuid::from_bytes(bytes))),
        members_count: number(row.get(12)?),
        role: Some(rows::role(row.get(13)?)),
    })
}

/// Messages of others, counted up to the limit: the cost is bounded too. (CHT-4)
fn unread(connection: &Connection, viewer: Viewer, read: Watermark, visible: &[Stretch]) -> Result<u64, StoreError> {
    let last = visible.last().and_then(|stretch| stretch.to).map_or(i64::MAX, |seq| integer(seq.get()));
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM changes
         WHERE chat = ?1 AND seq IS NOT NULL AND seq > ?2 AND seq <= ?3 AND sender <> ?4 LIMIT ?5)",
    )?;
    let most = integer(Limits::default().max_unread_count);
    let bounds = params![viewer.chat, integer(read.get()), last, viewer.user, most];
    Ok(number(count.query_row(bounds, |row| row.get(0))?))
}
