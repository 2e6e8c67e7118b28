//! What every member of a group got of it. Exact: each delivery to each member is counted by the place of its entry.
//!
//! A place holds the same message for everybody, and a message is complete when everybody has it.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use crate::load::{
    ledger::{histogram, record},
    places::{Arrival, Places},
    wire::Mark,
};

/// A message of a sender.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// When it was sent, from the start of the run.
    at: Duration,
    answered: bool,
}

/// What stands at one place of the group.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// Whose message it is, and which of theirs; none until the first copy or the acknowledgement has come.
    of: Option<(u32, u64)>,
    acknowledged: bool,
    /// How many members have it.
    copies: u32,
}

/// The sums over all members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    /// Messages that are acknowledged and that every member has.
    pub(super) complete: u64,
    /// Copies that members got, each counted once.
    pub(super) delivered: u64,
    /// Of these, those that came within the measured time.
    pub(super) delivered_in_time: u64,
    pub(super) duplicated: u64,
    /// Copies that came after one of a later place.
    pub(super) out_of_order: u64,
    /// Answers to nothing, and places that hold one message for one member and another for another.
    pub(super) unexpected: u64,
    pub(super) refused: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Ledger {
    /// The place of the first message.
    first: u64,
    measured: Duration,
    /// What each member has.
    members: Vec<Places>,
    entries: Vec<Entry>,
    senders: Vec<Vec<Sent>>,
    /// Messages of each sender that are neither refused nor complete.
    in_flight: Vec<u32>,
    totals: Totals,
    acknowledgement: Histogram<u64>,
    delivery: Histogram<u64>,
}

impl Ledger {
    pub(super) fn new(first: u64, members: usize, senders: usize, measured: Duration) -> Self {
        Self {
            first,
            measured,
            members: vec![Places::default(); members],
            entries: Vec::new(),
            senders: vec![Vec::new(); senders],
            in_flight: vec![0; senders],
            totals: Totals::default(),
            acknowledgement: histogram(),
            delivery: histogram(),
        }
    }

    /// Notes that a sender sends its next message, and gives its number.
    pub(super) fn send(&mut self, sender: usize, now: Duration) -> u64 {
        let (Some(sent), Some(in_flight)) = (self.senders.get_mut(sender), self.in_flight.get_mut(sender)) else {
            return 0;
        };
        sent.push(Sent { at: now, answered: false });
        *in_flight += 1;
        self.totals.sent += 1;
        sent.len() as u64 - 1
    }

    /// How many messages of a sender are under way.
    pub(super) fn in_flight(&self, sender: usize) -> u32 {
        self.in_flight.get(sender).copied().unwrap_or_default()
    }

    /// Whether nothing is under way.
    pub(super) fn is_settled(&self) -> bool {
        self.in_flight.iter().all(|count| *count == 0)
    }

    /// Notes an acknowledgement. Gives the sender if one of its messages is complete with it.
    pub(super) fn acknowledge(&mut self, sender: usize, number: u64, seq: u64, now: Duration) -> Option<usize> {
        let Some(sent) = self.unanswered(sender, number) else {
            self.totals.unexpected += 1;
            return None;
        };
        sent.answered = true;
        let took = now.saturating_sub(sent.at);
        self.totals.acknowledged += 1;
        record(&mut self.acknowledgement, took);
        let mark = (u32::try_from(sender).unwrap_or(u32::MAX), number);
        let everybody = self.members.len();
        match self.place(seq).and_then(|place| self.entry(place, mark)) {
            Some(entry) if !entry.acknowledged => {
                entry.acknowledged = true;
                let complete = entry.copies as usize == everybody;
                complete.then(|| self.complete(sender))
            }
            _ => {
                self.totals.unexpected += 1;
                None
            }
        }
    }

