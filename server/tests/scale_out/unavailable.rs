//! What becomes of a test whose Neo4j or Redis cannot be had.

use std::fmt;

use libtest_mimic::Completion;

use super::Verdict;

/// The variable with which the absence of Neo4j or Redis is a failure.
const REQUIRED: &str = "I9CHAT_TEST_REQUIRE_SCALE_OUT";

/// Why there is no Neo4j or no Redis.
#[derive(Debug, Clone)]
pub struct Unavailable {
    reason: String,
    named: bool,
}

impl Unavailable {
    /// None could be started.
    pub(super) fn started(what: &str, variable: &str, error: &dyn fmt::Display) -> Self {
        let reason = format!("no {what}: {error} (a container engine can start one, or {variable} can name one)");
        Self { reason, named: false }
    }

    /// One was asked for by name, and does not work.
    pub(super) fn named(what: &str, variable: &str, error: &dyn fmt::Display) -> Self {
        Self { reason: format!("the {what} that {variable} names: {error}"), named: true }
    }

    /// How a test ends that needs it: ignored with the reason, or failed where it has to be there.
    pub fn verdict(&self) -> Verdict {
        let required = super::variable(REQUIRED).is_some_and(|value| value == "1");
        if required || self.named { Err((&self.reason).into()) } else { Ok(Completion::ignored_with(&self.reason)) }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}
