use std::{fmt, time::Duration};

/// Gives a number from 0 to 1 at each call, so that clients that were cut together do not come back together.
pub type Jitter = Box<dyn FnMut() -> f64 + Send>;

/// Delays that double from the first to the longest, the upper half of each left to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first delay.
    pub first: Duration,
    /// The longest delay of all.
    pub longest: Duration,
}

impl Backoff {
    /// The delay after so many failures before this one; `roll` is from 0 to 1.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let backoff = i9chat_sdk::connection::Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };
    /// assert_eq!(backoff.delay(0, 0.0), Duration::from_millis(500));
    /// assert_eq!(backoff.delay(1, 1.0), Duration::from_secs(2));
    /// assert_eq!(backoff.delay(99, 1.0), Duration::from_secs(5));
    /// ```
    pub fn delay(&self, failures: u32, roll: f64) -> Duration {
        let doubled = 2_u32.checked_pow(failures).and_then(|factor| self.first.checked_mul(factor));
        let whole = doubled.unwrap_or(self.longest).min(self.longest);
        let half = whole / 2;
        half + half.mul_f64(if roll.is_finite() { roll.clamp(0.0, 1.0) } else { 1.0 })
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

/// A back-off and how often it was needed in a row.
pub(super) struct Retries {
    backoff: Backoff,
    count: u32,
    jitter: Jitter,
}

impl Retries {
    pub(super) fn new(backoff: Backoff, jitter: Jitter) -> Self {
        Self { backoff, count: 0, jitter }
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn roll(&mut self) -> f64 {
        (self.jitter)()
    }

    pub(super) fn next_delay(&mut self) -> Duration {
        let roll = self.roll();
        let delay = self.backoff.delay(self.count, roll);
        self.count = self.count.saturating_add(1);
        delay
    }

    pub(super) fn reset(&mut self) {
        self.count = 0;
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries").field("backoff", &self.backoff).field("count", &self.count).finish_non_exhaustive()
    }
}
