use async_trait::async_trait;
use i9chat_spec::{Chat, ChatId, Entry, Message, MessageId, Seq, UserId, Watermark};

use super::StoreError;
use crate::domain::{Change, LogEpoch, Place, Position, Record, State, Wanted};

/// Decides on a state: gets what was wanted and the place of the last change, and answers the changes that come next,
/// with positions that follow on it without a hole.
pub type Decide = Box<dyn FnOnce(&mut State, Place) -> Result<Vec<Change>, StoreError> + Send>;

/// The log, and the views of it that users read.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// The end of the log.
    async fn head(&self) -> Result<LogHead, StoreError>;

    /// Loads what is wanted, lets it be decided, and appends the changes: one transaction, all or nothing, durable when this
    /// returns. Nobody else appends in between.
    async fn transact(&self, wanted: Wanted, decide: Decide) -> Result<Vec<Change>, StoreError>;

    /// The change that stands at a position, if there is one.
    async fn place_at(&self, position: Position) -> Result<Option<Place>, StoreError>;

    /// What a user missed, in log order, from one snapshot.
    async fn missed(&self, query: MissedQuery) -> Result<Missed, StoreError>;

    /// A page of a user's chats, the one with the latest entry first.
    async fn chats(
        &self,
        user_id: UserId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Snapshot<ChatsPage>, StoreError>;

    /// A chat as one of its users sees it; `None` when they do not.
    async fn chat(&self, user_id: UserId, chat_id: ChatId) -> Result<Option<Snapshot<Chat>>, StoreError>;

    /// Entries of a chat that a user sees, at most `limit` of them; `None` when they do not see the chat.
    async fn entries(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        seek: Seek,
        limit: usize,
    ) -> Result<Option<Vec<Entry>>, StoreError>;

    /// One message of a chat that a user sees.
    async fn message(&self, user_id: UserId, chat_id: ChatId, message_id: MessageId)
    -> Result<MessageRead, StoreError>;
}

/// The end of the log.
#[derive(Debug, Clone, Copy)]
pub struct LogHead {
    /// Which log.
    pub epoch: LogEpoch,
    /// The last change.
    pub place: Place,
}

/// Something read, and the last change that it reflects.
#[derive(Debug, Clone)]
pub struct Snapshot<T> {
    /// What was read.
    pub value: T,
    /// The end of the log at that moment.
    pub place: Place,
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
    /// More than was asked for.
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

/// A page of chats.
#[derive(Debug, Clone)]
pub struct ChatsPage {
    /// The one with the latest entry first.
    pub chats: Vec<Chat>,
    /// Where the next page starts, if there is one.
    pub next: Option<Position>,
}

/// What reading a message leads to.
#[derive(Debug, Clone)]
pub enum MessageRead {
    /// The user does not see the chat.
    NoChat,
    /// The chat has no such message.
    NoMessage,
    /// The message.
    Found(Box<Message>),
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
