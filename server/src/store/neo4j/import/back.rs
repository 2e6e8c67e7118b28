use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ImportError, Neo4jImport, Statement, corrupt};
use crate::store::{
    StoreError,
    transfer::{
        CellRow, ChangeRow, ChatRow, LogTimeRow, MediaRow, MediaUseRow, MemberRow, ReactionRow, Row, SeenRow,
        SessionRow, Table, UserRow,
    },
};

/// How many rows are read at once. However much hangs from a user, an entry or a file, a page of it is read in time.
const AT_ONCE: i64 = 500;

const CELLS: &str = "MATCH (cell:Cell) WHERE cell.cell > toInteger($after)
WITH cell ORDER BY cell.cell LIMIT $at_once
RETURN toString(cell.cell) AS last,
  [cell {.cell, x: cell.space.x, y: cell.space.y, z: cell.space.z}] AS rows";
const USERS: &str = "MATCH (user:User) WHERE user.user_id > $after
WITH user ORDER BY user.user_id LIMIT $at_once
RETURN user.user_id AS last,
  [user {.user_id, .username, .username_key, .email, .email_key, .password_hash, .password_version, .bio, .picture_id, .lat,
    .lon, .cell, .created_at}] AS rows";
/// The user is the one that the session hangs from.
const SESSIONS: &str = "MATCH (session:Session) WHERE session.session_id > $after
WITH session ORDER BY session.session_id LIMIT $at_once
OPTIONAL MATCH (session)-[:OF]->(user:User) WHERE user.user_id = session.user_id
RETURN session.session_id AS last,
  [session {.session_id, user_id: user.user_id, .created_at, .last_used_at, .ended_at, .client, .generation, .newest_hash,
    .before_hash, .newest_used, .cookie_hash}] AS rows";
const CHATS: &str = "MATCH (chat:Chat) WHERE chat.chat_id > $after
WITH chat ORDER BY chat.chat_id LIMIT $at_once
RETURN chat.chat_id AS last,
  [chat {.chat_id, .kind, users: split(chat.pair, ':'), .name, .description, .picture_id, .created_at, .members_count,
    .last_seq, .last_position}] AS rows";
/// The user and the chat are those that the relationship is between.
const MEMBERS: &str = "CALL () {
  MATCH (user:User)-[member:MEMBER_OF]->(chat:Chat) USING INDEX member:MEMBER_OF(user_id, chat_id)
  WHERE member.user_id = $first AND member.chat_id > $second
  RETURN user, member, chat ORDER BY member.user_id, member.chat_id LIMIT $at_once
UNION ALL
  MATCH (user:User)-[member:MEMBER_OF]->(chat:Chat) USING INDEX member:MEMBER_OF(user_id, chat_id)
  WHERE member.user_id > $first AND member.chat_id IS NOT NULL
  RETURN user, member, chat ORDER BY member.user_id, member.chat_id LIMIT $at_once
}
WITH user, member, chat ORDER BY member.user_id, member.chat_id LIMIT $at_once
RETURN member.user_id + ':' + member.chat_id AS last,
  [member {user_id: CASE member.user_id WHEN user.user_id THEN user.user_id END,
    chat_id: CASE member.chat_id WHEN chat.chat_id THEN chat.chat_id END, .membership, .role, .opened_at, .since_seq,
    .since_order, .delivered, .read, .left_behind, .from_seq, .to_seq, .from_position, .to_position}] AS rows";
/// The chat of an entry is the one that it hangs from.
const CHANGES: &str = "MATCH (change:Change) WHERE change.position > toInteger($after)
WITH change ORDER BY change.position LIMIT $at_once
OPTIONAL MATCH (change)-[:IN]->(chat:Chat) WHERE change:Entry AND change.entry_of = chat.chat_id
RETURN toString(change.position) AS last,
  [change {.position, .tag, .kind, .data, .chat_id, .user_id, .about, .ends, entry_of: chat.chat_id, .seq, .sender_id,
    .client_id, .creation, .reactions}] AS rows";
