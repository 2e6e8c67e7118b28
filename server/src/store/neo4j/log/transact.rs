//! One batch: lock and load, decide, write, commit. What can go wrong in between is settled here, and never guessed.

use std::{collections::HashMap, time::Duration};

use i9chat_spec::{ChatId, Timestamp};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{
    Log,
    append::{Append, Basis, Batch, append, check},
    cache::LogCache,
    head::{HEAD, no_log},
    load::{Loaded, load},
    rows::HeadRow,
};
use crate::{
    domain::{Change, Place, State, Wanted},
    store::{
        Decide, Decided, LogHead, StoreError,
        neo4j::{
            driver::{Failure, Statement, Transaction, text},
            schema,
        },
    },
};

/// How long the lock is tried for, in one transaction after the other.
const BATCH_TIME: Duration = Duration::from_secs(10);
/// How often a batch is sent again that was surely not done.
const TRIES: u32 = 2;
/// How long it is asked what became of a batch whose commit was not answered.
const SETTLE_TIME: Duration = Duration::from_secs(20);
/// The pause before the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// What this process committed last, under the lock: a commit that is still under way ends before this is answered.
const SETTLE: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
WITH log
OPTIONAL MATCH (committer:Committer {name: $committer})
RETURN log.epoch AS epoch, log.position AS position, log.tag AS tag, committer.batch AS batch";

pub(super) const STATEMENTS: &[&str] = &[SETTLE];

#[derive(Deserialize)]
struct SettledRow {
    epoch: String,
    position: i64,
    tag: i64,
    batch: Option<String>,
}

/// How writing a batch ended.
enum Written {
    /// It is durable.
    Committed(HashMap<ChatId, i64>),
    /// It was surely not done.
    Undone(String),
}

impl Log {
    /// See [`LogStore::transact`](crate::store::LogStore::transact). `decide` is called at most once: what fails before is tried
    /// again from the start; what was decided is sent again only while nobody else has appended.
    pub(super) async fn transact(
        &self,
        wanted: &Wanted,
        at: Timestamp,
        decide: Decide,
    ) -> Result<Vec<Change>, StoreError> {
        let mut cache = self.cache.lock().await;
        let (mut transaction, Loaded { head, mut state, versions }) = self.loaded(&mut cache, wanted, at).await?;
        let decided = match self.decide(&mut state, head, decide) {
            Ok(decided) if !(decided.changes.is_empty() && decided.effects.is_empty()) => decided,
            // Refusals and retries of what was done before: nothing to write.
            outcome => {
                transaction.rollback().await;
                return outcome.map(|decided| decided.changes);
            }
        };
        let mut basis = Basis { place: head.place, versions };
        let name = schema::random_text();
        let batch = Batch { committer: &self.committer, name: &name, at };
        let mut tries = 1..=TRIES;
        loop {
            match self.write(transaction, &batch, &decided, &basis).await? {
                Written::Committed(versions) => {
                    basis.versions.extend(versions);
                    break;
                }
                Written::Undone(text) if tries.next().is_none() => return Err(StoreError::Unavailable(text)),
                Written::Undone(text) => {
                    tracing::warn!(why = text, "a batch is sent again");
                    sleep(PAUSE).await;
                    transaction = self.locked_again(basis.place).await?;
                }
            }
        }
        cache.remember(state.chats, &basis.versions);
        if let Some(last) = decided.changes.last() {
            self.head.note(last.record.place);
        }
        Ok(decided.changes)
    }

    fn decide(&self, state: &mut State, head: LogHead, decide: Decide) -> Result<Decided, StoreError> {
        self.check(head.epoch)?;
        self.head.note(head.place);
        let decided = decide(state, head.place)?;
        check(&decided.changes, head.place)?;
        Ok(decided)
    }

