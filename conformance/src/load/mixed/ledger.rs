//! What became of everything that was done.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use i9chat_spec::ChatId;

use super::{ByChat, Room};
use crate::load::{
    ledger::{histogram, record},
    places::{Arrival, Places},
    wire::Mark,
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    /// Copies of messages that members got, each counted once; the sender's own included.
    pub(super) delivered: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
    /// What was done, and how often.
    pub(super) done: BTreeMap<&'static str, u64>,
    /// What went wrong, and how often.
    pub(super) troubles: BTreeMap<String, u64>,
}

/// What one of the people got.
#[derive(Debug, Default)]
struct Got {
    places: ByChat<Places>,
    /// When each of their own messages was sent.
    sent: Vec<Duration>,
}

#[derive(Debug)]
pub(super) struct Ledger {
    people: Vec<Got>,
    /// The place behind the last acknowledged message of each chat.
    ends: ByChat<u64>,
    /// Actions and requests without an answer so far.
    unanswered: u64,
    totals: Totals,
    acknowledgement: Histogram<u64>,
    delivery: Histogram<u64>,
    reads: BTreeMap<&'static str, Histogram<u64>>,
}

impl Ledger {
    pub(super) fn new(people: usize, rooms: &[Room]) -> Self {
        let mut all: Vec<Got> = std::iter::repeat_with(Got::default).take(people).collect();
        for room in rooms {
            for member in &room.members {
                if let Some(got) = all.get_mut(*member) {
                    got.places.insert(room.chat_id, Places::from(room.first));
                }
            }
        }
        Self {
            people: all,
            ends: rooms.iter().map(|room| (room.chat_id, room.first)).collect(),
            unanswered: 0,
            totals: Totals::default(),
            acknowledgement: histogram(),
            delivery: histogram(),
            reads: BTreeMap::new(),
        }
    }

    /// Notes that something was asked for.
    pub(super) fn ask(&mut self, what: &'static str) {
        *self.totals.done.entry(what).or_default() += 1;
        self.unanswered += 1;
    }

    /// Notes that it was answered.
    pub(super) fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// Notes how long a read took.
    pub(super) fn read(&mut self, what: &'static str, took: Duration) {
        record(self.reads.entry(what).or_insert_with(histogram), took);
    }

    pub(super) fn trouble(&mut self, what: String) {
        *self.totals.troubles.entry(what).or_default() += 1;
    }

    /// Notes that somebody sends their next message, and gives its number.
    pub(super) fn send(&mut self, person: usize, now: Duration) -> u64 {
        self.totals.sent += 1;
        let Some(got) = self.people.get_mut(person) else { return 0 };
        got.sent.push(now);
        got.sent.len() as u64 - 1
    }

    /// Notes that a message was acknowledged as the entry of a place.
    pub(super) fn acknowledge(&mut self, chat_id: ChatId, seq: u64, took: Duration) {
        self.totals.acknowledged += 1;
        record(&mut self.acknowledgement, took);
        let end = self.ends.entry(chat_id).or_default();
        *end = (*end).max(seq + 1);
    }

    /// Notes that somebody got the entry of a place, and whose message it is if it is one of the run.
    pub(super) fn deliver(&mut self, person: usize, chat_id: ChatId, seq: u64, mark: Option<Mark>, now: Duration) {
        let places = self.people.get_mut(person).and_then(|got| got.places.get_mut(&chat_id));
        let Some(places) = places else { return self.trouble("an event of a chat of others".to_owned()) };
        match places.take(seq) {
            Arrival::InOrder => {}
            Arrival::OutOfOrder => self.totals.out_of_order += 1,
            Arrival::Again => {
                self.totals.duplicated += 1;
                return;
            }
        }
        let Some(mark) = mark else { return };
        self.totals.delivered += 1;
        let sent = self.people.get(mark.sender as usize).map(|sender| &sender.sent);
        match sent.and_then(|sent| sent.get(usize::try_from(mark.number).ok()?)) {
            Some(at) => record(&mut self.delivery, now.saturating_sub(*at)),
            None => self.trouble("a message that nobody sent".to_owned()),
        }
    }

    /// Copies of acknowledged messages that somebody who should have them did not get.
    pub(super) fn lost(&self) -> u64 {
        let of = |got: &Got| {
            let missing = |(chat_id, places): (&ChatId, &Places)| {
                places.missing_below(self.ends.get(chat_id).copied().unwrap_or_default())
            };
            got.places.iter().map(missing).sum::<u64>()
        };
        self.people.iter().map(of).sum()
    }

    pub(super) const fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Whether everything was answered and everybody has everything.
    pub(super) fn is_settled(&self) -> bool {
        self.unanswered == 0 && self.lost() == 0
    }

    pub(super) const fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(super) const fn acknowledgement(&self) -> &Histogram<u64> {
        &self.acknowledgement
    }

    pub(super) const fn delivery(&self) -> &Histogram<u64> {
        &self.delivery
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = (&'static str, &Histogram<u64>)> {
        self.reads.iter().map(|(what, times)| (*what, times))
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Two people in one chat, of which the first sends.
    fn ledger() -> Ledger {
        let room = Room { chat_id: ChatId::example(), members: vec![0, 1], is_group: false, first: 5 };
        Ledger::new(3, &[room])
    }

    const MARK: Option<Mark> = Some(Mark { run: 1, sender: 0, number: 0 });

    #[test]
    fn an_acknowledged_message_is_lost_until_everybody_in_the_chat_has_it() {
        let mut ledger = ledger();
        let chat_id = ChatId::example();
        assert_eq!(ledger.send(0, at(1)), 0);
        assert!(ledger.is_settled());
        ledger.acknowledge(chat_id, 5, at(2));
        assert_eq!(ledger.lost(), 2);
        ledger.deliver(0, chat_id, 5, MARK, at(3));
        ledger.deliver(1, chat_id, 5, MARK, at(4));
        assert_eq!((ledger.lost(), ledger.totals().delivered), (0, 2));
        ledger.deliver(1, chat_id, 5, MARK, at(4));
        assert_eq!(ledger.totals().duplicated, 1);
        // An activity has a place too, and is no message of the run.
        ledger.deliver(0, chat_id, 6, None, at(5));
        assert_eq!((ledger.lost(), ledger.totals().delivered), (0, 2));
        ledger.acknowledge(chat_id, 7, at(2));
        assert_eq!(ledger.lost(), 3);
        assert!(ledger.totals().troubles.is_empty());
    }

    #[test]
    fn what_must_not_come_is_trouble() {
        let mut ledger = ledger();
        ledger.deliver(2, ChatId::example(), 5, MARK, at(1));
        ledger.deliver(0, ChatId::example(), 5, Some(Mark { run: 1, sender: 0, number: 9 }), at(1));
        let troubles = ["a message that nobody sent", "an event of a chat of others"];
        assert_eq!(ledger.totals().troubles.keys().collect::<Vec<_>>(), troubles);
    }

    #[test]
    fn a_run_is_settled_when_everything_is_answered() {
        let mut ledger = ledger();
        ledger.ask("read history");
        assert!(!ledger.is_settled());
        ledger.answered();
        assert!(ledger.is_settled());
        assert_eq!(ledger.totals().done["read history"], 1);
    }
}
