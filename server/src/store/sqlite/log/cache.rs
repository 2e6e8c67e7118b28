use std::num::NonZeroUsize;

use i9chat_spec::{ChatId, UserId};
use lru::LruCache;

use crate::domain::{Change, ChatState, Place, State};

/// How many chats and users the writer remembers.
const CHATS: NonZeroUsize = NonZeroUsize::new(20_000).expect("not zero");
const USERS: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");

/// What the writer knows of the log. It is the only one that changes the log, so what it knows stays true.
#[derive(Debug)]
pub(in crate::store::sqlite) struct LogCache {
    /// The end of the log, once it was read.
    pub(super) head: Option<Place>,
    /// Chats, with their rows.
    pub(super) chats: LruCache<ChatId, (i64, ChatState)>,
    /// The rows of users.
    pub(super) users: LruCache<UserId, i64>,
}

impl Default for LogCache {
    fn default() -> Self {
        Self { head: None, chats: LruCache::new(CHATS), users: LruCache::new(USERS) }
    }
}

impl LogCache {
    /// Takes over what a batch changed. A transaction that then fails is followed by [`forget`](Self::forget).
    pub(super) fn advance(&mut self, changes: &[Change], before: Place, state: State) {
        self.head = Some(changes.last().map_or(before, |change| change.record.place));
        for (chat_id, chat) in state.chats {
            if let Some(cached) = self.chats.get_mut(&chat_id) {
                cached.1 = chat;
            }
        }
    }

    /// Forgets everything: it is read again when it is needed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
