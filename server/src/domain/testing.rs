//! A state in memory that commands are tried on.

use std::cell::Cell;

use i9chat_spec::{
    ChatId, ClientId, MediaId, Message, SessionId, Timestamp, User, UserId, Watermark, event::ProfileChanged,
};

use super::{
    Change, ChangeBody, ChatState, Command, MediaState, MessageState, Position, Reader, SessionState, Stamp, State,
    Wanted,
};
use crate::ids::Ids;

/// Numbers in place of random bytes, so that every run is the same.
struct Counter(std::sync::atomic::AtomicU64);

impl Ids for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = number[index % 8];
        }
    }
}

pub(super) struct Scene {
    state: State,
    log: Vec<Change>,
    ids: Counter,
    made: Cell<u32>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self { state: State::default(), log: Vec::new(), ids: Counter(1.into()), made: Cell::new(0) }
    }

    pub(super) fn now() -> Timestamp {
        Timestamp::from_millis(1_795_380_253_123)
    }

    pub(super) fn users(&self) -> [User; 2] {
        std::array::from_fn(|_| {
            self.made.set(self.made.get() + 1);
            let username = format!("user{}", self.made.get()).parse().unwrap();
            User { user_id: UserId::from_uuid(self.ids.uuid(Self::now())), username }
        })
    }

    pub(super) fn client_id(&self) -> ClientId {
        ClientId::from_uuid(self.ids.uuid(Self::now()))
    }

    pub(super) fn session_of(&mut self, user: &User) -> SessionId {
        let session_id = SessionId::from_uuid(self.ids.uuid(Self::now()));
        self.state.sessions.insert(session_id, SessionState { user_id: user.user_id });
        self.state.sessions_of.entry(user.user_id).or_default().push(session_id);
        session_id
    }

    pub(super) fn profile(&mut self, user: &User, profile: ProfileChanged) {
        self.state.profiles.insert(user.user_id, profile);
    }

    pub(super) fn media(&mut self, media_id: MediaId, media: MediaState) {
        self.state.media.insert(media_id, media);
    }

    pub(super) fn decide<C: Command>(&mut self, command: &C) -> Result<C::Answer, C::Refusal> {
        let mut wanted = Wanted::default();
        command.wants(&mut wanted);
        self.find(&wanted);
        let decision = command.decide(&self.state, &Stamp { at: Self::now(), ids: &self.ids })?;
        for body in decision.changes {
            self.state.apply(&body);
            let position = Position(self.log.len() as u64 + 1);
            self.log.push(body.at(position, &self.ids).unwrap());
        }
        Ok(decision.answer)
    }

    /// What a store would have read: most of it is in the state from the beginning.
    fn find(&mut self, wanted: &Wanted) {
        for key in wanted.reactions.keys() {
            self.state.reactions.entry(*key).or_default();
        }
        for (chat_id, user_id) in &wanted.reading {
            if self.state.reading.of(*chat_id, *user_id).is_none() {
                let reader = self.reader(*chat_id, *user_id);
                self.state.reading.insert(*chat_id, *user_id, reader);
            }
        }
        for (chat_id, message_id) in &wanted.messages {
            let found = self.messages(*chat_id).find(|message| message.message_id == *message_id);
            if let Some(message) = found.map(MessageState::of) {
                self.state.messages.insert((*chat_id, *message_id), message);
            }
        }
    }

    /// How far somebody is who has marked nothing yet.
    fn reader(&self, chat_id: ChatId, user_id: UserId) -> Reader {
        let group = self.state.chats.get(&chat_id).and_then(ChatState::as_group);
        let start =
            group.and_then(|group| group.standing(user_id)).map_or(Watermark::ZERO, |standing| standing.since.0.into());
        let others = self.messages(chat_id).filter(|message| message.sender.user_id != user_id);
        let unread = others.map(|message| message.seq.get()).filter(|seq| *seq > start.get()).collect();
        Reader { delivered: start, read: start, unread }
    }

    fn messages(&self, chat_id: ChatId) -> impl Iterator<Item = &Message> {
        self.log.iter().filter_map(move |change| match &change.body {
            ChangeBody::MessageCreated { message, .. } if message.chat_id == chat_id => Some(&**message),
            _ => None,
        })
    }

    pub(super) fn chat(&self, chat_id: ChatId) -> &ChatState {
        &self.state.chats[&chat_id]
    }

    /// What a user has heard, as data.
    pub(super) fn events_of(&self, user: &User) -> Vec<(&'static str, serde_json::Value)> {
        let for_user = |change: &&Change| change.body.audience().contains(user.user_id);
        let event = |change: &Change| (change.record.event, serde_json::from_str(&change.record.data).unwrap());
        self.log.iter().filter(for_user).map(event).collect()
    }

    pub(super) fn heard_by(&self, user: &User) -> Vec<&'static str> {
        let for_user = |change: &&Change| change.body.audience().contains(user.user_id);
        self.log.iter().filter(for_user).map(|change| change.record.event).collect()
    }
}
