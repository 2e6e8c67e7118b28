//! How a case ends.

use std::{collections::BTreeSet, fmt};

use i9chat_spec::ErrorCode;
use serde::Serialize;

/// What a case returns: nothing when the server did as the specification says, else why the case stopped.
pub type Verdict<T = ()> = Result<T, Stop>;

/// Why a case stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The server did something else than the specification says.
    #[error("{0}")]
    Failed(Mismatch),
    /// A step that the case needs, but does not judge, did not work: it cannot say anything.
    #[error("{0}")]
    Inconclusive(String),
    /// The case does not apply to this server, as it is set up.
    #[error("{0}")]
    Skipped(String),
}

/// What was expected, and what came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What the specification asks for.
    pub expected: String,
    /// What the server did.
    pub came: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.came)
    }
}

impl Stop {
    /// A failure: the server did something else than was expected.
    pub fn failed(expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self::Failed(Mismatch { expected: expected.into(), came: came.into() })
    }

    /// The case does not apply to this server, as it is set up.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }

    /// The same stop, told of one of several who asked the same.
    #[must_use]
    pub fn told_of(self, who: &str) -> Self {
        match self {
            Self::Failed(Mismatch { expected, came }) => Self::failed(format!("{expected} for {who}"), came),
            other => other,
        }
    }
}

/// For steps that a case needs but does not judge.
pub trait InSetup<T> {
    /// Turns a failure of the step into an inconclusive end of the case.
    fn in_setup(self, step: &str) -> Verdict<T>;
}

impl<T> InSetup<T> for Verdict<T> {
    fn in_setup(self, step: &str) -> Self {
        self.map_err(|stop| match stop {
            Stop::Failed(mismatch) => Stop::Inconclusive(format!("{step}: {mismatch}")),
            other => other,
        })
    }
}

/// How a case ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The server did as the specification says.
    Passed,
    /// It did not.
    Failed,
    /// The case does not apply: its profile is not claimed, or the server is set up in another way than it needs.
    Skipped,
    /// A step that the case needs, but does not judge, did not work.
    Inconclusive,
}

impl Ending {
    /// The word that stands in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// How a case ended, with what a reader needs to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The ending.
    pub ending: Ending,
    /// Why, if the case did not pass.
    pub detail: String,
    /// What travelled, in order, with secrets shortened.
    pub traffic: Vec<String>,
    /// Which endpoints refused something, and with which codes of their own.
    pub refusals: BTreeSet<(&'static str, ErrorCode)>,
}