/// Those of the entries that show some.
const REACTIONS: &str = "CALL () {
  MATCH (reaction:Reaction) USING INDEX reaction:Reaction(chat_id, seq, user_id)
  WHERE reaction.chat_id = $first AND reaction.seq = toInteger($second) AND reaction.user_id > $third
  RETURN reaction ORDER BY reaction.chat_id, reaction.seq, reaction.user_id LIMIT $at_once
UNION ALL
  MATCH (reaction:Reaction) USING INDEX reaction:Reaction(chat_id, seq, user_id)
  WHERE reaction.chat_id = $first AND reaction.seq > toInteger($second) AND reaction.user_id IS NOT NULL
  RETURN reaction ORDER BY reaction.chat_id, reaction.seq, reaction.user_id LIMIT $at_once
UNION ALL
  MATCH (reaction:Reaction) USING INDEX reaction:Reaction(chat_id, seq, user_id)
  WHERE reaction.chat_id > $first AND reaction.seq IS NOT NULL AND reaction.user_id IS NOT NULL
  RETURN reaction ORDER BY reaction.chat_id, reaction.seq, reaction.user_id LIMIT $at_once
}
WITH reaction ORDER BY reaction.chat_id, reaction.seq, reaction.user_id LIMIT $at_once
OPTIONAL MATCH (entry:Entry {entry_of: reaction.chat_id, seq: reaction.seq}) WHERE entry.reactions IS NOT NULL
RETURN reaction.chat_id + ':' + toString(reaction.seq) + ':' + reaction.user_id AS last,
  CASE WHEN entry IS NULL THEN [] ELSE [reaction {.chat_id, .seq, .user_id, .emoji}] END AS rows";
const MEDIA: &str = "MATCH (media:Media) WHERE media.media_id > $after
WITH media ORDER BY media.media_id LIMIT $at_once
RETURN media.media_id AS last,
  [media {.media_id, .owner, .purpose, .kind, .parts, .created_at, .completed_at, .expires_at, .used}] AS rows";
/// Those of media that is there.
const MEDIA_USES: &str = "CALL () {
  MATCH (use:MediaUse) USING INDEX use:MediaUse(media_id, chat_id, seq)
  WHERE use.media_id = $first AND use.chat_id = $second AND use.seq > toInteger($third)
  RETURN use ORDER BY use.media_id, use.chat_id, use.seq LIMIT $at_once
UNION ALL
  MATCH (use:MediaUse) USING INDEX use:MediaUse(media_id, chat_id, seq)
  WHERE use.media_id = $first AND use.chat_id > $second AND use.seq IS NOT NULL
  RETURN use ORDER BY use.media_id, use.chat_id, use.seq LIMIT $at_once
UNION ALL
  MATCH (use:MediaUse) USING INDEX use:MediaUse(media_id, chat_id, seq)
  WHERE use.media_id > $first AND use.chat_id IS NOT NULL AND use.seq IS NOT NULL
  RETURN use ORDER BY use.media_id, use.chat_id, use.seq LIMIT $at_once
}
WITH use ORDER BY use.media_id, use.chat_id, use.seq LIMIT $at_once
OPTIONAL MATCH (media:Media {media_id: use.media_id})
RETURN use.media_id + ':' + use.chat_id + ':' + toString(use.seq) AS last,
  CASE WHEN media IS NULL THEN [] ELSE [use {.media_id, .chat_id, .seq}] END AS rows";
const SEEN: &str = "MATCH (seen:Seen) WHERE seen.user_id > $after
WITH seen ORDER BY seen.user_id LIMIT $at_once
RETURN seen.user_id AS last, [seen {.user_id, .is_here, .at}] AS rows";
const LOG_TIMES: &str = "MATCH (time:LogTime) WHERE time.position > toInteger($after)
WITH time ORDER BY time.position LIMIT $at_once
RETURN toString(time.position) AS last, [time {.position, .at}] AS rows";

