//! Connections: who is here, what goes out to them, what comes in, and how they resume.

mod connection;
mod frames;
mod outbox;
mod recent;
mod resume;
mod router;

pub use connection::{Connecting, close, serve};
pub use outbox::{Outbox, Outgoing};
pub use router::{Router, SessionEnded};

pub use frames::EncodedEvent;
