use i9chat_spec::{SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{
    super::column::Column,
    users::{self, UserRow},
};
use crate::{
    domain::accounts::{hashes::SecretHash, refresh::RefreshState, session::SessionTimes},
    store::{
        StoreError,
        accounts::{NewSession, OpenSession, SessionProof, SessionRecord},
    },
};

pub(super) fn add(connection: &Connection, user: UserRow, session: &NewSession) -> Result<(), StoreError> {
    let (tokens, cookie) = match session.proof {
        SessionProof::Tokens(tokens) => (Some(tokens), None),
        SessionProof::Cookie(hash) => (None, Some(hash)),
    };
    connection
        .prepare_cached(
            "INSERT INTO sessions (session_id, user, created_at, last_used_at, client, generation, newest_hash,
                                   before_hash, newest_used, cookie_hash)
             VALUES (:session_id, :user, :at, :at, :client, :generation, :newest, :before, :newest_used, :cookie)",
        )?
        .insert(named_params! {
            ":session_id": Column(session.session_id.as_uuid()),
            ":user": user.0,
            ":at": Column(session.created_at),
            ":client": session.client,
            ":generation": tokens.map_or(0, |tokens| tokens.generation),
            ":newest": tokens.map(|tokens| tokens.newest),
            ":before": tokens.and_then(|tokens| tokens.before),
            ":newest_used": tokens.is_some_and(|tokens| tokens.newest_used),
            ":cookie": cookie,
        })?;
    Ok(())
}

pub(super) fn record(connection: &Connection, session_id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT users.user_id, username, last_used_at, ended_at, generation, newest_hash, before_hash, newest_used,
                cookie_hash
         FROM sessions JOIN users ON users.id = sessions.user WHERE session_id = ?1",
    )?;
    let record = statement.query_row([Column(session_id.as_uuid())], |row| {
        Ok(SessionRecord {
            user: users::user(row, "user_id", "username")?,
            times: SessionTimes {
                last_used_at: row.get::<_, Column<_>>("last_used_at")?.0,
                ended_at: row.get::<_, Option<Column<_>>>("ended_at")?.map(|at| at.0),
            },
            proof: proof(row)?,
        })
    });
    Ok(record.optional()?)
}

fn proof(row: &Row<'_>) -> rusqlite::Result<SessionProof> {
    Ok(match row.get("cookie_hash")? {
        Some(hash) => SessionProof::Cookie(hash),
        None => SessionProof::Tokens(RefreshState {
            generation: row.get("generation")?,
            newest: row.get("newest_hash")?,
            before: row.get("before_hash")?,
            newest_used: row.get("newest_used")?,
        }),
    })
}

pub(super) fn open_of_user(
    connection: &Connection,
    user_id: UserId,
    open_since: Timestamp,
) -> Result<Vec<OpenSession>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT session_id, sessions.created_at, last_used_at, client
         FROM users JOIN sessions ON sessions.user = users.id
         WHERE users.user_id = :user_id AND ended_at IS NULL AND last_used_at > :open_since
         ORDER BY sessions.created_at DESC, sessions.id DESC",
    )?;
    let parameters = named_params! { ":user_id": Column(user_id.as_uuid()), ":open_since": Column(open_since) };
    let sessions = statement.query_map(parameters, |row| {
        Ok(OpenSession {
            session_id: SessionId::from_uuid(row.get::<_, Column<_>>("session_id")?.0),
            created_at: row.get::<_, Column<_>>("created_at")?.0,
            last_used_at: row.get::<_, Column<_>>("last_used_at")?.0,
            client: row.get("client")?,
        })
    })?;
    Ok(sessions.collect::<Result<_, _>>()?)
}

/// The session to end before another is opened, if one has to be.
pub(super) fn one_too_many(
    connection: &Connection,
    user_id: UserId,
    max_open: u64,
    open_since: Timestamp,
) -> Result<Option<SessionId>, StoreError> {
    let mut open = open_of_user(connection, user_id, open_since)?;
    if (open.len() as u64) < max_open {
        return Ok(None);
    }
    // Of those used in the same moment, the oldest: the list has it last, and `min_by_key` takes the first.
    open.reverse();
    Ok(open.iter().min_by_key(|session| session.last_used_at).map(|session| session.session_id))
}

pub(super) fn advance(
    connection: &Connection,
    session_id: SessionId,
    generation: u32,
    newest: &SecretHash,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE sessions SET generation = :generation, before_hash = newest_hash, newest_hash = :newest,
                                 newest_used = FALSE, last_used_at = max(last_used_at, :at)
             WHERE session_id = :session_id AND generation + 1 = :generation AND newest_hash IS NOT NULL
               AND ended_at IS NULL",
        )?
        .execute(named_params! {
            ":generation": generation, ":newest": newest, ":at": Column(at),
            ":session_id": Column(session_id.as_uuid()),
        })?;
    Ok(changed == 1)
}

pub(super) fn note_use(
    connection: &Connection,
    session_id: SessionId,
    at: Timestamp,
    newest_used: Option<u32>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE sessions SET last_used_at = max(last_used_at, :at),
                                 newest_used = newest_used OR ifnull(generation = :newest_used, FALSE)
             WHERE session_id = :session_id AND ended_at IS NULL",
        )?
        .execute(named_params! {
            ":at": Column(at), ":newest_used": newest_used, ":session_id": Column(session_id.as_uuid()),
        })?;
    Ok(())
}

pub(super) fn forget(connection: &Connection, ended_before: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE ended_at < :before OR last_used_at < :before")?
        .execute(named_params! { ":before": Column(ended_before) })?;
    Ok(())
}
