//! Accounts and sessions through the use cases, on the real store, with a clock that the tests set.
//! (sections 3 to 6 of `docs/protocol.md`)

mod log;
mod refresh;
mod sessions;
mod sign_in;
mod signup;
mod users;
mod world;
