use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use i9chat_spec::{SessionId, Timestamp, User, UserId};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    domain::accounts::{hashes::SecretHash, refresh::RefreshState, session::SessionTimes},
    store::{
        StoreError,
        accounts::{NewSession, OpenSession, SessionOpening, SessionProof, SessionRecord},
        neo4j::driver::{Driver, Statement, Value, map, text},
    },
};

/// How many sessions are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1000;

/// Opens a session if the password is the one that was seen and there is room; answers what was looked at. The user is locked first,
/// so that sign-ins at once follow on each other.
pub(super) const OPEN: &str = "
    MATCH (locked:User {user_id: $user_id}) SET locked.turn = 0
    WITH locked
    MATCH (u:User {user_id: $user_id})
    CALL (u) {
        OPTIONAL MATCH (there:Session {session_id: $session.session_id}) WHERE there.user_id = u.user_id
        RETURN count(there) > 0 AS was_opened
    }
    CALL (u) {
        MATCH (s:Session {user_id: u.user_id}) WHERE s.ended_at IS NULL AND s.last_used_at > $open_since
        WITH s ORDER BY s.last_used_at, s.created_at, s.session_id
        RETURN count(s) AS open, head(collect(s.session_id)) AS unused_longest
    }
    CALL (u, was_opened, open) {
        WITH u WHERE NOT was_opened AND u.password_version = $password_version AND open < $max_open
        CREATE (s:Session)-[:OF]->(u) SET s = $session
        RETURN count(s) > 0 AS is_opened
    }
    RETURN was_opened OR is_opened AS is_open, u.password_version AS password_version, unused_longest";

pub(super) const RECORD: &str = "
    MATCH (s:Session {session_id: $session_id})-[:OF]->(u:User)
    RETURN u.user_id AS user_id, u.username AS username, s.last_used_at AS last_used_at, s.ended_at AS ended_at,
           s.generation AS generation, s.newest_hash AS newest_hash, s.before_hash AS before_hash,
           s.newest_used AS newest_used, s.cookie_hash AS cookie_hash";

pub(super) const OPEN_OF_USER: &str = "
    MATCH (s:Session {user_id: $user_id}) WHERE s.ended_at IS NULL AND s.last_used_at > $open_since
    RETURN s.session_id AS session_id, s.created_at AS created_at, s.last_used_at AS last_used_at, s.client AS client
    ORDER BY created_at DESC, session_id DESC";

/// Advances the tokens of a session that is locked first. A second try finds them advanced.
pub(super) const ADVANCE: &str = "
    MATCH (locked:Session {session_id: $session_id}) SET locked.turn = 0
    WITH locked
    MATCH (s:Session {session_id: $session_id}) WHERE s.ended_at IS NULL AND s.newest_hash IS NOT NULL
    WITH s, s.generation = $generation AND s.newest_hash = $newest_hash AS was_advanced
    WHERE was_advanced OR s.generation + 1 = $generation
    SET s += CASE WHEN was_advanced THEN {} ELSE {
        generation: $generation, before_hash: s.newest_hash, newest_hash: $newest_hash, newest_used: false,
        last_used_at: CASE WHEN s.last_used_at > $at THEN s.last_used_at ELSE $at END
    } END
    RETURN s.generation AS generation";

pub(super) const NOTE_USE: &str = "
    MATCH (locked:Session {session_id: $session_id}) SET locked.turn = 0
    WITH locked
    MATCH (s:Session {session_id: $session_id}) WHERE s.ended_at IS NULL
    SET s.last_used_at = CASE WHEN s.last_used_at > $at THEN s.last_used_at ELSE $at END,
        s.newest_used = s.newest_used OR coalesce(s.generation = $newest_used, false)";

pub(super) const FORGET_UNUSED: &str = "
    MATCH (s:Session) WHERE s.last_used_at < $before
    WITH s LIMIT $at_once
    DETACH DELETE s
    RETURN count(s) AS gone";

pub(super) const FORGET_ENDED: &str = "
    MATCH (s:Session) WHERE s.ended_at < $before
    WITH s LIMIT $at_once
    DETACH DELETE s
    RETURN count(s) AS gone";

/// A new session as it is stored.
pub(super) fn properties(user_id: UserId, session: &NewSession) -> Value {
    let (tokens, cookie) = match session.proof {
        SessionProof::Tokens(tokens) => (Some(tokens), None),
        SessionProof::Cookie(hash) => (None, Some(hash)),
    };
    map([
        ("session_id", text(session.session_id)),
        ("user_id", text(user_id)),
        ("created_at", session.created_at.as_millis().into()),
        ("last_used_at", session.created_at.as_millis().into()),
        ("client", session.client.clone().into()),
        ("generation", i64::from(tokens.map_or(0, |tokens| tokens.generation)).into()),
        ("newest_hash", tokens.map(|tokens| hash_text(tokens.newest)).into()),
        ("before_hash", tokens.and_then(|tokens| tokens.before).map(hash_text).into()),
        ("newest_used", tokens.is_some_and(|tokens| tokens.newest_used).into()),
        ("cookie_hash", cookie.map(hash_text).into()),
    ])
}

