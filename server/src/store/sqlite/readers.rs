use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::StoreError;

/// Connections that only read. As many reads run at once as there are connections; the others wait in order.
#[derive(Debug)]
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// A connection that a read has for itself. However the read ends, and whether or not anybody still waits for it, the
/// connection comes back first and the permit after it: whoever has a permit finds a connection.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.idle.lock().extend(self.connection.take());
    }
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self { permits: Arc::new(Semaphore::new(connections.len())), idle: Arc::new(Mutex::new(connections)) }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the readers have stopped".to_owned());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| stopped())?;
        let connection = self.idle.lock().pop();
        let lent = Lent { connection, idle: Arc::clone(&self.idle), _permit: permit };
        tokio::task::spawn_blocking(move || {
            let connection = lent.connection.as_ref().ok_or_else(stopped)?;
            on_snapshot(connection, job)
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

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc};

    use futures_util::poll;

    use super::*;

    fn one_reader() -> Readers {
        Readers::new(vec![Connection::open_in_memory().unwrap()])
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_any_more_keeps_its_connection_until_it_ends() {
        let readers = one_reader();
        let (let_go, held) = mpsc::sync_channel::<()>(1);
        {
            let mut given_up = pin!(readers.run(move |_| Ok(held.recv().is_ok())));
            assert!(poll!(given_up.as_mut()).is_pending(), "the caller goes away while the read goes on");
        }
        let mut next = pin!(readers.run(|_| Ok(1)));
        assert!(poll!(next.as_mut()).is_pending(), "the next one waits, and is not refused");
        let_go.send(()).unwrap();
        assert_eq!(next.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_read_that_panics_costs_no_connection() {
        let readers = one_reader();
        let panicked: Result<(), _> = readers.run(|_| panic!("on purpose")).await;
        assert!(panicked.is_err());
        assert_eq!(readers.run(|_| Ok(1)).await.unwrap(), 1);
    }
}
