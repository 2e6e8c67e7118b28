//! A log in memory, for tests of what follows a log and of what asks one that is away.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use i9chat_spec::{
    Chat, ChatId, Entry, Message, MessageStatus, Timestamp, UserId,
    api::{
        groups::Group,
        reactions::Reaction,
        receipts::{ChatReceipt, MessageReceipt},
    },
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::{
    AudienceRead, ChatsPage, ChatsQuery, Decide, LogHead, LogStore, MemberRead, Missed, MissedQuery, Names, OneMessage,
    PlaceAt, Seek, Seen, Snapshot, StoreError,
};
use crate::{
    bus::Committed,
    domain::{Change, LogEpoch, Position, Wanted},
};

/// Knows where it ends and what comes after a place; whatever else is asked of it, it is away.
#[derive(Default)]
pub(crate) struct FakeLog {
    changes: Mutex<Vec<Committed>>,
    /// Also the end is not known now.
    pub(crate) is_broken: AtomicBool,
    /// How long a transaction takes to fail.
    fails_after: Duration,
    asked: AtomicUsize,
    was_asked: Notify,
}

impl FakeLog {
    /// One whose transactions fail, after so long.
    pub(crate) fn failing_after(fails_after: Duration) -> Self {
        Self { fails_after, ..Self::default() }
    }

    /// Puts changes where they belong.
    pub(crate) fn commit(&self, changes: Vec<Committed>) {
        let mut all = self.changes.lock();
        all.extend(changes);
        all.sort_by_key(|change| change.record.place.position);
    }

    /// Commits what comes next.
    pub(crate) fn append(&self, make: impl FnOnce(u64) -> Committed) -> Committed {
        let mut all = self.changes.lock();
        let change = make(all.last().map_or(0, |last| last.record.place.position.0) + 1);
        all.push(change.clone());
        change
    }

    /// Waits until it was asked so often from now on.
    pub(crate) async fn asked(&self, times: usize) {
        let until = self.times_asked() + times;
        while self.times_asked() < until {
            self.was_asked.notified().await;
        }
    }

    /// How often it was asked.
    pub(crate) fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn is_asked(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.was_asked.notify_one();
    }

    /// What a read finds.
    fn found(&self) -> Result<Vec<Committed>, StoreError> {
        self.is_asked();
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        Ok(self.changes.lock().clone())
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("on purpose".to_owned())
}

#[async_trait]
impl LogStore for FakeLog {
    async fn head(&self) -> Result<LogHead, StoreError> {
        let place = self.found()?.last().map(|change| change.record.place).unwrap_or_default();
        Ok(LogHead { epoch: LogEpoch([1; 8]), place })
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.found().map(drop)
    }

    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError> {
        let later = self.found()?.into_iter().filter(|change| change.record.place.position > after);
        Ok(later.take(limit).collect())
    }

    async fn transact(&self, _: Wanted, _: Timestamp, _: Decide) -> Result<Vec<Change>, StoreError> {
        self.is_asked();
        sleep(self.fails_after).await;
        Err(unavailable())
    }

    async fn place_at(&self, _: Position) -> Result<PlaceAt, StoreError> {
        Err(unavailable())
    }

    async fn missed(&self, _: MissedQuery) -> Result<Missed, StoreError> {
        Err(unavailable())
    }

    async fn forget_events(&self, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        Err(unavailable())
    }

    async fn chats(&self, _: UserId, _: ChatsQuery) -> Result<Snapshot<ChatsPage>, StoreError> {
        Err(unavailable())
    }

    async fn chat(&self, _: UserId, _: ChatId) -> Result<Seen<Snapshot<Chat>>, StoreError> {
        Err(unavailable())
    }

    async fn entries(&self, _: UserId, _: ChatId, _: Seek, _: usize) -> Result<Seen<Vec<Entry>>, StoreError> {
        Err(unavailable())
    }

    async fn message(&self, _: OneMessage) -> Result<Seen<Box<Message>>, StoreError> {
        Err(unavailable())
    }

    async fn reactions(&self, _: OneMessage, _: Names) -> Result<Seen<Vec<Reaction>>, StoreError> {
        Err(unavailable())
    }

    async fn message_receipts(
        &self,
        _: OneMessage,
        _: Names,
    ) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError> {
        Err(unavailable())
    }

    async fn chat_receipts(&self, _: UserId, _: ChatId, _: Names) -> Result<Seen<Vec<ChatReceipt>>, StoreError> {
        Err(unavailable())
    }

    async fn group(&self, _: UserId, _: ChatId) -> Result<Option<(Group, Vec<UserId>)>, StoreError> {
        Err(unavailable())
    }

    async fn members(&self, _: UserId, _: ChatId, _: Names) -> Result<Seen<Vec<MemberRead>>, StoreError> {
        Err(unavailable())
    }

    async fn audience(&self, _: UserId, _: ChatId) -> Result<AudienceRead, StoreError> {
        Err(unavailable())
    }
}
