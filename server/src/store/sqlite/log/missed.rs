use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{self, integer, number};
use crate::{
    domain::{Place, Position},
    store::{Missed, MissedQuery, StoreError},
};

/// Reads what a user missed. Costs what they missed and a look at the end of each of their chats, never what everyone wrote.
pub(super) fn missed(connection: &Connection, query: &MissedQuery) -> Result<Missed, StoreError> {
    let head = match query.up_to {
        Some(position) => rows::place_at(connection, position)?
            .ok_or_else(|| rows::corrupt(format_args!("no change at {}", position.0)))?,
        None => rows::head(connection)?,
    };
    let positions = positions(connection, query, head)?;
    if positions.len() > query.most {
        return Ok(Missed::TooMuch { head });
    }
    let mut find = connection.prepare_cached(
        "SELECT position, tag, kind, chats.chat_id, data FROM changes LEFT JOIN chats ON chats.id = changes.chat
         WHERE position = ?1",
    )?;
    let records = positions
        .iter()
        .take(query.limit)
        .map(|position| {
            let mut found = find.query([position])?;
            let row = found.next()?.ok_or_else(|| rows::corrupt(format_args!("no change at {position}")))?;
            rows::record(row)
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Missed::Events { more: positions.len() > records.len(), records, head })
}

/// The positions that a user missed, in order; one more than `most` when there are more.
fn positions(connection: &Connection, query: &MissedQuery, head: Place) -> Result<Vec<i64>, StoreError> {
    let mut find = connection.prepare_cached("SELECT id FROM users WHERE user_id = ?1")?;
    let user: Option<i64> = find.query_row([query.user_id.as_uuid().as_bytes()], |row| row.get(0)).optional()?;
    let Some(user) = user else { return Ok(Vec::new()) };
    let room = query.most.saturating_add(1);
    let (after, up_to) = (integer(query.after.0), integer(head.position.0));
    let mut positions = Vec::new();

    let mut own = connection.prepare_cached(
        "SELECT position FROM changes WHERE user = ?1 AND position > ?2 AND position <= ?3 ORDER BY position LIMIT ?4",
    )?;
    let mut found = own.query(params![user, after, up_to, integer(room as u64)])?;
    while let Some(row) = found.next()? {
        positions.push(row.get(0)?);
    }

    let mut chats = connection.prepare_cached("SELECT chat, from_position FROM members WHERE user = ?1")?;
    // From the end back to where this user has read: positions rise with `seq`.
    let mut entries = connection
        .prepare_cached("SELECT position FROM changes WHERE chat = ?1 AND seq IS NOT NULL ORDER BY seq DESC")?;
    let mut found = chats.query([user])?;
    while let Some(row) = found.next()? {
        let (chat, from): (i64, i64) = (row.get(0)?, row.get(1)?);
        let after = Position(number(after.max(from)));
        let mut written = entries.query([chat])?;
        while let Some(row) = written.next()? {
            let position: i64 = row.get(0)?;
            if number(position) <= after.0 || positions.len() > query.most {
                break;
            }
            if position <= up_to {
                positions.push(position);
            }
        }
    }
    positions.sort_unstable();
    positions.truncate(room);
    Ok(positions)
}
