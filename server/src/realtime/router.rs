use std::{
    collections::{HashMap, hash_map},
    fmt,
    num::NonZeroUsize,
    sync::Arc,
};

use i9chat_spec::{CloseCode, CloseReason, SessionId, UserId};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    EncodedEvent, Outbox, Outgoing,
    recent::{Missed, Recent},
};
use crate::{
    app::{LiveSink, News},
    bus::{Committed, LiveBus, LiveEvent, Subscriber},
    domain::{Audience, LogEpoch, Place, Position},
    store::LogHead,
};

/// How many sessions that ended are remembered: far more than end while a handshake lasts.
const ENDED: NonZeroUsize = NonZeroUsize::new(8192).expect("not zero");

/// Who is here: the connections of this node by user. Everything that is delivered passes here, in log order.
#[derive(Debug)]
pub struct Router {
    epoch: LogEpoch,
    state: Mutex<State>,
    recent: Recent,
    advanced: Notify,
    left: Notify,
}

#[derive(Debug)]
struct State {
    /// Everything up to here is in the outboxes of those who may see it.
    applied: Place,
    users: HashMap<UserId, Vec<Arc<Outbox>>>,
    /// How long each connection waits before it connects again, once all are closed.
    closing: Option<Delays>,
    /// Sessions that ended lately: a handshake may have looked at one before that, and come to register after it.
    ended: LruCache<SessionId, ()>,
}

/// Tells each connection how long to wait, in milliseconds.
struct Delays(Box<dyn FnMut() -> u64 + Send>);

impl Delays {
    fn reason(&mut self) -> CloseReason {
        CloseReason { code: CloseCode::GoingAway, retry_after_ms: Some((self.0)()) }
    }
}

impl fmt::Debug for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delays(…)")
    }
}

/// A connection gets nothing: its session ended while it was being opened. (SES-10)
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct SessionEnded;

impl Router {
    /// A router that starts at the end of the log.
    pub fn new(head: LogHead) -> Self {
        let state = State { applied: head.place, users: HashMap::new(), closing: None, ended: LruCache::new(ENDED) };
        Self {
            epoch: head.epoch,
            state: Mutex::new(state),
            recent: Recent::after(head.place.position),
            advanced: Notify::new(),
            left: Notify::new(),
        }
    }

    /// The epoch of the log that is delivered.
    pub fn epoch(&self) -> LogEpoch {
        self.epoch
    }

    /// From now on the outbox gets every change that its user may see: those after the place that is answered.
    pub fn register(&self, user_id: UserId, outbox: &Arc<Outbox>) -> Result<Place, SessionEnded> {
        let mut state = self.state.lock();
        if state.ended.contains(&outbox.session_id) {
            return Err(SessionEnded);
        }
        if let Some(delays) = &mut state.closing {
            outbox.close(delays.reason());
        }
        state.users.entry(user_id).or_default().push(Arc::clone(outbox));
        metrics::gauge!("i9chat_connections").increment(1.0);
        Ok(state.applied)
    }

    /// The outbox gets nothing more.
    pub fn unregister(&self, user_id: UserId, outbox: &Arc<Outbox>) {
        self.state.lock().remove(user_id, |other| Arc::ptr_eq(other, outbox));
        self.left.notify_waiters();
    }

    /// The last change whose event is in the outboxes of those who may see it.
    pub fn applied(&self) -> Place {
        self.state.lock().applied
    }

    /// Waits until everything up to a position that is in the log was delivered.
    pub async fn reached(&self, position: Position) {
        loop {
            let advanced = self.advanced.notified();
            tokio::pin!(advanced);
            // Listens first and looks then, so that no advance falls between the two.
            advanced.as_mut().enable();
            if self.applied().position >= position {
                return;
            }
            advanced.await;
        }
    }

    /// What a user missed after a position, up to a place that was reached, as far as it is remembered here.
    pub(super) fn recently_missed(&self, user_id: UserId, after: Position, up_to: Place, most: usize) -> Missed {
        self.recent.missed(user_id, after, up_to, most)
    }

    /// Closes every connection, and those that come after this; `delay` says how long each waits before it connects again. (WSK-12)
    pub fn close_all(&self, delay: impl FnMut() -> u64 + Send + 'static) {
        let mut state = self.state.lock();
        let mut delays = Delays(Box::new(delay));
        for outbox in state.users.values().flatten() {
            outbox.close(delays.reason());
        }
        state.closing = Some(delays);
    }