    /// A transaction that holds the lock, and what the batch wants.
    async fn loaded(
        &self,
        cache: &mut LogCache,
        wanted: &Wanted,
        at: Timestamp,
    ) -> Result<(Transaction<'_>, Loaded), StoreError> {
        let started = Instant::now();
        loop {
            let outcome = self.load_once(cache, wanted, at).await;
            match outcome {
                Err(failure) if failure.is_surely_undone() && started.elapsed() < BATCH_TIME => {
                    tracing::debug!(%failure, "a batch is loaded again");
                    sleep(PAUSE).await;
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    async fn load_once(
        &self,
        cache: &mut LogCache,
        wanted: &Wanted,
        at: Timestamp,
    ) -> Result<(Transaction<'_>, Loaded), Failure> {
        let mut transaction = self.driver.begin().await?;
        let loaded = load(&mut transaction, cache, wanted, at).await?;
        Ok((transaction, loaded))
    }

    /// Another transaction that holds the lock, if the log still ends where the batch was decided.
    async fn locked_again(&self, decided_at: Place) -> Result<Transaction<'_>, StoreError> {
        let started = Instant::now();
        let (transaction, head) = loop {
            match self.lock_once().await {
                Err(failure) if failure.is_surely_undone() && started.elapsed() < BATCH_TIME => sleep(PAUSE).await,
                outcome => break outcome?,
            }
        };
        if let Err(error) = self.check(head.epoch).and_then(|()| {
            let is_same = head.place == decided_at;
            is_same.then_some(()).ok_or_else(|| {
                StoreError::Unavailable("another node appended before the batch could be sent again".to_owned())
            })
        }) {
            transaction.rollback().await;
            return Err(error);
        }
        Ok(transaction)
    }

    async fn lock_once(&self) -> Result<(Transaction<'_>, LogHead), Failure> {
        let mut transaction = self.driver.begin().await?;
        let rows: Vec<HeadRow> = transaction.run(Statement::new(HEAD)).await?;
        let head = rows.first().ok_or_else(no_log)?.head()?;
        Ok((transaction, head))
    }

    /// Writes and commits a batch.
    async fn write(
        &self,
        mut transaction: Transaction<'_>,
        batch: &Batch<'_>,
        decided: &Decided,
        basis: &Basis,
    ) -> Result<Written, StoreError> {
        let Append { rare, changes, versions } = append(batch, decided, basis)?;
        if let Some(rare) = rare {
            match transaction.execute(rare).await {
                Ok(()) => {}
                Err(Failure::Again(text)) => return Ok(Written::Undone(text)),
                Err(failure) => return Err(failure.into()),
            }
        }
        match transaction.commit_with(changes).await {
            Ok(()) => Ok(Written::Committed(versions)),
            Err(Failure::Again(text)) => Ok(Written::Undone(text)),
            Err(Failure::Lost(text)) => {
                tracing::warn!(why = text, "it is not known whether a batch was committed: it is looked up");
                let is_committed = self.is_committed(batch.name).await?;
                Ok(if is_committed { Written::Committed(versions) } else { Written::Undone(text) })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether a batch of this process was committed, when its own commit was not answered.
    async fn is_committed(&self, name: &str) -> Result<bool, StoreError> {
        let started = Instant::now();
        let settle = Statement::new(SETTLE).with("committer", text(&self.committer));
        loop {
            match self.driver.write::<SettledRow>(&settle).await {
                Ok(mut rows) => {
                    let row = rows.pop().ok_or_else(no_log)?;
                    let head = HeadRow { epoch: row.epoch, position: row.position, tag: row.tag }.head()?;
                    self.check(head.epoch)?;
                    return Ok(row.batch.as_deref() == Some(name));
                }
                // A Neo4j that has only just started may not let anybody in yet.
                Err(
                    failure @ (Failure::Again(_)
                    | Failure::Lost(_)
                    | Failure::Store(StoreError::Unavailable(_) | StoreError::Overloaded)),
                ) if started.elapsed() < SETTLE_TIME => {
                    tracing::warn!(%failure, "it is still not known whether a batch was committed");
                    sleep(PAUSE).await;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}
