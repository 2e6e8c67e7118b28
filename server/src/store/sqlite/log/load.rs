use i9chat_spec::{ChatId, ClientId, SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::{cache::LogCache, rows};
use crate::{
    domain::{ChatState, Pair, SentBefore, SessionState, State, Wanted},
    store::StoreError,
};

/// Reads what a batch wants to know.
pub(super) fn load(connection: &Connection, cache: &mut LogCache, wanted: &Wanted) -> Result<State, StoreError> {
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
    for key @ (user_id, client_id) in &wanted.sent {
        if let Some(before) = sent_before(connection, cache, *user_id, *client_id)? {
            state.sent.insert(*key, before);
        }
    }
    for session_id in &wanted.sessions {
        if let Some(session) = session(connection, *session_id)? {
            state.sessions.insert(*session_id, session);
        }
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

fn chat(connection: &Connection, cache: &mut LogCache, chat_id: ChatId) -> Result<Option<ChatState>, StoreError> {
    if let Some((_, chat)) = cache.chats.get(&chat_id) {
        return Ok(Some(chat.clone()));
    }
    let mut find = connection.prepare_cached(
        "SELECT chats.id, one.user_id, one.username, other.user_id, other.username,
                (SELECT max(seq) FROM changes WHERE chat = chats.id AND seq IS NOT NULL)
         FROM chats JOIN users one ON one.id = low JOIN users other ON other.id = high
         WHERE chat_id = ?1",
    )?;
    let mut found = find.query([chat_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let row_id: i64 = row.get(0)?;
    let one = rows::user(row.get(1)?, row.get_ref(2)?.as_str().map_err(rows::corrupt)?)?;
    let other = rows::user(row.get(3)?, row.get_ref(4)?.as_str().map_err(rows::corrupt)?)?;
    let mut chat = ChatState::new(chat_id, one, other);
    chat.last_seq = rows::number(row.get::<_, Option<i64>>(5)?.unwrap_or(0));

    let mut members = connection.prepare_cached(
        "SELECT users.user_id, opened_at FROM chats
         JOIN members ON members.chat = chats.id AND members.user IN (low, high)
         JOIN users ON users.id = members.user
         WHERE chats.id = ?1",
    )?;
    let mut found = members.query([row_id])?;
    while let Some(row) = found.next()? {
        let user_id = UserId::from_uuid(Uuid::from_bytes(row.get(0)?));
        chat.add(user_id, Timestamp::from_millis(row.get(1)?));
    }
    cache.chats.put(chat_id, (row_id, chat.clone()));
    Ok(Some(chat))
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

fn sent_before(
    connection: &Connection,
    cache: &mut LogCache,
    user_id: UserId,
    client_id: ClientId,
) -> Result<Option<SentBefore>, StoreError> {
    let sender = user_row(connection, cache, user_id)?;
    let mut find = connection.prepare_cached("SELECT data FROM changes WHERE sender = ?1 AND client_id = ?2")?;
    let mut found = find.query(rusqlite::params![sender, client_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let message = rows::message(row.get_ref(0)?.as_str().map_err(rows::corrupt)?)?;
    Ok(Some(SentBefore::of(&message)))
}

fn session(connection: &Connection, session_id: SessionId) -> Result<Option<SessionState>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT users.user_id FROM sessions JOIN users ON users.id = sessions.user
         WHERE session_id = ?1 AND ended_at IS NULL",
    )?;
    let found = find.query_row([session_id.as_uuid().as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.map(|bytes| SessionState { user_id: UserId::from_uuid(Uuid::from_bytes(bytes)) }))
}
