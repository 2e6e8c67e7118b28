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

use i9chat_spec::{ChatId, ChatKind, Membership, UserId, Username};
use serde::Deserialize;

pub(super) use self::{
    chats::{chat, chats},
    entries::{entries, message},
    groups::{audience, group, members},
    reactions::reactions,
    receipts::{chat_receipts, message_receipts},
};
use crate::store::{
    LogStore, Names, Seen, StoreError,
    neo4j::{
        Neo4jStore,
        driver::{Statement, text},
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
         "
    };
}
use viewed;

/// A statement about a chat as somebody sees it.
fn about(statement: &'static str, user_id: UserId, chat_id: ChatId) -> Statement {
    Statement::new(statement).with("user_id", text(user_id)).with("chat_id", text(chat_id))
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

/// Reads a view again that was met in the middle of a commit: once the head of the log has been looked at, that commit is done.
/// One that is in the middle of other commits again and again is answered as it is: what is missing of it follows as events.
async fn settled<T>(
    store: &Neo4jStore,
    read: impl AsyncFn() -> Result<Met<T>, StoreError>,
) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        if let Met::Whole(value) = read().await? {
            return Ok(value);
        }
        store.head().await?;
    }
    match read().await? {
        Met::Whole(value) | Met::Half(value) => Ok(value),
    }
}

/// The name that a list goes on after, as it is compared; every name is greater than none.
fn after(names: &Names) -> String {
    names.after.as_ref().map(Username::key).unwrap_or_default()
}
