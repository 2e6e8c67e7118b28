use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use i9chat_spec::{Timestamp, UserId};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{interval, sleep},
};

use super::ledger::{Gone, Ledger};
use crate::{
    clock::Clock,
    store::{
        StoreError,
        presence::{LastSeen, PresenceNote},
    },
};

/// How long notes are gathered before they are written down together.
const GATHER: Duration = Duration::from_millis(100);
/// How many are written down at once.
const AT_ONCE: usize = 1000;
/// How soon what could not be written is tried again, and how often it is asked what others left unwritten.
const AGAIN: Duration = Duration::from_secs(2);
/// How old a note is that another node can have left unwritten, in milliseconds: else it is at it.
const LEFT_MS: i64 = 10_000;

/// When users were last seen, on its way to where it is kept.
pub(super) struct Notes {
    ledger: Ledger,
    last_seen: Arc<dyn LastSeen>,
    clock: Arc<dyn Clock>,
    unwritten: Mutex<HashMap<UserId, PresenceNote>>,
    noted: Notify,
}

impl Notes {
    pub(super) fn new(ledger: Ledger, last_seen: Arc<dyn LastSeen>, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, last_seen, clock, unwritten: Mutex::default(), noted: Notify::new() }
    }

    /// Users have come.
    pub(super) fn came(&self, users: impl IntoIterator<Item = UserId>, at: Timestamp) {
        self.note(users.into_iter().map(|user_id| PresenceNote { user_id, is_here: true, at }));
    }

    /// Users have gone.
    pub(super) fn went(&self, gone: impl IntoIterator<Item = Gone>) {
        self.note(gone.into_iter().map(|(user_id, at)| PresenceNote { user_id, is_here: false, at }));
    }

    fn note(&self, notes: impl Iterator<Item = PresenceNote>) {
        let mut unwritten = self.unwritten.lock();
        for note in notes {
            let known = unwritten.entry(note.user_id).or_insert(note);
            if note.at >= known.at {
                *known = note;
            }
        }
        if !unwritten.is_empty() {
            self.noted.notify_one();
        }
    }

    /// When users were last seen, of those about whom Redis knows nothing.
    pub(super) async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError> {
        // What is not written is looked at first: it is removed after it was written.
        let unwritten: Vec<_> = {
            let notes = self.unwritten.lock();
            users.iter().map(|user_id| notes.get(user_id).map(|note| note.at)).collect()
        };
        let written = self.last_seen.last_seen(users).await?;
        Ok(unwritten.into_iter().zip(written).map(|(unwritten, written)| unwritten.max(written)).collect())
    }

    /// Writes down what is noted, for as long as it is not dropped.
    pub(super) async fn write(self: Arc<Self>) {
        let mut again = interval(AGAIN);
        loop {
            let written = tokio::select! {
                () = self.noted.notified() => {
                    sleep(GATHER).await;
                    self.flush().await
                }
                _ = again.tick() => self.write_what_was_left().await,
            };
            if let Err(error) = written {
                tracing::warn!(%error, "who was there when was not written down");
            }
        }
    }

    /// Writes down what is noted.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        loop {
            let notes: Vec<_> = self.unwritten.lock().values().take(AT_ONCE).copied().collect();
            if notes.is_empty() {
                return Ok(());
            }
            self.last_seen.note(notes.clone()).await?;
            self.written(&notes);
            let gone: Vec<Gone> =
                notes.iter().filter(|note| !note.is_here).map(|note| (note.user_id, note.at)).collect();
            if let Err(error) = self.forget(&gone).await {
                // What is left in Redis is written once more, which changes nothing.
                tracing::debug!(%error, "what is written down stays in Redis for now");
            }
        }
    }

    async fn forget(&self, gone: &[Gone]) -> Result<(), StoreError> {
        if gone.is_empty() { Ok(()) } else { self.ledger.forget(gone).await }
    }

    fn written(&self, notes: &[PresenceNote]) {
        let mut unwritten = self.unwritten.lock();
        for note in notes {
            if let Entry::Occupied(entry) = unwritten.entry(note.user_id)
                && entry.get() == note
            {
                entry.remove();
            }
        }
    }

    /// Writes down what a node left that ended before it did so, and what could not be written before.
    async fn write_what_was_left(&self) -> Result<(), StoreError> {
        match self.ledger.some_gone(AT_ONCE).await {
            Ok(gone) => {
                let old = self.clock.now().as_millis() - LEFT_MS;
                self.went(gone.into_iter().filter(|(_, at)| at.as_millis() < old));
            }
            Err(error) => tracing::debug!(%error, "what other nodes left unwritten is not known"),
        }
        self.flush().await
    }
}
