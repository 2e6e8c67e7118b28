//! The bus of several nodes, on Redis.
//!
//! Redis may be empty, restarted or away at any time: the log is the truth, and everything here finds its way back by itself.
//! While it is away every call fails within a second; what may be lost is dropped and counted.

mod attempts;
mod changes;
mod claims;
mod clean_ups;
mod connection;
mod keys;
mod live;
mod packed;
mod post;
mod presence;
mod rates;
mod subscription;

use std::{fmt, sync::Arc, time::Duration};

use i9chat_spec::{Lifetimes, Limits};
use url::Url;
use uuid::Uuid;

pub use self::{
    attempts::RedisAttempts, changes::RedisBus, claims::RedisClaims, clean_ups::RedisCleanUps, live::RedisLive,
    presence::RedisPresence, rates::RedisRates,
};
use self::{connection::Redis, keys::Keys, presence::PresenceParts};
use super::{CLEAN_UP_IS_LEFT, LiveBus, PresenceWatcher, SignInRates, Subscriber, Tail};
use crate::{
    clock::Clock,
    ids::Ids,
    store::{LogHead, LogStore, StoreError, presence::LastSeen},
};

/// How long Redis is waited for at the start.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a node joins others with.
pub struct RedisParts<'a> {
    /// Where Redis is: `redis://…`, or `rediss://…` for TLS.
    pub url: &'a Url,
    /// What the names of all keys and channels begin with, in braces. Nodes with the same one belong together.
    pub prefix: &'a str,
    /// Names this node, differently at each start.
    pub node: Uuid,
    /// The log, in which everything committed is found.
    pub log: Arc<dyn LogStore>,
    /// The end of the log when the node started: what comes after it is delivered.
    pub head: LogHead,
    /// Delivers changes to the connections of this node.
    pub subscriber: Arc<dyn Subscriber>,
    /// Tells the connections of this node what is not durable.
    pub here: Arc<dyn LiveBus>,
    /// Hears who comes and goes.
    pub watcher: Arc<dyn PresenceWatcher>,
    /// Keeps when users were last seen.
    pub last_seen: Arc<dyn LastSeen>,
    /// What the server publishes and keeps to.
    pub limits: &'a Limits,
    /// How long things live.
    pub lifetimes: &'a Lifetimes,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes names.
    pub ids: Arc<dyn Ids>,
}

/// Everything that a node shares with others through Redis.
pub struct RedisBuses {
    /// Tells what was committed.
    pub bus: Arc<RedisBus>,
    /// Tells what is not durable.
    pub live: Arc<RedisLive>,
    /// Who is there.
    pub presence: Arc<RedisPresence>,
    /// Counts how often something is done.
    pub rates: Arc<RedisRates>,
    /// Counts failed sign-ins.
    pub attempts: Arc<RedisAttempts>,
    /// Claims to mail addresses, and the mails that wait.
    pub claims: Arc<RedisClaims>,
    /// Media to clean up.
    pub clean_ups: Arc<RedisCleanUps>,
    redis: Redis,
}

impl RedisBuses {
    /// Joins the nodes with the same prefix. An error when Redis cannot be reached; later it may come and go.
    pub async fn start(parts: RedisParts<'_>) -> Result<Self, StoreError> {
        let RedisParts { url, prefix, node, log, head, subscriber, here, watcher, last_seen, .. } = parts;
        let RedisParts { limits, lifetimes, clock, ids, .. } = parts;
        let redis = Redis::start(url.as_str(), PATIENCE).await?;
        let keys = Keys::new(prefix);
        let tail = Arc::new(Tail::start(log, subscriber, head.place.position));
        let presence = RedisPresence::start(PresenceParts {
            redis: redis.clone(),
            keys: keys.clone(),
            last_seen,
            watcher,
            clock,
            ids: Arc::clone(&ids),
            lease: Duration::from_secs(lifetimes.presence_lease_s),
        });
        let rates = SignInRates::of(limits);
        Ok(Self {
            bus: Arc::new(RedisBus::start(redis.clone(), keys.key("changes"), node, head.epoch, tail)),
            live: Arc::new(RedisLive::start(redis.clone(), keys.key("live"), node, here)),
            presence: Arc::new(presence),
            rates: Arc::new(RedisRates::start(redis.clone(), keys.clone())),
            attempts: Arc::new(RedisAttempts::new(redis.clone(), keys.clone(), rates, Arc::clone(&ids))),
            claims: Arc::new(RedisClaims::new(redis.clone(), keys.clone(), node, ids, claims::LEFT)),
            clean_ups: Arc::new(RedisCleanUps::new(redis.clone(), &keys, node, CLEAN_UP_IS_LEFT)),
            redis,
        })
    }

    /// Whether Redis answers, as far as is known.
    pub fn is_reachable(&self) -> bool {
        self.redis.is_reachable()
    }

    /// Waits until what was told is on its way, but not for ever. Presence [stops](super::Presence::stop) by itself.
    pub async fn stop(&self) {
        tokio::join!(self.bus.flush(), self.live.flush());
    }
}

impl fmt::Debug for RedisBuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuses").field("redis", &self.redis).finish_non_exhaustive()
    }
}
