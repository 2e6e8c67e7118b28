//! The scale-out store: Neo4j, which any number of nodes write to and read from.

mod accounts;
mod driver;
mod media;
mod presence;
mod schema;

use self::driver::Driver;
use super::StoreError;

/// How many connections serve what is not the log's growth.
const CONNECTIONS: usize = 16;
/// How many connections the log's growth has to itself: a commit, a look at the safe head, and one to free the log from a
/// client that went silent. Slow reads never keep a commit waiting for a connection.
const LOG_CONNECTIONS: usize = 4;

/// Everything durable, in Neo4j.
#[derive(Debug)]
pub struct Neo4jStore {
    /// For reads, and for writes beside the log.
    driver: Driver,
    /// For the log's growth alone.
    log_driver: Driver,
}

impl Neo4jStore {
    /// Connects to the database that the URL names, `neo4j://user:password@host:port` or `bolt://…` (with `+s` for TLS), and
    /// brings it to the newest version of the schema.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let store = Self { driver: Driver::new(url, CONNECTIONS)?, log_driver: Driver::new(url, LOG_CONNECTIONS)? };
        schema::prepare(&store.driver).await?;
        Ok(store)
    }
}
