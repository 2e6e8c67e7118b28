//! The scale-out store: Neo4j, which any number of nodes write to and read from.

mod accounts;
mod driver;
mod import;
mod log;
mod media;
mod presence;
mod schema;
mod secret;

use std::sync::Arc;

pub use self::import::{BackPage, ImportError, Neo4jImport, Progress};
use self::{driver::Driver, log::Log};
use super::StoreError;

/// How many connections serve what is not the log's growth.
const CONNECTIONS: usize = 16;
/// How many connections looks at the log's end have to themselves; its growth has others of its own. Slow reads never keep either waiting.
const LOG_CONNECTIONS: usize = 2;

/// Everything durable, in Neo4j.
#[derive(Debug)]
pub struct Neo4jStore {
    /// For reads, and for writes beside the log.
    driver: Driver,
    log: Arc<Log>,
}

impl Neo4jStore {
    /// Connects to the database that the URL names, `neo4j://user:password@host:port` or `bolt://…` (with `+s` for TLS), and
    /// brings it to the newest version of the schema. [`StoreError::Denied`] when it does not let us in.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let driver = Driver::new(url, CONNECTIONS)?;
        let log = Driver::new(url, LOG_CONNECTIONS)?;
        log.sign_in().await?;
        schema::prepare(&driver).await?;
        let log = Log::open(log).await?;
        Ok(Self { driver, log: Arc::new(log) })
    }

    /// Every statement that a running server sends, or that fills a database, so that a test can look at how Neo4j plans them.
    pub fn statements() -> Vec<&'static str> {
        let beside = [accounts::STATEMENTS, media::STATEMENTS, presence::STATEMENTS, secret::STATEMENTS];
        log::STATEMENTS.iter().chain(import::STATEMENTS).copied().chain(beside).flatten().copied().collect()
    }
}
