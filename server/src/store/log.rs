mod reading;

use std::sync::Arc;

use async_trait::async_trait;
use i9chat_spec::{
    Chat, ChatId, Entry, Message, MessageId, MessageStatus, Role, Seq, Timestamp, User, UserId, Username, Watermark,
    api::{
        groups::Group,
        reactions::Reaction,
        receipts::{ChatReceipt, MessageReceipt},
    },
};

pub(super) use self::reading::status;
use super::StoreError;
use crate::{
    bus::Committed,
    domain::{Change, Effect, LogEpoch, Place, Position, Record, State, Wanted},
};

/// Decides on a state: gets what was wanted and the place of the last change, and answers the changes that come next,
/// with positions that follow on it without a hole.
pub type Decide = Box<dyn FnOnce(&mut State, Place) -> Result<Decided, StoreError> + Send>;

/// What a batch of commands leads to.
#[derive(Debug, Default)]
pub struct Decided {
    /// What is appended to the log.
    pub changes: Vec<Change>,
    /// What changes beside it.
    pub effects: Vec<Effect>,
}

/// The log, and the views of it that users read.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// The end of the log: everything up to it is durable, and is found by reads that begin after this returns.
    async fn head(&self) -> Result<LogHead, StoreError>;

    /// Whether the log can be read, and is the one that this process serves. Waits for nobody who appends.
    async fn check(&self) -> Result<(), StoreError>;

    /// Loads what is wanted as it is at that time, lets it be decided, and appends the changes: one transaction, all or
    /// nothing, durable when this returns. Nobody else appends in between.
    async fn transact(&self, wanted: Wanted, at: Timestamp, decide: Decide) -> Result<Vec<Change>, StoreError>;

    /// The changes after a position in log order, at most `limit` of them, whoever they are for. Left out is only what was removed
    /// because it was old, and what is not yet found by every read.
    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError>;

    /// What stands at a position.
    async fn place_at(&self, position: Position) -> Result<PlaceAt, StoreError>;

    /// What a user missed, in log order, from one snapshot.
    async fn missed(&self, query: MissedQuery) -> Result<Missed, StoreError>;

    /// Removes events from before that time, but never an entry. (RSM-12)
    async fn forget_events(&self, now: Timestamp, before: Timestamp) -> Result<(), StoreError>;

    /// A page of a user's chats, the one with the latest visible entry first.
    async fn chats(&self, user_id: UserId, query: ChatsQuery) -> Result<Snapshot<ChatsPage>, StoreError>;

    /// A chat as somebody who is or was in it sees it.
    async fn chat(&self, user_id: UserId, chat_id: ChatId) -> Result<Seen<Snapshot<Chat>>, StoreError>;

    /// Entries of a chat that a user sees, at most `limit` of them.
    async fn entries(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        seek: Seek,
        limit: usize,
    ) -> Result<Seen<Vec<Entry>>, StoreError>;

    /// One message of a chat that a user sees.
    async fn message(&self, message: OneMessage) -> Result<Seen<Box<Message>>, StoreError>;

    /// Who reacted to a message that a user sees, at most `limit` of them.
    async fn reactions(&self, message: OneMessage, names: Names) -> Result<Seen<Vec<Reaction>>, StoreError>;

    /// How far a message has come, and how far at most `limit` members are with it, for a member.
    async fn message_receipts(
        &self,
        message: OneMessage,
        names: Names,
    ) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError>;

    /// How far at most `limit` members are in a chat, for a member.
    async fn chat_receipts(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<ChatReceipt>>, StoreError>;

    /// A group as a user sees it, all offline, and who is in it.
    async fn group(&self, user_id: UserId, chat_id: ChatId) -> Result<Option<(Group, Vec<UserId>)>, StoreError>;

    /// At most `limit` members of a group, for a member.
    async fn members(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        names: Names,
    ) -> Result<Seen<Vec<MemberRead>>, StoreError>;

    /// Who is in a chat, for one of them.
    async fn audience(&self, user_id: UserId, chat_id: ChatId) -> Result<AudienceRead, StoreError>;
}

