use std::collections::HashMap;

use i9chat_spec::{
    ChatId, ClientId, Limits, MediaId, MessageId, SessionId, Timestamp, User, UserId,
    event::{EventData, GroupActivity},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{cache::LogCache, rows};
use crate::{
    domain::{
        ChatState, DoneBefore, GroupState, MessageState, Pair, ReactionsState, Reader, SentBefore, SessionState,
        Standing, State, Wanted,
    },
    ids::seq_of,
    store::{
        StoreError,
        sqlite::{accounts, media},
    },
};

/// Reads what a batch wants to know.
pub(super) fn load(
    connection: &Connection,
    cache: &mut LogCache,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<State, StoreError> {
    let mut state = State::default();
    for chat_id in &wanted.chats {
        if let Some(chat) = chat(connection, cache, *chat_id)? {
            state.chats.insert(*chat_id, chat);
        }
    }
    for pair in &wanted.directs {
        if let Some(chat_id) = direct(connection, *pair)?
            && let Some(chat) = chat(connection, cache, chat_id)?
        {
            state.directs.insert(*pair, chat_id);
            state.chats.insert(chat_id, chat);
        }
    }
    for key @ (user_id, client_id) in &wanted.done {
        if let Some(before) = done_before(connection, cache, *user_id, *client_id)? {
            state.done.insert(*key, before);
        }
    }
    for key @ (chat_id, message_id) in &wanted.messages {
        if let Some(message) = message(connection, cache, *chat_id, *message_id)? {
            state.messages.insert(*key, message);
        }
    }
    for (key @ (chat_id, message_id), users) in &wanted.reactions {
        let reactions = reactions(connection, cache, *chat_id, *message_id, users.iter().copied())?;
        state.reactions.insert(*key, reactions);
    }
    for (chat_id, user_id) in &wanted.reading {
        let reader = reader(connection, cache, *chat_id, *user_id)?;
        state.reading.insert(*chat_id, *user_id, reader);
    }
    for media_id in &wanted.media {
        load_media(connection, &mut state, *media_id, now)?;
    }
    for user_id in &wanted.profiles {
        if let Some(profile) = accounts::profile_state(connection, *user_id)? {
            state.profiles.insert(*user_id, profile);
        }
    }
    for session_id in &wanted.sessions {
        if let Some(session) = session(connection, *session_id)? {
            state.sessions.insert(*session_id, session);
        }
    }
    for user_id in &wanted.sessions_of {
        state.sessions_of.insert(*user_id, sessions_of(connection, *user_id)?);
    }
    Ok(state)
}

/// The row of a user.
pub(super) fn user_row(connection: &Connection, cache: &mut LogCache, user_id: UserId) -> Result<i64, StoreError> {
    if let Some(row) = cache.users.get(&user_id) {
        return Ok(*row);
    }
    let mut find = connection.prepare_cached("SELECT id FROM users WHERE user_id = ?1")?;
    let row = find.query_row([user_id.as_uuid().as_bytes()], |row| row.get(0))?;
    cache.users.put(user_id, row);
    Ok(row)
}

/// The row of a chat that was read before.
pub(super) fn chat_row(cache: &mut LogCache, chat_id: ChatId) -> Option<i64> {
    cache.chats.get(&chat_id).map(|(row, _)| *row)
}

fn chat(connection: &Connection, cache: &mut LogCache, chat_id: ChatId) -> Result<Option<ChatState>, StoreError> {
    if let Some((_, chat)) = cache.chats.get(&chat_id) {
        return Ok(Some(chat.clone()));
    }
    let mut find = connection.prepare_cached(
        "SELECT chats.id, (SELECT max(seq) FROM changes WHERE chat = chats.id AND seq IS NOT NULL),
                one.user_id, one.username, other.user_id, other.username, chats.name, chats.description, chats.picture_id, chats.created_at
         FROM chats LEFT JOIN users one ON one.id = low LEFT JOIN users other ON other.id = high
         WHERE chat_id = ?1",
    )?;
    let mut found = find.query([chat_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let chat: i64 = row.get(0)?;
    let mut state = if row.get::<_, Option<[u8; 16]>>(2)?.is_some() {
        let one = rows::user(row.get(2)?, rows::text(row, 3)?)?;
        let other = rows::user(row.get(4)?, rows::text(row, 5)?)?;
        let mut direct = ChatState::direct(chat_id, one, other);
        for (user_id, opened_at) in added(connection, chat)? {
            direct.add(user_id, opened_at);
        }
        direct
    } else {
        ChatState::group(chat_id, group(connection, chat, row)?)
    };
    state.last_seq = rows::number(row.get::<_, Option<i64>>(1)?.unwrap_or(0));
    cache.remember(chat, state.clone());
    Ok(Some(state))
}

/// For whom a direct chat was added, and when.
fn added(connection: &Connection, chat: i64) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
    let mut members = connection.prepare_cached(
        "SELECT users.user_id, opened_at FROM members JOIN users ON users.id = members.user WHERE members.chat = ?1",
    )?;
    let mut found = members.query([chat])?;
    let mut added = Vec::new();
    while let Some(row) = found.next()? {
        added.push((UserId::from_uuid(Uuid::from_bytes(row.get(0)?)), Timestamp::from_millis(row.get(1)?)));
    }
    Ok(added)
}

/// A group, out of the row that [`chat`] found.
fn group(connection: &Connection, chat: i64, row: &Row<'_>) -> Result<GroupState, StoreError> {
    let picture_id = row.get::<_, Option<[u8; 16]>>(8)?.map(|bytes| MediaId::from_uuid(Uuid::from_bytes(bytes)));
    let mut group = GroupState {
        name: rows::text(row, 6)?.parse().map_err(rows::corrupt)?,
        description: rows::text(row, 7)?.parse().map_err(rows::corrupt)?,
        picture_id,
        created_at: Timestamp::from_millis(row.get(9)?),
        standings: HashMap::new(),
    };
    let mut users = HashMap::new();
    let mut members = connection.prepare_cached(
        "SELECT users.id, users.user_id, users.username, membership, role, since_seq, since_order
         FROM members JOIN users ON users.id = members.user WHERE members.chat = ?1",
    )?;
    let mut found = members.query([chat])?;
    while let Some(row) = found.next()? {
        let user: User = rows::user(row.get(1)?, rows::text(row, 2)?)?;
        users.insert(row.get::<_, i64>(0)?, user.user_id);
        let standing = Standing {
            membership: rows::membership(row.get(3)?)?,
            role: rows::role(row.get(4)?),
            since: (rows::seq(row.get(5)?)?, row.get(6)?),
            stretches: Vec::new(),
            user,
        };
        group.standings.insert(standing.user.user_id, standing);
    }
    let mut stretches = connection
        .prepare_cached("SELECT user, from_seq, to_seq FROM stretches WHERE chat = ?1 ORDER BY user, from_seq")?;
    let mut found = stretches.query([chat])?;
    while let Some(row) = found.next()? {
        let standing = users.get(&row.get::<_, i64>(0)?).and_then(|user_id| group.standings.get_mut(user_id));
        if let Some(standing) = standing {
            standing.stretches.push(rows::stretch(row.get(1)?, row.get(2)?)?);
        }
    }
    Ok(group)
}

fn direct(connection: &Connection, pair: Pair) -> Result<Option<ChatId>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT chat_id FROM chats
         JOIN users one ON one.user_id = ?1 JOIN users other ON other.user_id = ?2
         WHERE low = min(one.id, other.id) AND high = max(one.id, other.id)",
    )?;
    let found =
        find.query_row([pair.low.as_uuid().as_bytes(), pair.high.as_uuid().as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.map(|bytes| ChatId::from_uuid(Uuid::from_bytes(bytes))))
}

fn done_before(
    connection: &Connection,
    cache: &mut LogCache,
    user_id: UserId,
    client_id: ClientId,
) -> Result<Option<DoneBefore>, StoreError> {
    let sender = user_row(connection, cache, user_id)?;
    // Of this table alone: joined with another one the statement was prepared anew for every message.
    let mut find =
        connection.prepare_cached("SELECT kind, chat, data FROM changes WHERE sender = ?1 AND client_id = ?2")?;
    let mut found = find.query(params![sender, client_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    if row.get::<_, i64>(0)? == rows::kind(GroupActivity::NAME) {
        let mut creation = connection.prepare_cached("SELECT creation FROM chats WHERE id = ?1")?;
        let creation: String = creation.query_row([row.get::<_, i64>(1)?], |row| row.get(0))?;
        let creation = serde_json::from_str(&creation).map_err(rows::corrupt)?;
        return Ok(Some(DoneBefore::Group(Box::new(creation))));
    }
    Ok(Some(DoneBefore::Message(SentBefore::of(&rows::message(rows::text(row, 2)?)?))))
}

fn message(
    connection: &Connection,
    cache: &mut LogCache,
    chat_id: ChatId,
    message_id: MessageId,
) -> Result<Option<MessageState>, StoreError> {
    let (Some(chat), Some(seq)) = (chat_row(cache, chat_id), seq_of(message_id)) else { return Ok(None) };
    let mut find =
        connection.prepare_cached("SELECT data FROM changes WHERE chat = ?1 AND seq = ?2 AND sender IS NOT NULL")?;
    let mut found = find.query(params![chat, rows::integer(seq.get())])?;
    let Some(row) = found.next()? else { return Ok(None) };
    // The first entry of a group has an author too, and is no message.
    let Ok(message) = rows::message(rows::text(row, 0)?) else { return Ok(None) };
    // Another message may stand where a made-up id points.
    Ok((message.message_id == message_id).then(|| MessageState::of(&message)))
}

fn reactions(
    connection: &Connection,
    cache: &mut LogCache,
    chat_id: ChatId,
    message_id: MessageId,
    users: impl Iterator<Item = UserId>,
) -> Result<ReactionsState, StoreError> {
    let mut reactions = ReactionsState::default();
    let (Some(chat), Some(seq)) = (chat_row(cache, chat_id), seq_of(message_id)) else { return Ok(reactions) };
    let seq = rows::integer(seq.get());
    let mut counts =
        connection.prepare_cached("SELECT emoji, count FROM reaction_counts WHERE chat = ?1 AND seq = ?2")?;
    let mut found = counts.query([chat, seq])?;
    while let Some(row) = found.next()? {
        let emoji = rows::text(row, 0)?.parse().map_err(rows::corrupt)?;
        reactions.counts.insert(emoji, rows::number(row.get(1)?));
    }
    let mut own =
        connection.prepare_cached("SELECT emoji FROM reactions WHERE chat = ?1 AND seq = ?2 AND user = ?3")?;
    for user_id in users {
        let user = user_row(connection, cache, user_id)?;
        let emoji: Option<String> = own.query_row([chat, seq, user], |row| row.get(0)).optional()?;
        if let Some(emoji) = emoji {
            reactions.own.insert(user_id, emoji.parse().map_err(rows::corrupt)?);
        }
    }
    Ok(reactions)
}

/// How far a user is in a chat; at its beginning for who is not in it.
fn reader(
    connection: &Connection,
    cache: &mut LogCache,
    chat_id: ChatId,
    user_id: UserId,
) -> Result<Reader, StoreError> {
    let user = user_row(connection, cache, user_id)?;
    let Some(chat) = chat_row(cache, chat_id) else { return Ok(Reader::default()) };
    let mut find = connection.prepare_cached("SELECT delivered, read FROM members WHERE user = ?1 AND chat = ?2")?;
    let mut found = find.query([user, chat])?;
    let Some(row) = found.next()? else { return Ok(Reader::default()) };
    let (delivered, read): (i64, i64) = (row.get(0)?, row.get(1)?);
    // The newest ones: what is below them is beyond what is counted.
    let mut others = connection.prepare_cached(
        "SELECT seq FROM changes WHERE chat = ?1 AND seq IS NOT NULL AND seq > ?2 AND sender <> ?3 ORDER BY seq DESC LIMIT ?4",
    )?;
    let most = rows::integer(Limits::default().max_unread_count);
    let mut found = others.query([chat, read, user, most])?;
    let mut unread = Vec::new();
    while let Some(row) = found.next()? {
        unread.push(rows::number(row.get(0)?));
    }
    unread.reverse();
    Ok(Reader { delivered: rows::watermark(delivered)?, read: rows::watermark(read)?, unread })
}

fn load_media(connection: &Connection, state: &mut State, media_id: MediaId, now: Timestamp) -> Result<(), StoreError> {
    if let Some(media) = media::usable(connection, media_id, now)? {
        state.media.insert(media_id, media);
    }
    Ok(())
}

fn session(connection: &Connection, session_id: SessionId) -> Result<Option<SessionState>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT users.user_id FROM sessions JOIN users ON users.id = sessions.user
         WHERE session_id = ?1 AND ended_at IS NULL",
    )?;
    let found = find.query_row([session_id.as_uuid().as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.map(|bytes| SessionState { user_id: UserId::from_uuid(Uuid::from_bytes(bytes)) }))
}

fn sessions_of(connection: &Connection, user_id: UserId) -> Result<Vec<SessionId>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT session_id FROM sessions JOIN users ON users.id = sessions.user
         WHERE users.user_id = ?1 AND ended_at IS NULL",
    )?;
    let found = find.query_map([user_id.as_uuid().as_bytes()], |row| row.get(0))?;
    found.map(|bytes| Ok(SessionId::from_uuid(Uuid::from_bytes(bytes?)))).collect()
}
