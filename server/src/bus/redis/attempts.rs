use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::{Script, ScriptInvocation};
use sha2::{Digest, Sha256};

use super::{connection::Redis, keys::Keys};
use crate::{
    bus::{AccountKey, Attempt, SignInAttempts, SignInRates, SignInTry, TRIES_FROM_ELSEWHERE},
    ids::Ids,
    store::StoreError,
};

static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("attempts/look.lua")));
static TAKE_BACK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("attempts/take_back.lua")));

/// Failed sign-ins over all nodes. While Redis is away nobody signs in: nobody would count how often they try.
pub struct RedisAttempts {
    redis: Redis,
    keys: Keys,
    rates: SignInRates,
    ids: Arc<dyn Ids>,
}

impl RedisAttempts {
    /// Counts up to those rates in that Redis.
    pub(super) fn new(redis: Redis, keys: Keys, rates: SignInRates, ids: Arc<dyn Ids>) -> Self {
        Self { redis, keys, rates, ids }
    }

    async fn look(&self, try_: &SignInTry, name: &str) -> Result<Result<Option<Duration>, Duration>, StoreError> {
        let SignInRates { per_account, per_address } = self.rates;
        let mut look = LOOK.prepare_invoke();
        look.key(self.account(try_)).key(self.network(try_)).key(self.both(try_));
        look.arg(try_.at.as_millis());
        for rate in [per_account, per_address] {
            look.arg(rate.limit).arg(rate.seconds.saturating_mul(1000));
        }
        look.arg(TRIES_FROM_ELSEWHERE).arg(name);
        let (may_try, wait): (bool, i64) = self.redis.script(&look).await?;
        let wait = u64::try_from(wait).ok().map(Duration::from_millis);
        Ok(if may_try { Ok(wait) } else { Err(wait.unwrap_or_default()) })
    }

    fn account(&self, try_: &SignInTry) -> String {
        self.keys.key(format_args!("tries:account:{}", Name(&try_.account)))
    }

    fn network(&self, try_: &SignInTry) -> String {
        self.keys.key(format_args!("tries:network:{}", try_.network.address()))
    }

    fn both(&self, try_: &SignInTry) -> String {
        self.keys.key(format_args!("tries:both:{}:{}", Name(&try_.account), try_.network.address()))
    }
}

#[async_trait]
impl SignInAttempts for RedisAttempts {
    async fn may_try(&self, try_: &SignInTry) -> Result<Result<(), Duration>, StoreError> {
        Ok(self.look(try_, "").await?.map(|_| ()))
    }

    async fn begin(&self, try_: SignInTry) -> Result<Result<Attempt, Duration>, StoreError> {
        let looked = self.look(&try_, &format!("{:016x}", self.ids.tag())).await?;
        Ok(looked.map(|account_wait| Attempt { of: try_, account_wait }))
    }

    async fn take_back(&self, attempt: Attempt) -> Result<(), StoreError> {
        let Attempt { of, account_wait } = attempt;
        let mut take_back: ScriptInvocation<'_> = TAKE_BACK.prepare_invoke();
        if account_wait.is_none() {
            take_back.key(self.account(&of));
        }
        take_back.key(self.network(&of)).key(self.both(&of)).arg(of.at.as_millis());
        self.redis.script(&take_back).await
    }
}

/// Whose sign-ins are counted, in a key.
struct Name<'a>(&'a AccountKey);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            AccountKey::User(user_id) => write!(f, "user:{user_id}"),
            // Not readable: people type passwords into the wrong field.
            AccountKey::Unknown(login) => {
                f.write_str("unknown:")?;
                Sha256::digest(login).iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl fmt::Debug for RedisAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisAttempts(…)")
    }
}
