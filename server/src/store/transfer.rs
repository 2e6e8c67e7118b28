//! Everything that a store holds, as rows with which another store can be filled, and by which the two can be compared.
//!
//! A row says what is there in the words of the protocol, not in those of a store: users and chats by their ids, times in
//! milliseconds, numbers as signed ones. What follows from other rows is a row of its own where a store keeps it, so that it is compared too.

use i9chat_spec::{ChatId, ClientId, MediaId, Membership, Role, SessionId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::{Cell, LogEpoch, Place};

/// A kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// [`CellRow`].
    Cells,
    /// [`UserRow`].
    Users,
    /// [`SessionRow`].
    Sessions,
    /// [`ChatRow`].
    Chats,
    /// [`MemberRow`].
    Members,
    /// [`ChangeRow`].
    Changes,
    /// [`ReactionRow`].
    Reactions,
    /// [`MediaRow`].
    Media,
    /// [`MediaUseRow`].
    MediaUses,
    /// [`SeenRow`].
    Seen,
    /// [`LogTimeRow`].
    LogTimes,
}

impl Table {
    /// All, in an order in which they can be written: what a row names comes before it.
    pub const ALL: [Self; 11] = [
        Self::Cells,
        Self::Users,
        Self::Sessions,
        Self::Chats,
        Self::Members,
        Self::Changes,
        Self::Reactions,
        Self::Media,
        Self::MediaUses,
        Self::Seen,
        Self::LogTimes,
    ];

    /// What an operator reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cells => "places on the grid",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::Chats => "chats",
            Self::Members => "memberships",
            Self::Changes => "changes of the log",
            Self::Reactions => "reactions",
            Self::Media => "media",
            Self::MediaUses => "uses of media",
            Self::Seen => "times when users were last seen",
            Self::LogTimes => "times of the log",
        }
    }

    /// The one that comes after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table > self)
    }
}

/// Up to where the rows of a table were read, in the words of the store that they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(pub [i64; 3]);

impl Mark {
    /// Before every row.
    pub const START: Self = Self([i64::MIN; 3]);
}

/// A row in the form in which it is compared and sent.
pub type Row = serde_json::Value;

/// Some rows of a table, in its order.
#[derive(Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Up to where they go; `None` when there are no more after them.
    pub next: Option<Mark>,
}

/// Which log it is, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFacts {
    /// Which.
    pub epoch: LogEpoch,
    /// The last change.
    pub head: Place,
    /// Up to here only entries are kept.
    pub kept_from: i64,
    /// Up to here what is not kept was removed.
    pub swept_to: i64,
}

/// A point of the published grid that somebody is at, and where it is in space, in metres from the centre of the earth.
#[derive(Debug, Serialize, Deserialize)]
pub struct CellRow {
    /// Which.
    pub cell: i64,
    /// Where.
    pub x: f64,
    /// Where.
    pub y: f64,
    /// Where.
    pub z: f64,
}

impl CellRow {
    /// The row of a point.
    pub fn of(cell: Cell) -> Self {
        let [x, y, z] = cell.point().space().map(|part| f64::from(part) / 100.0);
        Self { cell: cell.0, x, y, z }
    }
}

/// A user.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct UserRow {
    pub user_id: UserId,
    pub username: String,
    pub username_key: String,
    pub email: String,
    pub email_key: String,
    pub password_hash: String,
    pub password_version: i64,
    pub bio: String,
    pub picture_id: Option<MediaId>,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub cell: Option<i64>,
    pub created_at: i64,
}

/// A session, open or not. Hashes are base64url text.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct SessionRow {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub created_at: i64,
    pub last_used_at: i64,
    pub ended_at: Option<i64>,
    pub client: Option<String>,
    pub generation: i64,
    pub newest_hash: Option<String>,
    pub before_hash: Option<String>,
    pub newest_used: bool,
    pub cookie_hash: Option<String>,
}

