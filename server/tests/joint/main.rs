//! What cannot be seen from outside alone: the server as a process that is killed, starved and read over its shoulder, with
//! the SDK as its client.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod crash;
#[cfg(target_os = "linux")]
mod disk;
mod histories;
mod people;
mod process;
mod secrecy;
mod server;
mod sign_up;
mod start_stop;
