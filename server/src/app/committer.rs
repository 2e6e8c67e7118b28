//! The one place where the log grows: takes everything waiting as one batch, and one transaction makes it durable.

use std::{sync::Arc, time::Duration};

use i9chat_spec::{SessionId, UserId, api::sessions::EndSessionRefusal, error::NoRefusal};
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::{Actor, Failure};
use crate::{
    bus::{Bus, Committed, Told},
    clock::Clock,
    domain::{ChangeBody, Command, Effect, EndSession, Place, Stamp, State, Wanted},
    ids::Ids,
    store::{Decide, Decided, LogStore, StoreError},
};

/// How many commands may wait; more are refused as `overloaded`.
const QUEUE: usize = 16_384;
/// The most commands of one transaction. A larger batch is hardly cheaper for each, and all wait for its end.
const BATCH: usize = 512;
/// After how long a store that does not answer is given up also for those who came to wait meanwhile: each batch by itself would be
/// tried for so long.
const GIVEN_UP: Duration = Duration::from_secs(5);
/// How long answers wait for changes of other nodes that come before theirs.
const TOLD_IN_TIME: Duration = Duration::from_secs(2);

/// Takes commands; cheap to clone.
#[derive(Debug, Clone)]
pub struct Committer {
    queue: mpsc::Sender<Box<dyn Job>>,
    ends_elsewhere: bool,
}

/// What the committer works with.
pub struct CommitterParts {
    /// Makes batches durable.
    pub store: Arc<dyn LogStore>,
    /// Hears of what was committed.
    pub bus: Arc<dyn Bus>,
    /// Tells the time of each batch.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// Whether sessions are also ended by other nodes, of which this one hears later. Its own it hears of at once.
    pub ends_elsewhere: bool,
}

impl Committer {
    /// Starts the committer as a task. It ends when the last handle is gone and the queue is empty.
    pub fn start(parts: CommitterParts) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let ends_elsewhere = parts.ends_elsewhere;
        tokio::spawn(run(parts, jobs));
        Self { queue, ends_elsewhere }
    }

    /// Queues a command; `done` gets its outcome after it is durable, or why it is not. Commands take effect in the order of their
    /// calls.
    pub fn submit<C: Command>(
        &self,
        command: C,
        done: impl FnOnce(Result<C::Answer, Failure<C::Refusal>>) + Send + 'static,
    ) {
        self.queue(None, command, done);
    }

    /// The same for a command of a connection. One of a session that has ended is not done, also when the connection is still to hear of
    /// that. (SES-10)
    pub fn submit_by<C: Command>(
        &self,
        actor: &Actor,
        command: C,
        done: impl FnOnce(Result<C::Answer, Failure<C::Refusal>>) + Send + 'static,
    ) {
        self.queue(self.ends_elsewhere.then_some(actor.session_id), command, done);
    }

    fn queue<C: Command>(
        &self,
        session: Option<SessionId>,
        command: C,
        done: impl FnOnce(Result<C::Answer, Failure<C::Refusal>>) + Send + 'static,
    ) {
        let job = Box::new(Pending { command, session, done: Some(done), decided: None });
        if let Err(refused) = self.queue.try_send(job) {
            let failure = match &refused {
                mpsc::error::TrySendError::Full(_) => Failure::Overloaded,
                mpsc::error::TrySendError::Closed(_) => Failure::Unavailable,
            };
            refused.into_inner().finish(Err(failure));
        }
    }

    /// Queues a command and waits for its outcome.
    pub async fn commit<C: Command>(&self, command: C) -> Result<C::Answer, Failure<C::Refusal>> {
        let (done, outcome) = oneshot::channel();
        // Whoever asked may be gone by then; the command counts all the same.
        self.submit(command, move |result| drop(done.send(result)));
        outcome.await.unwrap_or(Err(Failure::Unavailable))
    }

    /// Ends a session of a user. (SES-10)
    pub async fn end_session(&self, user_id: UserId, session_id: SessionId) -> Result<(), Failure<EndSessionRefusal>> {
        self.commit(EndSession { user_id, session_id }).await
    }
}

