//! The i9chat server.
