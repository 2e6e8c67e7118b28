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
//! # Groups, receipts, pictures
//!
//! ```no_run
//! use i9chat_sdk::{Client, uploads::{Source, Upload}};
//!
//! # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let hikers = client.create_group("Hikers").members(["bob", "carol"]).await?.group;
//! hikers.add(["dave"]).await?;
//!
//! let photo = client.upload(Upload::image(Source::file("summit.jpg"), "image/jpeg")?).await?; // goes on after breaks
//! let sent = hikers.chat().send(photo.image().caption("On the summit!")).await?;
//!
//! let message = hikers.chat().message(sent.message_id);
//! message.react("👍").await?;
//! println!("{:?}", message.status().await?); // Sent, Delivered or Read
//! hikers.chat().mark_read(sent.seq).await?; // that one has got something is marked by itself
//!
//! let mut bob = client.presence("bob")?;
//! while let Some(presence) = bob.changed().await {
//!     println!("bob is {}", if presence.is_online() { "here" } else { "away" });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - [`Client`]: connecting, updates, chats and groups, presence, profile, sessions. [`Client::builder`] has the choices.
//! - [`ChatHandle`], [`GroupHandle`], [`MessageHandle`]: what can be done with a chat, a group, a message.
//! - [`chats`]: all that an application shows of its chats, kept up to date.
//! - [`uploads`], [`content`]: media, and the messages that it makes. [`render`]: activities and entries in words.
//! - [`Credentials`], [`SessionStore`]: signing in, and staying signed in between runs. [`Signup`], [`PasswordReset`]: an account, and
//!   a new password for it.
//! - [`Error`]: what to do about what goes wrong.
//! - [`Http`]: any endpoint of the specification, by its type.
//! - [`chats`]: what an application shows on screen, kept up to date. [`render`]: words for it.
//! - [`uploads`]: media up and down, over breaks and restarts.
//! - [`connection`]: the logic of a connection without I/O, for other runtimes and for tests.
//! - [`spec`]: the types that travel.
//!
//! Every method that asks something of the server may be dropped while it waits: what it asked for may or may not happen, and
//! nothing else comes to harm.

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
