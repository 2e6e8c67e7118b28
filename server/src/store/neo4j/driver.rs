//! The one module that knows neo4rs: statements, rows, transactions, time-outs and what may be tried again.
//!
//! neo4rs keeps a pool of connections, resets one whenever it is taken, and replaces one that died. What it does not do is
//! done here: it sets no time-out for explicit transactions, tries no refused connection again, retries some failures for a
//! minute, and leaves a transaction that is dropped open until its connection is used again.

mod address;
mod failure;
mod statement;
mod transaction;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use neo4rs::{Config, Graph};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

pub(super) use self::{
    failure::Failure,
    statement::{Statement, Value, list, map, text, texts},
    transaction::Transaction,
};
use crate::store::StoreError;

/// How long a transaction may take on the server. Whoever takes longer loses its locks.
pub(super) const TRANSACTION_TIME: Duration = Duration::from_secs(5);
/// How long an answer is waited for: longer than the server takes to give up by itself.
const ANSWER_TIME: Duration = Duration::from_millis(6500);
/// How long a change of the schema may take.
const SCHEMA_TIME: Duration = Duration::from_mins(5);
/// How long something is tried again that failed and was surely not done.
const RETRY_TIME: Duration = Duration::from_secs(3);
/// The first pause before something is tried again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause before something is tried again.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How much may run and wait at once; more is refused as overloaded.
const WAITING: usize = 4096;

/// Runs statements on one database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Driver(Arc<Inner>);

struct Inner {
    config: Config,
    pool: RwLock<Pool>,
    room: Semaphore,
}

/// The connections that are used now.
#[derive(Clone)]
struct Pool {
    graph: Graph,
    /// Which pool this is, in the order in which they were made.
    number: u64,
}

impl fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver with at most so many connections. Connects when a statement is run.
    pub(super) fn new(url: &str, connections: usize) -> Result<Self, StoreError> {
        let config = address::config(url, connections)?;
        // neo4rs asks rustls for a default, of which there are two in this program.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let graph = Graph::connect(config.clone()).map_err(Failure::of)?;
        let pool = RwLock::new(Pool { graph, number: 0 });
        Ok(Self(Arc::new(Inner { config, pool, room: Semaphore::new(WAITING) })))
    }

    /// Runs a statement that only reads, and answers all its rows. Tried again when it fails for a reason that may pass.
    pub(super) async fn read<T: DeserializeOwned>(&self, statement: &Statement) -> Result<Vec<T>, StoreError> {
        let read = || self.alone(statement, true);
        Ok(retried(read).await?)
    }

    /// Runs a statement that reads at most one row.
    pub(super) async fn read_one<T: DeserializeOwned>(&self, statement: &Statement) -> Result<Option<T>, StoreError> {
        Ok(self.read(statement).await?.pop())
    }

    /// Runs a statement that writes, in a transaction of its own. It must do no harm when it runs twice: it is tried again
    /// also when it is not known whether it was done.
    pub(super) async fn write<T: DeserializeOwned>(&self, statement: &Statement) -> Result<Vec<T>, Failure> {
        retried(|| self.alone(statement, false)).await
    }

    /// Runs a statement that may take minutes, as changes of the schema do, and may be done twice.
    pub(super) async fn take_time(&self, statement: &Statement) -> Result<(), Failure> {
        let graph = self.0.pool.read().graph.clone();
        let run = || by(Instant::now() + SCHEMA_TIME, graph.run(statement.clone().query()).boxed());
        retried(run).await
    }

    /// Begins a transaction. It ends at the latest after [`TRANSACTION_TIME`].
    pub(super) async fn begin(&self) -> Result<Transaction, Failure> {
        let pool = self.0.pool.read().clone();
        let begun = by(Instant::now() + ANSWER_TIME, pool.graph.start_txn().boxed()).await;
        let begun = begun.map_err(Failure::before_commit)?;
        Ok(Transaction::new(begun, self.clone(), pool.number))
    }

    /// Runs a statement in a transaction of its own, once.
    async fn alone<T: DeserializeOwned>(&self, statement: &Statement, reads: bool) -> Result<Vec<T>, Failure> {
        let _room = self.0.room.try_acquire().map_err(|_| StoreError::Overloaded)?;
        let graph = self.0.pool.read().graph.clone();
        let run = async {
            let query = statement.query_alone();
            let mut stream = if reads { graph.execute_read(query).await } else { graph.execute(query).await }?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next().await? {
                rows.push(row);
            }
            Ok(rows)
        };
        statement::typed(&by(Instant::now() + ANSWER_TIME, run.boxed()).await?)
    }

    /// Closes the connections of a pool, and with them what the server does for those that are out of step: neo4rs would keep
    /// such a one, and the server its locks, until the pool comes to use it again.
    fn renew(&self, number: u64) {
        let mut pool = self.0.pool.write();
        if pool.number == number
            && let Ok(graph) = Graph::connect(self.0.config.clone())
        {
            *pool = Pool { graph, number: number + 1 };
        }
    }
}

/// Waits for an answer of the server, up to a moment. The driver's futures are large and deep, and are kept apart from ours.
async fn by<T>(moment: Instant, answer: BoxFuture<'_, Result<T, neo4rs::Error>>) -> Result<T, Failure> {
    match timeout_at(moment, answer).await {
        Ok(answer) => answer.map_err(Failure::of),
        Err(_) => Err(Failure::Lost("Neo4j did not answer in time".to_owned())),
    }
}

/// Tries something until it goes well, fails for good, or has been tried for long enough. It must do no harm when it is done twice.
async fn retried<T, F: Future<Output = Result<T, Failure>>>(mut attempt: impl FnMut() -> F) -> Result<T, Failure> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Err(failure) if failure.may_pass() && started.elapsed() + pause < RETRY_TIME => {
                tracing::debug!(%failure, "tried again");
                pause_before_retry(&mut pause).await;
            }
            outcome => return outcome,
        }
    }
}

/// Waits about so long, and longer the next time. Those who failed together do not come back together.
async fn pause_before_retry(pause: &mut Duration) {
    sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}
