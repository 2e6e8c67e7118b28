use std::{collections::VecDeque, sync::Arc};

use axum::extract::ws::Message;
use i9chat_spec::{CloseCode, CloseReason, SessionId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::EncodedEvent;
use crate::{
    app::{LiveSink, News},
    bus::{LiveEvent, Topic},
};

/// How many frames may wait for one connection; beyond that it is closed as a slow consumer. (WSK-10)
const CAPACITY: usize = 8192;

/// How many live events may wait for one connection before those that tell no presence are left out. Presences are no more
/// than its subscriptions.
const MOST_LIVE: usize = 1024;

/// What waits for one connection: filled by the router and by answers, emptied by the connection's task.
#[derive(Debug)]
pub struct Outbox {
    /// The session that the connection belongs to.
    pub session_id: SessionId,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Outgoing>,
    /// What is not durable: it never closes a connection, and goes out after everything that does. (PRS-9)
    live: Vec<News>,
    close: Option<CloseReason>,
}

/// A frame to send.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// An event, shared with other connections.
    Event(Arc<EncodedEvent>),
    /// An event that is not durable, shared with other connections.
    Live(Arc<LiveEvent>),
    /// An answer to this connection alone.
    Answer(Message),
}

impl Outbox {
    /// An empty outbox of a session's connection.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id, queue: Mutex::default(), wake: Notify::new() }
    }

    /// Adds a frame. A full outbox is closed instead: leaving a frame out would lose an event.
    pub fn push(&self, frame: Outgoing) {
        {
            let mut queue = self.queue.lock();
            if queue.close.is_some() {
                return;
            }
            if queue.frames.len() >= CAPACITY {
                queue.clear();
                queue.close = Some(CloseReason { code: CloseCode::SlowConsumer, retry_after_ms: None });
            } else {
                queue.frames.push_back(frame);
            }
        }
        self.wake.notify_one();
    }

    /// Closes the connection, before anything that still waits.
    pub fn close(&self, reason: CloseReason) {
        {
            let mut queue = self.queue.lock();
            queue.clear();
            queue.close.get_or_insert(reason);
        }
        self.wake.notify_one();
    }

    /// Waits until there may be something to take.
    pub async fn filled(&self) {
        self.wake.notified().await;
    }

    /// Takes everything that waits, or the reason to close.
    pub fn take(&self) -> Result<VecDeque<Outgoing>, CloseReason> {
        let mut queue = self.queue.lock();
        if let Some(reason) = queue.close {
            return Err(reason);
        }
        let mut frames = std::mem::take(&mut queue.frames);
        frames.extend(std::mem::take(&mut queue.live).into_iter().map(|news| Outgoing::Live(news.event)));
        Ok(frames)
    }
}

impl Queue {
    fn clear(&mut self) {
        self.frames = VecDeque::new();
        self.live = Vec::new();
    }
}

impl LiveSink for Outbox {
    fn tell(&self, news: News) {
        {
            let mut queue = self.queue.lock();
            if queue.close.is_some() {
                return;
            }
            let waiting = queue.live.iter().position(|waiting| waiting.event.topic == news.event.topic);
            match (waiting.map(|index| queue.live.remove(index).change), news.change) {
                // What still waits is taken back: nothing is left to be told.
                (Some(Some((before, _))), Some((_, now))) if before == now => return,
                (Some(Some((before, _))), Some((_, now))) => {
                    queue.live.push(News { change: Some((before, now)), ..news });
                }
                (None, None) if queue.live.len() >= MOST_LIVE => return,
                _ => queue.live.push(news),
            }
        }
        self.wake.notify_one();
    }

    fn withdraw(&self, topic: Topic) {
        self.queue.lock().live.retain(|waiting| waiting.event.topic != topic);
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{
        ChatId, Event, Example, PresenceState, UserId,
        event::{PresenceChanged, Typing},
    };

    use super::*;

    fn frame(text: &str) -> Outgoing {
        Outgoing::Answer(Message::text(text))
    }

    #[test]
    fn a_full_outbox_closes_instead_of_leaving_a_frame_out() {
        let outbox = Outbox::new(SessionId::example());
        for _ in 0..CAPACITY {
            outbox.push(frame("x"));
        }
        assert_eq!(outbox.take().unwrap().len(), CAPACITY);
        for _ in 0..=CAPACITY {
            outbox.push(frame("x"));
        }
        assert_eq!(outbox.take().unwrap_err().code, CloseCode::SlowConsumer);
    }

    fn presence(before: PresenceState, presence: PresenceState) -> News {
        let changed = PresenceChanged { presence, ..PresenceChanged::example() };
        let topic = Topic::Presence(changed.user.user_id);
        News { event: Arc::new(LiveEvent::new(topic, changed)), change: Some((before, presence)) }
    }

    fn typing(number: u128) -> News {
        let user_id = UserId::from_uuid(uuid::Uuid::from_u128(number));
        let topic = Topic::Typing(ChatId::example(), user_id);
        News { event: Arc::new(LiveEvent::new(topic, Typing::example())), change: None }
    }

    fn told(outbox: &Outbox) -> Vec<Event> {
        let live = outbox.take().unwrap().into_iter().filter_map(|frame| match frame {
            Outgoing::Live(event) => Some(event.event().clone()),
            Outgoing::Event(_) | Outgoing::Answer(_) => None,
        });
        live.collect()
    }

    #[test]
    fn live_events_come_after_what_must_not_wait() {
        let outbox = Outbox::new(SessionId::example());
        outbox.tell(typing(1));
        outbox.push(frame("a reply"));
        let frames = outbox.take().unwrap();
        assert!(
            matches!(frames.iter().collect::<Vec<_>>()[..], [Outgoing::Answer(_), Outgoing::Live(_)]),
            "{frames:?}"
        );
    }

    #[test]
    fn of_presences_that_wait_the_last_one_is_told_and_none_when_nothing_is_left_to_tell() {
        use PresenceState::{Offline, Online};
        let outbox = Outbox::new(SessionId::example());
        for (before, now) in [(Online, Offline), (Offline, Online), (Online, Offline)] {
            outbox.tell(presence(before, now));
        }
        let Event::PresenceChanged(changed) = told(&outbox).remove(0) else { panic!("another event") };
        assert_eq!(changed.presence, Offline);
        outbox.tell(presence(Offline, Online));
        outbox.tell(presence(Online, Offline));
        assert!(told(&outbox).is_empty());
        outbox.tell(presence(Offline, Online));
        outbox.withdraw(Topic::Presence(PresenceChanged::example().user.user_id));
        assert!(told(&outbox).is_empty());
    }

    #[test]
    fn a_flood_of_live_events_closes_nothing_and_leaves_no_presence_out() {
        let outbox = Outbox::new(SessionId::example());
        for number in 0..2000 {
            outbox.tell(typing(number));
            outbox.tell(typing(0));
        }
        outbox.tell(presence(PresenceState::Online, PresenceState::Offline));
        let told = told(&outbox);
        assert_eq!(told.len(), MOST_LIVE + 1);
        assert!(matches!(told.last(), Some(Event::PresenceChanged(_))));
    }

    #[test]
    fn nothing_is_sent_after_the_reason_to_close() {
        let outbox = Outbox::new(SessionId::example());
        outbox.push(frame("before"));
        outbox.close(CloseReason { code: CloseCode::SessionEnded, retry_after_ms: None });
        outbox.push(frame("after"));
        outbox.close(CloseReason { code: CloseCode::GoingAway, retry_after_ms: Some(1) });
        assert_eq!(outbox.take().unwrap_err().code, CloseCode::SessionEnded);
    }
}
