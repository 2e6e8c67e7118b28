//! Keeps a client that went silent from holding the log for ever.
//!
//! A node that stops or loses its link in the middle of a batch leaves the lock with a transaction that the server would keep. Its
//! driver cannot tell the server how long such a transaction may live, so whoever waits for the lock sees to it: the holder notes
//! on its transaction since when it has the lock, and is ended once that is too long ago. (The server's own setting
//! `db.transaction.timeout` does the same where it is set.)

use std::{future::Future, pin::pin, time::Duration};

use serde::Deserialize;
use tokio::time::sleep;

use super::super::driver::{Driver, Statement, TRANSACTION_TIME};

/// How long the lock is waited for before somebody looks who has it, and again after that.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends what has held the lock for too long. The time is the server's own, at both ends.
const FREE: &str = "SHOW TRANSACTIONS YIELD transactionId AS id, metaData
WHERE metaData.i9chat = 'log' AND metaData.since < datetime.realtime().epochMillis - $most
WITH collect(id) AS ids
TERMINATE TRANSACTIONS ids YIELD transactionId AS id, message
RETURN id, message";

pub(super) const STATEMENTS: &[&str] = &[FREE];

/// A transaction that was ended.
#[derive(Debug, Deserialize)]
struct Ended {
    id: String,
    message: String,
}

/// Waits for something that needs the log's lock.
pub(super) async fn waiting_for_lock<T>(driver: &Driver, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = free(driver) => {}
        }
    }
}

async fn free(driver: &Driver) {
    sleep(PATIENCE).await;
    let most = i64::try_from(TRANSACTION_TIME.as_millis()).unwrap_or(i64::MAX);
    match driver.write::<Ended>(&Statement::new(FREE).with("most", most)).await {
        Ok(ended) => {
            for Ended { id, message } in ended {
                tracing::warn!(id, message, "a transaction held the log for too long");
            }
        }
        Err(failure) => tracing::warn!(%failure, "who holds the log cannot be seen"),
    }
}
