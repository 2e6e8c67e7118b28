use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::{
    ANSWER_TIME, Failure, Statement, TRANSACTION_TIME,
    bolt::{Address, Connection, Requests},
    idle::Idle,
    statement,
};

/// How long the server is asked to undo a transaction; after that its connection is closed, which does the same.
const ROLLBACK_TIME: Duration = Duration::from_millis(500);

/// Where transactions of several statements come from.
pub(in crate::store::neo4j) struct Transactions {
    address: Address,
    idle: Idle<Connection>,
}

/// A transaction: all or nothing. The server undoes it when it is dropped, when its connection is lost, and when it takes longer than
/// [`TRANSACTION_TIME`].
pub(in crate::store::neo4j) struct Transaction<'a> {
    connection: Connection,
    from: &'a Transactions,
    has_begun: bool,
    /// When it is given up.
    ends_at: Instant,
}

impl std::fmt::Debug for Transactions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Transactions").finish_non_exhaustive()
    }
}

impl Transactions {
    pub(super) fn new(address: Address) -> Self {
        Self { address, idle: Idle::default() }
    }

    /// Opens a connection for a transaction to come.
    pub(super) async fn sign_in(&self) -> Result<(), Failure> {
        let connection = by(Instant::now() + ANSWER_TIME, Connection::open(&self.address)).await;
        self.idle.keep(connection.map_err(Failure::before_commit)?);
        Ok(())
    }

    /// A transaction, which begins with its first statement.
    pub(in crate::store::neo4j) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        let ends_at = Instant::now() + ANSWER_TIME;
        let connection = match self.idle.take() {
            Some(connection) => connection,
            None => by(ends_at, Connection::open(&self.address)).await.map_err(Failure::before_commit)?,
        };
        Ok(Transaction { connection, from: self, has_begun: false, ends_at })
    }
}

impl Transaction<'_> {
    /// Runs a statement and answers all its rows.
    pub(in crate::store::neo4j) async fn run<T: DeserializeOwned>(
        &mut self,
        statement: Statement,
    ) -> Result<Vec<T>, Failure> {
        let mut requests = Requests::default();
        let begins = self.begins(&mut requests)?;
        requests.pull(statement)?;
        let rows = by(self.ends_at, async {
            self.connection.send(requests).await?;
            if begins {
                self.connection.done().await?;
            }
            self.connection.rows().await
        });
        let rows = rows.await;
        statement::typed(&self.before_commit(rows)?)
    }

    /// Runs a statement for what it does.
    pub(in crate::store::neo4j) async fn execute(&mut self, statement: Statement) -> Result<(), Failure> {
        let mut requests = Requests::default();
        let begins = self.begins(&mut requests)?;
        requests.discard(statement)?;
        let done = by(self.ends_at, async {
            self.connection.send(requests).await?;
            if begins {
                self.connection.done().await?;
            }
            self.connection.done().await?;
            self.connection.done().await
        });
        let done = done.await;
        self.before_commit(done)
    }

    /// Runs a last statement, and makes durable what was done, in one round trip. After [`Failure::Lost`] it is not known whether it
    /// is.
    pub(in crate::store::neo4j) async fn commit_with(mut self, statement: Statement) -> Result<(), Failure> {
        let mut requests = Requests::default();
        let begins = self.begins(&mut requests)?;
        requests.discard(statement)?;
        requests.commit()?;
        // The server may be writing it out when the time is over: that is waited for longer.
        let committed = by(self.ends_at.max(Instant::now() + ANSWER_TIME), async {
            self.connection.send(requests).await?;
            if begins {
                self.connection.done().await?;
            }
            // A statement that fails is followed by no commit.
            self.connection.done().await?;
            self.connection.done().await?;
            self.connection.done().await
        });
        let committed = committed.await;
        match &committed {
            Ok(()) => self.from.idle.keep(self.connection),
            Err(_) => self.from.idle.clear(),
        }
        committed
    }

    /// Undoes what was done, and lets go of what was locked.
    pub(in crate::store::neo4j) async fn rollback(mut self) {
        let mut requests = Requests::default();
        if !self.has_begun || requests.rollback().is_err() {
            return;
        }
        let undone = by(Instant::now() + ROLLBACK_TIME, async {
            self.connection.send(requests).await?;
            self.connection.done().await
        });
        match undone.await {
            Ok(()) => self.from.idle.keep(self.connection),
            Err(failure) => tracing::debug!(%failure, "a transaction is undone by closing its connection"),
        }
    }

    /// Whether the transaction begins with these requests.
    fn begins(&mut self, requests: &mut Requests) -> Result<bool, Failure> {
        let begins = !std::mem::replace(&mut self.has_begun, true);
        if begins {
            self.ends_at = Instant::now() + ANSWER_TIME;
            requests.begin(TRANSACTION_TIME, self.from.address.database.as_deref())?;
        }
        Ok(begins)
    }

    /// What fails before the commit was surely not done. The other connections are of the same age, and go with this one.
    fn before_commit<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        outcome.map_err(|failure| {
            if matches!(failure, Failure::Lost(_)) {
                self.from.idle.clear();
            }
            failure.before_commit()
        })
    }
}

/// Waits for an answer of the server, up to a moment.
async fn by<T>(moment: Instant, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match timeout_at(moment, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::Lost("Neo4j did not answer in time".to_owned())),
    }
}