/// The end of the log.
#[derive(Debug, Clone, Copy)]
pub struct LogHead {
    /// Which log.
    pub epoch: LogEpoch,
    /// The last change.
    pub place: Place,
}

/// What stands at a position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceAt {
    /// A change.
    There(Place),
    /// An entry, or the beginning, after which something was removed because it was old.
    Old(Place),
    /// Something that was removed because it was old.
    Forgotten,
    /// Nothing as yet.
    Nothing,
}

impl PlaceAt {
    /// What a place is that somebody says the log has: there, forgotten, or not of this log.
    #[must_use]
    pub fn check(self, place: Place) -> Self {
        match self {
            Self::There(stored) | Self::Old(stored) if stored != place => Self::Nothing,
            found => found,
        }
    }
}

/// Something read, and the last change that it reflects.
#[derive(Debug, Clone)]
pub struct Snapshot<T> {
    /// What was read.
    pub value: T,
    /// The end of the log at that moment.
    pub place: Place,
}

/// What reading something of a chat leads to.
#[derive(Debug, Clone)]
pub enum Seen<T> {
    /// There is no such chat, or it is a direct chat of others.
    NoChat,
    /// It is a group in which the user never was, or is not now where that counts.
    NotMember,
    /// The chat has no such message, or the user does not see it.
    NoMessage,
    /// What was asked for.
    Found(T),
}

/// Names a message that a user wants to see.
#[derive(Debug, Clone, Copy)]
pub struct OneMessage {
    /// Who.
    pub user_id: UserId,
    /// Where.
    pub chat_id: ChatId,
    /// Which.
    pub message_id: MessageId,
}

/// Which part of a list that is ordered by name, without regard to case.
#[derive(Debug, Clone)]
pub struct Names {
    /// Those after this name.
    pub after: Option<Username>,
    /// At most so many.
    pub limit: usize,
}

/// Which events a user missed.
#[derive(Debug, Clone, Copy)]
pub struct MissedQuery {
    /// Who.
    pub user_id: UserId,
    /// Those after this position.
    pub after: Position,
    /// Those up to this position; up to the end of the log when not given.
    pub up_to: Option<Position>,
    /// When there are more than this, none are read.
    pub most: usize,
    /// At most so many are read.
    pub limit: usize,
}

/// What a user missed.
#[derive(Debug, Clone)]
pub enum Missed {
    /// More than was asked for, or more than is kept.
    TooMuch {
        /// The end of the log.
        head: Place,
    },
    /// All, or the first of it.
    Events {
        /// In log order.
        records: Vec<Record>,
        /// Whether more follow.
        more: bool,
        /// The end of the log, or what it was asked up to.
        head: Place,
    },
}

/// Which page of chats.
#[derive(Debug, Clone, Copy)]
pub struct ChatsQuery {
    /// Those whose last activity was before this position.
    pub before: Option<Position>,
    /// Only those of which the user would have heard something after this position. (CHT-8)
    pub changed_since: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A page of chats.
#[derive(Debug, Clone)]
pub struct ChatsPage {
    /// The one with the latest visible entry first.
    pub chats: Vec<Chat>,
    /// Where the next page starts, if there is one.
    pub next: Option<Position>,
}

/// A member of a group, without their presence.
#[derive(Debug, Clone)]
pub struct MemberRead {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// When they became a member.
    pub joined_at: Timestamp,
}

/// What asking who is in a chat leads to.
#[derive(Debug, Clone)]
pub enum AudienceRead {
    /// There is no such chat, or it is a direct chat of others.
    NoChat,
    /// It is a group of which the user is no member.
    NotMember,
    /// Those who are in it.
    Members(Arc<[UserId]>),
}

/// Where to read in a chat.
#[derive(Debug, Clone, Copy)]
pub enum Seek {
    /// From the newest entry down.
    Newest,
    /// From below an entry down.
    Before(Seq),
    /// From above an entry up.
    After(Watermark),
}
