//! Who is there, over all nodes. Each node has a lease and registers its users under it; whoever is registered under a lease
//! that has not run out is there. One thing of each node writes, and one script decides, so nobody hears of two changes of a user
//! in the wrong order. Costs: a connection is one user in a script that moves hundreds; a lease is renewed by one script,
//! however many users are registered under it.

mod hearing;
mod ledger;
mod notes;
mod people;
mod registrar;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use i9chat_spec::UserId;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::{
    hearing::{Hearing, states},
    ledger::Ledger,
    notes::Notes,
    people::{Opened, People},
    registrar::Registrar,
};
use super::{connection::Redis, keys::Keys};
use crate::{
    bus::{Presence, PresenceOf, PresenceWatcher},
    clock::Clock,
    ids::Ids,
    store::{StoreError, presence::LastSeen},
};

/// How long a connection waits until its user is registered. After that it is open all the same, and they will be.
const REGISTERED_IN_TIME: Duration = Duration::from_secs(1);

/// The presence of several nodes.
pub struct RedisPresence {
    ledger: Ledger,
    notes: Arc<Notes>,
    people: Arc<Mutex<People>>,
    changed: Arc<Notify>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    registrar: Mutex<Option<AbortOnDropHandle<Registrar>>>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// What presence works with.
pub(super) struct PresenceParts {
    pub(super) redis: Redis,
    pub(super) keys: Keys,
    pub(super) last_seen: Arc<dyn LastSeen>,
    pub(super) watcher: Arc<dyn PresenceWatcher>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) lease: Duration,
}

impl RedisPresence {
    /// Joins the nodes, with nobody there on this one.
    pub(super) fn start(parts: PresenceParts) -> Self {
        let PresenceParts { redis, keys, last_seen, watcher, clock, ids, lease } = parts;
        let ledger = Ledger::new(redis, &keys);
        let notes = Arc::new(Notes::new(ledger.clone(), last_seen, Arc::clone(&clock)));
        let (people, changed) = (Arc::<Mutex<People>>::default(), Arc::<Notify>::default());
        let registrar = Registrar {
            ledger: ledger.clone(),
            people: Arc::clone(&people),
            changed: Arc::clone(&changed),
            notes: Arc::clone(&notes),
            clock: Arc::clone(&clock),
            ids,
            lasts: lease,
            lease: None,
        };
        let stop = CancellationToken::new();
        let registrar = AbortOnDropHandle::new(tokio::spawn(registrar.run(stop.clone())));
        let hearing = Hearing { ledger: ledger.clone(), notes: Arc::clone(&notes), watcher, run: None };
        let tasks = [tokio::spawn(hearing.run()), tokio::spawn(Arc::clone(&notes).write())];
        Self {
            ledger,
            notes,
            people,
            changed,
            clock,
            stop,
            registrar: Mutex::new(Some(registrar)),
            _tasks: tasks.map(AbortOnDropHandle::new),
        }
    }

    /// Waits until something is registered, or given up for now: it will be.
    async fn registered(&self, settled: oneshot::Receiver<u32>) -> Option<u32> {
        timeout(REGISTERED_IN_TIME, settled).await.ok()?.ok()
    }
}

#[async_trait]
impl Presence for RedisPresence {
    async fn connect(&self, user_id: UserId) -> u32 {
        let Opened { here, elsewhere } = self.people.lock().connect(user_id, self.clock.now());
        self.changed.notify_one();
        let elsewhere = match elsewhere {
            Some(elsewhere) => self.registered(elsewhere).await,
            None => None,
        };
        here.saturating_add(elsewhere.unwrap_or_default())
    }

    async fn disconnect(&self, user_id: UserId) {
        let gone = self.people.lock().disconnect(user_id, self.clock.now());
        self.changed.notify_one();
        if let Some(gone) = gone {
            self.registered(gone).await;
        }
    }

    async fn states(&self, users: &[UserId]) -> Result<Vec<PresenceOf>, StoreError> {
        states(&self.ledger, &self.notes, users).await
    }

    async fn online_among(&self, users: &[UserId]) -> Result<u64, StoreError> {
        self.ledger.count(users).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.stop.cancel();
        let registrar = self.registrar.lock().take();
        let Some(registrar) = registrar else { return Ok(()) };
        let mut registrar = registrar
            .await
            .map_err(|error| StoreError::Unavailable(format!("who is here was not registered: {error}")))?;
        let went = self.people.lock().close(self.clock.now());
        if let Err(error) = registrar.leave(&went).await {
            tracing::warn!(%error, "users of this node are there for others until its lease runs out");
            self.notes.went(went);
        }
        self.notes.flush().await
    }
}

impl fmt::Debug for RedisPresence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisPresence")
    }
}
