use i9chat_spec::Timestamp;
use serde::Deserialize;

use super::Log;
use crate::store::{StoreError, neo4j::driver::Statement};

/// How many positions are looked at in one transaction: others want to write in between.
const STEP: i64 = 2000;

/// Notes how far the log has come, and from where on events are kept. (RSM-12) Committers that have not committed for long are gone.
const ANNOUNCE: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
MERGE (now:LogTime {position: log.position})
ON CREATE SET now.at = $now
WITH log
CALL () {
  MATCH (time:LogTime)
  WHERE time.at <= $before
  RETURN max(time.position) AS old
}
SET log.kept_from = CASE WHEN old > log.kept_from THEN old ELSE log.kept_from END
WITH old
CALL (old) {
  MATCH (time:LogTime)
  WHERE time.position < old
  DELETE time
}
CALL () {
  MATCH (committer:Committer)
  WHERE committer.at < $before
  DELETE committer
}";

/// Removes some of what is not kept, for one sweeper at a time; answers whether there is more. Entries stay for ever, and so does the
/// last change: the head of the log.
const SWEEP: &str = "MERGE (turn:Committer {name: 'sweeper'})
SET turn.turn = 0
WITH turn
MATCH (log:Log {name: 'log'})
WITH log, log.swept_to AS swept, log.kept_from AS kept, log.position AS position
WITH log, swept, kept, position, CASE WHEN swept + $step < kept THEN swept + $step ELSE kept END AS to
WHERE to > swept
CALL (swept, to, position) {
  MATCH (change:Change)
  WHERE change.position > swept AND change.position <= to AND change.position < position AND NOT change:Entry
  DELETE change
}
SET log.swept_to = to
RETURN to < kept AS more";

pub(super) const STATEMENTS: &[&str] = &[ANNOUNCE, SWEEP];

#[derive(Deserialize)]
struct Swept {
    more: bool,
}

/// See [`LogStore::forget_events`](crate::store::LogStore::forget_events).
pub(super) async fn forget(log: &Log, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
    let announce = Statement::new(ANNOUNCE).with("now", now.as_millis()).with("before", before.as_millis());
    log.driver.write::<Swept>(&announce).await?;
    let sweep = Statement::new(SWEEP).with("step", STEP);
    while log.driver.write::<Swept>(&sweep).await?.first().is_some_and(|swept| swept.more) {}
    Ok(())
}
