use serde::Deserialize;

use super::{
    changes,
    head::no_log,
    rows::{self, RecordRow, integer, number},
};
use crate::{
    domain::Place,
    store::{
        Missed, MissedQuery, StoreError,
        neo4j::{
            Neo4jStore,
            driver::{Statement, list, text},
        },
    },
};

/// The positions that a user missed, in no order, at most `$room` of them: their own, and those of their chats in which something
/// happened later than `$after`, within the stretches that they see. Never looks at a chat's relationships to its entries. And how
/// far back the log is whole after they were found: what is older may have been left out.
const POSITIONS: &str = "CALL () {
  MATCH (change:Change)
  WHERE change.user_id = $user_id AND change.position > $after AND change.position <= $up_to
  RETURN change.position AS position
  LIMIT $room
UNION ALL
  MATCH (:User {user_id: $user_id})-[member:MEMBER_OF]->(chat:Chat)
  WHERE chat.last_position > $after
  UNWIND range(0, size(member.from_position) - 1) AS stretch
  WITH chat.chat_id AS chat_id, member.from_position[stretch] AS from_position, member.to_position[stretch] AS to_position
  WITH chat_id, CASE WHEN from_position > $after THEN from_position ELSE $after END AS after,
    CASE WHEN to_position >= 0 AND to_position < $up_to THEN to_position ELSE $up_to END AS up_to
  WHERE after < up_to
  CALL (chat_id, after, up_to) {
    MATCH (change:Change)
    WHERE change.chat_id = chat_id AND change.position > after AND change.position <= up_to
    RETURN change.position AS position
    LIMIT $room
  }
  RETURN position
}
WITH position
LIMIT $room
WITH collect(position) AS positions
MATCH (log:Log {name: 'log'})
RETURN positions, log.kept_from AS kept_from";

/// Changes by their positions.
const RECORDS: &str = "UNWIND $positions AS wanted
MATCH (change:Change {position: wanted})
RETURN change.position AS position, change.tag AS tag, change.kind AS kind, change.chat_id AS chat_id,
  change.data AS data";

pub(super) const STATEMENTS: &[&str] = &[POSITIONS, RECORDS];

#[derive(Deserialize)]
struct FoundRow {
    positions: Vec<i64>,
    kept_from: i64,
}

/// Reads what a user missed. Costs what they missed and a look at each of their chats, never what everyone wrote.
pub(super) async fn missed(store: &Neo4jStore, query: &MissedQuery) -> Result<Missed, StoreError> {
    let (head, kept_from) = head(store, query).await?;
    if query.after < kept_from {
        return Ok(Missed::TooMuch { head });
    }
    let room = query.most.saturating_add(1);
    let find = Statement::new(POSITIONS)
        .with("user_id", text(query.user_id))
        .with("after", integer(query.after.0))
        .with("up_to", integer(head.position.0))
        .with("room", integer(room as u64));
    let found: Option<FoundRow> = store.driver.read_one(&find).await?;
    let FoundRow { mut positions, kept_from } = found.ok_or_else(no_log)?;
    if positions.len() > query.most || query.after.0 < number(kept_from) {
        return Ok(Missed::TooMuch { head });
    }
    positions.sort_unstable();
    let more = positions.len() > query.limit;
    positions.truncate(query.limit);
    let wanted = positions.len();
    let find = Statement::new(RECORDS).with("positions", list(positions.into_iter().map(Into::into)));
    let mut found: Vec<RecordRow> = if wanted == 0 { Vec::new() } else { store.driver.read(&find).await? };
    if found.len() < wanted {
        // Removed since they were found, because they were old.
        return Ok(Missed::TooMuch { head });
    }
    found.sort_unstable_by_key(RecordRow::position);
    let records = found.into_iter().map(RecordRow::record).collect::<Result<_, _>>()?;
    Ok(Missed::Events { records, more, head })
}

/// Up to where is asked, or the safe head; and how far back the log is whole.
async fn head(store: &Neo4jStore, query: &MissedQuery) -> Result<(Place, crate::domain::Position), StoreError> {
    let up_to = match query.up_to {
        Some(position) => position,
        None => store.log.head().await?.place.position,
    };
    let (place, kept_from) = changes::at(store, up_to).await?;
    let place = place.ok_or_else(|| rows::corrupt(format_args!("no change at {}", up_to.0)))?;
    Ok((place, kept_from))
}