    /// Notes a refusal: the message is not under way any more.
    pub(super) fn refuse(&mut self, sender: usize, number: Option<u64>, code: &str) {
        *self.totals.refused.entry(code.to_owned()).or_default() += 1;
        match number.and_then(|number| self.unanswered(sender, number)) {
            Some(sent) => {
                sent.answered = true;
                if let Some(in_flight) = self.in_flight.get_mut(sender) {
                    *in_flight -= 1;
                }
            }
            None => self.totals.unexpected += 1,
        }
    }

    /// Notes that a member got a message. Gives its sender if it is complete with it.
    pub(super) fn deliver(&mut self, member: usize, seq: u64, mark: Mark, now: Duration) -> Option<usize> {
        let place = self.place(seq);
        let (Some(place), Some(getting)) = (place, self.members.get_mut(member)) else {
            self.totals.unexpected += 1;
            return None;
        };
        match getting.take(place as u64) {
            Arrival::InOrder => {}
            Arrival::OutOfOrder => self.totals.out_of_order += 1,
            Arrival::Again => {
                self.totals.duplicated += 1;
                return None;
            }
        }
        self.totals.delivered += 1;
        self.totals.delivered_in_time += u64::from(now <= self.measured);
        let everybody = self.members.len();
        let sender = mark.sender as usize;
        let sent = self.senders.get(sender).and_then(|sent| sent.get(usize::try_from(mark.number).ok()?));
        let Some(at) = sent.map(|sent| sent.at) else {
            self.totals.unexpected += 1;
            return None;
        };
        record(&mut self.delivery, now.saturating_sub(at));
        let Some(entry) = self.entry(place, (mark.sender, mark.number)) else {
            self.totals.unexpected += 1;
            return None;
        };
        entry.copies += 1;
        let complete = entry.acknowledged && entry.copies as usize == everybody;
        complete.then(|| self.complete(sender))
    }

    fn complete(&mut self, sender: usize) -> usize {
        self.totals.complete += 1;
        if let Some(in_flight) = self.in_flight.get_mut(sender) {
            *in_flight -= 1;
        }
        sender
    }

    fn unanswered(&mut self, sender: usize, number: u64) -> Option<&mut Sent> {
        let sent = self.senders.get_mut(sender)?.get_mut(usize::try_from(number).ok()?)?;
        Some(sent).filter(|sent| !sent.answered)
    }

    /// Which place a `seq` is, from 0. A run has no more places than messages.
    fn place(&self, seq: u64) -> Option<usize> {
        let place = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        ((place as u64) < self.totals.sent).then_some(place)
    }

    /// The entry of a place, if it is that message everywhere.
    fn entry(&mut self, place: usize, mark: (u32, u64)) -> Option<&mut Entry> {
        if self.entries.len() <= place {
            self.entries.resize(place + 1, Entry::default());
        }
        let entry = self.entries.get_mut(place)?;
        (*entry.of.get_or_insert(mark) == mark).then_some(entry)
    }

    /// Copies of acknowledged messages that members did not get.
    pub(super) fn lost(&self) -> u64 {
        let missing = |entry: &Entry| (self.members.len() as u64).saturating_sub(entry.copies.into());
        self.entries.iter().filter(|entry| entry.acknowledged).map(missing).sum()
    }

