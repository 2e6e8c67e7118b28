//! What a view needs, and what it makes of the answers.

use std::sync::Arc;

use i9chat_spec::{ChatId, api::chats::ChatPage};

use super::{
    super::{
        pass::Pass,
        read::{Answer, Read, ReadKey, What},
        state::{ChatState, active_at},
    },
    Flight, View,
};

impl View {
    /// The next thing to read that is not being read yet. Several may be under way at once.
    pub fn next_read(&mut self) -> Option<Read> {
        let what = self.needs()?;
        let key = ReadKey(self.next_key);
        self.next_key += 1;
        let epoch = match &what {
            What::Entries(chat_id, _) | What::Receipts(chat_id, _) => self.epoch(*chat_id),
            What::Chats(_) | What::Chat(_) | What::Profile => 0,
        };
        self.flights.insert(key, Flight { what: what.clone(), since: self.now(), epoch });
        Some(Read { key, what })
    }

    /// A read failed: [`next_read`](Self::next_read) gives it out again, if it is still needed.
    pub fn failed(&mut self, key: ReadKey) {
        self.flights.remove(&key);
        self.forget_recent();
    }

    /// The answer to a read. One that is of no use any more is put aside.
    pub fn answered(&mut self, key: ReadKey, answer: Answer) {
        let Some(Flight { what, since, epoch }) = self.flights.remove(&key) else { return };
        match (what, answer) {
            (What::Chats(_), Answer::Chats(page)) => self.list_page(page, since),
            // The place is too old for a list of what changed: all of it is read.
            (What::Chats(_), Answer::CursorReset) => {
                let pass = Pass::all(&mut self.ranks);
                self.begin_pass(pass);
            }
            (What::Chat(chat_id), Answer::Chat(snapshot)) => {
                let given = self.wanted.remove(&chat_id).flatten();
                let held = self.chats.get(&chat_id).map(|held| held.rank);
                let rank = held.or(given).unwrap_or_else(|| self.ranks.front());
                self.hold(snapshot.chat, rank, since);
            }
            (What::Chat(chat_id), Answer::Refused) => self.drop_chat(chat_id),
            (What::Entries(chat_id, _), Answer::Entries(page)) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, |state| state.insert_entries(page));
            }
            (What::Receipts(chat_id, _), Answer::Receipts(page)) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, |state| state.insert_receipts(page));
            }
            // As when the membership ends meanwhile, which an event tells.
            (What::Entries(chat_id, _), Answer::Refused) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, ChatState::refuse_entries);
            }
            (What::Receipts(chat_id, _), Answer::Refused) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, ChatState::refuse_receipts);
            }
            (What::Profile, Answer::Profile(profile)) => {
                self.profile = Some(Arc::from(profile));
                self.wants_profile = false;
                self.changed.profile = true;
                for frame in self.recent_of(since, |_| true) {
                    self.profile_event(&frame.event);
                }
            }
            _ => {}
        }
        self.forget_recent();
    }

    /// What is needed and not asked for yet.
    pub(super) fn needs(&self) -> Option<What> {
        let is_asked =
            |what: &What| self.flights.values().any(|flight| flight.what == *what && self.is_current(flight));
        if let Some(pass) = &self.pass {
            let list = What::Chats(pass.query(self.page));
            if !is_asked(&list) {
                return Some(list);
            }
        }
        if self.wants_profile && !is_asked(&What::Profile) {
            return Some(What::Profile);
        }
        if self.pass.is_none() {
            let chat = self.wanted.keys().map(|chat_id| What::Chat(*chat_id)).find(|chat| !is_asked(chat));
            if chat.is_some() {
                return chat;
            }
        }
        self.open.iter().filter_map(|chat_id| Some((*chat_id, &self.chats.get(chat_id)?.state))).find_map(
            |(chat_id, state)| {
                let entries = state.wanted_entries(self.page).map(|query| What::Entries(chat_id, query));
                let receipts = state.wanted_receipts(self.page).map(|query| What::Receipts(chat_id, query));
                [entries, receipts].into_iter().flatten().find(|what| !is_asked(what))
            },
        )
    }

    pub(super) fn is_current(&self, flight: &Flight) -> bool {
        match &flight.what {
            What::Entries(chat_id, _) | What::Receipts(chat_id, _) => flight.epoch == self.epoch(*chat_id),
            What::Chats(_) | What::Chat(_) | What::Profile => true,
        }
    }

    pub(super) fn epoch(&self, chat_id: ChatId) -> u64 {
        self.chats.get(&chat_id).map_or(0, |held| held.state.epoch())
    }

    pub(super) fn loaded(&mut self, chat_id: ChatId, since: u64, load: impl FnOnce(&mut ChatState)) {
        if let Some(held) = self.chats.get_mut(&chat_id) {
            load(Arc::make_mut(&mut held.state));
            self.changed.chats.insert(chat_id);
            self.chat_events_again(chat_id, since);
        }
    }

    pub(super) fn list_page(&mut self, page: ChatPage, since: u64) {
        // The flight was of this pass: a new pass begins without flights.
        let Some(mut pass) = self.pass.take() else { return };
        for chat in page.items {
            let chat_id = chat.chat_id;
            let held = self.chats.get(&chat_id);
            let held_at = held.map(|held| held.rank).or_else(|| self.wanted.get(&chat_id).copied().flatten());
            // What is to be read may miss an entry whose event came, but could not be read: only its time tells.
            let is_unread = self.wanted.contains_key(&chat_id);
            let has_news = held.is_none_or(|held| !is_unread && held.state.is_older_than(&chat));
            let rank = pass.place(held_at, has_news, active_at(&chat));
            pass.seen.insert(chat_id);
            self.wanted.remove(&chat_id);
            self.hold(chat, rank, since);
        }
        if pass.page(page.cursor, page.next) { self.end_pass(pass) } else { self.pass = Some(pass) }
    }

    pub(super) fn end_pass(&mut self, pass: Pass) {
        for (chat_id, held) in &mut self.chats {
            if held.state.is_stale() && !pass.seen.contains(chat_id) {
                if pass.may_have_missed(held.rank) {
                    self.wanted.insert(*chat_id, None);
                } else if !self.wanted.contains_key(chat_id) {
                    // Nothing was missed of it: the list is of those of which there was something to miss. (CHT-8)
                    Arc::make_mut(&mut held.state).set_stale(false);
                }
                self.changed.chats.insert(*chat_id);
            }
        }
        if self.cursor.is_none() {
            self.cursor = pass.first_cursor();
        }
        if !self.is_ready {
            self.is_ready = true;
            for chat_id in self.open.iter().filter(|chat_id| !self.chats.contains_key(chat_id)) {
                self.wanted.entry(*chat_id).or_default();
            }
        }
        self.changed.list = true;
    }
}
