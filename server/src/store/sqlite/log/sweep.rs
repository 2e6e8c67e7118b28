use i9chat_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::rows::{self, integer, number};
use crate::{domain::Position, store::StoreError};

/// How many positions are looked at in one transaction: others want to write in between.
const STEP: u64 = 5000;

/// Notes how far the log has come, and from where on events are kept. (RSM-12)
pub(super) fn announce(connection: &Connection, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
    let head = rows::head(connection)?.position;
    connection.execute(
        "INSERT INTO log_times (position, at) VALUES (?1, ?2) ON CONFLICT (position) DO NOTHING",
        [integer(head.0), now.as_millis()],
    )?;
    let old: Option<i64> = connection
        .query_row("SELECT max(position) FROM log_times WHERE at <= ?1", [before.as_millis()], |row| row.get(0))
        .optional()?
        .flatten();
    if let Some(old) = old {
        connection.execute("UPDATE log SET kept_from = max(kept_from, ?1)", [old])?;
        connection.execute("DELETE FROM log_times WHERE position < ?1", [old])?;
    }
    Ok(())
}

/// Removes some of what is not kept; answers whether there is more. Entries stay for ever, and so does the last change,
/// which is the head of the log.
pub(super) fn sweep(connection: &Connection) -> Result<bool, StoreError> {
    let swept: i64 = connection.query_row("SELECT swept_to FROM log", [], |row| row.get(0))?;
    let kept_from = rows::kept_from(connection)?;
    let to = Position((number(swept) + STEP).min(kept_from.0));
    if to.0 <= number(swept) {
        return Ok(false);
    }
    connection.execute(
        "DELETE FROM changes WHERE position > ?1 AND position <= ?2 AND seq IS NULL
         AND position < (SELECT max(position) FROM changes)",
        [swept, integer(to.0)],
    )?;
    connection.execute("UPDATE log SET swept_to = ?1", [integer(to.0)])?;
    Ok(to < kept_from)
}