    /// The messages at the places, in order.
    pub(super) fn order(&self) -> impl Iterator<Item = Option<(u32, u64)>> {
        self.entries.iter().map(|entry| entry.of)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURED: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn mark(number: u64) -> Mark {
        Mark { run: 1, sender: 0, number }
    }

    /// Three messages of one sender, acknowledged as the places 10, 11 and 12, and what two members got of them.
    fn after(arrivals: [&[u64]; 2]) -> Ledger {
        let mut ledger = Ledger::new(10, 2, 1, MEASURED);
        for number in 0..3 {
            assert_eq!(ledger.send(0, at(0)), number);
            assert_eq!(ledger.acknowledge(0, number, 10 + number, at(1)), None);
        }
        for (member, numbers) in arrivals.iter().enumerate() {
            for number in *numbers {
                ledger.deliver(member, 10 + number, mark(*number), at(2));
            }
        }
        ledger
    }

    fn counts(ledger: &Ledger) -> [u64; 5] {
        let totals = ledger.totals();
        [totals.delivered, ledger.lost(), totals.duplicated, totals.out_of_order, totals.complete]
    }

    #[test]
    fn deliveries_are_counted_for_each_member() {
        assert_eq!(counts(&after([&[0, 1, 2], &[0, 1, 2]])), [6, 0, 0, 0, 3]);
        assert_eq!(counts(&after([&[0, 1, 2], &[0, 2]])), [5, 1, 0, 0, 2]);
        assert_eq!(counts(&after([&[0, 1, 2], &[]])), [3, 3, 0, 0, 0]);
        assert_eq!(counts(&after([&[0, 1, 1, 2], &[0, 1, 2, 0]])), [6, 0, 2, 0, 3]);
        assert_eq!(counts(&after([&[0, 1, 2], &[1, 0, 2]])), [6, 0, 0, 1, 3]);
        assert_eq!(counts(&after([&[0, 1, 2], &[2, 1, 0]])), [6, 0, 0, 2, 3]);
        assert_eq!(counts(&after([&[0, 1, 2], &[2, 2, 0]])), [5, 1, 1, 1, 2]);
    }

    #[test]
    fn a_message_is_complete_when_it_is_acknowledged_and_everybody_has_it() {
        let mut ledger = Ledger::new(1, 2, 1, MEASURED);
        ledger.send(0, at(0));
        assert_eq!((ledger.in_flight(0), ledger.is_settled()), (1, false));
        assert_eq!(ledger.deliver(0, 1, mark(0), at(5)), None);
        assert_eq!(ledger.deliver(1, 1, mark(0), at(2000)), None);
        assert_eq!(ledger.acknowledge(0, 0, 1, at(7)), Some(0));
        assert_eq!((ledger.in_flight(0), ledger.is_settled()), (0, true));
        assert_eq!((ledger.totals().delivered, ledger.totals().delivered_in_time), (2, 1));
        ledger.send(0, at(0));
        assert_eq!(ledger.acknowledge(0, 1, 2, at(8)), None);
        assert_eq!(ledger.deliver(1, 2, mark(1), at(9)), None);
        assert_eq!(ledger.deliver(0, 2, mark(1), at(9)), Some(0));
    }

    #[test]
    fn a_refused_message_is_under_way_no_more() {
        let mut ledger = Ledger::new(1, 1, 1, MEASURED);
        ledger.send(0, at(0));
        ledger.refuse(0, Some(0), "rate_limited");
        assert!(ledger.is_settled());
        assert_eq!(ledger.totals().refused, BTreeMap::from([("rate_limited".to_owned(), 1)]));
        ledger.refuse(0, Some(0), "rate_limited");
        ledger.refuse(0, None, "rate_limited");
        assert_eq!((ledger.totals().unexpected, ledger.in_flight(0)), (2, 0));
    }

    #[test]
    fn a_place_holds_one_message_for_everybody() {
        let mut ledger = Ledger::new(1, 2, 1, MEASURED);
        ledger.send(0, at(0));
        ledger.send(0, at(0));
        ledger.deliver(0, 1, mark(0), at(1));
        ledger.deliver(1, 1, mark(1), at(1));
        assert_eq!(ledger.totals().unexpected, 1);
        // Acknowledged as a place that is another message's.
        ledger.acknowledge(0, 1, 1, at(1));
        assert_eq!(ledger.totals().unexpected, 2);
        // Places that no message of the run can have, and messages that were never sent.
        ledger.deliver(0, 0, mark(0), at(1));
        ledger.deliver(0, 9, mark(0), at(1));
        ledger.deliver(0, 2, mark(7), at(1));
        assert_eq!(ledger.totals().unexpected, 5);
        assert_eq!(ledger.acknowledge(0, 5, 1, at(1)), None);
        assert_eq!(ledger.totals().unexpected, 6);
    }
}
