//! Keeps a client that went silent from holding the log for ever.
//!
//! A node that stops or loses its link in the middle of a batch leaves the lock with a transaction that the server would keep. The
//! driver cannot tell the server how long such a transaction may live, so whoever waits for the lock sees to it: when the same
//! transaction is in the way again and again, it is ended. (The server's own setting `db.transaction.timeout` does the same where it
//! is set.)
//!
//! What is in the way is read from what the server says of those who wait. Marking the holder itself would take the procedure
//! `tx.setMetaData`, which Neo4j 5.26 was seen to run on the transaction of somebody else.

use std::{future::Future, pin::pin, time::Duration};

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::super::driver::{Driver, Failure, Statement, texts};

/// How often it is looked who is in the way, while the lock is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a transaction may be seen to be in the way. Its own client gives it up at about the same time, if it lives.
const IN_THE_WAY: Duration = Duration::from_secs(4);

/// Who keeps from the log's lock those who wait for it: the statements that take it all begin like this.
const WAITING: &str = "SHOW TRANSACTIONS YIELD status, currentQuery
WHERE status STARTS WITH 'Blocked by' AND currentQuery STARTS WITH 'MATCH (log:Log '
RETURN status";

const END: &str = "TERMINATE TRANSACTIONS $ids YIELD transactionId AS id";

pub(super) const STATEMENTS: &[&str] = &[WAITING, END];

/// A transaction that waits, and for whom: `Blocked by: [neo4j-transaction-7]`.
#[derive(Debug, Deserialize)]
struct Waiting {
    status: String,
}

#[derive(Debug, Deserialize)]
struct Ended {
    id: String,
}

/// Waits for something that needs the log's lock.
pub(super) async fn waiting_for_lock<T>(driver: &Driver, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => done,
        never = watch(driver) => match never {},
    }
}

/// Ends what is in the way for too long, again and again.
async fn watch(driver: &Driver) -> std::convert::Infallible {
    let mut seen: Vec<(String, Instant)> = Vec::new();
    loop {
        sleep(PATIENCE).await;
        if let Err(failure) = look(driver, &mut seen).await {
            tracing::warn!(%failure, "who holds the log's lock cannot be seen");
        }
    }
}

/// `seen` is who is in the way, and since when that is known.
async fn look(driver: &Driver, seen: &mut Vec<(String, Instant)>) -> Result<(), Failure> {
    let waiting: Vec<Waiting> = driver.write(&Statement::new(WAITING)).await?;
    let now = Instant::now();
    let in_the_way: Vec<&str> = waiting.iter().flat_map(|waiting| blockers(&waiting.status)).collect();
    seen.retain(|(id, _)| in_the_way.contains(&id.as_str()));
    for id in in_the_way {
        if !seen.iter().any(|(known, _)| known == id) {
            seen.push((id.to_owned(), now));
        }
    }
    let too_long: Vec<_> = seen.extract_if(.., |(_, since)| now.duration_since(*since) >= IN_THE_WAY).collect();
    if too_long.is_empty() {
        return Ok(());
    }
    let ids = texts(too_long.into_iter().map(|(id, _)| id));
    for Ended { id } in driver.write(&Statement::new(END).with("ids", ids)).await? {
        tracing::warn!(id, "a transaction held the log's lock for too long, and was ended");
    }
    Ok(())
}

/// The ids in a status.
fn blockers(status: &str) -> impl Iterator<Item = &str> {
    let list = status.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
    list.split(',').map(str::trim).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_who_is_in_the_way() {
        let ids = |status| blockers(status).collect::<Vec<_>>();
        assert_eq!(ids("Blocked by: [neo4j-transaction-7]"), ["neo4j-transaction-7"]);
        assert_eq!(ids("Blocked by: [a-1, b-2]"), ["a-1", "b-2"]);
        assert!(ids("Blocked by: []").is_empty() && ids("Running").is_empty());
    }
}
