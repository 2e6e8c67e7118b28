//! When users were last seen, in Neo4j: a node of its own for each, so that notes never wait for the log.

use std::collections::HashMap;

use async_trait::async_trait;
use i9chat_spec::{Timestamp, UserId};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Neo4jStore,
    driver::{Statement, list, map, text, texts},
};
use crate::store::{
    StoreError,
    presence::{LastSeen, PresenceNote},
};

/// Every statement of presence.
pub(super) const STATEMENTS: &[&str] = &[NOTE, LAST_SEEN];

/// The node is locked before it is looked at: of two nodes that note the same user the later time stays.
const NOTE: &str = "
    UNWIND $notes AS note
    MATCH (:User {user_id: note.user_id})
    MERGE (seen:Seen {user_id: note.user_id})
    SET seen.turn = 0
    WITH note
    MATCH (seen:Seen {user_id: note.user_id}) WHERE coalesce(seen.at <= note.at, true)
    SET seen.at = note.at, seen.is_here = note.is_here";

const LAST_SEEN: &str = "
    UNWIND $user_ids AS user_id
    MATCH (seen:Seen {user_id: user_id})
    RETURN seen.user_id AS user_id, seen.at AS at";

#[async_trait]
impl LastSeen for Neo4jStore {
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError> {
        let mut newest: HashMap<UserId, PresenceNote> = HashMap::new();
        for note in notes {
            if newest.get(&note.user_id).is_none_or(|known| known.at <= note.at) {
                newest.insert(note.user_id, note);
            }
        }
        let mut notes: Vec<_> = newest.into_values().collect();
        // In one order, so that no two transactions wait for each other.
        notes.sort_unstable_by_key(|note| note.user_id);
        let rows = notes.into_iter().map(|note| {
            map([("user_id", text(note.user_id)), ("is_here", note.is_here.into()), ("at", note.at.as_millis().into())])
        });
        self.driver.write::<IgnoredAny>(&Statement::new(NOTE).with("notes", list(rows))).await?;
        Ok(())
    }

    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError> {
        #[derive(Deserialize)]
        struct Row {
            user_id: UserId,
            at: i64,
        }

        let rows: Vec<Row> = self.driver.read(&Statement::new(LAST_SEEN).with("user_ids", texts(&users))).await?;
        let seen: HashMap<_, _> = rows.into_iter().map(|row| (row.user_id, row.at)).collect();
        Ok(users.iter().map(|user_id| seen.get(user_id).copied().map(Timestamp::from_millis)).collect())
    }
}
