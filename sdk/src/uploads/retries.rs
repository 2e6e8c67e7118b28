//! How often, and how soon, something is tried again.

use super::error::{Fault, MediaError};
use crate::connection::Backoff;

/// Failures in a row, and what follows them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    pub(super) backoff: Backoff,
    pub(super) max_failures: u32,
    failures: u32,
}

impl Retries {
    pub(super) fn new() -> Self {
        Self { backoff: Backoff::default(), max_failures: 8, failures: 0 }
    }

    /// Something went well.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next try, if the fault passes and there were not too many.
    pub(super) async fn failed(&mut self, fault: Fault) -> Result<(), MediaError> {
        self.failures += 1;
        if !matches!(fault, Fault::Passing(_)) || self.failures > self.max_failures {
            return Err(fault.into());
        }
        let delay = self.backoff.delay(self.failures - 1, rand::random());
        tracing::debug!(?fault, ?delay, "trying again");
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// The same for a call of the chat server.
    pub(super) async fn call_failed(&mut self, error: crate::Error) -> Result<(), MediaError> {
        self.failures += 1;
        if !error.is_retryable() || self.failures > self.max_failures {
            return Err(error.into());
        }
        let delay = self.backoff.delay(self.failures - 1, rand::random());
        tokio::time::sleep(delay.max(error.retry_after().unwrap_or_default())).await;
        Ok(())
    }
}
