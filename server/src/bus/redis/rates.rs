use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::Script;

use super::{connection::Redis, keys::Keys};
use crate::bus::{LocalRates, Quota, RateKey, Rates};

/// How long is waited for Redis. A busy machine stutters for less: if that counted as away, each node would count for itself, and
/// everybody would have more than their rate. Once Redis did not answer, it is not asked until it does.
const PATIENCE: Duration = Duration::from_secs(1);

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rates/take.lua")));

/// Rates over all nodes, by the clock of Redis. While Redis is away each node counts for itself.
#[derive(Debug)]
pub struct RedisRates {
    redis: Redis,
    keys: Keys,
    here: Arc<LocalRates>,
}

impl RedisRates {
    /// Counts in that Redis.
    pub(super) fn start(redis: Redis, keys: Keys) -> Self {
        Self { redis, keys, here: LocalRates::start() }
    }
}

#[async_trait]
impl Rates for RedisRates {
    async fn take(&self, whose: RateKey, quota: Quota) -> Result<(), Duration> {
        // Not even asked while the last call failed.
        if !self.redis.is_reachable() {
            return self.here.count(whose, quota);
        }
        let every = quota.every.as_micros().max(1).to_string();
        let mut take = TAKE.prepare_invoke();
        // A quota that was changed counts anew, as that of another node may in a rolling upgrade.
        take.key(self.keys.key(format_args!("rate:{}:{every}", Name(whose)))).arg(&every).arg(quota.burst.get());
        match self.redis.script_within::<u64>(PATIENCE, &take).await {
            Ok(0) => Ok(()),
            Ok(wait) => Err(Duration::from_micros(wait)),
            Err(error) => {
                tracing::debug!(%error, "a rate is counted by this node alone");
                metrics::counter!("i9chat_rates_counted_alone_total").increment(1);
                self.here.count(whose, quota)
            }
        }
    }
}

/// Whose rate it is, in a key.
struct Name(RateKey);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            RateKey::User(user_id) => write!(f, "user:{user_id}"),
            RateKey::Media(user_id) => write!(f, "media:{user_id}"),
            RateKey::Network(network) => write!(f, "network:{}", network.address()),
            RateKey::Nearby(user_id) => write!(f, "nearby:{user_id}"),
        }
    }
}
