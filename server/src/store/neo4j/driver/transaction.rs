use std::time::Duration;

use futures_util::FutureExt;
use neo4rs::Txn;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{ANSWER_TIME, Driver, Failure, Statement, TRANSACTION_TIME, by, statement};

/// How long the server is asked to undo a transaction; after that its connection is closed, which does the same.
const ROLLBACK_TIME: Duration = Duration::from_millis(500);

/// A transaction: all or nothing. It must be committed or rolled back, never just dropped.
pub(in crate::store::neo4j) struct Transaction {
    inner: Txn,
    driver: Driver,
    pool: u64,
    /// When it is given up.
    ends_at: Instant,
}

impl Transaction {
    pub(super) fn new(inner: Txn, driver: Driver, pool: u64) -> Self {
        Self { inner, driver, pool, ends_at: Instant::now() + TRANSACTION_TIME }
    }

    /// Gives the transaction so much time from now on.
    pub(in crate::store::neo4j) fn give(&mut self, time: Duration) {
        self.ends_at = Instant::now() + time;
    }

    /// Runs a statement and answers all its rows.
    pub(in crate::store::neo4j) async fn run<T: DeserializeOwned>(
        &mut self,
        statement: Statement,
    ) -> Result<Vec<T>, Failure> {
        let transaction = &mut self.inner;
        let rows = async {
            let mut stream = transaction.execute(statement.query()).await?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next(&mut *transaction).await? {
                rows.push(row);
            }
            Ok(rows)
        };
        statement::typed(&by(self.ends_at, rows.boxed()).await?)
    }

    /// Runs a statement that answers no rows.
    pub(in crate::store::neo4j) async fn execute(&mut self, statement: Statement) -> Result<(), Failure> {
        by(self.ends_at, self.inner.run(statement.query()).boxed()).await
    }

    /// Makes durable what was done. After [`Failure::Lost`] it is not known whether it is.
    pub(in crate::store::neo4j) async fn commit(self) -> Result<(), Failure> {
        // The server may be writing it out by now: that is waited for longer.
        let outcome = by(Instant::now() + ANSWER_TIME, self.inner.commit().boxed()).await;
        if let Err(Failure::Lost(_)) = outcome {
            self.driver.renew(self.pool);
        }
        outcome
    }

    /// Undoes what was done, and lets go of what was locked.
    pub(in crate::store::neo4j) async fn rollback(self) {
        let undone = by(Instant::now() + ROLLBACK_TIME, self.inner.rollback().boxed()).await;
        if let Err(failure @ Failure::Lost(_)) = undone {
            tracing::debug!(%failure, "a transaction is undone by closing its connection");
            self.driver.renew(self.pool);
        }
    }
}
