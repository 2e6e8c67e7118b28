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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_and_mails_of_before_there_were_purposes_are_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        let before = STEPS.iter().position(|step| step.contains("CREATE TABLE claims")).unwrap();
        for step in &STEPS[..before] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
        let rows = "
            INSERT INTO signups VALUES (1, 'a@example.com', 'A@example.com', 3, x'01', 9, 1, 1, 2, '[1]', '[2]', 10);
            INSERT INTO mails (recipient, ticket, due_at, give_up_at, tries) VALUES ('a@example.com', x'01', 1, 2, 0);
            INSERT INTO mails (recipient, ticket, due_at, give_up_at, tries) VALUES ('b@example.com', NULL, 1, 2, 0);";
        connection.execute_batch(rows).unwrap();
        prepare(&mut connection).unwrap();

        let claim = "SELECT purpose || email_key || email || version || hex(ticket) || expires_at || step || good
                            || wrong_codes || tickets_at || wrong_codes_at || forget_at FROM claims";
        let claim: String = connection.query_row(claim, [], |row| row.get(0)).unwrap();
        assert_eq!(claim, "1a@example.comA@example.com3019112[1][2]10");
        let matters = "SELECT group_concat(matter) FROM (SELECT matter FROM mails ORDER BY id)";
        assert_eq!(connection.query_row(matters, [], |row| row.get::<_, String>(0)).unwrap(), "1,2");
    }
}
