//! Accounts and sessions through the use cases, on the real store, with a clock that the tests set.
//! (sections 3 to 6 of `docs/protocol.md`)

#![expect(clippy::unwrap_used, reason = "a test fails where it stands, its helpers too")]

mod log;
mod nearby;
mod password_reset;
mod presence;
mod refresh;
mod sessions;
mod sign_in;
mod signup;
mod users;
mod world;
