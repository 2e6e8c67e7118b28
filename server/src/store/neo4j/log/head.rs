//! The safe head: a position that was read under the lock, or whose commit has returned. Everything up to it is found by reads
//! that begin later; of what comes after it parts may show already.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{Log, rows::HeadRow};
use crate::{
    domain::{LogEpoch, Place, Position},
    store::{
        LogHead, StoreError,
        neo4j::driver::{Driver, Statement},
    },
};

/// Takes the lock that whoever appends holds. Setting what is set already takes it too, and writes nothing.
pub(super) const HEAD: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
RETURN log.epoch AS epoch, log.position AS position, log.tag AS tag";

/// What stands there, without the lock. What it says of the end may not be safe.
const LOOK: &str = "MATCH (log:Log {name: 'log'})
RETURN log.epoch AS epoch, log.position AS position, log.tag AS tag";

pub(super) const STATEMENTS: &[&str] = &[HEAD, LOOK];

/// Looks at the head for all who ask, and remembers it.
#[derive(Debug)]
pub(super) struct SafeHead {
    /// How many have asked.
    asked: AtomicU64,
    looked: tokio::sync::Mutex<Looked>,
    known: Mutex<Place>,
}

/// The last look at the head.
#[derive(Debug)]
struct Looked {
    /// It was for all who had asked before so many had.
    before: u64,
    /// What was seen, or why nothing was.
    seen: Result<LogHead, String>,
}

impl SafeHead {
    pub(super) fn new(known: Place) -> Self {
        let looked = Looked { before: 0, seen: Err("nobody has looked".to_owned()) };
        Self { asked: AtomicU64::new(0), looked: tokio::sync::Mutex::new(looked), known: Mutex::new(known) }
    }

    /// Remembers a place that is safe.
    pub(super) fn note(&self, place: Place) {
        let mut known = self.known.lock();
        if place.position > known.position {
            *known = place;
        }
    }
}

/// Looks at the head of whatever log stands in the database.
pub(super) async fn read(driver: &Driver) -> Result<LogHead, StoreError> {
    let rows: Vec<HeadRow> = driver.write(&Statement::new(HEAD)).await?;
    rows.first().ok_or_else(no_log)?.head()
}

/// Whether the log that this process serves is there.
pub(super) async fn check(log: &Log) -> Result<(), StoreError> {
    let row: Option<HeadRow> = log.driver.read_one(&Statement::new(LOOK)).await?;
    log.check(row.ok_or_else(no_log)?.head()?.epoch)
}

pub(super) fn no_log() -> StoreError {
    StoreError::Corrupt("the database has no log".to_owned())
}

impl Log {
    /// The safe head, as of a moment after this was called. Those who ask while somebody looks share the next look.
    pub(super) async fn head(&self) -> Result<LogHead, StoreError> {
        let ticket = self.head.asked.fetch_add(1, Ordering::SeqCst);
        let mut looked = self.head.looked.lock().await;
        if ticket >= looked.before {
            let before = self.head.asked.load(Ordering::SeqCst);
            let seen = self.look().await.map_err(|error| error.to_string());
            // Only now: whoever looked may have been told to stop before there was anything to see.
            (looked.before, looked.seen) = (before, seen);
        }
        looked.seen.clone().map_err(StoreError::Unavailable)
    }

    async fn look(&self) -> Result<LogHead, StoreError> {
        let head = read(&self.driver).await?;
        self.check(head.epoch)?;
        self.head.note(head.place);
        Ok(head)
    }

    /// A safe place that is at least so far, if the log is: the one that is known, or the head.
    pub(super) async fn safe_place(&self, wanted: Position) -> Result<Place, StoreError> {
        let known = *self.head.known.lock();
        if known.position >= wanted { Ok(known) } else { Ok(self.head().await?.place) }
    }

    /// Whether the database still holds the log that this process serves.
    pub(super) fn check(&self, epoch: LogEpoch) -> Result<(), StoreError> {
        if epoch == self.epoch {
            return Ok(());
        }
        Err(StoreError::Unavailable(
            "the database holds another log than when this server started, as after a restore: restart the server"
                .to_owned(),
        ))
    }
}
