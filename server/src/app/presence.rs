//! Who is there, as connections ask for it, and who is typing. (section 15)

mod feed;
mod subscribe;
mod typing;
mod watching;

use std::sync::Arc;

use i9chat_spec::PresenceState;

pub use self::{feed::Feed, watching::Watching};
use crate::bus::{LiveEvent, Topic};

/// Where the live events of one connection wait.
pub trait LiveSink: Send + Sync + 'static {
    /// Adds an event, in the place of one on the same topic that still waits. May lose what is no presence.
    fn tell(&self, news: News);

    /// Takes back what waits on a topic.
    fn withdraw(&self, topic: Topic);
}

/// A live event for one connection.
#[derive(Debug, Clone)]
pub struct News {
    /// The event.
    pub event: Arc<LiveEvent>,
    /// Of a presence: what the connection was told before, and what it is told now. An event that still waits and the one that
    /// takes it back are both left out. (PRS-7)
    pub change: Option<(PresenceState, PresenceState)>,
}
