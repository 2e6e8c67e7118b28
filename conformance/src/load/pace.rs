use std::time::Duration;

/// When a sender's messages are due.
#[derive(Debug)]
pub(super) enum Pace {
    /// As soon as there is room: a message is due when it is sent.
    Closed,
    /// At fixed moments, whatever the server does. A message that has to wait is late from its own moment on, so that
    /// a server that stalls is seen in the latency of everything that it kept waiting.
    Open { next: Duration, interval: Duration },
}

impl Pace {
    /// The pace of one of so many senders, which together keep the rate; their moments are spread evenly.
    pub(super) fn new(rate: Option<u32>, sender: usize, senders: usize) -> Self {
        let (Some(rate), Ok(senders), Ok(sender)) = (rate, u32::try_from(senders), u32::try_from(sender)) else {
            return Self::Closed;
        };
        let between = Duration::from_secs(1) / rate;
        Self::Open { next: between * sender, interval: Duration::from_secs(1) * senders / rate }
    }

    /// The moment of the next message, if it has one.
    pub(super) const fn next_due(&self) -> Option<Duration> {
        match self {
            Self::Closed => None,
            Self::Open { next, .. } => Some(*next),
        }
    }

    /// The moment at which a message that may be sent now was due; none when it is not due yet.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Duration> {
        match self {
            Self::Closed => Some(now),
            Self::Open { next, interval } => {
                let due = *next;
                if now < due {
                    return None;
                }
                *next += *interval;
                Some(due)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_rate_is_shared_evenly_by_its_senders() {
        let mut first = Pace::new(Some(100), 0, 2);
        let mut second = Pace::new(Some(100), 1, 2);
        assert_eq!([first.take_due(at(0)), second.take_due(at(0))], [Some(at(0)), None]);
        assert_eq!([first.next_due(), second.next_due()], [Some(at(20)), Some(at(10))]);
    }

    #[test]
    fn what_could_not_be_sent_in_time_is_late_from_its_own_moment_on() {
        let mut pace = Pace::new(Some(100), 0, 1);
        let stalled = at(35);
        let due: Vec<_> = std::iter::from_fn(|| pace.take_due(stalled)).collect();
        assert_eq!(due, [at(0), at(10), at(20), at(30)]);
    }

    #[test]
    fn without_a_rate_a_message_is_due_when_it_is_sent() {
        let mut pace = Pace::new(None, 0, 2);
        assert_eq!((pace.take_due(at(7)), pace.next_due()), (Some(at(7)), None));
    }
}
