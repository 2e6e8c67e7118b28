//! The rules of accounts and sessions: what a sign-up may do, which refresh token is good, when a session is open.

pub mod hashes;
pub mod refresh;
pub mod session;
pub mod signup;
pub mod window;
