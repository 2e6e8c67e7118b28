//! Moves what was committed from the write-ahead log into the database, beside the writer and not in its way.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::mpsc::WeakSender;

use super::writer::Job;
use crate::store::StoreError;

/// How long to rest between two checkpoints: each costs flushes of its own.
const REST: Duration = Duration::from_millis(250);
/// From this many pages in the log on, the writer is asked to finish, so that it can start the log from its beginning again.
const MANY_PAGES: i64 = 4000;

/// Tells the thread that something was committed. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Checkpoints {
    committed: SyncSender<()>,
}

impl Checkpoints {
    /// Starts the thread, with a connection of its own.
    pub(super) fn start(connection: Connection, writer: WeakSender<Job>) -> Result<Self, StoreError> {
        let (committed, news) = sync_channel(1);
        thread::Builder::new()
            .name("sqlite-checkpoints".to_owned())
            .spawn(move || run(&connection, &news, &writer))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { committed })
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        // When the place is taken, the thread will look anyway.
        self.committed.try_send(()).ok();
    }
}

fn run(connection: &Connection, news: &Receiver<()>, writer: &WeakSender<Job>) {
    while news.recv().is_ok() {
        thread::sleep(REST);
        match checkpoint(connection) {
            Ok(pages) if pages >= MANY_PAGES => {
                // Nearly all is done; the rest takes the writer a moment. While it does it nothing is added, so that the log is
                // empty after it. Without this the log would grow for as long as there are writes.
                let finish: Job = Box::new(|connection| report(checkpoint(connection)));
                if let Some(writer) = writer.upgrade() {
                    writer.try_send(finish).ok();
                }
            }
            outcome => report(outcome),
        }
    }
}

/// Moves what no reader holds back; answers how many pages the log has.
fn checkpoint(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}

fn report(outcome: Result<i64, rusqlite::Error>) {
    if let Err(error) = outcome {
        // What was committed is safe in the log; the next checkpoint tries again.
        tracing::warn!(%error, "a checkpoint failed");
    }
}
