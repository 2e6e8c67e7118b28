//! What holds for every value of every type of the protocol, whatever it is.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bytes;
mod closing;
mod content;
mod coordinates;
mod generate;
mod ids;
mod lists;
mod numbers;
mod patches;
mod published;
mod queries;
mod requests;
mod round_trip;
mod text;
mod time;
mod unknown;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseResult, TestRunner},
};

/// Fails with the smallest value for which the check fails.
fn for_any<S: Strategy>(values: S, check: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config { failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(&values, check) {
        panic!("{failure}");
    }
}
