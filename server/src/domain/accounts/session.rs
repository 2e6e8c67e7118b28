//! Whether a session is open, and when its use is worth writing down.

use i9chat_spec::Timestamp;

/// How much later than the last written use another one is written, so that a request seldom costs a write. (SES-8)
const USE_IS_WRITTEN_AFTER_S: u64 = 5 * 60;

/// When a session was opened, used and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    /// The last use that was written down.
    pub last_used_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// The last use before which a session that nobody used since has ended. (SES-11)
pub fn idle_since(now: Timestamp, idle_ttl_s: u64) -> Timestamp {
    // The written use may be that much older than the real one.
    now.minus_seconds(idle_ttl_s.saturating_add(use_is_written_after(idle_ttl_s)))
}

/// Whether the session lasts: neither ended nor unused for too long. (SES-11)
pub fn is_open(times: SessionTimes, now: Timestamp, idle_ttl_s: u64) -> bool {
    times.ended_at.is_none() && times.last_used_at > idle_since(now, idle_ttl_s)
}

/// Whether a use now is written down.
pub fn use_is_worth_writing(times: SessionTimes, now: Timestamp, idle_ttl_s: u64) -> bool {
    times.last_used_at.plus_seconds(use_is_written_after(idle_ttl_s)) <= now
}

/// Seldom, but often enough for the shortest of lifetimes.
fn use_is_written_after(idle_ttl_s: u64) -> u64 {
    USE_IS_WRITTEN_AFTER_S.min(idle_ttl_s / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: u64 = 30 * 24 * 3600;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
    }

    fn used(seconds: u64) -> SessionTimes {
        SessionTimes { last_used_at: at(seconds), ended_at: None }
    }

    #[test]
    fn a_session_that_is_used_lasts_and_one_that_is_not_ends() {
        assert!(is_open(used(0), at(MONTH), MONTH));
        assert!(!is_open(used(0), at(MONTH + USE_IS_WRITTEN_AFTER_S), MONTH));
        assert!(is_open(used(MONTH), at(2 * MONTH), MONTH));
    }

    #[test]
    fn an_ended_session_is_not_open_however_lately_it_was_used() {
        assert!(!is_open(SessionTimes { last_used_at: at(10), ended_at: Some(at(5)) }, at(10), MONTH));
    }

    #[test]
    fn a_use_is_written_at_most_every_few_minutes() {
        assert!(!use_is_worth_writing(used(0), at(299), MONTH));
        assert!(use_is_worth_writing(used(0), at(300), MONTH));
    }

    #[test]
    fn a_session_that_is_used_all_the_time_never_ends_even_with_a_lifetime_of_seconds() {
        for ttl in [2, 9, 30, 3600, MONTH] {
            let mut times = used(0);
            for second in 1..100 {
                assert!(is_open(times, at(second), ttl), "a lifetime of {ttl} s, after {second} s");
                if use_is_worth_writing(times, at(second), ttl) {
                    times.last_used_at = at(second);
                }
            }
        }
    }
}
