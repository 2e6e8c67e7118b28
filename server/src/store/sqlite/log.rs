//! The log in SQLite.

mod append;
mod cache;
mod changes;
mod export;
mod load;
mod missed;
mod rows;
mod sweep;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use async_trait::async_trait;
use i9chat_spec::{
    Chat, ChatId, Entry, Message, MessageStatus, Timestamp, UserId,
    api::{
        groups::Group,
        reactions::Reaction,
        receipts::{ChatReceipt, MessageReceipt},
    },
};
use rusqlite::Connection;

pub(super) use self::{
    cache::LogCache,
    export::{export_changes, export_chats, export_members, export_reactions, facts},
};
use super::SqliteStore;
use crate::{
    bus::Committed,
    domain::{Change, LogEpoch, Position, Wanted},
    store::{
        AudienceRead, ChatsPage, ChatsQuery, Decide, LogHead, LogStore, MemberRead, Missed, MissedQuery, Names,
        OneMessage, PlaceAt, Seek, Seen, Snapshot, StoreError,
    },
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

    async fn check(&self) -> Result<(), StoreError> {
        self.head().await.map(drop)
    }

    async fn transact(&self, wanted: Wanted, at: Timestamp, decide: Decide) -> Result<Vec<Change>, StoreError> {
        let cache = Arc::clone(&self.log);
        let outcome = self
            .write(move |connection| {
                let cache = &mut *cache.lock();
                let place = match cache.head {
                    Some(place) => place,
                    None => rows::head(connection)?,
                };
                let mut state = load::load(connection, cache, &wanted, at)?;
                let decided = decide(&mut state, place)?;
                append::append(connection, cache, &decided.changes)?;
                append::take_effect(connection, &decided.effects)?;
                cache.advance(&decided.changes, place, state);
                Ok(decided.changes)
            })
            .await;
        if outcome.is_err() {
            // What the cache took over may have been rolled back.
            self.log.lock().forget();
        }
        outcome
    }

    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError> {
        self.read(move |connection| changes::changes(connection, after, limit)).await
    }

    async fn place_at(&self, position: Position) -> Result<PlaceAt, StoreError> {
        self.read(move |connection| {
            let kept_from = rows::kept_from(connection)?;
            Ok(match rows::place_at(connection, position)? {
                Some(place) if position < kept_from => PlaceAt::Old(place),
                Some(place) => PlaceAt::There(place),
                None if position <= kept_from => PlaceAt::Forgotten,
                None => PlaceAt::Nothing,
            })
        })
        .await
    }

    async fn missed(&self, query: MissedQuery) -> Result<Missed, StoreError> {
        self.read(move |connection| missed::missed(connection, &query)).await
    }

    async fn forget_events(&self, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| sweep::announce(connection, now, before)).await?;
        while self.write(sweep::sweep).await? {}
        Ok(())
    }

    async fn chats(&self, user_id: UserId, query: ChatsQuery) -> Result<Snapshot<ChatsPage>, StoreError> {
        self.read(move |connection| snapshot(connection, views::chats(connection, user_id, query)?)).await
    }

    async fn chat(&self, user_id: UserId, chat_id: ChatId) -> Result<Seen<Snapshot<Chat>>, StoreError> {
        self.read(move |connection| {
            views::chat(connection, user_id, chat_id)?.then(|chat| Ok(Seen::Found(snapshot(connection, chat)?)))
        })
        .await
    }

    async fn entries(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        seek: Seek,
        limit: usize,
    ) -> Result<Seen<Vec<Entry>>, StoreError> {
        self.read(move |connection| views::entries(connection, user_id, chat_id, seek, limit)).await
    }

    async fn message(&self, message: OneMessage) -> Result<Seen<Box<Message>>, StoreError> {
        self.read(move |connection| views::message(connection, message)).await
    }

    async fn reactions(&self, message: OneMessage, names: Names) -> Result<Seen<Vec<Reaction>>, StoreError> {
        self.read(move |connection| views::reactions(connection, message, &names)).await
    }

    async fn message_receipts(
        &self,
        message: OneMessage,
        names: Names,
    ) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError> {
        self.read(move |connection| views::message_receipts(connection, message, &names)).await
    }

    async fn chat_receipts(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<ChatReceipt>>, StoreError> {
        self.read(move |connection| views::chat_receipts(connection, user_id, chat_id, &names)).await
    }

    async fn group(&self, user_id: UserId, chat_id: ChatId) -> Result<Option<(Group, Vec<UserId>)>, StoreError> {
        self.read(move |connection| views::group(connection, user_id, chat_id)).await
    }

    async fn members(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<MemberRead>>, StoreError> {
        self.read(move |connection| views::members(connection, user_id, chat_id, &names)).await
    }

    async fn audience(&self, user_id: UserId, chat_id: ChatId) -> Result<AudienceRead, StoreError> {
        self.read(move |connection| views::audience(connection, user_id, chat_id)).await
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
