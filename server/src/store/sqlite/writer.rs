use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::checkpoints::Checkpoints;
use crate::store::StoreError;

/// How many writes may wait. The committer has one batch under way at a time, so this bounds account writes.
const QUEUE: usize = 1024;

/// Something to do on the writer's connection, between two transactions.
pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The one thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread, and the one that makes checkpoints on another connection.
    pub(super) fn start(mut connection: Connection, beside: Connection) -> Result<Self, StoreError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let checkpoints = Checkpoints::start(beside, jobs.downgrade())?;
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    // A fault in one job must not end all writing: what it began is rolled back, and its caller is told that it was given up.
                    if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                        tracing::error!("a write panicked");
                    }
                    checkpoints.committed();
                }
            })
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { jobs })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The receiver is gone when the caller was dropped; the write counts all the same.
            drop(done.send(in_transaction(connection, job)));
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable("the writer has stopped".to_owned()),
        })?;
        outcome.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the write was given up".to_owned())))
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    job: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Dropping the transaction, as an early return does, rolls it back.
    let value = job(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn a_write_that_panics_changes_nothing_and_the_next_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db"), 1).unwrap();
        store.write(|connection| Ok(connection.execute_batch("CREATE TABLE tried (number INTEGER)")?)).await.unwrap();
        let failed = store
            .write(|connection| -> Result<(), StoreError> {
                connection.execute("INSERT INTO tried VALUES (1)", [])?;
                panic!("on purpose")
            })
            .await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))));
        store.write(|connection| Ok(connection.execute("INSERT INTO tried VALUES (2)", [])?)).await.unwrap();
        let numbers = store.read(|connection| {
            Ok(connection.query_row("SELECT group_concat(number) FROM tried", [], |row| row.get::<_, String>(0))?)
        });
        assert_eq!(numbers.await.unwrap(), "2");
    }
}
