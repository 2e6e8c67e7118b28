//! Who is there, on the one node that there is.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use i9chat_spec::UserId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    bus::{Presence, PresenceOf, PresenceWatcher},
    clock::Clock,
    store::{
        StoreError,
        presence::{PresenceNote, PresenceRecords},
    },
};

/// How long those who come and go are gathered before they are written down together.
const GATHER: Duration = Duration::from_millis(100);
/// How many renewals fall into a lease: a late one is not the end.
const RENEWALS: u32 = 3;

/// The presence of a single node: connections are counted in memory. The store holds when users were last seen, and a lease
/// from which that is known after a crash.
pub struct LocalPresence {
    shared: Arc<Shared>,
    _writer: AbortOnDropHandle<()>,
}

struct Shared {
    records: Arc<dyn PresenceRecords>,
    clock: Arc<dyn Clock>,
    watcher: Arc<dyn PresenceWatcher>,
    people: Mutex<People>,
    noted: Notify,
}

#[derive(Default)]
struct People {
    /// Open connections; nobody is here with none.
    here: HashMap<UserId, u32>,
    /// What is not in the store yet.
    unwritten: HashMap<UserId, PresenceNote>,
}

impl LocalPresence {
    /// Starts with nobody there. Those who were there when the server ended were last seen when the lease was last renewed.
    pub async fn start(
        records: Arc<dyn PresenceRecords>,
        clock: Arc<dyn Clock>,
        watcher: Arc<dyn PresenceWatcher>,
        lease: Duration,
    ) -> Result<Self, StoreError> {
        records.begin(clock.now()).await?;
        let shared = Arc::new(Shared { records, clock, watcher, people: Mutex::default(), noted: Notify::new() });
        let writer = AbortOnDropHandle::new(tokio::spawn(write(Arc::clone(&shared), lease / RENEWALS)));
        Ok(Self { shared, _writer: writer })
    }
}

/// Writes down what is noted, and renews the lease.
async fn write(shared: Arc<Shared>, renewal: Duration) {
    let mut renew = tokio::time::interval(renewal.max(Duration::from_millis(1)));
    loop {
        let written = tokio::select! {
            () = shared.noted.notified() => {
                tokio::time::sleep(GATHER).await;
                shared.flush().await
            }
            _ = renew.tick() => shared.renew().await,
        };
        if let Err(error) = written {
            // It stays noted, and is written with the next renewal.
            tracing::warn!(%error, "who is there was not written down");
        }
    }
}

impl Shared {
    async fn flush(&self) -> Result<(), StoreError> {
        let notes: Vec<_> = self.people.lock().unwritten.values().copied().collect();
        if notes.is_empty() {
            return Ok(());
        }
        self.records.note(notes.clone()).await?;
        let mut people = self.people.lock();
        for note in notes {
            if let Entry::Occupied(unwritten) = people.unwritten.entry(note.user_id)
                && *unwritten.get() == note
            {
                unwritten.remove();
            }
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), StoreError> {
        self.flush().await?;
        if self.people.lock().here.is_empty() {
            return Ok(());
        }
        self.records.renew(self.clock.now()).await
    }

    /// Notes that a user has come or gone, and tells the watcher. Under the lock, so that it hears each user's changes in order.
    fn note(&self, people: &mut People, user_id: UserId, is_here: bool) {
        let at = self.clock.now();
        people.unwritten.insert(user_id, PresenceNote { user_id, is_here, at });
        let now = if is_here { PresenceOf::ONLINE } else { PresenceOf::offline(Some(at)) };
        self.watcher.changed(user_id, now);
        self.noted.notify_one();
    }
}

#[async_trait]
impl Presence for LocalPresence {
    async fn connect(&self, user_id: UserId) -> u32 {
        let mut people = self.shared.people.lock();
        let connections = people.here.entry(user_id).or_default();
        *connections += 1;
        let connections = *connections;
        if connections == 1 {
            self.shared.note(&mut people, user_id, true);
        }
        connections
    }

    async fn disconnect(&self, user_id: UserId) {
        let mut people = self.shared.people.lock();
        let Entry::Occupied(mut connections) = people.here.entry(user_id) else { return };
        *connections.get_mut() -= 1;
        if *connections.get() == 0 {
            connections.remove();
            self.shared.note(&mut people, user_id, false);
        }
    }

    async fn states(&self, users: &[UserId]) -> Result<Vec<PresenceOf>, StoreError> {
        let mut states: Vec<Option<PresenceOf>> = {
            let people = self.shared.people.lock();
            let state = |user_id| {
                if people.here.contains_key(user_id) {
                    return Some(PresenceOf::ONLINE);
                }
                people.unwritten.get(user_id).map(|note| PresenceOf::offline(Some(note.at)))
            };
            users.iter().map(state).collect()
        };
        let unknown: Vec<_> =
            users.iter().zip(&states).filter(|(_, state)| state.is_none()).map(|(user_id, _)| *user_id).collect();
        if !unknown.is_empty() {
            // What was unwritten is removed only after it was written, so what is not above is in the store.
            let mut last_seen = self.shared.records.last_seen(unknown).await?.into_iter();
            for state in states.iter_mut().filter(|state| state.is_none()) {
                *state = Some(PresenceOf::offline(last_seen.next().flatten()));
            }
        }
        Ok(states.into_iter().map(|state| state.unwrap_or(PresenceOf::offline(None))).collect())
    }

    async fn online_among(&self, users: &[UserId]) -> Result<u64, StoreError> {
        let people = self.shared.people.lock();
        Ok(users.iter().filter(|user_id| people.here.contains_key(user_id)).count() as u64)
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.shared.flush().await
    }
}

impl fmt::Debug for LocalPresence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalPresence")
    }
}

#[cfg(test)]
mod tests;
