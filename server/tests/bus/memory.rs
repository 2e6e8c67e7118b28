//! What is remembered of users, and a clock that stands still until it is set.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
};

use async_trait::async_trait;
use i9chat_server::{
    clock::Clock,
    store::{
        StoreError,
        presence::{LastSeen, PresenceNote, PresenceRecords},
    },
};
use i9chat_spec::{Timestamp, UserId};
use parking_lot::Mutex;

/// A moment.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

/// A clock that stands still until it is set.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Self {
        Self(at(0).as_millis().into())
    }

    pub fn set(&self, second: u64) {
        self.0.store(at(second).as_millis(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// When users were last seen, in memory.
#[derive(Default)]
pub struct Memory {
    notes: Mutex<HashMap<UserId, PresenceNote>>,
    is_broken: AtomicBool,
}

impl Memory {
    /// From now on nothing is written, or all of it again.
    pub fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::SeqCst);
    }

    /// What was written last.
    pub fn note_of(&self, user_id: UserId) -> Option<PresenceNote> {
        self.notes.lock().get(&user_id).copied()
    }
}

#[async_trait]
impl LastSeen for Memory {
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("on purpose".to_owned()));
        }
        let mut known = self.notes.lock();
        for note in notes {
            let newest = known.entry(note.user_id).or_insert(note);
            if note.at >= newest.at {
                *newest = note;
            }
        }
        Ok(())
    }

    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let notes = self.notes.lock();
        Ok(users.iter().map(|user_id| notes.get(user_id).map(|note| note.at)).collect())
    }
}

#[async_trait]
impl PresenceRecords for Memory {
    async fn begin(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn renew(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}
