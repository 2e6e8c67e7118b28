//! The rules of accounts and sessions: what the claim to an address may do, which refresh token is good, when a session is open.

pub mod claim;
pub mod hashes;
pub mod refresh;
pub mod session;
pub mod window;
