//! Passwords, tokens and keys: what proves who a caller is.

pub mod keys;
pub mod passwords;
pub mod secrets;
pub mod tokens;
