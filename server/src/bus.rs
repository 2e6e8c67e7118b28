//! Tells nodes what was committed, who is there, and what is not durable. The log is the truth, the bus a hint.

mod live;
mod local;
mod presence;

pub use live::{LiveBus, LiveEvent, Topic};
pub use local::{LocalBus, LocalPresence};
pub use presence::{Presence, PresenceOf, PresenceWatcher};

use crate::domain::Change;

/// Carries committed changes to whoever delivers them.
pub trait Bus: Send + Sync + 'static {
    /// Tells of changes that are durable, in log order.
    fn publish(&self, changes: &[Change]);
}

/// Delivers changes to connections.
pub trait Subscriber: Send + Sync + 'static {
    /// Takes changes that follow on those before, in log order.
    fn deliver(&self, changes: &[Change]);
}
