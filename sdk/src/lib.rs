//! The Rust client for i9chat.
//!
//! A [`Client`] is a cheap handle to one task that owns a connection. The task comes back after every break, goes on where it
//! stopped, and sends again what was not acknowledged; the program sees each [`Update`] once and in order, and a send that
//! succeeded is stored once, for good.
//!
//! # A first program
//!
//! ```no_run
//! use i9chat_sdk::{Client, Credentials};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), i9chat_sdk::Error> {
//!     let client = Client::connect("http://127.0.0.1:8080", Credentials::password("alice", "correct horse battery staple")).await?;
//!
//!     let bob = client.direct("bob").await?;
//!     let sent = bob.send("Hello, Bob!").await?; // returns when the message is durable
//!     println!("stored as number {} of the chat", sent.seq);
//!
//!     let mut updates = client.updates();
//!     while let Some(update) = updates.next().await {
//!         if let Some(message) = update.message() {
//!             println!("{}: {}", message.sender.username, message.content.text().unwrap_or("(something newer)"));
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Where things are
//!
//! - [`Client`]: connecting, updates, chats, sending, history, sessions. [`Client::builder`] has the choices.
//! - [`Credentials`], [`SessionStore`]: signing in, and staying signed in between runs. [`Signup`]: making an account.
//! - [`Error`]: what to do about what goes wrong.
//! - [`Http`]: any endpoint of the specification, by its type.
//! - [`connection`]: the logic of a connection without I/O, for other runtimes and for tests.
//! - [`spec`]: the types that travel.

pub mod chats;
pub mod connection;
pub mod content;
pub mod render;
pub mod uploads;

mod client;
mod error;
#[cfg(doctest)]
mod guides;
mod http;
mod password_reset;
mod session;
mod signup;

pub use i9chat_spec as spec;

pub use self::{
    client::{
        ChatHandle, Client, ClientBuilder, CreateGroup, CreatedGroup, GroupHandle, Items, MessageHandle, Nearby, Page,
        Pages, Presence, PresenceHandle, UpdateGroup, UpdateMe, Updates,
    },
    connection::{ConnectionState, StopReason, Update},
    error::{Error, ErrorClass},
    http::Http,
    password_reset::{PasswordReset, VerifiedPasswordReset},
    session::{Credentials, FileStore, MemoryStore, Session, SessionStore},
    signup::{Signup, VerifiedSignup},
};
