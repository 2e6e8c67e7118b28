//! Filling an empty database with everything that another store holds. How far that has come stands on the log's node, and is written
//! with each batch: whoever goes on after a crash goes on there. Until all is there and compared, no server starts on the database.

mod back;
mod fill;

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use tokio::time::{Instant, sleep};

pub use self::back::BackPage;
use super::{
    Neo4jStore,
    driver::{Driver, Failure, Statement, Value, list, map, text},
    log::Log,
    schema,
};
use crate::store::{
    StoreError,
    raw::{corrupt, integer},
    transfer::{LogFacts, Mark, Row, Table},
};

/// One for the batches, and one for those who look.
const CONNECTIONS: usize = 2;
/// How long something is tried again, and how often: a database that is busy with so much may be slow, or restarted.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_secs(1);

/// Makes the log's node in an empty database, and says what stands in it.
const BEGIN: &str = "CALL () {
  MATCH (n)
  RETURN count(n) AS nodes
}
FOREACH (_ IN CASE nodes WHEN 0 THEN [1] ELSE [] END |
  MERGE (log:Log {name: 'log'})
  ON CREATE SET log.moving = $moving, log.position = 0, log.tag = 0, log.kept_from = 0, log.swept_to = 0, log.turn = 0,
    log.schema = $schema)
WITH nodes
OPTIONAL MATCH (log:Log {name: 'log'})
RETURN log.moving AS moving";
const MOVING: &str = "MATCH (log:Log {name: 'log'}) RETURN log.moving AS moving, log.epoch AS epoch";
/// Which log stands in a database, and whether its servers have a key, as one row.
const STANDS: &str = "MATCH (log:Log {name: 'log'})
OPTIONAL MATCH (secret:Secret {name: $secret})
RETURN log.moving IS NOT NULL AS is_moving, log.epoch AS epoch, log.position AS position, log.tag AS tag, secret.key AS key";
/// What servers find first. A run that was broken off after this does it again.
const SETTLE: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
WITH log
WHERE log.moving = $before
SET log.epoch = $epoch, log.position = $position, log.tag = $tag, log.kept_from = $kept_from, log.swept_to = $swept_to
MERGE (secret:Secret {name: $secret})
SET secret.key = $key";
/// From here on servers may start.
const FINISH: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
WITH log
WHERE log.moving = $before
REMOVE log.moving";

/// Every statement that fills a database.
pub(super) const STATEMENTS: &[&[&str]] = &[&[MOVING, STANDS, SETTLE, FINISH], fill::STATEMENTS, back::STATEMENTS];

/// Why a database is not filled.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Something stands in it.
    #[error("the database holds something already; name an empty one with --store")]
    NotEmpty,
    /// The source is not the one that it was begun with.
    #[error(
        "the database was begun to be filled from another data folder, or from this one before a server used it again; \
         empty the database, and start anew"
    )]
    OtherSource,
    /// Somebody else fills it.
    #[error("another process fills the database at the same time")]
    NotAlone,
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for ImportError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

/// How far the filling is: the next rows are those of `table` after `mark`; without a table all are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Of which table rows are missing.
    pub table: Option<Table>,
    /// After which of them.
    pub mark: Mark,
}

impl Progress {
    /// Before the first row of a table.
    pub fn before(table: Option<Table>) -> Self {
        Self { table, mark: Mark::START }
    }
}

/// The progress as it stands in the database, with what tells the source from others.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Moving {
    epoch: String,
    position: u64,
    tag: u64,
    progress: Progress,
}

#[derive(Deserialize)]
struct MovingRow {
    moving: Option<String>,
    #[serde(default)]
    epoch: Option<String>,
}

#[derive(Deserialize)]
struct StandsRow {
    is_moving: bool,
    epoch: Option<String>,
    position: u64,
    tag: u64,
    key: Option<String>,
}

/// A database that is being filled.
#[derive(Debug)]
pub struct Neo4jImport {
    driver: Driver,
    facts: LogFacts,
    progress: Progress,
}

impl Neo4jImport {
    /// Begins to fill a database, or goes on where that was broken off.
    pub async fn begin(url: &str, facts: LogFacts) -> Result<Self, ImportError> {
        let driver = Driver::new(url, CONNECTIONS)?;
        driver.sign_in().await?;
        let schema = schema::constrain(&driver).await?;
        let start = Progress::before(Some(Table::Cells));
        let begin = Statement::new(BEGIN).with("moving", moving(facts, start)?).with("schema", schema);
        let found: Vec<MovingRow> = patiently(async || driver.write(&begin).await).await?;
        let found = found.into_iter().next().and_then(|row| row.moving).ok_or(ImportError::NotEmpty)?;
        let found: Moving = serde_json::from_str(&found).map_err(corrupt)?;
        let progress = found.progress;
        if found != Moving::of(facts, progress) {
            return Err(ImportError::OtherSource);
        }
        Ok(Self { driver, facts, progress })
    }

