use std::{num::NonZeroU32, time::Duration};

use async_trait::async_trait;
use i9chat_spec::UserId;

use super::Network;

/// Counts how often something is done, over all nodes. When they cannot be reached, each node counts for itself: a limit that is
/// exceeded for a while is better than nobody being served.
#[async_trait]
pub trait Rates: Send + Sync + 'static {
    /// Counts one, or says how long to wait. (ERR-7)
    async fn take(&self, whose: RateKey, quota: Quota) -> Result<(), Duration>;
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateKey {
    /// The requests of a user.
    User(UserId),
    /// Those that URLs permit which were made for a user: whoever has such a URL must not use up what the user may ask.
    Media(UserId),
    /// The requests from a network without a token.
    Network(Network),
    /// A user's searches around places. (USR-13)
    Nearby(UserId),
}

/// How often: one after each `every`, and `burst` of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// The time in which one more is allowed.
    pub every: Duration,
    /// How many may come at once.
    pub burst: NonZeroU32,
}

impl Quota {
    /// So many in each span, for long, and `burst` of them at once.
    pub fn new(count: u64, span: Duration, burst: u64) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let burst = NonZeroU32::new(u32::try_from(burst).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        Self { every: (span / count).max(Duration::from_nanos(1)), burst }
    }
}
