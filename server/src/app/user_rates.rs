use std::{fmt, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use i9chat_spec::UserId;

/// How often each user may do one thing.
pub struct UserRates(RateLimiter<UserId, DefaultKeyedStateStore<UserId>, DefaultClock>);

impl UserRates {
    /// So often a minute, and all of them at once. (USR-13)
    pub fn per_minute(limit: u64) -> Self {
        let limit = NonZeroU32::new(u32::try_from(limit).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::dashmap_with_clock(Quota::per_minute(limit), DefaultClock::default()))
    }

    /// Counts one, or says how long to wait. (ERR-7)
    pub(super) fn check(&self, user_id: UserId) -> Result<(), Duration> {
        self.0.check_key(&user_id).map_err(|wait| wait.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets those who did nothing lately: the table only grows by itself.
    pub(super) fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

impl fmt::Debug for UserRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserRates(…)")
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;

    #[test]
    fn the_rate_is_exact_and_each_user_has_their_own() {
        let rates = UserRates::per_minute(3);
        let other = UserId::from_uuid(uuid::Uuid::from_u128(7));
        for _ in 0..3 {
            assert!(rates.check(UserId::example()).is_ok());
        }
        let wait = rates.check(UserId::example()).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20), "{wait:?}");
        assert!(rates.check(other).is_ok());
        rates.forget_idle();
        assert!(rates.check(UserId::example()).is_err(), "who is over the rate is not forgotten");
    }
}