    /// Whether the database was filled to the end from a log that ends there, with the nodes' common key, and nothing was added since.
    pub async fn is_finished(url: &str, facts: LogFacts, key_name: &str, key: &str) -> Result<bool, ImportError> {
        let driver = Driver::new(url, CONNECTIONS)?;
        let stands = Statement::new(STANDS).with("secret", text(key_name));
        let found: Option<StandsRow> = read(&driver, &stands).await?.pop();
        let LogFacts { epoch, head, .. } = facts;
        Ok(found.is_some_and(|found| {
            !found.is_moving
                && found.epoch.is_some_and(|found| found == URL_SAFE_NO_PAD.encode(epoch.0))
                && (found.position, found.tag) == (head.position.0, head.tag)
                && found.key.is_some_and(|found| found == key)
        }))
    }

    /// Which rows are missing.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Writes rows of a table, and that the filling has come to `then`: both or neither, and durable when this returns.
    pub async fn write(&mut self, table: Table, rows: &[Row], then: Progress) -> Result<(), ImportError> {
        let next = moving(self.facts, then)?;
        let fill = Statement::new(fill::statement(table))
            .with("before", moving(self.facts, self.progress)?)
            .with("then", next.clone())
            .with("rows", list(rows.iter().map(bolt)));
        // Where a second try finds that the first one was committed, it does nothing.
        patiently(async || self.driver.write::<IgnoredAny>(&fill).await).await?;
        self.check_alone(&next).await?;
        self.progress = then;
        Ok(())
    }

    /// Whether the filling is where this process has brought it.
    async fn check_alone(&self, moving: &str) -> Result<(), ImportError> {
        let now = self.read::<MovingRow>(&Statement::new(MOVING)).await?.pop();
        let is_alone = now.and_then(|row| row.moving).is_some_and(|now| now == moving);
        if is_alone { Ok(()) } else { Err(ImportError::NotAlone) }
    }

    /// Writes which log it is and where that ends, and the nodes' common key. Still no server starts.
    pub async fn settle(&self, key_name: &str, key: &str) -> Result<(), ImportError> {
        let LogFacts { epoch, head, kept_from, swept_to } = self.facts;
        let before = moving(self.facts, self.progress)?;
        let settle = Statement::new(SETTLE)
            .with("before", before.as_str())
            .with("epoch", URL_SAFE_NO_PAD.encode(epoch.0))
            .with("position", integer(head.position.0))
            .with("tag", integer(head.tag))
            .with("kept_from", kept_from)
            .with("swept_to", swept_to)
            .with("secret", text(key_name))
            .with("key", text(key));
        patiently(async || self.driver.write::<IgnoredAny>(&settle).await).await?;
        self.check_alone(&before).await
    }

    /// The store as servers will open it, which they may not yet.
    pub async fn as_servers_will(&self) -> Result<Neo4jStore, StoreError> {
        let log = Log::open(self.driver.clone()).await?;
        Ok(Neo4jStore { driver: self.driver.clone(), log: Arc::new(log) })
    }

    /// Lets servers start on what was settled.
    pub async fn finish(self) -> Result<(), ImportError> {
        let finish = Statement::new(FINISH).with("before", moving(self.facts, self.progress)?);
        patiently(async || self.driver.write::<IgnoredAny>(&finish).await).await?;
        let now = self.read::<MovingRow>(&Statement::new(MOVING)).await?.pop();
        let is_finished = now.is_some_and(|row| {
            row.moving.is_none() && row.epoch.is_some_and(|now| now == URL_SAFE_NO_PAD.encode(self.facts.epoch.0))
        });
        if is_finished { Ok(()) } else { Err(ImportError::NotAlone) }
    }

    async fn read<T: DeserializeOwned>(&self, statement: &Statement) -> Result<Vec<T>, Failure> {
        read(&self.driver, statement).await
    }
}

async fn read<T: DeserializeOwned>(driver: &Driver, statement: &Statement) -> Result<Vec<T>, Failure> {
    patiently(async || match driver.read(statement).await {
        Err(StoreError::Unavailable(why)) => Err(Failure::Again(why)),
        outcome => Ok(outcome?),
    })
    .await
}

/// Tries again what fails for a reason that may pass.
async fn patiently<T>(work: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let started = Instant::now();
    loop {
        match work().await {
            Err(Failure::Again(why) | Failure::Lost(why)) if started.elapsed() < PATIENCE => {
                tracing::warn!(why, "tried again");
                sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

impl Moving {
    fn of(facts: LogFacts, progress: Progress) -> Self {
        Self {
            epoch: URL_SAFE_NO_PAD.encode(facts.epoch.0),
            position: facts.head.position.0,
            tag: facts.head.tag,
            progress,
        }
    }
}

fn moving(facts: LogFacts, progress: Progress) -> Result<String, StoreError> {
    serde_json::to_string(&Moving::of(facts, progress)).map_err(corrupt)
}

/// A row as it is sent.
fn bolt(row: &Row) -> Value {
    match row {
        Row::Null => Value::from(None::<String>),
        Row::Bool(is) => (*is).into(),
        Row::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().into(),
        },
        Row::String(text) => text.as_str().into(),
        Row::Array(rows) => list(rows.iter().map(bolt)),
        Row::Object(columns) => map(columns.iter().map(|(name, row)| (name.as_str(), bolt(row)))),
    }
}
