//! Presence in SQLite: a row for each user who was ever there, and one for the lease.

use async_trait::async_trait;
use i9chat_spec::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use crate::store::{
    StoreError,
    presence::{LastSeen, PresenceNote, PresenceRecords},
};

#[async_trait]
impl PresenceRecords for SqliteStore {
    async fn begin(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection.execute(
                "UPDATE presence
                 SET is_here = FALSE, at = max(at, ifnull((SELECT renewed_at FROM presence_lease), at))
                 WHERE is_here",
                [],
            )?;
            renew(connection, now)
        })
        .await
    }

    async fn renew(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| renew(connection, now)).await
    }
}

#[async_trait]
impl LastSeen for SqliteStore {
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError> {
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO presence (user, is_here, at) SELECT id, ?2, ?3 FROM users WHERE user_id = ?1
                 ON CONFLICT (user) DO UPDATE SET is_here = excluded.is_here, at = excluded.at WHERE excluded.at >= at",
            )?;
            for note in &notes {
                statement.execute((note.user_id.as_uuid().as_bytes(), note.is_here, note.at.as_millis()))?;
            }
            Ok(())
        })
        .await
    }

    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT at FROM presence JOIN users ON users.id = presence.user WHERE user_id = ?1")?;
            let mut at = |user_id: &UserId| -> Result<_, StoreError> {
                let found = statement.query_row([user_id.as_uuid().as_bytes()], |row| row.get(0)).optional()?;
                Ok(found.map(Timestamp::from_millis))
            };
            users.iter().map(&mut at).collect()
        })
        .await
    }
}

fn renew(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO presence_lease (id, renewed_at) VALUES (1, ?1)
             ON CONFLICT (id) DO UPDATE SET renewed_at = excluded.renewed_at",
        )?
        .execute([now.as_millis()])?;
    Ok(())
}

#[cfg(test)]
mod tests;
