use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use parking_lot::RwLock;

use crate::bus::{Quota, RateKey, Rates};

/// How often those are forgotten who did nothing lately: the tables only grow by themselves.
const FORGET: Duration = Duration::from_mins(1);

type Limiter = RateLimiter<RateKey, DefaultKeyedStateStore<RateKey>, DefaultClock>;

/// The rates of a single node, counted in memory.
#[derive(Default)]
pub struct LocalRates {
    /// As many as the configuration has quotas.
    limiters: RwLock<HashMap<Quota, Arc<Limiter>>>,
}

impl LocalRates {
    /// Nobody has done anything yet. Forgets by itself, for as long as it is there, who did nothing lately.
    pub fn start() -> Arc<Self> {
        let rates = Arc::new(Self::default());
        let forgetting = Arc::downgrade(&rates);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(FORGET);
            loop {
                tick.tick().await;
                let Some(rates) = forgetting.upgrade() else { return };
                rates.forget_idle();
            }
        });
        rates
    }

    /// Counts one, or says how long to wait.
    pub fn count(&self, whose: RateKey, quota: Quota) -> Result<(), Duration> {
        let limiter = self.limiters.read().get(&quota).cloned();
        let limiter =
            limiter.unwrap_or_else(|| Arc::clone(self.limiters.write().entry(quota).or_insert_with(|| limit(quota))));
        limiter.check_key(&whose).map_err(|wait| wait.wait_time_from(DefaultClock::default().now()))
    }

    fn forget_idle(&self) {
        for limiter in self.limiters.read().values() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

fn limit(quota: Quota) -> Arc<Limiter> {
    // Never zero: see `Quota::new`.
    let quota = governor::Quota::with_period(quota.every)
        .unwrap_or(governor::Quota::per_second(quota.burst))
        .allow_burst(quota.burst);
    Arc::new(RateLimiter::dashmap_with_clock(quota, DefaultClock::default()))
}

#[async_trait]
impl Rates for LocalRates {
    async fn take(&self, whose: RateKey, quota: Quota) -> Result<(), Duration> {
        self.count(whose, quota)
    }
}

impl fmt::Debug for LocalRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalRates")
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{Example, UserId};

    use super::*;
    use crate::bus::Network;

    #[test]
    fn the_rate_is_exact_and_each_user_has_their_own() {
        let rates = LocalRates::default();
        let thrice = Quota::new(3, Duration::from_mins(1), 3);
        let [one, other] = [UserId::example(), UserId::from_uuid(uuid::Uuid::from_u128(7))].map(RateKey::Nearby);
        for _ in 0..3 {
            assert!(rates.count(one, thrice).is_ok());
        }
        let wait = rates.count(one, thrice).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20), "{wait:?}");
        assert!(rates.count(other, thrice).is_ok());
        rates.forget_idle();
        assert!(rates.count(one, thrice).is_err(), "who is over the rate is not forgotten");
    }

    #[test]
    fn a_network_counts_together() {
        let rates = LocalRates::default();
        let once = Quota::new(1, Duration::from_secs(1), 1);
        let from = |address: &str| RateKey::Network(Network::of(address.parse().unwrap()));
        assert!(rates.count(from("2001:db8::1"), once).is_ok());
        assert!(rates.count(from("2001:db8::2"), once).unwrap_err() <= Duration::from_secs(1));
        assert!(rates.count(from("2001:db8:0:1::1"), once).is_ok());
    }
}
