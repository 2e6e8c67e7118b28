//! What became of every message. Exact: one byte for each message, nothing sampled.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_mins(10);

const ACKNOWLEDGED: u8 = 1;
const REFUSED: u8 = 2;
const AT_SENDER: u8 = 4;
const AT_PARTNER: u8 = 8;
const SETTLED: u8 = ACKNOWLEDGED | AT_SENDER | AT_PARTNER;

/// Who received a message: both do, its sender too. (LOG-5)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Sender,
    Partner,
}

impl Receiver {
    const fn bit(self) -> u8 {
        match self {
            Self::Sender => AT_SENDER,
            Self::Partner => AT_PARTNER,
        }
    }
}

/// What a delivery was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first of its message, after those of all earlier ones that have come.
    InOrder,
    /// The first of its message, after one of a later message.
    OutOfOrder,
    /// Not the first of its message.
    Again,
    /// Of a message that was never sent, or was refused.
    Unexpected,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    /// When it was due, from the start of the run.
    due: Duration,
    fate: u8,
}

#[derive(Debug, Default)]
struct Stream {
    sent: Vec<Sent>,
    /// The greatest number received so far, by the sender and by the partner.
    latest_at_sender: Option<u64>,
    latest_at_partner: Option<u64>,
}

/// The messages of all senders of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    streams: Vec<Stream>,
    /// What comes later than this is not counted in `completed_in_time`.
    measured: Duration,
    totals: Totals,
    acknowledgement: Histogram<u64>,
    delivery: Histogram<u64>,
}

/// The sums over all senders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Messages sent.
    pub(super) sent: u64,
    /// Messages acknowledged.
    pub(super) acknowledged: u64,
    /// Messages that reached the partner.
    pub(super) delivered: u64,
    /// Deliveries beyond the first, to partner or sender.
    pub(super) duplicated: u64,
    /// Deliveries that came after one of a later message of the same sender, to partner or sender.
    pub(super) out_of_order: u64,
    /// Messages both acknowledged and at the partner within the measured time.
    pub(super) completed_in_time: u64,
    /// Answers to nothing, second answers, events of messages that were never sent or were refused.
    pub(super) unexpected: u64,
    /// Refusals by code.
    pub(super) refused: BTreeMap<String, u64>,
    /// Messages whose answer, or after it whose delivery, is still to come.
    pub(super) unsettled: u64,
}

impl Ledger {
    pub(super) fn new(senders: usize, measured: Duration) -> Self {
        Self {
            streams: std::iter::repeat_with(Stream::default).take(senders).collect(),
            measured,
            totals: Totals::default(),
            acknowledgement: histogram(),
            delivery: histogram(),
        }
    }

    /// Notes that a sender sends its next message, which was due at that moment, and gives its number.
    pub(super) fn send(&mut self, sender: usize, due: Duration) -> u64 {
        self.totals.sent += 1;
        self.totals.unsettled += 1;
        let Some(stream) = self.streams.get_mut(sender) else { return 0 };
        stream.sent.push(Sent { due, fate: 0 });
        stream.sent.len() as u64 - 1
    }

    /// Notes an acknowledgement; whether it was awaited.
    pub(super) fn acknowledge(&mut self, sender: usize, number: u64, now: Duration) -> bool {
        self.answer(sender, number, ACKNOWLEDGED, now)
    }

    /// Notes a refusal; whether it was awaited.
    pub(super) fn refuse(&mut self, sender: usize, number: u64, code: &str, now: Duration) -> bool {
        *self.totals.refused.entry(code.to_owned()).or_default() += 1;
        self.answer(sender, number, REFUSED, now)
    }

