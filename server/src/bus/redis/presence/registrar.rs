use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    ledger::{Gone, LeaseId, Ledger, Moved},
    notes::Notes,
    people::People,
};
use crate::{
    bus::redis::connection::{Run, TRIED_AGAIN},
    clock::Clock,
    ids::Ids,
    store::StoreError,
};

/// How many users one script moves: others wait for it meanwhile.
const AT_ONCE: usize = 500;
/// The longest between two looks at the lease. A Redis that lost everything is found by it.
const LONGEST_BEAT: Duration = Duration::from_secs(1);
/// How many renewals fall into a lease at least: a late one is not the end.
const RENEWALS: u32 = 3;
/// How long after a lease ran out its users are taken out. A node that was only slow registers them under another until then,
/// and nobody hears of it.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// Registers the users of this node in Redis, one thing after the other, and takes out those of nodes that ended.
pub(super) struct Registrar {
    pub(super) ledger: Ledger,
    pub(super) people: Arc<Mutex<People>>,
    pub(super) changed: Arc<Notify>,
    pub(super) notes: Arc<Notes>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) lasts: Duration,
    /// None before the first.
    pub(super) lease: Option<Lease>,
}

/// The lease under which the users of this node are registered.
pub(super) struct Lease {
    id: LeaseId,
    /// In another run of Redis it may be there, but not everything that was registered under it.
    run: Run,
    renewed: Instant,
}

impl Registrar {
    /// Works until it is told to stop; what is begun then is ended first.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Self {
        let changed = Arc::clone(&self.changed);
        let mut reached = self.ledger.redis.changes();
        let mut beat = interval(self.beat());
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_beat = tokio::select! {
                () = stop.cancelled() => return self,
                () = changed.notified() => false,
                Ok(()) = reached.changed() => false,
                _ = beat.tick() => true,
            };
            if let Err(error) = self.step(is_beat).await {
                tracing::debug!(%error, "who is here is registered later");
                self.people.lock().let_go();
                sleep(TRIED_AGAIN.min(self.beat())).await;
            }
        }
    }

    fn beat(&self) -> Duration {
        (self.lasts / RENEWALS).clamp(Duration::from_millis(10), LONGEST_BEAT)
    }

    async fn step(&mut self, is_beat: bool) -> Result<(), StoreError> {
        self.hold_lease().await?;
        while self.move_some().await? {
            self.hold_lease().await?;
        }
        if is_beat {
            self.reap().await?;
        }
        Ok(())
    }

    /// Sees to it that there is a lease; under a new one everybody is registered anew.
    async fn hold_lease(&mut self) -> Result<(), StoreError> {
        let Some(run) = self.ledger.redis.run() else {
            return Err(StoreError::Unavailable("Redis is not connected".to_owned()));
        };
        let beat = self.beat();
        match &mut self.lease {
            Some(lease) if lease.run == run && lease.renewed.elapsed() < beat / 2 => {
                return Ok(());
            }
            Some(lease) if lease.run == run => {
                let began = Instant::now();
                if self.ledger.renew(&lease.id, self.lasts, self.clock.now()).await? {
                    lease.renewed = began;
                    return Ok(());
                }
            }
            Some(lease) => {
                // What is left of it is taken out like that of a node that ended.
                let old = lease.id.clone();
                self.ledger.end(&old, Duration::ZERO, self.clock.now()).await?;
            }
            None => {}
        }
        self.lease = None;
        let lease = Lease { id: LeaseId(format!("{:016x}", self.ids.tag())), run, renewed: Instant::now() };
        self.ledger.begin(&lease.id, self.lasts, self.clock.now()).await?;
        self.people.lock().forget_registration();
        self.lease = Some(lease);
        Ok(())
    }

    /// Registers some who came or went; `false` when nobody did.
    async fn move_some(&mut self) -> Result<bool, StoreError> {
        let Some(lease) = &self.lease else { return Ok(false) };
        let taken = self.people.lock().take(AT_ONCE);
        if taken.is_empty() {
            return Ok(false);
        }
        match self.ledger.apply(&lease.id, &taken.came, &taken.went).await {
            Ok(Some(moved)) => {
                let elsewhere = self.note(moved, &taken.went);
                self.people.lock().settled(taken, &elsewhere);
                Ok(true)
            }
            Ok(None) => {
                // Everybody is registered anew, those that were taken too.
                self.people.lock().put_back(taken);
                self.lease = None;
                self.hold_lease().await?;
                Ok(true)
            }
            Err(error) => {
                self.people.lock().put_back(taken);
                Err(error)
            }
        }
    }

    /// Takes out the users of nodes that ended without a word.
    async fn reap(&self) -> Result<(), StoreError> {
        loop {
            let (gone, more) = self.ledger.reap(AT_ONCE, GRACE).await?;
            self.notes.went(gone);
            if !more {
                return Ok(());
            }
        }
    }

    /// Takes out everybody, at once: those who went, and whoever else is registered under the lease.
    pub(super) async fn leave(&mut self, went: &[Gone]) -> Result<(), StoreError> {
        let Some(lease) = self.lease.take() else { return Ok(()) };
        for some in went.chunks(AT_ONCE) {
            if let Some(moved) = self.ledger.apply(&lease.id, &[], some).await? {
                self.note(moved, some);
            }
        }
        self.ledger.end(&lease.id, GRACE, self.clock.now()).await?;
        self.reap().await
    }

    /// Notes who is nowhere now and who was before; answers how many connections those who came have on other nodes.
    fn note(&self, moved: Moved, went: &[Gone]) -> Vec<u32> {
        let nowhere: HashSet<_> = moved.went.into_iter().collect();
        self.notes.went(went.iter().filter(|(user_id, _)| nowhere.contains(user_id)).copied());
        self.notes.came(moved.came, self.clock.now());
        moved.elsewhere
    }
}
