//! What users read: chats, entries, groups, and who is how far.
//!
//! A view is one statement that finds everything by index. Neo4j shows each record as it is when the statement comes to it, and
//! brings a commit into its indexes piece by piece; so a view is not of one moment by itself. What must agree is therefore taken
//! from one place, entries are read up to a safe place of the log or checked for holes, and what was met in the middle of a commit
//! is read again ([`settled`]).

mod chats;
mod entries;
mod groups;
mod reactions;
mod receipts;
mod rows;

use i9chat_spec::{ChatId, ChatKind, Membership, UserId};
use serde::Deserialize;

pub(super) use self::{
    chats::{chat, chats},
    entries::{entries, message},
    groups::{audience, group, members},
    reactions::reactions,
    receipts::{chat_receipts, message_receipts},
};
use crate::{
    ids::seq_of,
    store::{
        LogStore, Names, OneMessage, Seen, StoreError,
        neo4j::{
            Neo4jStore,
            driver::{Statement, text},
        },
    },
};

/// Every statement of the views.
pub(super) const STATEMENTS: &[&str] = &[
    chats::CHATS,
    chats::CHANGED_CHATS,
    chats::CHAT,
    entries::DOWN,
    entries::UP,
    entries::MESSAGE,
    groups::GROUP,
    groups::MEMBERS,
    groups::AUDIENCE,
    reactions::REACTIONS,
    receipts::OF_MESSAGE,
    receipts::OF_CHAT,
];

/// How often a view is read that was met in the middle of a commit.
const TRIES: usize = 3;

/// A chat `c`, and what somebody is to it: `m`, if anything. No row when there is no such chat.
macro_rules! viewed {
    () => {
        "MATCH (c:Chat {chat_id: $chat_id})
         OPTIONAL MATCH ()-[m:MEMBER_OF {user_id: $user_id, chat_id: $chat_id}]->()
         USING INDEX SEEK m:MEMBER_OF(user_id, chat_id)
         "
    };
}
use viewed;

/// The entry `e` at `$seq`, if there is one and somebody sees it whose membership is `m`.
macro_rules! visible_entry {
    () => {
        "CALL (m) {
             MATCH (e:Entry {entry_of: $chat_id, seq: $seq})
             WHERE any(i IN range(0, coalesce(size(m.from_seq), 0) - 1)
                       WHERE m.from_seq[i] <= $seq AND (m.to_seq[i] = -1 OR $seq <= m.to_seq[i]))
             RETURN head(collect(e)) AS e
         }
         "
    };
}
use visible_entry;

/// A statement about a chat as somebody sees it.
fn about(statement: &'static str, user_id: UserId, chat_id: ChatId) -> Statement {
    Statement::new(statement).with("user_id", text(user_id)).with("chat_id", text(chat_id))
}

/// A statement about a message as somebody sees it.
fn about_message(statement: &'static str, wanted: OneMessage) -> Statement {
    // No entry has the `seq` 0: that is for an id that holds none.
    let seq = seq_of(wanted.message_id).map_or(0, |seq| rows::integer(seq.get()));
    about(statement, wanted.user_id, wanted.chat_id).with("seq", seq)
}

/// A statement about a page of people.
fn by_name(statement: Statement, names: &Names) -> Statement {
    statement.with("after", names.after()).with("limit", rows::integer(names.limit as u64))
}

/// What somebody is to a chat.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Viewed {
    kind: ChatKind,
    membership: Option<Membership>,
}

impl Viewed {
    /// What they find who are or were in it.
    fn seen<T>(self, found: T) -> Seen<T> {
        match (self.membership, self.kind) {
            (Some(_), _) => Seen::Found(found),
            (None, ChatKind::Group) => Seen::NotMember,
            (None, _) => Seen::NoChat,
        }
    }

    /// What they find who are in it now.
    fn seen_by_member<T>(self, found: T) -> Seen<T> {
        match self.membership {
            Some(membership) if membership != Membership::Member => Seen::NotMember,
            _ => self.seen(found),
        }
    }
}

/// What reading a view once leads to.
enum Met<T> {
    /// What holds by itself.
    Whole(T),
    /// Half of a commit. The value is what was seen of it.
    Half(T),
}

impl<T> Met<T> {
    fn new(is_whole: bool, value: T) -> Self {
        if is_whole { Self::Whole(value) } else { Self::Half(value) }
    }
}

/// Reads a view again that was met in the middle of a commit: once the head of the log has been looked at, that commit is done.
/// One that is in the middle of other commits again and again is answered as it is: what is missing of it follows as events.
async fn settled<T, R: Future<Output = Result<Met<T>, StoreError>>>(
    store: &Neo4jStore,
    read: impl Fn() -> R,
) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        if let Met::Whole(value) = read().await? {
            return Ok(value);
        }
        tracing::debug!("a view was met in the middle of a commit");
        store.head().await?;
    }
    match read().await? {
        Met::Whole(value) | Met::Half(value) => Ok(value),
    }
}
