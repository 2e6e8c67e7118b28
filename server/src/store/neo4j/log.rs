//! The log in Neo4j. Any number of nodes append to it: whoever does holds the lock of the log's node from before they read until
//! after they have committed, so positions are dense and in the order of commits.

mod append;
mod cache;
mod changes;
mod head;
mod load;
mod missed;
mod rows;
mod sweep;
mod transact;
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

use self::{cache::LogCache, head::SafeHead};
use super::{
    Neo4jStore,
    driver::{Driver, Statement},
    schema,
};
use crate::{
    bus::Committed,
    domain::{Change, LogEpoch, Position, Wanted},
    store::{
        AudienceRead, ChatsPage, ChatsQuery, Decide, LogHead, LogStore, MemberRead, Missed, MissedQuery, Names,
        OneMessage, PlaceAt, Seek, Seen, Snapshot, StoreError,
    },
};

/// Gives the log another name.
const NEW_EPOCH: &str = "MATCH (log:Log {name: 'log'}) SET log.epoch = $epoch
RETURN log.epoch AS epoch, log.position AS position, log.tag AS tag";

/// Every statement of the log.
pub(super) const STATEMENTS: &[&[&str]] = &[
    &[NEW_EPOCH],
    append::STATEMENTS,
    changes::STATEMENTS,
    head::STATEMENTS,
    load::STATEMENTS,
    missed::STATEMENTS,
    sweep::STATEMENTS,
    transact::STATEMENTS,
    views::STATEMENTS,
];

/// The log, for those who append to it or want to know its end.
#[derive(Debug)]
pub(super) struct Log {
    driver: Driver,
    /// Names this process among those who append.
    committer: String,
    /// Which log this process serves. When it is another one in the database, that was restored under our feet.
    epoch: LogEpoch,
    /// What is known of chats. Who holds it appends.
    cache: tokio::sync::Mutex<LogCache>,
    head: SafeHead,
}

impl Log {
    /// The log as it stands in the database now.
    pub(super) async fn open(driver: Driver) -> Result<Self, StoreError> {
        let head = head::read(&driver).await?;
        Ok(Self {
            driver,
            committer: schema::random_text(),
            epoch: head.epoch,
            cache: tokio::sync::Mutex::default(),
            head: SafeHead::new(head.place),
        })
    }
}

#[async_trait]
impl LogStore for Neo4jStore {
    async fn head(&self) -> Result<LogHead, StoreError> {
        self.log.head().await
    }

    async fn check(&self) -> Result<(), StoreError> {
        head::check(&self.log).await
    }

    async fn transact(&self, wanted: Wanted, at: Timestamp, decide: Decide) -> Result<Vec<Change>, StoreError> {
        let log = Arc::clone(&self.log);
        // Goes on to its end when the caller goes away, so that nothing stays locked.
        let batch = tokio::spawn(async move { log.transact(&wanted, at, decide).await });
        batch.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the batch was given up".to_owned())))
    }

    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError> {
        changes::changes(self, after, limit).await
    }

    async fn place_at(&self, position: Position) -> Result<PlaceAt, StoreError> {
        changes::place_at(self, position).await
    }

    async fn missed(&self, query: MissedQuery) -> Result<Missed, StoreError> {
        missed::missed(self, &query).await
    }

    async fn forget_events(&self, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
        sweep::forget(&self.log, now, before).await
    }

    async fn chats(&self, user_id: UserId, query: ChatsQuery) -> Result<Snapshot<ChatsPage>, StoreError> {
        views::chats(self, user_id, query).await
    }

    async fn chat(&self, user_id: UserId, chat_id: ChatId) -> Result<Seen<Snapshot<Chat>>, StoreError> {
        views::chat(self, user_id, chat_id).await
    }

    async fn entries(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        seek: Seek,
        limit: usize,
    ) -> Result<Seen<Vec<Entry>>, StoreError> {
        views::entries(self, user_id, chat_id, seek, limit).await
    }

    async fn message(&self, message: OneMessage) -> Result<Seen<Box<Message>>, StoreError> {
        views::message(self, message).await
    }

    async fn reactions(&self, message: OneMessage, names: Names) -> Result<Seen<Vec<Reaction>>, StoreError> {
        views::reactions(self, message, &names).await
    }

    async fn message_receipts(
        &self,
        message: OneMessage,
        names: Names,
    ) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError> {
        views::message_receipts(self, message, &names).await
    }

    async fn chat_receipts(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<ChatReceipt>>, StoreError> {
        views::chat_receipts(self, user_id, chat_id, &names).await
    }

    async fn group(&self, user_id: UserId, chat_id: ChatId) -> Result<Option<(Group, Vec<UserId>)>, StoreError> {
        views::group(self, user_id, chat_id).await
    }

    async fn members(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<MemberRead>>, StoreError> {
        views::members(self, user_id, chat_id, &names).await
    }

    async fn audience(&self, user_id: UserId, chat_id: ChatId) -> Result<AudienceRead, StoreError> {
        views::audience(self, user_id, chat_id).await
    }
}

impl Neo4jStore {
    /// Gives the log of a database a new epoch, after a restore from a backup, while no node runs. A database without a log is not the
    /// one that was restored, and gets none. (RSM-1)
    pub async fn new_epoch(url: &str) -> Result<(), StoreError> {
        let driver = Driver::new(url, 1)?;
        driver.sign_in().await?;
        let epoch = Statement::new(NEW_EPOCH).with("epoch", schema::random_text());
        let heads: Vec<rows::HeadRow> = driver.write(&epoch).await?;
        heads.first().map(drop).ok_or_else(head::no_log)
    }
}
