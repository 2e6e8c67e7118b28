use std::num::NonZeroUsize;

use i9chat_spec::{ChatId, UserId};
use lru::LruCache;

use crate::domain::{Change, ChatState, Place, State};

/// How many chats and users the writer remembers.
const CHATS: NonZeroUsize = NonZeroUsize::new(20_000).expect("not zero");
const USERS: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");
/// How many users of groups it remembers in all: large groups leave room for fewer chats.
const STANDINGS: usize = 500_000;

/// What the writer knows of the log. It is the only one that changes the log, so what it knows stays true.
#[derive(Debug)]
pub(in crate::store::sqlite) struct LogCache {
    /// The end of the log, once it was read.
    pub(super) head: Option<Place>,
    /// Chats, with their rows.
    pub(super) chats: LruCache<ChatId, (i64, ChatState)>,
    /// The rows of users.
    pub(super) users: LruCache<UserId, i64>,
    /// How many users the remembered groups have together.
    standings: usize,
}

impl Default for LogCache {
    fn default() -> Self {
        Self { head: None, chats: LruCache::new(CHATS), users: LruCache::new(USERS), standings: 0 }
    }
}

impl LogCache {
    /// Takes over what a batch changed. A transaction that then fails is followed by [`forget`](Self::forget).
    pub(super) fn advance(&mut self, changes: &[Change], before: Place, state: State) {
        self.head = Some(changes.last().map_or(before, |change| change.record.place));
        for (chat_id, chat) in state.chats {
            let Some(cached) = self.chats.peek_mut(&chat_id) else { continue };
            self.standings = self.standings.saturating_sub(weight(&cached.1)).saturating_add(weight(&chat));
            cached.1 = chat;
        }
        self.make_room();
    }

    /// Remembers a chat that was read or made.
    pub(super) fn remember(&mut self, row: i64, chat: ChatState) {
        self.standings = self.standings.saturating_add(weight(&chat));
        if let Some((_, (_, gone))) = self.chats.push(chat.chat_id, (row, chat)) {
            self.standings = self.standings.saturating_sub(weight(&gone));
        }
    }

    /// Forgets everything: it is read again when it is needed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// After a batch, not within: a batch needs the rows of all the chats that it has read.
    fn make_room(&mut self) {
        while self.standings > STANDINGS
            && let Some((_, (_, gone))) = self.chats.pop_lru()
        {
            self.standings = self.standings.saturating_sub(weight(&gone));
        }
    }
}

fn weight(chat: &ChatState) -> usize {
    chat.as_group().map_or(0, |group| group.standings.len())
}
