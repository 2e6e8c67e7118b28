//! The one module that speaks to Neo4j: statements, rows, transactions, time-outs and what may be tried again.
//!
//! Single statements go through neo4rs, which keeps a pool of connections, resets one whenever it is taken, and replaces one that died. What
//! it does not do is done here: it tries no refused connection again, and retries some failures for a minute. Transactions of
//! several statements have connections of their own ([`bolt`]).

mod address;
mod bolt;
mod failure;
mod idle;
mod statement;
mod transaction;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use neo4rs::Graph;
use serde::de::DeserializeOwned;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use self::transaction::Transactions;
pub(super) use self::{
    failure::Failure,
    statement::{Statement, Value, list, map, text, texts},
    transaction::Transaction,
};
use crate::store::StoreError;

/// How long a transaction may take on the server, which looks every two seconds whether one has taken longer. Then it loses its
/// locks.
const TRANSACTION_TIME: Duration = Duration::from_secs(4);
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
    graph: Graph,
    transactions: Transactions,
    room: Semaphore,
}

impl fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver with at most so many connections. Connects when a statement is run.
    pub(super) fn new(url: &str, connections: usize) -> Result<Self, StoreError> {
        let address = address::parse(url)?;
        // neo4rs asks rustls for a default, of which there are two in this program.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let graph = Graph::connect(address::config(&address, connections)?).map_err(Failure::of)?;
        let transactions = Transactions::new(address);
        Ok(Self(Arc::new(Inner { graph, transactions, room: Semaphore::new(WAITING) })))
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
        let graph = &self.0.graph;
        let run = || by(Instant::now() + SCHEMA_TIME, graph.run(statement.clone().query()).boxed());
        retried(run).await
    }

    /// Finds out whether Neo4j is there and lets us in: [`StoreError::Denied`] when it does not.
    pub(super) async fn sign_in(&self) -> Result<(), StoreError> {
        Ok(retried(|| self.0.transactions.sign_in()).await?)
    }

    /// A transaction of several statements.
    pub(super) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        self.0.transactions.begin().await
    }

    /// Runs a statement in a transaction of its own, once.
    async fn alone<T: DeserializeOwned>(&self, statement: &Statement, reads: bool) -> Result<Vec<T>, Failure> {
        let _room = self.0.room.try_acquire().map_err(|_| StoreError::Overloaded)?;
        let graph = &self.0.graph;
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
            // Whom the server sent away after a long wait tries once more.
            Err(failure)
                if failure.may_pass() && started.elapsed() + pause < RETRY_TIME
                    || failure.is_surely_undone() && pause == FIRST_PAUSE =>
            {
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
