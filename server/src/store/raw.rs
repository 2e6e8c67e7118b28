//! How what is ours stands in a database, whichever it is.

use std::fmt::Display;

use super::StoreError;

/// A number of ours for a database, which knows only signed ones; ours stay below 2^63.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of ours out of a database.
pub(super) fn number(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

/// What is said when a database holds what this server did not write.
pub(super) fn corrupt(what: impl Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}