/// A command on its way, whatever its type.
trait Job: Send {
    fn wants(&self, wanted: &mut Wanted);
    fn decide(&mut self, state: &State, stamp: &Stamp<'_>) -> (Vec<ChangeBody>, Vec<Effect>);
    fn finish(self: Box<Self>, durable: Result<(), Failure<NoRefusal>>);
}

struct Pending<C: Command, F> {
    command: C,
    /// Which session has to be open.
    session: Option<SessionId>,
    done: Option<F>,
    decided: Option<Result<C::Answer, Failure<C::Refusal>>>,
}

impl<C, F> Job for Pending<C, F>
where
    C: Command,
    F: FnOnce(Result<C::Answer, Failure<C::Refusal>>) + Send,
{
    fn wants(&self, wanted: &mut Wanted) {
        self.command.wants(wanted);
        wanted.sessions.extend(self.session);
    }

    fn decide(&mut self, state: &State, stamp: &Stamp<'_>) -> (Vec<ChangeBody>, Vec<Effect>) {
        if self.session.is_some_and(|session_id| !state.sessions.contains_key(&session_id)) {
            self.decided = Some(Err(Failure::SessionEnded));
            return (Vec::new(), Vec::new());
        }
        match self.command.decide(state, stamp) {
            Ok(decision) => {
                self.decided = Some(Ok(decision.answer));
                (decision.changes, decision.effects)
            }
            Err(refusal) => {
                self.decided = Some(Err(Failure::Refused(refusal)));
                (Vec::new(), Vec::new())
            }
        }
    }

    fn finish(mut self: Box<Self>, durable: Result<(), Failure<NoRefusal>>) {
        let Some(done) = self.done.take() else { return };
        done(match (durable, self.decided.take()) {
            (Ok(()), Some(decided)) => decided,
            (Ok(()), None) => Err(Failure::Internal),
            (Err(failure), _) => Err(failure.widen()),
        });
    }
}

async fn run(parts: CommitterParts, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        metrics::histogram!("i9chat_commit_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let jobs = Arc::new(Mutex::new(std::mem::take(&mut batch)));
        let started = Instant::now();
        let outcome = transact(&parts, &jobs).await;
        metrics::histogram!("i9chat_commit_seconds").record(started.elapsed().as_secs_f64());
        let mut jobs = std::mem::take(&mut *jobs.lock());
        match outcome {
            // Events are with their connections before the answers, so that a session that was ended hears nothing more. (SES-10)
            Ok(changes) => match parts.bus.publish(changes.into_iter().map(Committed::from).collect()) {
                Told::Now => finish(jobs),
                Told::Later(told) => drop(tokio::spawn(async move {
                    // What is committed is answered in any case.
                    drop(timeout(TOLD_IN_TIME, told).await);
                    finish(jobs);
                })),
            },
            Err(error) => {
                if matches!(error, StoreError::Unavailable(_)) && started.elapsed() > GIVEN_UP {
                    let waiting = queue.len();
                    jobs.extend((0..waiting).map_while(|_| queue.try_recv().ok()));
                }
                tracing::error!(%error, commands = jobs.len(), "a batch was not committed");
                for job in jobs {
                    job.finish(Err(match &error {
                        StoreError::Unavailable(_) | StoreError::Denied(_) => Failure::Unavailable,
                        StoreError::Overloaded => Failure::Overloaded,
                        StoreError::Corrupt(_) => Failure::Internal,
                    }));
                }
            }
        }
    }
}

fn finish(jobs: Vec<Box<dyn Job>>) {
    for job in jobs {
        job.finish(Ok(()));
    }
}

async fn transact(
    parts: &CommitterParts,
    jobs: &Arc<Mutex<Vec<Box<dyn Job>>>>,
) -> Result<Vec<crate::domain::Change>, StoreError> {
    let mut wanted = Wanted::default();
    for job in jobs.lock().iter() {
        job.wants(&mut wanted);
    }
    let at = parts.clock.now();
    let (ids, jobs) = (Arc::clone(&parts.ids), Arc::clone(jobs));
    let decide: Decide = Box::new(move |state: &mut State, head: Place| {
        let stamp = Stamp { at, ids: &*ids };
        let mut position = head.position;
        let mut decided = Decided::default();
        for job in jobs.lock().iter_mut() {
            let (changes, effects) = job.decide(state, &stamp);
            decided.effects.extend(effects);
            for body in changes {
                state.apply(&body);
                position = position.next();
                decided.changes.push(body.at(position, &*ids).map_err(|error| StoreError::Corrupt(error.to_string()))?);
            }
        }
        Ok(decided)
    });
    parts.store.transact(wanted, at, decide).await
}

#[cfg(test)]
mod tests;