/// How many there are in all, wherever they hang: Neo4j knows it without counting.
const TOTALS: [&str; 11] = [
    "MATCH (n:Cell) RETURN count(n) AS count",
    "MATCH (n:User) RETURN count(n) AS count",
    "MATCH (n:Session) RETURN count(n) AS count",
    "MATCH (n:Chat) RETURN count(n) AS count",
    "MATCH ()-[n:MEMBER_OF]->() RETURN count(n) AS count",
    "MATCH (n:Change) RETURN count(n) AS count",
    "MATCH (n:Reaction) RETURN count(n) AS count",
    "MATCH (n:Media) RETURN count(n) AS count",
    "MATCH (n:MediaUse) RETURN count(n) AS count",
    "MATCH (n:Seen) RETURN count(n) AS count",
    "MATCH (n:LogTime) RETURN count(n) AS count",
];

pub(super) const STATEMENTS: &[&str] =
    &[CELLS, USERS, SESSIONS, CHATS, MEMBERS, CHANGES, REACTIONS, MEDIA, MEDIA_USES, SEEN, LOG_TIMES];

/// The parts of a key of several columns, which stand with a colon between them.
const PARTS: [&str; 3] = ["first", "second", "third"];

/// Rows as they stand in the database that was filled.
#[derive(Debug)]
pub struct BackPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// Up to where they were looked for; `None` when there is nothing after that.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Found<T> {
    last: String,
    rows: Vec<T>,
}

#[derive(Deserialize)]
struct CountRow {
    count: u64,
}

impl Neo4jImport {
    /// Reads rows of a table again, those after the end of the last page.
    pub async fn read_back(&self, table: Table, after: Option<&str>) -> Result<BackPage, ImportError> {
        match table {
            Table::Cells => self.back::<CellRow>(CELLS, after.unwrap_or("-1")).await,
            Table::Users => self.back::<UserRow>(USERS, after.unwrap_or_default()).await,
            Table::Sessions => self.back::<SessionRow>(SESSIONS, after.unwrap_or_default()).await,
            Table::Chats => self.back::<ChatRow>(CHATS, after.unwrap_or_default()).await,
            Table::Members => self.back::<MemberRow>(MEMBERS, after.unwrap_or(":")).await,
            Table::Changes => self.back::<ChangeRow>(CHANGES, after.unwrap_or("-1")).await,
            Table::Reactions => self.back::<ReactionRow>(REACTIONS, after.unwrap_or(":-1:")).await,
            Table::Media => self.back::<MediaRow>(MEDIA, after.unwrap_or_default()).await,
            Table::MediaUses => self.back::<MediaUseRow>(MEDIA_USES, after.unwrap_or("::-1")).await,
            Table::Seen => self.back::<SeenRow>(SEEN, after.unwrap_or_default()).await,
            Table::LogTimes => self.back::<LogTimeRow>(LOG_TIMES, after.unwrap_or("-1")).await,
        }
    }

    async fn back<T: Serialize + DeserializeOwned>(
        &self,
        statement: &'static str,
        after: &str,
    ) -> Result<BackPage, ImportError> {
        let find = Statement::new(statement).with("after", after).with("at_once", AT_ONCE);
        let keys = PARTS.into_iter().zip(after.split(':'));
        let find = keys.fold(find, |find, (part, key)| find.with(part, key));
        let found: Vec<Found<T>> = self.read(&find).await?;
        let is_full = usize::try_from(AT_ONCE).is_ok_and(|at_once| found.len() == at_once);
        let next = found.last().filter(|_| is_full).map(|found| found.last.clone());
        let rows = found.into_iter().flat_map(|found| found.rows).map(|row| serde_json::to_value(row).map_err(corrupt));
        Ok(BackPage { rows: rows.collect::<Result<_, StoreError>>()?, next })
    }

    /// How many rows of a table there are, found or not.
    pub async fn total(&self, table: Table) -> Result<u64, ImportError> {
        let statements = Table::ALL.into_iter().zip(TOTALS);
        let statement = statements.filter(|(other, _)| *other == table).map(|(_, statement)| statement).next();
        let Some(statement) = statement else { return Ok(0) };
        let counted: Vec<CountRow> = self.read(&Statement::new(statement)).await?;
        Ok(counted.first().map_or(0, |counted| counted.count))
    }
}
