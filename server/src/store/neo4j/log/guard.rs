//! Keeps a client that went silent from holding the log for ever.
//!
//! A node that stops or loses its link in the middle of a batch leaves the lock with a transaction that the server would keep. Its
//! driver cannot tell the server how long such a transaction may live, so whoever waits for the lock sees to it: the holder notes
//! on its transaction since when it has the lock, and is ended once that is too long ago. (The server's own setting
//! `db.transaction.timeout` does the same where it is set.)

use std::{future::Future, pin::pin, time::Duration};

use serde::Deserialize;
use tokio::time::sleep;

use super::super::driver::{Driver, Failure, Statement, TRANSACTION_TIME, texts};

/// How long the lock is waited for before somebody looks who has it, and again after that.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who has held the lock for too long. The time is the server's own, at both ends.
const HOLDERS: &str = "SHOW TRANSACTIONS YIELD transactionId AS id, metaData
WHERE metaData.i9chat = 'log' AND metaData.since < datetime.realtime().epochMillis - $most
RETURN id";

const END: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId AS id";

pub(super) const STATEMENTS: &[&str] = &[HOLDERS, END];

#[derive(Debug, Deserialize)]
struct Holder {
    id: String,
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
    if let Err(failure) = end_holders(driver).await {
        tracing::warn!(%failure, "who holds the log's lock cannot be seen");
    }
}

/// Ends the transactions that have held the lock for too long. They are undone.
async fn end_holders(driver: &Driver) -> Result<(), Failure> {
    let most = i64::try_from(TRANSACTION_TIME.as_millis()).unwrap_or(i64::MAX);
    let holders: Vec<Holder> = driver.write(&Statement::new(HOLDERS).with("most", most)).await?;
    if holders.is_empty() {
        return Ok(());
    }
    let ids = texts(holders.into_iter().map(|Holder { id }| id));
    for Holder { id } in driver.write(&Statement::new(END).with("ids", ids)).await? {
        tracing::warn!(id, "a transaction held the log's lock for too long, and was ended");
    }
    Ok(())
}
