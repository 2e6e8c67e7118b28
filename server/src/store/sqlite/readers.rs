use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::store::StoreError;

/// Connections that only read. As many reads run at once as there are connections; the others wait in order.
#[derive(Debug)]
pub(super) struct Readers {
    permits: Semaphore,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self { permits: Semaphore::new(connections.len()), idle: Arc::new(Mutex::new(connections)) }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the readers have stopped".to_owned());
        let _permit = self.permits.acquire().await.map_err(|_| stopped())?;
        let idle = Arc::clone(&self.idle);
        let connection = idle.lock().pop().ok_or_else(stopped)?;
        tokio::task::spawn_blocking(move || {
            let outcome = on_snapshot(&connection, job);
            idle.lock().push(connection);
            outcome
        })
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("the read was given up".to_owned())))
    }
}

/// All statements of a job see the same moment.
fn on_snapshot<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let value = job(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
