use std::{collections::HashMap, num::NonZeroUsize};

use i9chat_spec::ChatId;
use lru::LruCache;

use crate::domain::ChatState;

/// How many chats are remembered.
const CHATS: NonZeroUsize = NonZeroUsize::new(20_000).expect("not zero");
/// How many users of groups are remembered in all: large groups leave room for fewer chats.
const STANDINGS: usize = 500_000;

/// Chats as they were when they were last read or changed here. Other nodes change them too: what is remembered holds only while the
/// chat's version in the database is the same.
#[derive(Debug)]
pub(super) struct LogCache {
    chats: LruCache<ChatId, Known>,
    /// How many users the remembered groups have together.
    standings: usize,
}

#[derive(Debug)]
struct Known {
    version: i64,
    chat: ChatState,
}

impl Default for LogCache {
    fn default() -> Self {
        Self { chats: LruCache::new(CHATS), standings: 0 }
    }
}

impl LogCache {
    /// A chat, if it is known in that version; with the `seq` of its last entry, which changes without a new version.
    pub(super) fn get(&mut self, chat_id: ChatId, version: i64, last_seq: u64) -> Option<ChatState> {
        let known = self.chats.get(&chat_id).filter(|known| known.version == version)?;
        Some(ChatState { last_seq, ..known.chat.clone() })
    }

    /// Remembers chats in the versions that they have in the database.
    pub(super) fn remember(&mut self, chats: HashMap<ChatId, ChatState>, versions: &HashMap<ChatId, i64>) {
        for (chat_id, chat) in chats {
            let Some(version) = versions.get(&chat_id) else { continue };
            if self.chats.peek(&chat_id).is_some_and(|known| known.version == *version) {
                continue;
            }
            self.standings += weight(&chat);
            if let Some((_, gone)) = self.chats.push(chat_id, Known { version: *version, chat }) {
                self.standings = self.standings.saturating_sub(weight(&gone.chat));
            }
        }
        while self.standings > STANDINGS
            && let Some((_, gone)) = self.chats.pop_lru()
        {
            self.standings = self.standings.saturating_sub(weight(&gone.chat));
        }
    }
}

fn weight(chat: &ChatState) -> usize {
    chat.as_group().map_or(0, |group| group.standings.len())
}
