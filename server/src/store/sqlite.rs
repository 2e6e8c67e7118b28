//! The embedded store: one SQLite file, one writer thread, a few readers.

mod accounts;
mod checkpoints;
mod claims;
mod column;
mod export;
mod log;
mod mails;
mod media;
mod presence;
mod readers;
mod schema;
mod writer;

use std::{path::Path, sync::Arc};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use self::{log::LogCache, readers::Readers, writer::Writer};
use super::StoreError;

/// Everything durable, in one file. Writes go through one thread, one transaction each, and are on disk before they
/// return; reads see everything that was written before they began.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// What the writer knows of the log, so that it need not read it again. Only the writer's jobs use it.
    log: Arc<Mutex<LogCache>>,
}

impl SqliteStore {
    /// Opens the file, making it and its tables when they are not there. Blocks; call it before serving.
    pub fn open(path: &Path, reader_count: usize) -> Result<Self, StoreError> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::prepare(&mut connection)?;
        let readers = (0..reader_count.max(1))
            .map(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .collect::<Result<_, _>>()?;
        let beside = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Self { writer: Writer::start(connection, beside)?, readers: Readers::new(readers), log: Arc::default() })
    }

    /// Runs a job in a transaction of its own: all or nothing, and durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(job).await
    }

    /// Runs a job on one snapshot of everything that was written before.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(job).await
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "busy_timeout", 5000)?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A commit is on disk before it is acknowledged. (MSG-2)
        connection.pragma_update(None, "synchronous", "full")?;
        // Checkpoints are made beside the writer; it makes one itself only when they do not keep up. (128 MiB)
        connection.pragma_update(None, "wal_autocheckpoint", 32_000)?;
    }
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match &error {
            Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::InvalidColumnType(..) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
