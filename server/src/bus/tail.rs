use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Committed, Subscriber, Told};
use crate::{
    domain::Position,
    store::{LogStore, StoreError},
};

/// How long changes that come before others are waited for before they are read from the store: news of them is on its way.
const GAP_IS_WAITED: Duration = Duration::from_millis(20);
/// How long nothing may be delivered before the head of the log is looked at. News may have been lost, as when a node ends
/// between a commit and telling of it.
const QUIET: Duration = Duration::from_millis(500);
/// How soon the store is asked again after it failed.
const STORE_IS_ASKED_AGAIN: Duration = Duration::from_millis(200);
/// How many changes are read from the store at once.
const READ_AT_ONCE: usize = 1000;
/// How many changes may wait for those before them. What is beyond is read from the store when its turn comes.
const WAITING: usize = 16_384;

/// Follows the log on one of several nodes: puts the news of all nodes in the order of the log, reads from the store what never
/// came, and delivers each change once.
pub struct Tail {
    shared: Arc<Shared>,
    _filling: AbortOnDropHandle<()>,
}

struct Shared {
    log: Arc<dyn LogStore>,
    subscriber: Arc<dyn Subscriber>,
    state: Mutex<State>,
    /// Something waits for what comes before it.
    gap: Notify,
    /// News may have been lost.
    doubt: Notify,
}

struct State {
    /// Everything up to here is delivered.
    delivered: Position,
    /// What came before its turn, by position.
    waiting: BTreeMap<Position, Committed>,
    /// Who waits until a position is delivered.
    waiters: Vec<(Position, oneshot::Sender<()>)>,
}

impl Tail {
    /// Follows the log after a position: what comes after it is delivered.
    pub fn start(log: Arc<dyn LogStore>, subscriber: Arc<dyn Subscriber>, after: Position) -> Self {
        let state = State { delivered: after, waiting: BTreeMap::new(), waiters: Vec::new() };
        let state = Mutex::new(state);
        let shared = Arc::new(Shared { log, subscriber, state, gap: Notify::new(), doubt: Notify::new() });
        let filling = AbortOnDropHandle::new(tokio::spawn(fill(Arc::clone(&shared))));
        Self { shared, _filling: filling }
    }

    /// Takes committed changes in the order of the log, from whichever node; it does no harm when some are missing, or came
    /// before.
    pub fn offer(&self, changes: Vec<Committed>) -> Told {
        let Some(last) = changes.last().map(|change| change.record.place.position) else { return Told::Now };
        let mut state = self.shared.state.lock();
        self.shared.take(&mut state, changes);
        if state.delivered >= last {
            return Told::Now;
        }
        self.shared.gap.notify_one();
        let (waiter, delivered) = oneshot::channel();
        state.waiters.push((last, waiter));
        Told::Later(delivered)
    }

    /// News may have been lost: the head of the log is looked at now.
    pub fn look(&self) {
        self.shared.doubt.notify_one();
    }
}

/// Reads what never came, for as long as the tail is there.
async fn fill(shared: Arc<Shared>) {
    let mut tick = interval(QUIET);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = shared.delivered();
    loop {
        let outcome = tokio::select! {
            () = shared.gap.notified() => shared.fill_gaps().await,
            () = shared.doubt.notified() => shared.catch_up().await,
            _ = tick.tick() => {
                let is_quiet = shared.delivered() == before;
                let outcome = if is_quiet { shared.catch_up().await } else { Ok(()) };
                // What was found by looking is no news: the next tick looks again.
                before = shared.delivered();
                outcome
            }
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "the log cannot be followed");
            sleep(STORE_IS_ASKED_AGAIN).await;
            shared.doubt.notify_one();
        }
    }
}

impl Shared {
    fn delivered(&self) -> Position {
        self.state.lock().delivered
    }

    /// Delivers changes, as far as nothing before them is missing, and keeps the others.
    fn take(&self, state: &mut State, changes: Vec<Committed>) {
        if state.waiting.is_empty() && follow(state.delivered, &changes) {
            return self.deliver(state, &changes);
        }
        let later = changes.into_iter().map(|change| (change.record.place.position, change));
        let delivered = state.delivered;
        state.waiting.extend(later.filter(|(position, _)| *position > delivered));
        let mut ready = Vec::new();
        let mut next = state.delivered.next();
        while let Some(change) = state.waiting.remove(&next) {
            ready.push(change);
            next = next.next();
        }
        self.deliver(state, &ready);
        while state.waiting.len() > WAITING {
            state.waiting.pop_last();
        }
    }

    /// Under the lock, so that everything is delivered in order.
    fn deliver(&self, state: &mut State, changes: &[Committed]) {
        let Some(last) = changes.last() else { return };
        self.subscriber.deliver(changes);
        state.delivered = last.record.place.position;
        for (_, waiter) in state.waiters.extract_if(.., |(position, _)| *position <= state.delivered) {
            // Whoever waited may be gone.
            waiter.send(()).unwrap_or_default();
        }
    }

    /// Gives what is missing a moment to come, then reads it.
    async fn fill_gaps(&self) -> Result<(), StoreError> {
        loop {
            let before = self.delivered();
            if self.state.lock().waiting.is_empty() {
                return Ok(());
            }
            sleep(GAP_IS_WAITED).await;
            if self.delivered() == before {
                metrics::counter!("i9chat_log_gaps_total").increment(1);
                self.read().await?;
            }
        }
    }

    /// Reads up to the head of the log.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let head = self.log.head().await?.place.position;
        while self.delivered() < head {
            self.read().await?;
        }
        Ok(())
    }

    /// Reads what comes next. What is missing between is not kept any more.
    async fn read(&self) -> Result<(), StoreError> {
        let after = self.delivered();
        let read = self.log.changes(after, READ_AT_ONCE).await?;
        if !self.take_read(read) {
            // Not found yet by every read, or it has come meanwhile.
            sleep(GAP_IS_WAITED).await;
        }
        Ok(())
    }

    /// Delivers what was read, and what waited for it. `false` when nothing of it is new.
    fn take_read(&self, read: Vec<Committed>) -> bool {
        let mut state = self.state.lock();
        let delivered = state.delivered;
        let read: Vec<_> = read.into_iter().filter(|change| change.record.place.position > delivered).collect();
        if read.is_empty() {
            return false;
        }
        self.deliver(&mut state, &read);
        let delivered = state.delivered;
        state.waiting.retain(|position, _| *position > delivered);
        self.take(&mut state, Vec::new());
        true
    }
}

/// Whether changes follow on a position without a hole: what a node tells at once may be of several transactions.
fn follow(position: Position, changes: &[Committed]) -> bool {
    let mut next = position;
    changes.iter().all(|change| {
        next = next.next();
        change.record.place.position == next
    })
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("delivered", &self.shared.delivered()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
