//! Constraints, indexes, and the node of the log. Each version of the schema is a step that is never changed once it was
//! released.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::driver::{Driver, Failure, Statement};
use crate::{
    ids::{Ids, SystemIds},
    store::StoreError,
};

/// Each statement does nothing when it was done before, so several nodes may run them at once, and one that died half-way
/// does no harm.
const STEPS: &[&[&str]] = &[&[
    "CREATE CONSTRAINT log_name IF NOT EXISTS FOR (n:Log) REQUIRE n.name IS UNIQUE",
    "CREATE CONSTRAINT log_time_position IF NOT EXISTS FOR (n:LogTime) REQUIRE n.position IS UNIQUE",
    "CREATE INDEX log_time_at IF NOT EXISTS FOR (n:LogTime) ON (n.at)",
    "CREATE INDEX committer_at IF NOT EXISTS FOR (n:Committer) ON (n.at)",
    "CREATE CONSTRAINT committer_name IF NOT EXISTS FOR (n:Committer) REQUIRE n.name IS UNIQUE",
    "CREATE CONSTRAINT secret_name IF NOT EXISTS FOR (n:Secret) REQUIRE n.name IS UNIQUE",
    "CREATE CONSTRAINT user_id IF NOT EXISTS FOR (n:User) REQUIRE n.user_id IS UNIQUE",
    "CREATE CONSTRAINT user_username IF NOT EXISTS FOR (n:User) REQUIRE n.username_key IS UNIQUE",
    "CREATE CONSTRAINT user_email IF NOT EXISTS FOR (n:User) REQUIRE n.email_key IS UNIQUE",
    "CREATE INDEX user_cell IF NOT EXISTS FOR (n:User) ON (n.cell, n.username_key)",
    "CREATE CONSTRAINT cell_cell IF NOT EXISTS FOR (n:Cell) REQUIRE n.cell IS UNIQUE",
    "CREATE POINT INDEX cell_space IF NOT EXISTS FOR (n:Cell) ON (n.space)",
    "CREATE CONSTRAINT seen_user IF NOT EXISTS FOR (n:Seen) REQUIRE n.user_id IS UNIQUE",
    "CREATE CONSTRAINT session_id IF NOT EXISTS FOR (n:Session) REQUIRE n.session_id IS UNIQUE",
    "CREATE INDEX session_user IF NOT EXISTS FOR (n:Session) ON (n.user_id)",
    "CREATE INDEX session_used IF NOT EXISTS FOR (n:Session) ON (n.last_used_at)",
    "CREATE INDEX session_ended IF NOT EXISTS FOR (n:Session) ON (n.ended_at)",
    "CREATE CONSTRAINT chat_id IF NOT EXISTS FOR (n:Chat) REQUIRE n.chat_id IS UNIQUE",
    "CREATE CONSTRAINT chat_pair IF NOT EXISTS FOR (n:Chat) REQUIRE n.pair IS UNIQUE",
    "CREATE INDEX member_of_chat IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.chat_id)",
    "CREATE INDEX member_of_user IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.user_id, m.chat_id)",
    "CREATE CONSTRAINT change_position IF NOT EXISTS FOR (n:Change) REQUIRE n.position IS UNIQUE",
    "CREATE INDEX change_chat IF NOT EXISTS FOR (n:Change) ON (n.chat_id, n.position)",
    "CREATE INDEX change_user IF NOT EXISTS FOR (n:Change) ON (n.user_id, n.position)",
    "CREATE CONSTRAINT entry_seq IF NOT EXISTS FOR (n:Entry) REQUIRE (n.entry_of, n.seq) IS UNIQUE",
    "CREATE CONSTRAINT entry_client_id IF NOT EXISTS FOR (n:Entry) REQUIRE (n.sender_id, n.client_id) IS UNIQUE",
    "CREATE CONSTRAINT reaction_user IF NOT EXISTS FOR (n:Reaction) REQUIRE (n.chat_id, n.seq, n.user_id) IS UNIQUE",
    "CREATE CONSTRAINT media_id IF NOT EXISTS FOR (n:Media) REQUIRE n.media_id IS UNIQUE",
    "CREATE INDEX media_owner IF NOT EXISTS FOR (n:Media) ON (n.owner, n.used)",
    "CREATE INDEX media_unused IF NOT EXISTS FOR (n:Media) ON (n.used, n.expires_at)",
    "CREATE CONSTRAINT media_use IF NOT EXISTS FOR (n:MediaUse) REQUIRE (n.media_id, n.chat_id, n.seq) IS UNIQUE",
]];

/// Which version the database has.
const VERSION: &str = "MATCH (log:Log {name: 'log'}) RETURN log.schema AS version";
/// Until an index is whole it does not serve.
const AWAIT_INDEXES: &str = "CALL db.awaitIndexes(240)";
/// Of several nodes that start at once, one makes the log; none goes back to an older version.
const MAKE_LOG: &str = "MERGE (log:Log {name: 'log'})
ON CREATE SET log.epoch = $epoch, log.position = 0, log.tag = 0, log.kept_from = 0, log.swept_to = 0, log.turn = 0,
  log.schema = $version
ON MATCH SET log.schema = CASE WHEN log.schema < $version THEN $version ELSE log.schema END
RETURN log.schema AS version, log.moving IS NOT NULL AS is_moving";

/// What is read of the log's node.
#[derive(Deserialize)]
struct Version {
    version: i64,
    /// Whether it is being filled with what another store holds.
    #[serde(default)]
    is_moving: bool,
}

/// Brings the database to the newest version of the schema.
pub(super) async fn prepare(driver: &Driver) -> Result<(), StoreError> {
    let newest = constrain(driver).await?;
    let made = Statement::new(MAKE_LOG).with("epoch", random_text()).with("version", newest);
    let made: Vec<Version> = driver.write(&made).await?;
    if made.iter().any(|made| made.is_moving) {
        return Err(StoreError::Corrupt(
            "the database is being filled by `i9chat-server migrate`, or that was broken off: run it to its end"
                .to_owned(),
        ));
    }
    check(made.first().map_or(0, |made| made.version), newest)
}

/// Makes the constraints and indexes, and answers which version they are of.
pub(super) async fn constrain(driver: &Driver) -> Result<i64, StoreError> {
    let newest = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let has = driver.read_one(&Statement::new(VERSION)).await?.map_or(0, |Version { version, .. }| version);
    check(has, newest)?;
    for statement in STEPS.iter().skip(usize::try_from(has).unwrap_or(0)).copied().flatten() {
        make(driver, statement).await?;
    }
    driver.take_time(&Statement::new(AWAIT_INDEXES)).await?;
    Ok(newest)
}

/// A random name: for a log, as it stands in the database, and for other things that must differ.
pub(super) fn random_text() -> String {
    let mut bytes = [0; 8];
    SystemIds.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn check(has: i64, newest: i64) -> Result<(), StoreError> {
    if has > newest {
        return Err(StoreError::Corrupt(format!("the database is of version {has}, which is newer than this server")));
    }
    Ok(())
}

async fn make(driver: &Driver, statement: &'static str) -> Result<(), StoreError> {
    match driver.take_time(&Statement::new(statement)).await {
        // Another node made it in the same moment.
        Err(Failure::Taken(_)) => Ok(()),
        outcome => Ok(outcome?),
    }
}
