//! The log in SQLite.

mod append;
mod cache;
mod load;
mod missed;
mod rows;
mod views;

use std::sync::Arc;

use async_trait::async_trait;
use i9chat_spec::{Chat, ChatId, Entry, MessageId, UserId};
use rusqlite::Connection;

pub(super) use self::cache::LogCache;
use super::SqliteStore;
use crate::{
    domain::{Change, LogEpoch, Place, Position, Wanted},
    store::{ChatsPage, Decide, LogHead, LogStore, MessageRead, Missed, MissedQuery, Seek, Snapshot, StoreError},
};

#[async_trait]
impl LogStore for SqliteStore {
    async fn head(&self) -> Result<LogHead, StoreError> {
        self.read(|connection| {
            let epoch = connection.query_row("SELECT epoch FROM log", [], |row| row.get(0))?;
            Ok(LogHead { epoch: LogEpoch(epoch), place: rows::head(connection)? })
        })
        .await
    }

    async fn transact(&self, wanted: Wanted, decide: Decide) -> Result<Vec<Change>, StoreError> {
        let cache = Arc::clone(&self.log);
        let outcome = self
            .write(move |connection| {
                let cache = &mut *cache.lock();
                let place = match cache.head {
                    Some(place) => place,
                    None => rows::head(connection)?,
                };
                let mut state = load::load(connection, cache, &wanted)?;
                let changes = decide(&mut state, place)?;
                append::append(connection, cache, &changes)?;
                cache.advance(&changes, place, state);
                Ok(changes)
            })
            .await;
        if outcome.is_err() {
            // What the cache took over may have been rolled back.
            self.log.lock().forget();
        }
        outcome
    }

    async fn place_at(&self, position: Position) -> Result<Option<Place>, StoreError> {
        self.read(move |connection| rows::place_at(connection, position)).await
    }

    async fn missed(&self, query: MissedQuery) -> Result<Missed, StoreError> {
        self.read(move |connection| missed::missed(connection, &query)).await
    }

    async fn chats(
        &self,
        user_id: UserId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Snapshot<ChatsPage>, StoreError> {
        self.read(move |connection| snapshot(connection, views::chats(connection, user_id, before, limit)?)).await
    }

    async fn chat(&self, user_id: UserId, chat_id: ChatId) -> Result<Option<Snapshot<Chat>>, StoreError> {
        self.read(move |connection| {
            views::chat(connection, user_id, chat_id)?.map(|chat| snapshot(connection, chat)).transpose()
        })
        .await
    }

    async fn entries(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        seek: Seek,
        limit: usize,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        self.read(move |connection| views::entries(connection, user_id, chat_id, seek, limit)).await
    }

    async fn message(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        message_id: MessageId,
    ) -> Result<MessageRead, StoreError> {
        self.read(move |connection| views::message(connection, user_id, chat_id, message_id)).await
    }
}

impl SqliteStore {
    /// Gives the log a new epoch, after a restore from a backup. (RSM-1)
    pub async fn new_epoch(&self) -> Result<(), StoreError> {
        self.write(|connection| {
            connection.execute("UPDATE log SET epoch = randomblob(8)", [])?;
            Ok(())
        })
        .await
    }
}

fn snapshot<T>(connection: &Connection, value: T) -> Result<Snapshot<T>, StoreError> {
    Ok(Snapshot { value, place: rows::head(connection)? })
}
