//! What the server of the model answers to what a view asks.

use i9chat_sdk::chats::{Answer, What};
use i9chat_spec::{
    Chat, ChatId, Entry, Example, Seq,
    api::{
        chats::{ChatPage, ChatSnapshot, ChatsQuery},
        groups::NamesQuery,
        messages::{EntriesQuery, EntryPage},
        receipts::ChatReceiptPage,
        users::OwnProfile,
    },
};

use crate::{
    room::Room,
    world::{VIEWER, World, cursor, user},
};

impl World {
    /// `known_from`: the list of what changed cannot be told for places before.
    pub fn answer(&self, what: &What, known_from: u64) -> Answer {
        match what {
            What::Chats(query) => self.page_of_chats(query, known_from),
            What::Chat(chat_id) => {
                let chat = self.room(*chat_id).and_then(Room::seen_by_viewer);
                let cursor = cursor(self.head);
                chat.map_or(Answer::Refused, |chat| Answer::Chat(Box::new(ChatSnapshot { chat, cursor })))
            }
            What::Entries(chat_id, query) => self.page_of_entries(*chat_id, query),
            What::Receipts(chat_id, query) => self.page_of_receipts(*chat_id, query),
            What::Profile => {
                let bio = self.bio.parse().expect("a bio");
                Answer::Profile(Box::new(OwnProfile {
                    user_id: user(VIEWER).user_id,
                    bio,
                    picture_id: None,
                    location: None,
                    ..OwnProfile::example()
                }))
            }
            what => panic!("{what:?}"),
        }
    }

    /// CHT-5, CHT-8
    fn page_of_chats(&self, query: &ChatsQuery, known_from: u64) -> Answer {
        let place = |cursor: &i9chat_spec::Cursor| cursor.as_str()[1..].parse::<u64>().expect("a place");
        let since = query.changed_since.as_ref().map(place);
        if since.is_some_and(|since| since < known_from) {
            return Answer::CursorReset;
        }
        let changed = self.changed_since(since.unwrap_or_default());
        let after = query.after.as_ref().map_or(u64::MAX, place);
        let mut items: Vec<(u64, Chat)> = self.list();
        items.retain(|(activity, chat)| *activity < after && (since.is_none() || changed(chat.chat_id)));
        let limit = query.limit.expect("a limit").get();
        let next = items.get(limit - 1).filter(|_| items.len() > limit).map(|(activity, _)| cursor(*activity));
        items.truncate(limit);
        let items = items.into_iter().map(|(_, chat)| chat).collect();
        Answer::Chats(ChatPage { items, next, cursor: cursor(self.head) })
    }

    /// MSG-10, newest first.
    fn page_of_entries(&self, chat_id: ChatId, query: &EntriesQuery) -> Answer {
        let Some(room) = self.room(chat_id).filter(|room| room.seen_by_viewer().is_some()) else {
            return Answer::Refused;
        };
        let before = query.before.map_or(u64::MAX, Seq::get);
        let mut items = room.entries();
        items.reverse();
        items.retain(|entry| entry.seq().is_some_and(|seq| seq.get() < before));
        let limit = query.limit.expect("a limit").get();
        let next = items.get(limit - 1).filter(|_| items.len() > limit).and_then(Entry::seq);
        items.truncate(limit);
        Answer::Entries(EntryPage { items, next })
    }

    fn page_of_receipts(&self, chat_id: ChatId, query: &NamesQuery) -> Answer {
        let Some(mut items) = self.room(chat_id).and_then(Room::receipts) else {
            return Answer::Refused;
        };
        items
            .retain(|receipt| query.after.as_ref().is_none_or(|after| receipt.user.username.as_str() > after.as_str()));
        let limit = query.limit.expect("a limit").get();
        let next = items.get(limit - 1).filter(|_| items.len() > limit).map(|receipt| receipt.user.username.clone());
        items.truncate(limit);
        Answer::Receipts(ChatReceiptPage { items, next })
    }
}
