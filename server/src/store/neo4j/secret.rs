//! Secrets that all nodes share.

use serde::Deserialize;

use super::{
    Neo4jStore,
    driver::{Statement, text},
};
use crate::store::StoreError;

/// Of several nodes that start at once, one brings the secret.
const SHARE: &str = "MERGE (secret:Secret {name: $name})
ON CREATE SET secret.key = $key
RETURN secret.key AS key";

pub(super) const STATEMENTS: &[&str] = &[SHARE];

#[derive(Deserialize)]
struct Shared {
    key: String,
}

impl Neo4jStore {
    /// The secret of that name that all nodes have: the one given, when none has brought another before. Durable when this
    /// returns.
    pub async fn shared_secret(&self, name: &'static str, own: &str) -> Result<String, StoreError> {
        let share = Statement::new(SHARE).with("name", text(name)).with("key", text(own));
        let mut shared: Vec<Shared> = self.driver.write(&share).await?;
        let shared = shared.pop().ok_or_else(|| StoreError::Corrupt("the shared secret is not there".to_owned()))?;
        Ok(shared.key)
    }
}
