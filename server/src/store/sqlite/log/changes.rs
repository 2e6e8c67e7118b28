use std::{collections::HashMap, sync::Arc};

use i9chat_spec::{
    UserId,
    event::{EventData, SessionEnded},
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::rows::{self, integer};
use crate::{
    bus::Committed,
    domain::{Audience, Position},
    store::StoreError,
};

/// Reads changes with those who may see them.
pub(super) fn changes(connection: &Connection, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT position, tag, kind, chats.chat_id, data, changes.chat, users.user_id
         FROM changes LEFT JOIN chats ON chats.id = changes.chat AND changes.user IS NULL
              LEFT JOIN users ON users.id = changes.user
         WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    let mut audiences = Audiences { connection, known: HashMap::new() };
    let mut found = find.query(params![integer(after.0), integer(limit as u64)])?;
    let mut changes = Vec::new();
    while let Some(row) = found.next()? {
        let record = rows::record(row)?;
        let audience = match row.get::<_, Option<[u8; 16]>>(6)? {
            Some(user_id) => Audience::One(UserId::from_uuid(Uuid::from_bytes(user_id))),
            None => Audience::Many(audiences.of(row.get(5)?, integer(record.place.position.0))?),
        };
        let ends = (record.event == SessionEnded::NAME)
            .then(|| serde_json::from_str::<SessionEnded>(&record.data).map_err(rows::corrupt))
            .transpose()?
            .map(|ended| ended.session_id);
        changes.push(Committed { record, audience, ends });
    }
    Ok(changes)
}

/// Who may see which place of which chat.
struct Audiences<'a> {
    connection: &'a Connection,
    /// The last one that was read of each chat, and the positions that it holds for.
    known: HashMap<i64, (std::ops::RangeInclusive<i64>, Arc<[UserId]>)>,
}

impl Audiences<'_> {
    fn of(&mut self, chat: i64, position: i64) -> Result<Arc<[UserId]>, StoreError> {
        if let Some((holds, users)) = self.known.get(&chat)
            && holds.contains(&position)
        {
            return Ok(Arc::clone(users));
        }
        let mut find = self.connection.prepare_cached(
            "SELECT users.user_id FROM stretches JOIN users ON users.id = stretches.user
             WHERE chat = ?1 AND from_position < ?2 AND (to_position IS NULL OR to_position >= ?2)",
        )?;
        let users = find.query_map([chat, position], |row| row.get(0))?;
        let users: Arc<[UserId]> =
            users.map(|bytes| Ok(UserId::from_uuid(Uuid::from_bytes(bytes?)))).collect::<Result<_, StoreError>>()?;
        // Up to where somebody comes or goes next.
        let mut until = self.connection.prepare_cached(
            "SELECT min(edge) FROM (
                 SELECT min(from_position) AS edge FROM stretches WHERE chat = ?1 AND from_position >= ?2
                 UNION ALL SELECT min(to_position) FROM stretches WHERE chat = ?1 AND to_position >= ?2)",
        )?;
        let until: Option<i64> = until.query_row([chat, position], |row| row.get(0))?;
        self.known.insert(chat, (position..=until.unwrap_or(i64::MAX), Arc::clone(&users)));
        Ok(users)
    }
}