/// A chat. `users` are the two of a direct chat, the one with the smaller id first.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct ChatRow {
    pub chat_id: ChatId,
    pub kind: String,
    pub users: Option<Vec<UserId>>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub picture_id: Option<MediaId>,
    pub created_at: Option<i64>,
    pub members_count: i64,
    /// Of its last entry; 0 without one.
    pub last_seq: i64,
    /// Of the last change that is kept and addressed to it; 0 without one.
    pub last_position: i64,
}

/// What a user is or was to a chat, and their stretches in four lists, in order; an open end is -1.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberRow {
    pub user_id: UserId,
    pub chat_id: ChatId,
    pub membership: Membership,
    pub role: Role,
    pub opened_at: i64,
    pub since_seq: i64,
    pub since_order: i64,
    pub delivered: i64,
    pub read: i64,
    pub left_behind: Option<String>,
    pub from_seq: Vec<i64>,
    pub to_seq: Vec<i64>,
    pub from_position: Vec<i64>,
    pub to_position: Vec<i64>,
}

/// A change of the log. Addressed to a chat or to a user; `about` is the chat that one to a user is about. An entry has `entry_of` and
/// what follows.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeRow {
    pub position: i64,
    pub tag: i64,
    pub kind: String,
    pub data: String,
    pub chat_id: Option<ChatId>,
    pub user_id: Option<UserId>,
    pub about: Option<ChatId>,
    pub ends: Option<SessionId>,
    pub entry_of: Option<ChatId>,
    pub seq: Option<i64>,
    pub sender_id: Option<UserId>,
    pub client_id: Option<ClientId>,
    pub creation: Option<String>,
    /// How often which emoji was given, as JSON, the most frequent first.
    pub reactions: Option<String>,
}

/// A user's reaction to a message.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct ReactionRow {
    pub chat_id: ChatId,
    pub seq: i64,
    pub user_id: UserId,
    pub emoji: String,
}

/// An upload. `parts` are JSON.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct MediaRow {
    pub media_id: MediaId,
    pub owner: UserId,
    pub purpose: String,
    pub kind: String,
    pub parts: String,
    pub created_at: i64,
    pub completed_at: Option<i64>,
    pub expires_at: i64,
    pub used: bool,
}

/// An entry that shows media.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct MediaUseRow {
    pub media_id: MediaId,
    pub chat_id: ChatId,
    pub seq: i64,
}

/// When a user was last seen. Nobody is there while a store is moved.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct SeenRow {
    pub user_id: UserId,
    pub is_here: bool,
    pub at: i64,
}

/// When the log had come to a position.
#[expect(missing_docs, reason = "the columns are those of the stores")]
#[derive(Debug, Serialize, Deserialize)]
pub struct LogTimeRow {
    pub position: i64,
    pub at: i64,
}

/// How many rows there are, and a sum over all of them in which each byte counts and their order does not: two stores may read the same
/// rows in different orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum {
    /// How many.
    pub count: u64,
    sum: [u64; 4],
}

impl Checksum {
    /// Counts one more row.
    pub fn add(&mut self, row: &Row) {
        self.count += 1;
        let hash = Sha256::digest(row.to_string());
        for (sum, bytes) in self.sum.iter_mut().zip(hash.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(rows: &[Row]) -> Checksum {
        let mut checksum = Checksum::default();
        for row in rows {
            checksum.add(row);
        }
        checksum
    }

    #[test]
    fn a_checksum_counts_every_row_and_every_byte_and_no_order() {
        let (one, two, other) = (json!({"seq": 1}), json!({"seq": 2}), json!({"seq": 3}));
        assert_eq!(of(&[one.clone(), two.clone()]), of(&[two.clone(), one.clone()]));
        assert_ne!(of(&[one.clone(), two.clone()]), of(&[one.clone(), other]));
        assert_ne!(of(&[one.clone(), one.clone()]), of(&[two.clone(), two]));
        assert_ne!(of(std::slice::from_ref(&one)), of(&[one.clone(), one.clone()]));
    }

    #[test]
    fn every_table_comes_once_and_the_last_one_has_none_after_it() {
        let mut order = vec![Table::ALL[0]];
        order.extend(std::iter::successors(Table::ALL[0].next(), |table| table.next()));
        assert_eq!(order, Table::ALL);
    }
}
