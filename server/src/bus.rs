//! What nodes tell each other and count together: what was committed, what is not durable, who is there, who tries how often.
//! The log is the truth, the bus a hint.

mod attempts;
mod clean_ups;
mod committed;
mod live;
mod local;
mod presence;
mod rates;
mod redis;
mod tail;

use tokio::sync::oneshot;

pub use attempts::{AccountKey, Attempt, Network, SignInAttempts, SignInRates, SignInTry, TRIES_FROM_ELSEWHERE};
pub use clean_ups::{CLEAN_UP_IS_LEFT, CleanUps};
pub use committed::Committed;
pub use live::{LiveBus, LiveEvent, Topic};
pub use local::{LocalAttempts, LocalBus, LocalCleanUps, LocalPresence, LocalRates};
pub use presence::{Presence, PresenceOf, PresenceWatcher};
pub use rates::{Quota, RateKey, Rates};
pub use redis::{
    RedisAttempts, RedisBus, RedisBuses, RedisClaims, RedisCleanUps, RedisLive, RedisParts, RedisPresence, RedisRates,
};
pub use tail::Tail;

/// Carries committed changes to whoever delivers them, on every node.
pub trait Bus: Send + Sync + 'static {
    /// Tells of changes that this node has committed, in log order.
    fn publish(&self, changes: Vec<Committed>) -> Told;
}

/// Whether changes have been delivered on the node that committed them.
#[derive(Debug)]
#[must_use = "whoever is answered before the changes are delivered may hear of what was over for them"]
pub enum Told {
    /// They have.
    Now,
    /// They wait for changes of other nodes that come before them. Ends when they have been delivered, or will not be soon.
    Later(oneshot::Receiver<()>),
}

/// Delivers changes to connections.
pub trait Subscriber: Send + Sync + 'static {
    /// Takes changes that follow on those before, in log order.
    fn deliver(&self, changes: &[Committed]);
}
