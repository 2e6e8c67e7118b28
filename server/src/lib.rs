//! The i9chat server: an embedded store by default, one binary.
//!
//! `ARCHITECTURE.md` says where what stands. Arrows run one way: `main` → `http`, `realtime` → `app` → `domain`; store, bus
//! and mail are traits that `app` names, and their backends are named by `main` alone.

pub mod app;
pub mod auth;
pub mod bus;
pub mod clock;
pub mod config;
pub mod domain;
pub mod http;
pub mod ids;
pub mod mail;
pub mod media;
pub mod migrate;
pub mod node;
pub mod program;
pub mod realtime;
pub mod store;
