use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{self, integer};
use crate::{
    domain::Place,
    store::{Missed, MissedQuery, StoreError},
};

/// Reads what a user missed. Costs what they missed and a look at the end of each of their chats, never what everyone wrote.
pub(super) fn missed(connection: &Connection, query: &MissedQuery) -> Result<Missed, StoreError> {
    let head = match query.up_to {
        Some(position) => rows::place_at(connection, position)?
            .ok_or_else(|| rows::corrupt(format_args!("no change at {}", position.0)))?,
        None => rows::head(connection)?,
    };
    if query.after < rows::kept_from(connection)? {
        return Ok(Missed::TooMuch { head });
    }
    let positions = positions(connection, query, head)?;
    if positions.len() > query.most {
        return Ok(Missed::TooMuch { head });
    }
    let mut find = connection.prepare_cached(
        "SELECT position, tag, kind, chats.chat_id, data
         FROM changes LEFT JOIN chats ON chats.id = changes.chat AND changes.user IS NULL
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
    let (after, up_to) = (integer(query.after.0), integer(head.position.0));
    let mut collected = Collected { positions: Vec::new(), room: query.most.saturating_add(1) };

    let mut own = connection.prepare_cached(
        "SELECT position FROM changes WHERE user = ?1 AND position > ?2 AND position <= ?3 ORDER BY position LIMIT ?4",
    )?;
    let mut found = own.query(params![user, after, up_to, integer(collected.room as u64)])?;
    while let Some(row) = found.next()? {
        collected.positions.push(row.get(0)?);
    }

    // What is not an entry: reactions and receipts.
    let mut others = connection.prepare_cached(
        "SELECT position FROM changes WHERE chat = ?1 AND seq IS NULL AND user IS NULL AND position > ?2 AND position <= ?3
         ORDER BY position LIMIT ?4",
    )?;
    // From the end back to where this user has read: positions rise with `seq`.
    let mut entries = connection.prepare_cached(
        "SELECT position FROM changes WHERE chat = ?1 AND seq IS NOT NULL AND seq >= ?2 AND seq <= ?3 ORDER BY seq DESC",
    )?;
    let mut stretches = connection
        .prepare_cached("SELECT chat, from_seq, to_seq, from_position, to_position FROM stretches WHERE user = ?1")?;
    let mut found = stretches.query([user])?;
    while let Some(row) = found.next()? {
        let (chat, from_seq): (i64, i64) = (row.get(0)?, row.get(1)?);
        let to_seq = row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MAX);
        let after = after.max(row.get(3)?);
        let up_to = up_to.min(row.get::<_, Option<i64>>(4)?.unwrap_or(i64::MAX));
        if after >= up_to {
            continue;
        }
        let mut told = others.query(params![chat, after, up_to, integer(collected.room as u64)])?;
        while let Some(row) = told.next()?
            && collected.add(row.get(0)?)
        {}
        let mut written = entries.query([chat, from_seq, to_seq])?;
        while let Some(row) = written.next()? {
            let position: i64 = row.get(0)?;
            if position <= after || (position <= up_to && !collected.add(position)) {
                break;
            }
        }
    }
    Ok(collected.sorted())
}

/// Positions, as many as there is room for.
struct Collected {
    positions: Vec<i64>,
    room: usize,
}

impl Collected {
    /// Whether there was room.
    fn add(&mut self, position: i64) -> bool {
        let room = self.positions.len() < self.room;
        if room {
            self.positions.push(position);
        }
        room
    }

    fn sorted(mut self) -> Vec<i64> {
        self.positions.sort_unstable();
        self.positions
    }
}