fn hash_text(hash: SecretHash) -> String {
    URL_SAFE_NO_PAD.encode(hash.0)
}

fn hash(text: &str) -> Result<SecretHash, StoreError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(SecretHash).ok_or_else(|| StoreError::Corrupt("a hash that is none".to_owned()))
}

pub(super) async fn open(
    driver: &Driver,
    user_id: UserId,
    password_version: i64,
    session: &NewSession,
    max_open: u64,
    open_since: Timestamp,
) -> Result<SessionOpening, StoreError> {
    #[derive(Deserialize)]
    struct Opening {
        is_open: bool,
        password_version: i64,
        unused_longest: Option<SessionId>,
    }

    let statement = Statement::new(OPEN)
        .with("user_id", text(user_id))
        .with("session", properties(user_id, session))
        .with("password_version", password_version)
        .with("max_open", i64::try_from(max_open).unwrap_or(i64::MAX))
        .with("open_since", open_since.as_millis());
    let opening = driver.write::<Opening>(&statement).await?.pop();
    match opening {
        Some(Opening { is_open: true, .. }) => Ok(SessionOpening::Opened),
        Some(opening) if opening.password_version != password_version => Ok(SessionOpening::PasswordChanged),
        Some(Opening { unused_longest: Some(unused_longest), .. }) => Ok(SessionOpening::TooMany { unused_longest }),
        _ => Err(StoreError::Corrupt(format!("a session of {user_id}, who is nobody"))),
    }
}

pub(super) async fn record(driver: &Driver, session_id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        user: User,
        last_used_at: i64,
        ended_at: Option<i64>,
        generation: u32,
        newest_hash: Option<String>,
        before_hash: Option<String>,
        newest_used: bool,
        cookie_hash: Option<String>,
    }

    let statement = Statement::new(RECORD).with("session_id", text(session_id));
    let Some(row) = driver.read_one::<Row>(&statement).await? else { return Ok(None) };
    let proof = match (row.cookie_hash, row.newest_hash) {
        (Some(cookie), _) => SessionProof::Cookie(hash(&cookie)?),
        (None, Some(newest)) => SessionProof::Tokens(RefreshState {
            generation: row.generation,
            newest: hash(&newest)?,
            before: row.before_hash.as_deref().map(hash).transpose()?,
            newest_used: row.newest_used,
        }),
        (None, None) => {
            return Err(StoreError::Corrupt(format!("the session {session_id} has neither tokens nor cookie")));
        }
    };
    let times = SessionTimes {
        last_used_at: Timestamp::from_millis(row.last_used_at),
        ended_at: row.ended_at.map(Timestamp::from_millis),
    };
    Ok(Some(SessionRecord { user: row.user, times, proof }))
}

pub(super) async fn open_of_user(
    driver: &Driver,
    user_id: UserId,
    open_since: Timestamp,
) -> Result<Vec<OpenSession>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        session_id: SessionId,
        created_at: i64,
        last_used_at: i64,
        client: Option<String>,
    }

    let statement =
        Statement::new(OPEN_OF_USER).with("user_id", text(user_id)).with("open_since", open_since.as_millis());
    let rows: Vec<Row> = driver.read(&statement).await?;
    let session = |row: Row| OpenSession {
        session_id: row.session_id,
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
        client: row.client,
    };
    Ok(rows.into_iter().map(session).collect())
}

pub(super) async fn advance(
    driver: &Driver,
    session_id: SessionId,
    generation: u32,
    newest: SecretHash,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let statement = Statement::new(ADVANCE)
        .with("session_id", text(session_id))
        .with("generation", i64::from(generation))
        .with("newest_hash", hash_text(newest))
        .with("at", at.as_millis());
    let advanced: Vec<IgnoredAny> = driver.write(&statement).await?;
    Ok(!advanced.is_empty())
}

pub(super) async fn note_use(
    driver: &Driver,
    session_id: SessionId,
    at: Timestamp,
    newest_used: Option<u32>,
) -> Result<(), StoreError> {
    let statement = Statement::new(NOTE_USE)
        .with("session_id", text(session_id))
        .with("at", at.as_millis())
        .with("newest_used", newest_used.map(i64::from));
    driver.write::<IgnoredAny>(&statement).await?;
    Ok(())
}

pub(super) async fn forget(driver: &Driver, before: Timestamp) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Gone {
        gone: i64,
    }

    for statement in [FORGET_UNUSED, FORGET_ENDED] {
        let statement = Statement::new(statement).with("before", before.as_millis()).with("at_once", FORGOTTEN_AT_ONCE);
        while driver.write::<Gone>(&statement).await?.first().is_some_and(|Gone { gone }| *gone == FORGOTTEN_AT_ONCE) {}
    }
    Ok(())
}