    /// The sessions that have a connection here.
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions: Vec<_> = self.state.lock().users.values().flatten().map(|outbox| outbox.session_id).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Waits until the last connection is gone.
    pub async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Listens first and looks then, so that no leaving falls between the two.
            left.as_mut().enable();
            if self.state.lock().users.is_empty() {
                return;
            }
            left.await;
        }
    }
}

impl LiveBus for Router {
    fn tell(&self, users: &[UserId], event: LiveEvent) {
        let event = Arc::new(event);
        let state = self.state.lock();
        for outbox in users.iter().filter_map(|user_id| state.users.get(user_id)).flatten() {
            outbox.tell(News { event: Arc::clone(&event), change: None });
        }
    }
}

impl Subscriber for Router {
    fn deliver(&self, changes: &[Committed]) {
        let mut state = self.state.lock();
        let mut delivered = Vec::with_capacity(changes.len());
        for Committed { record, audience, ends } in changes {
            // A session that ends hears nothing more, its own end included. (SES-10)
            if let (Some(session_id), Audience::One(user_id)) = (ends, audience) {
                state.ended.put(*session_id, ());
                for outbox in state.remove(*user_id, |outbox| outbox.session_id == *session_id) {
                    outbox.close(CloseReason { code: CloseCode::SessionEnded, retry_after_ms: None });
                }
            }
            let event = Arc::new(EncodedEvent::new(record.clone(), self.epoch));
            for user_id in audience.as_slice() {
                for outbox in state.users.get(user_id).into_iter().flatten() {
                    outbox.push(Outgoing::Event(Arc::clone(&event)));
                }
            }
            delivered.push((audience.clone(), event));
        }
        // Before anybody can see that it is applied: who registers then finds it.
        self.recent.keep(delivered);
        if let Some(last) = changes.last() {
            state.applied = last.record.place;
        }
        drop(state);
        self.advanced.notify_waiters();
    }
}

impl State {
    /// Takes out those of a user's outboxes that are meant.
    fn remove(&mut self, user_id: UserId, mut meant: impl FnMut(&Arc<Outbox>) -> bool) -> Vec<Arc<Outbox>> {
        let hash_map::Entry::Occupied(mut entry) = self.users.entry(user_id) else { return Vec::new() };
        let removed: Vec<_> = entry.get_mut().extract_if(.., |outbox| meant(outbox)).collect();
        if entry.get().is_empty() {
            entry.remove();
        }
        metrics::gauge!("i9chat_connections").decrement(u32::try_from(removed.len()).unwrap_or(u32::MAX));
        removed
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;
    use crate::domain::Record;

    fn ended(position: u64, user_id: UserId, session_id: SessionId) -> Committed {
        let place = Place { position: Position(position), tag: position };
        let record = Record { place, event: "session_ended", chat_id: None, data: "{}".into() };
        Committed { record, audience: Audience::One(user_id), ends: Some(session_id) }
    }

    #[test]
    fn a_connection_whose_session_ended_during_its_handshake_never_hears_anything() {
        let router = Router::new(LogHead { epoch: LogEpoch([1; 8]), place: Place::default() });
        let (user_id, session_id) = (UserId::example(), SessionId::example());
        let before = Arc::new(Outbox::new(session_id));
        router.register(user_id, &before).unwrap();
        router.deliver(&[ended(1, user_id, session_id)]);
        assert_eq!(before.take().unwrap_err().code, CloseCode::SessionEnded);
        let late = Arc::new(Outbox::new(session_id));
        assert_eq!(router.register(user_id, &late), Err(SessionEnded));
        let other = Arc::new(Outbox::new(SessionId::from_uuid(uuid::Uuid::from_u128(9))));
        assert!(router.register(user_id, &other).is_ok(), "another session is another session");
    }

    #[test]
    fn whoever_comes_while_the_server_stops_is_told_to_come_back_as_the_others_are() {
        let router = Router::new(LogHead { epoch: LogEpoch([1; 8]), place: Place::default() });
        let session_id = SessionId::example();
        let [before, late] = [(); 2].map(|()| Arc::new(Outbox::new(session_id)));
        router.register(UserId::example(), &before).unwrap();
        let mut delays = 1..;
        router.close_all(move || delays.next().unwrap());
        router.register(UserId::example(), &late).unwrap();
        for (outbox, delay) in [(before, 1), (late, 2)] {
            let reason = outbox.take().unwrap_err();
            assert_eq!((reason.code, reason.retry_after_ms), (CloseCode::GoingAway, Some(delay)));
        }
    }
}
