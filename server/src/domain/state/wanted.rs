use std::collections::{HashMap, HashSet};

use i9chat_spec::{ChatId, ClientId, MediaId, MessageId, SessionId, UserId};

/// What of the state a batch of commands needs.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Chats by id.
    pub chats: HashSet<ChatId>,
    /// Direct chats by their two users.
    pub directs: HashSet<Pair>,
    /// Commands that may have come before.
    pub done: HashSet<(UserId, ClientId)>,
    /// Messages that are replied to.
    pub messages: HashSet<(ChatId, MessageId)>,
    /// Messages whose reactions are to be known, and those of which users in particular.
    pub reactions: HashMap<(ChatId, MessageId), HashSet<UserId>>,
    /// How far users are in chats.
    pub reading: HashSet<(ChatId, UserId)>,
    /// Media that is to be used.
    pub media: HashSet<MediaId>,
    /// Profiles of users.
    pub profiles: HashSet<UserId>,
    /// Sessions.
    pub sessions: HashSet<SessionId>,
    /// All open sessions of users.
    pub sessions_of: HashSet<UserId>,
}

/// Two users, in one order whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The one with the smaller id.
    pub low: UserId,
    /// The other.
    pub high: UserId,
}

impl Pair {
    /// The pair of two users, or of one with themselves.
    pub fn of(one: UserId, other: UserId) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }
}
