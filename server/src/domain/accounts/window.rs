//! How often something happened lately: exact, and bounded by the limit that is kept with it.

use std::{collections::VecDeque, time::Duration};

use i9chat_spec::Timestamp;

/// So often in so many seconds, counted over a window that slides. (CAP-2)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often.
    pub limit: u64,
    /// In how many seconds.
    pub seconds: u64,
}

/// The moments at which something happened, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    times: VecDeque<Timestamp>,
}

impl Window {
    /// The moments as they were stored.
    pub fn from_times(times: impl IntoIterator<Item = Timestamp>) -> Self {
        Self { times: times.into_iter().collect() }
    }

    /// The moments, oldest first.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.times.iter().copied()
    }

    /// How often it happened within the span that ends now.
    pub fn count(&self, now: Timestamp, rate: Rate) -> u64 {
        let start = now.minus_seconds(rate.seconds);
        self.times.iter().filter(|at| **at > start).count() as u64
    }

    /// Whether it may not happen now.
    pub fn is_full(&self, now: Timestamp, rate: Rate) -> bool {
        self.count(now, rate) >= rate.limit
    }

    /// How long until it may happen again; `None` when it may now. (ERR-7)
    pub fn wait(&self, now: Timestamp, rate: Rate) -> Option<Duration> {
        let excess = self.count(now, rate).checked_sub(rate.limit)?;
        let start = now.minus_seconds(rate.seconds);
        let leaves_last =
            self.times.iter().filter(|at| **at > start).nth(usize::try_from(excess).unwrap_or(usize::MAX));
        // A limit of zero never lets anything happen: ask again after a whole span.
        let free_at = leaves_last.copied().unwrap_or(now).plus_seconds(rate.seconds);
        Some(Duration::from_millis(free_at.as_millis().abs_diff(now.as_millis()).max(1)))
    }

    /// Notes that it happens now, and forgets what no longer counts.
    pub fn note(&mut self, now: Timestamp, rate: Rate) {
        let start = now.minus_seconds(rate.seconds);
        self.times.retain(|at| *at > start);
        self.times.push_back(now);
    }

    /// Takes back what was noted for that moment, once.
    pub fn take_back(&mut self, at: Timestamp) {
        if let Some(index) = self.times.iter().rposition(|noted| *noted == at) {
            self.times.remove(index);
        }
    }

    /// The last moment at which it happened.
    pub fn last(&self) -> Option<Timestamp> {
        self.times.back().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWICE_A_MINUTE: Rate = Rate { limit: 2, seconds: 60 };

    fn second(n: i64) -> Timestamp {
        Timestamp::from_millis(1_795_380_000_000 + n * 1000)
    }

    #[test]
    fn the_limit_is_exact_and_frees_up_one_by_one() {
        let mut window = Window::default();
        window.note(second(0), TWICE_A_MINUTE);
        assert_eq!(window.wait(second(10), TWICE_A_MINUTE), None);
        window.note(second(10), TWICE_A_MINUTE);
        assert_eq!(window.wait(second(20), TWICE_A_MINUTE), Some(Duration::from_secs(40)));
        assert_eq!(window.wait(second(59), TWICE_A_MINUTE), Some(Duration::from_secs(1)));
        assert_eq!(window.wait(second(60), TWICE_A_MINUTE), None);
    }

    #[test]
    fn a_retry_after_the_wait_is_let_through_even_when_far_over_the_limit() {
        let mut window = Window::default();
        for n in 0..5 {
            window.note(second(n), TWICE_A_MINUTE);
        }
        let wait = window.wait(second(5), TWICE_A_MINUTE).unwrap();
        assert_eq!(wait, Duration::from_secs(58), "all but the last one must have left the window");
        assert_eq!(window.wait(second(63), TWICE_A_MINUTE), None);
    }

    #[test]
    fn what_is_taken_back_does_not_count() {
        let mut window = Window::default();
        window.note(second(0), TWICE_A_MINUTE);
        window.note(second(1), TWICE_A_MINUTE);
        window.take_back(second(0));
        assert_eq!(window.count(second(2), TWICE_A_MINUTE), 1);
        window.take_back(second(0));
        assert_eq!(window.count(second(2), TWICE_A_MINUTE), 1, "a moment is taken back once");
    }

    #[test]
    fn noting_forgets_what_no_longer_counts() {
        let mut window = Window::default();
        for n in 0..1000 {
            window.note(second(n * 61), TWICE_A_MINUTE);
        }
        assert_eq!(window.times().count(), 1);
    }

    #[test]
    fn a_limit_of_zero_lets_nothing_through() {
        let never = Rate { limit: 0, seconds: 60 };
        assert_eq!(Window::default().wait(second(0), never), Some(Duration::from_mins(1)));
    }
}
