//! A state in memory that commands are tried on.

use std::cell::Cell;

use i9chat_spec::{ClientId, MediaId, SessionId, Timestamp, User, UserId, event::ProfileChanged};

use super::{Change, Command, MediaState, Position, SessionState, Stamp, State, accounts::claim::Claim};
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

    pub(super) fn claim(&mut self, claim: Claim) {
        self.state.resets.insert(claim.ticket, claim);
    }

    pub(super) fn profile(&mut self, user: &User, profile: ProfileChanged) {
        self.state.profiles.insert(user.user_id, profile);
    }

    pub(super) fn media(&mut self, media_id: MediaId, media: MediaState) {
        self.state.media.insert(media_id, media);
    }

    pub(super) fn decide<C: Command>(&mut self, command: &C) -> Result<C::Answer, C::Refusal> {
        let decision = command.decide(&self.state, &Stamp { at: Self::now(), ids: &self.ids })?;
        for effect in &decision.effects {
            self.state.take_effect(effect);
        }
        for body in decision.changes {
            self.state.apply(&body);
            let position = Position(self.log.len() as u64 + 1);
            self.log.push(body.at(position, &self.ids).unwrap());
        }
        Ok(decision.answer)
    }

    pub(super) fn heard_by(&self, user: &User) -> Vec<&'static str> {
        let for_user = |change: &&Change| change.body.audience().contains(&user.user_id);
        self.log.iter().filter(for_user).map(|change| change.record.event).collect()
    }
}
