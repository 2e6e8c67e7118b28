use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long a connection may wait for the next transaction: what is on the way to the server may forget one that is silent for long.
const LONGEST: Duration = Duration::from_mins(1);
/// How many connections are kept for the next transactions.
const KEPT: usize = 2;

/// Connections that wait for the next transaction, and since when; the last has waited for the shortest time.
pub(super) struct Idle<T>(Mutex<Vec<(T, Instant)>>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Idle<T> {
    /// Keeps a connection that is in step.
    pub(super) fn keep(&self, connection: T) {
        let mut kept = self.0.lock();
        if kept.len() < KEPT {
            kept.push((connection, Instant::now()));
        }
    }

    /// One that has not waited for too long.
    pub(super) fn take(&self) -> Option<T> {
        let mut kept = self.0.lock();
        kept.retain(|(_, since)| since.elapsed() < LONGEST);
        kept.pop().map(|(connection, _)| connection)
    }

    /// Closes them.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_silent_for_long_is_not_used_again() {
        let idle = Idle::default();
        idle.keep("old");
        advance(LONGEST / 2).await;
        idle.keep("young");
        advance(LONGEST / 2).await;
        assert_eq!(idle.take(), Some("young"));
        assert_eq!(idle.take(), None, "something may have forgotten the old one");
    }

    #[tokio::test]
    async fn as_many_are_kept_as_may_be_and_the_last_is_taken_first() {
        let idle = Idle::default();
        for connection in ["one", "two", "beyond"] {
            idle.keep(connection);
        }
        assert_eq!([idle.take(), idle.take(), idle.take()], [Some("two"), Some("one"), None]);
        idle.keep("three");
        idle.clear();
        assert_eq!(idle.take(), None);
    }
}
