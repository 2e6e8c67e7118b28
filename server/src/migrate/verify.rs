use std::collections::HashMap;

use super::MigrateError;
use crate::store::{
    neo4j::{BackPage, Neo4jImport},
    sqlite::SqliteStore,
    transfer::{Checksum, LogFacts, Mark, Page, Row, Table},
};

/// How many rows of the source are read at once.
const AT_ONCE: usize = 1000;

/// Compares every row of the two, and looks whether the log that arrived is whole.
pub(super) async fn verify(
    source: &SqliteStore,
    import: &Neo4jImport,
    facts: LogFacts,
    say: &(dyn Fn(String) + Sync),
) -> Result<(), MigrateError> {
    say("Comparing what arrived with what was sent:".to_owned());
    let mut log = LogCheck::new(facts);
    for table in Table::ALL {
        let sent = sent(source, table).await?;
        let arrived = arrived(import, table, &mut log).await?;
        let total = import.total(table).await?;
        if arrived != sent || total != sent.count {
            let name = table.name();
            let counts = format!("{name}: {} were sent, {} are found, {total} are there", sent.count, arrived.count);
            return Err(MigrateError::Different(counts));
        }
        say(format!("  {}: {}, equal", table.name(), sent.count));
    }
    log.outcome().map_err(MigrateError::Different)?;
    say(format!(
        "  the log: whole from {} to {}, each chat's entries without a hole",
        facts.kept_from, facts.head.position.0
    ));
    Ok(())
}

async fn sent(source: &SqliteStore, table: Table) -> Result<Checksum, MigrateError> {
    let mut checksum = Checksum::default();
    let mut mark = Some(Mark::START);
    while let Some(after) = mark {
        let Page { rows, next } = source.export(table, after, AT_ONCE).await?;
        for row in &rows {
            checksum.add(row);
        }
        mark = next;
    }
    Ok(checksum)
}

async fn arrived(import: &Neo4jImport, table: Table, log: &mut LogCheck) -> Result<Checksum, MigrateError> {
    let mut checksum = Checksum::default();
    let mut after: Option<String> = None;
    loop {
        let BackPage { rows, next } = import.read_back(table, after.as_deref()).await?;
        for row in &rows {
            checksum.add(row);
            log.look_at(table, row);
        }
        if next.is_none() {
            return Ok(checksum);
        }
        after = next;
    }
}

/// Whether a log is whole: positions without a hole from where it is kept to its end, and entries of each chat without one from 1 to what
/// the chat says is its last.
struct LogCheck {
    facts: LogFacts,
    /// How many changes are kept whole.
    kept: u64,
    /// The largest position, and its tag.
    last: (i64, i64),
    /// By chat: the last entry that it says it has, how many entries there are, and the last of them.
    chats: HashMap<String, [i64; 3]>,
}

impl LogCheck {
    fn new(facts: LogFacts) -> Self {
        Self { facts, kept: 0, last: (0, 0), chats: HashMap::new() }
    }

    fn look_at(&mut self, table: Table, row: &Row) {
        let number = |name| row.get(name).and_then(Row::as_i64).unwrap_or_default();
        let text = |name| row.get(name).and_then(Row::as_str);
        match table {
            Table::Chats => {
                let chat = text("chat_id").unwrap_or_default().to_owned();
                self.chats.insert(chat, [number("last_seq"), 0, 0]);
            }
            Table::Changes => {
                let position = number("position");
                self.kept += u64::from(position > self.facts.kept_from);
                self.last = self.last.max((position, number("tag")));
                if let Some(chat) = text("entry_of") {
                    let [_, count, last] = self.chats.entry(chat.to_owned()).or_default();
                    *count += 1;
                    *last = number("seq").max(*last);
                }
            }
            _ => {}
        }
    }

    fn outcome(self) -> Result<(), String> {
        let LogFacts { head, kept_from, .. } = self.facts;
        let expected = head.position.0.saturating_sub(kept_from.unsigned_abs());
        if self.kept != expected {
            return Err(format!("of {expected} positions after {kept_from} {} are there", self.kept));
        }
        if (self.last.0.unsigned_abs(), self.last.1.unsigned_abs()) != (head.position.0, head.tag) {
            return Err(format!("the last change stands at {} instead of {}", self.last.0, head.position.0));
        }
        match self.chats.iter().find(|(_, [says, count, last])| says != count || says != last) {
            Some((chat, [says, count, last])) => Err(format!(
                "the chat {chat} says that it has {says} entries, and has {count}, the last of them {last}"
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{LogEpoch, Place, Position};

    fn check(kept_from: i64, changes: &[Row]) -> Result<(), String> {
        let head = Place { position: Position(4), tag: 40 };
        let mut log = LogCheck::new(LogFacts { epoch: LogEpoch([0; 8]), head, kept_from, swept_to: 0 });
        log.look_at(Table::Chats, &json!({"chat_id": "a", "last_seq": 2}));
        for change in changes {
            log.look_at(Table::Changes, change);
        }
        log.outcome()
    }

    fn whole() -> Vec<Row> {
        vec![
            json!({"position": 1, "tag": 10}),
            json!({"position": 2, "tag": 20, "entry_of": "a", "seq": 1}),
            json!({"position": 3, "tag": 30, "entry_of": "a", "seq": 2}),
            json!({"position": 4, "tag": 40}),
        ]
    }

    #[test]
    fn a_whole_log_is_found_whole_and_what_is_not_kept_may_be_missing() {
        assert_eq!(check(0, &whole()), Ok(()));
        assert_eq!(check(1, &whole()[1..]), Ok(()));
    }

    #[test]
    fn a_hole_another_end_and_a_missing_entry_are_found() {
        for (without, told) in [(0, "of 4 positions"), (2, "of 4 positions"), (3, "of 4 positions")] {
            let mut changes = whole();
            changes.remove(without);
            assert!(check(0, &changes).unwrap_err().contains(told));
        }
        let mut other_end = whole();
        other_end[3] = json!({"position": 4, "tag": 41});
        assert!(check(0, &other_end).unwrap_err().contains("the last change"));
        let mut no_entry = whole();
        no_entry[2] = json!({"position": 3, "tag": 30});
        assert!(check(0, &no_entry).unwrap_err().contains("the chat a"));
    }
}
