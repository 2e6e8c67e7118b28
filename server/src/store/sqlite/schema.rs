//! The tables. Each version of the schema is a step that is never changed once it was released.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;

const STEPS: &[&str] = &[
    include_str!("schema/accounts.sql"),
    include_str!("schema/log.sql"),
    include_str!("schema/groups.sql"),
    include_str!("schema/media.sql"),
    include_str!("schema/profiles.sql"),
    include_str!("schema/presence.sql"),
];

/// Brings the file to the newest version of the schema, all or nothing.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps = STEPS.get(version as usize..).ok_or_else(|| {
        StoreError::Corrupt(format!("the file is of version {version}, which is newer than this server"))
    })?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}