    fn answer(&mut self, sender: usize, number: u64, answer: u8, now: Duration) -> bool {
        let sent = find(&mut self.streams, sender, number);
        let Some(sent) = sent.filter(|sent| sent.fate & (ACKNOWLEDGED | REFUSED) == 0) else {
            self.totals.unexpected += 1;
            return false;
        };
        sent.fate |= answer;
        if answer == ACKNOWLEDGED {
            self.totals.acknowledged += 1;
            record(&mut self.acknowledgement, now.saturating_sub(sent.due));
            if sent.fate & AT_PARTNER != 0 && now <= self.measured {
                self.totals.completed_in_time += 1;
            }
        } else if sent.fate & (AT_SENDER | AT_PARTNER) != 0 {
            self.totals.unexpected += 1;
        }
        if answer == REFUSED || sent.fate & SETTLED == SETTLED {
            self.totals.unsettled -= 1;
        }
        true
    }

    /// Notes that a message arrived.
    pub(super) fn deliver(&mut self, sender: usize, receiver: Receiver, number: u64, now: Duration) -> Arrival {
        let Some(stream) = self.streams.get_mut(sender) else {
            self.totals.unexpected += 1;
            return Arrival::Unexpected;
        };
        let sent = usize::try_from(number).ok().and_then(|index| stream.sent.get_mut(index));
        let Some(sent) = sent.filter(|sent| sent.fate & REFUSED == 0) else {
            self.totals.unexpected += 1;
            return Arrival::Unexpected;
        };
        if sent.fate & receiver.bit() != 0 {
            self.totals.duplicated += 1;
            return Arrival::Again;
        }
        let latest = match receiver {
            Receiver::Sender => &mut stream.latest_at_sender,
            Receiver::Partner => &mut stream.latest_at_partner,
        };
        let late = latest.is_some_and(|latest| number < latest);
        if late {
            self.totals.out_of_order += 1;
        }
        *latest = (*latest).max(Some(number));
        sent.fate |= receiver.bit();
        if receiver == Receiver::Partner {
            self.totals.delivered += 1;
            record(&mut self.delivery, now.saturating_sub(sent.due));
            if sent.fate & ACKNOWLEDGED != 0 && now <= self.measured {
                self.totals.completed_in_time += 1;
            }
        }
        if sent.fate & SETTLED == SETTLED {
            self.totals.unsettled -= 1;
        }
        if late { Arrival::OutOfOrder } else { Arrival::InOrder }
    }

    /// Notes that a message came with a smaller `seq` than one before it on the same connection. (MSG-4)
    pub(super) const fn note_disorder(&mut self) {
        self.totals.out_of_order += 1;
    }

    /// Whether every message has its answer, and every acknowledged one has reached both.
    pub(super) const fn is_settled(&self) -> bool {
        self.totals.unsettled == 0
    }

    /// Acknowledged messages that did not reach both partner and sender.
    pub(super) fn lost(&self) -> u64 {
        let sent = self.streams.iter().flat_map(|stream| &stream.sent);
        sent.filter(|sent| sent.fate & ACKNOWLEDGED != 0 && sent.fate & SETTLED != SETTLED).count() as u64
    }

    pub(super) const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// How long acknowledgements took, in microseconds.
    pub(super) const fn acknowledgement(&self) -> &Histogram<u64> {
        &self.acknowledgement
    }

    /// How long deliveries to partners took, in microseconds.
    pub(super) const fn delivery(&self) -> &Histogram<u64> {
        &self.delivery
    }
}

fn find(streams: &mut [Stream], sender: usize, number: u64) -> Option<&mut Sent> {
    streams.get_mut(sender)?.sent.get_mut(usize::try_from(number).ok()?)
}

/// An empty histogram of microseconds, of three significant digits.
pub(super) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram takes")]
    Histogram::new_with_bounds(1, micros(LONGEST), 3).expect("bounds from 1, of three digits")
}

