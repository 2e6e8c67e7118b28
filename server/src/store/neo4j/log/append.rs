//! What a batch writes: the changes themselves in one statement, and before it in another what they do to groups, members and the
//! rest, when they do anything of the kind.

mod members;
mod writes;

use std::collections::HashMap;

use i9chat_spec::{ChatId, Timestamp};

use self::writes::Writes;
use super::rows::{corrupt, integer};
use crate::{
    domain::{Change, Place},
    store::{
        Decided, StoreError,
        neo4j::driver::{Statement, text},
    },
};

/// Moves the log's end, and writes changes, entries under their chats, and how far users are. What a batch is called lets its
/// committer find out later whether it was committed.
const APPEND: &str = "MATCH (log:Log {name: 'log'})
SET log.position = $position, log.tag = $tag
MERGE (committer:Committer {name: $committer})
SET committer.batch = $batch, committer.at = $at
WITH log
CALL () {
  UNWIND $chats AS row
  MATCH (chat:Chat {chat_id: row[0]})
  SET chat.last_seq = coalesce(row[1], chat.last_seq),
    chat.last_position = coalesce(row[2], chat.last_position),
    chat.version = coalesce(row[3], chat.version)
  WITH chat, row
  UNWIND row[4] AS entry
  CREATE (:Change:Entry {position: entry[0], tag: entry[1], kind: entry[2], data: entry[3], chat_id: row[0],
    entry_of: row[0], seq: entry[4], sender_id: entry[5], client_id: entry[6], creation: entry[7]})-[:IN]->(chat)
}
CALL () {
  UNWIND $changes AS row
  CREATE (:Change {position: row[0], tag: row[1], kind: row[2], data: row[3], chat_id: row[4], user_id: row[5],
    about: row[6], ends: row[7]})
}
CALL () {
  UNWIND $marks AS row
  MATCH ()-[member:MEMBER_OF {user_id: row[0], chat_id: row[1]}]->()
  USING INDEX SEEK member:MEMBER_OF(user_id, chat_id)
  SET member.delivered = coalesce(row[2], member.delivered),
    member.read = coalesce(row[3], member.read),
    member.role = coalesce(row[4], member.role)
}";

/// What few batches do.
const APPLY: &str = "CALL () {
  UNWIND $made AS row
  CREATE (chat:Chat {members_count: 0, last_seq: 0, last_position: 0, version: 0})
  SET chat += row
}
CALL () {
  UNWIND $groups AS row
  MATCH (chat:Chat {chat_id: row.chat_id})
  SET chat.name = coalesce(row.name, chat.name),
    chat.description = coalesce(row.description, chat.description),
    chat.picture_id = CASE WHEN row.has_picture THEN row.picture_id ELSE chat.picture_id END,
    chat.members_count = chat.members_count + row.more
}
CALL () {
  UNWIND $members AS row
  MATCH (user:User {user_id: row.user_id})
  MATCH (chat:Chat {chat_id: row.chat_id})
  MERGE (user)-[member:MEMBER_OF {user_id: row.user_id, chat_id: row.chat_id}]->(chat)
  SET member += row.is,
    member.from_seq = coalesce(member.from_seq, []) + row.from_seq,
    member.from_position = coalesce(member.from_position, []) + row.from_position,
    member.to_seq = CASE WHEN row.ends_seq IS NULL THEN coalesce(member.to_seq, [])
      ELSE member.to_seq[..-1] + [row.ends_seq] END + row.to_seq,
    member.to_position = CASE WHEN row.ends_seq IS NULL THEN coalesce(member.to_position, [])
      ELSE member.to_position[..-1] + [row.ends_position] END + row.to_position
}
CALL () {
  UNWIND $reactions AS row
  MATCH (entry:Entry {entry_of: row[0], seq: row[1]})
  SET entry.reactions = row[2]
}
CALL () {
  UNWIND $unreacted AS row
  MATCH (reaction:Reaction {chat_id: row[0], seq: row[1], user_id: row[2]})
  DELETE reaction
}
CALL () {
  UNWIND $reacted AS row
  MERGE (reaction:Reaction {chat_id: row[0], seq: row[1], user_id: row[2]})
  SET reaction.emoji = row[3]
}
CALL () {
  UNWIND $media AS row
  MATCH (media:Media {media_id: row[0]})
  SET media.used = true
  MERGE (:MediaUse {media_id: row[0], chat_id: row[1], seq: row[2]})
}
CALL () {
  UNWIND $profiles AS row
  MATCH (user:User {user_id: row.user_id})
  WITH user, row, user.cell AS before
  SET user.bio = row.bio, user.picture_id = row.picture_id, user.lat = row.lat, user.lon = row.lon, user.cell = row.cell
  FOREACH (_ IN CASE WHEN row.cell IS NULL THEN [] ELSE [1] END |
    MERGE (cell:Cell {cell: row.cell})
    ON CREATE SET cell.space = point({x: row.x, y: row.y, z: row.z}))
  WITH collect(DISTINCT before) AS left
  UNWIND left AS number
  MATCH (cell:Cell {cell: number})
  WHERE NOT EXISTS { MATCH (there:User {cell: number}) WHERE there.username_key IS NOT NULL }
  DELETE cell
}
CALL () {
  UNWIND $passwords AS row
  MATCH (user:User {user_id: row[0]})
  SET user.password_hash = row[1], user.password_version = user.password_version + 1
}
CALL () {
  UNWIND $sessions AS row
  MATCH (session:Session {session_id: row[0]})
  SET session.ended_at = row[1]
}";

pub(super) const STATEMENTS: &[&str] = &[APPEND, APPLY];

/// Who commits a batch, as which, and when.
pub(super) struct Batch<'a> {
    /// Which process.
    pub(super) committer: &'a str,
    /// Which of its batches.
    pub(super) name: &'a str,
    /// When.
    pub(super) at: Timestamp,
}

/// What a batch was decided on.
pub(super) struct Basis {
    /// The end of the log.
    pub(super) place: Place,
    /// The versions of the chats that it looked at.
    pub(super) versions: HashMap<ChatId, i64>,
}

/// What is sent for a batch.
pub(super) struct Append {
    /// Comes first, if there is any of it.
    pub(super) rare: Option<Statement>,
    /// Comes last, with the commit.
    pub(super) changes: Statement,
    /// The chats that have a new version after it.
    pub(super) versions: HashMap<ChatId, i64>,
}

/// How what was decided is written.
pub(super) fn append(batch: &Batch<'_>, decided: &Decided, basis: &Basis) -> Result<Append, StoreError> {
    let mut writes = Writes::new(basis.versions.keys().copied());
    decided.changes.iter().try_for_each(|change| writes.change(change))?;
    for effect in &decided.effects {
        writes.effect(effect);
    }
    let versions = writes.versions();
    let place = decided.changes.last().map_or(basis.place, |change| change.record.place);
    let rare = writes.rare(APPLY);
    let changes = writes
        .changes(APPEND)
        .with("position", integer(place.position.0))
        .with("tag", integer(place.tag))
        .with("committer", text(batch.committer))
        .with("batch", text(batch.name))
        .with("at", batch.at.as_millis());
    Ok(Append { rare, changes, versions })
}

/// Whether positions follow on each other: what is written must.
pub(super) fn check(changes: &[Change], before: Place) -> Result<(), StoreError> {
    let mut expected = before.position;
    for change in changes {
        expected = expected.next();
        if change.record.place.position != expected {
            return Err(corrupt("a batch was decided whose positions have a hole"));
        }
    }
    Ok(())
}
