//! The Rust client for i9chat.