/// Adds a latency to a histogram of microseconds.
pub(super) fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    histogram.saturating_record(micros(latency).max(1));
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn ledger() -> Ledger {
        Ledger::new(2, SECOND)
    }

    fn reach_both(ledger: &mut Ledger, number: u64, now: Duration) {
        ledger.deliver(0, Receiver::Partner, number, now);
        ledger.deliver(0, Receiver::Sender, number, now);
    }

    #[test]
    fn a_message_is_settled_when_it_is_acknowledged_and_has_reached_both() {
        let mut ledger = ledger();
        let number = ledger.send(0, at(10));
        assert!(!ledger.is_settled());
        assert!(ledger.acknowledge(0, number, at(14)));
        assert_eq!(ledger.lost(), 1);
        reach_both(&mut ledger, number, at(16));
        assert!(ledger.is_settled());
        assert_eq!(ledger.lost(), 0);
        let expected = Totals { sent: 1, acknowledged: 1, delivered: 1, completed_in_time: 1, ..Totals::default() };
        assert_eq!(ledger.totals(), &expected);
        assert!((3_990..=4_010).contains(&ledger.acknowledgement().max()));
        assert!((5_990..=6_010).contains(&ledger.delivery().max()));
    }

    #[test]
    fn a_message_that_reached_only_one_of_the_two_is_lost() {
        for receiver in [Receiver::Sender, Receiver::Partner] {
            let mut ledger = ledger();
            let number = ledger.send(0, at(0));
            assert!(ledger.acknowledge(0, number, at(1)));
            ledger.deliver(0, receiver, number, at(1));
            assert_eq!((ledger.lost(), ledger.is_settled()), (1, false));
        }
    }

    #[test]
    fn what_comes_after_the_measured_time_counts_but_not_in_time() {
        let mut ledger = ledger();
        let number = ledger.send(0, at(999));
        assert!(ledger.acknowledge(0, number, at(1_000)));
        reach_both(&mut ledger, number, at(1_001));
        assert_eq!((ledger.totals().delivered, ledger.totals().completed_in_time), (1, 0));
    }

    #[test]
    fn a_refused_message_is_not_lost_but_must_not_arrive() {
        let mut ledger = ledger();
        let number = ledger.send(0, at(0));
        assert!(ledger.refuse(0, number, "rate_limited", at(1)));
        assert_eq!((ledger.lost(), ledger.is_settled()), (0, true));
        assert_eq!(ledger.totals().refused.get("rate_limited"), Some(&1));
        ledger.deliver(0, Receiver::Partner, number, at(2));
        assert_eq!((ledger.totals().unexpected, ledger.totals().delivered), (1, 0));
    }

    #[test]
    fn answers_and_events_out_of_nowhere_are_unexpected() {
        let mut ledger = ledger();
        let number = ledger.send(0, at(0));
        assert!(ledger.acknowledge(0, number, at(1)));
        assert!(!ledger.acknowledge(0, number, at(2)));
        assert!(!ledger.acknowledge(0, 99, at(2)));
        ledger.deliver(1, Receiver::Partner, 0, at(2));
        ledger.deliver(9, Receiver::Partner, 0, at(2));
        assert_eq!(ledger.totals().unexpected, 4);
    }

    proptest! {
        /// Whatever a network does to the deliveries of acknowledged messages, the counts are those of plain sets and lists.
        #[test]
        fn counts_are_exact(arrivals in prop::collection::vec(0_u64..20, 0..60)) {
            let mut ledger = ledger();
            for number in 0..20 {
                prop_assert_eq!(ledger.send(0, at(0)), number);
                prop_assert!(ledger.acknowledge(0, number, at(1)));
                ledger.deliver(0, Receiver::Sender, number, at(1));
            }
            for number in &arrivals {
                ledger.deliver(0, Receiver::Partner, *number, at(2));
            }
            let mut first = Vec::new();
            for number in &arrivals {
                if !first.contains(number) {
                    first.push(*number);
                }
            }
            let late = first.iter().enumerate().filter(|(place, number)| first[..*place].iter().any(|earlier| earlier > *number));
            prop_assert_eq!(ledger.totals().out_of_order, late.count() as u64);
            prop_assert_eq!(ledger.totals().duplicated, (arrivals.len() - first.len()) as u64);
            prop_assert_eq!(ledger.totals().delivered, first.len() as u64);
            prop_assert_eq!(ledger.lost(), 20 - first.len() as u64);
            prop_assert_eq!(ledger.is_settled(), first.len() == 20);
        }
    }
}
