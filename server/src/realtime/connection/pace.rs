use std::time::Duration;

use tokio::time::Instant;

/// When a connection was last heard and last spoken to, and what that asks for. (WSK-8, WSK-9)
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    heartbeat: Duration,
    sent: Instant,
    heard: Instant,
    pinged: Instant,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Nothing came for twice the heartbeat.
    pub(super) dead: bool,
    /// Nothing was sent for a heartbeat.
    pub(super) heartbeat: bool,
    /// Nothing came for a heartbeat, and no ping asked for it.
    pub(super) ping: bool,
}

impl Pace {
    pub(super) fn new(heartbeat: Duration, now: Instant) -> Self {
        Self { heartbeat, sent: now, heard: now, pinged: now }
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.sent = now;
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(super) fn pinged(&mut self, now: Instant) {
        self.pinged = now;
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        let ping = self.heard.max(self.pinged) + self.heartbeat;
        (self.sent + self.heartbeat).min(ping).min(self.heard + self.heartbeat * 2)
    }

    pub(super) fn due(&self, now: Instant) -> Due {
        Due {
            dead: now >= self.heard + self.heartbeat * 2,
            heartbeat: now >= self.sent + self.heartbeat,
            ping: now >= self.heard.max(self.pinged) + self.heartbeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_secs(30);

    #[test]
    fn a_silent_peer_is_pinged_once_and_then_given_up() {
        let start = Instant::now();
        let mut pace = Pace::new(BEAT, start);
        assert_eq!(pace.next(), start + BEAT);
        let due = pace.due(start + BEAT);
        assert_eq!(due, Due { dead: false, heartbeat: true, ping: true });
        pace.sent(start + BEAT);
        pace.pinged(start + BEAT);
        assert_eq!(pace.next(), start + BEAT * 2);
        assert!(pace.due(start + BEAT * 2).dead);
    }

    #[test]
    fn a_peer_that_answers_stays() {
        let start = Instant::now();
        let mut pace = Pace::new(BEAT, start);
        pace.pinged(start + BEAT);
        pace.heard(start + BEAT);
        assert!(!pace.due(start + BEAT * 2).dead);
    }

    #[test]
    fn a_busy_connection_needs_no_heartbeat() {
        let start = Instant::now();
        let mut pace = Pace::new(BEAT, start);
        pace.sent(start + BEAT / 2);
        assert!(!pace.due(start + BEAT).heartbeat);
    }
}
