//! What must hold at the end, whatever happened.

use std::collections::BTreeMap;

use i9chat_sdk::{Update, connection::AskError};
use i9chat_spec::{Event, Message};

use super::World;
use crate::server::Server;

impl World {
    /// Every event since the first greeting once and in order, except across gaps that were shown.
    pub fn check_events(&self) {
        let mut position = self.start.expect("greeted");
        for update in &self.seen {
            let at = Server::position(update.cursor().expect("durable"));
            if update.needs_reread() {
                assert!(at >= position, "a gap leads back from {position} to {at}");
                position = at;
                continue;
            }
            let expected = self.next_known(position).expect("an event that is in the log");
            assert_eq!(at, expected, "after {position} comes {expected}");
            assert_eq!(update.event(), self.server.log.get(at - 1), "the event at {at}");
            position = at;
        }
        assert_eq!(self.next_known(position), None, "events after {position} were never seen");
    }

    pub fn check_no_gap(&self) {
        assert!(!self.seen.iter().any(Update::needs_reread), "a gap was shown that there was not");
        assert_eq!(self.server.gaps, 0);
    }

    /// Every send that was taken is acknowledged, as the server has stored it, once.
    pub fn check_sends(&self) {
        for (key, sent) in &self.sends {
            let stored = self.server.stored(sent.data.client_id);
            let outcome = sent.outcome.as_ref();
            assert_eq!(outcome.and_then(|outcome| outcome.as_ref().ok()), stored, "the acknowledgement of {key:?}");
            let copies = self.server.copies(sent.data.client_id);
            assert_eq!(copies.len(), 1, "{key:?} is stored {} times", copies.len());
            assert_eq!(copies[0].chat_id, sent.data.chat_id);
        }
    }

    /// Every ask has its own answer, or was told that there is none.
    pub fn check_asks(&self) {
        for (key, (number, outcome)) in &self.asks {
            match outcome {
                Some(Ok(answer)) => assert_eq!(answer["number"], *number, "the answer to {key:?}"),
                Some(Err(error)) => assert_eq!(*error, AskError::NotConnected, "the outcome of {key:?}"),
                None => panic!("{key:?} has no outcome"),
            }
        }
    }

    /// Messages of one chat are stored in the order in which they were sent.
    pub fn check_order_of_sends(&self) {
        let mut last: BTreeMap<_, &Message> = BTreeMap::new();
        for sent in self.sends.values() {
            let message = self.server.copies(sent.data.client_id)[0];
            if let Some(before) = last.insert(message.chat_id, message) {
                assert!(before.seq < message.seq, "{} overtook {}", message.seq, before.seq);
            }
        }
    }

    /// The position of the first event after a position that is not unknown.
    fn next_known(&self, position: usize) -> Option<usize> {
        let later = self.server.log.iter().enumerate().skip(position);
        later.filter(|(_, event)| !matches!(event, Event::Unknown { .. })).map(|(index, _)| index + 1).next()
    }
}
