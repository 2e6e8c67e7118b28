//! Counted in memory: a restart forgives. The tables are bounded, and forget first what was longest left alone.

use std::{fmt, hash::Hash, num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use i9chat_spec::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;

use crate::{
    bus::{AccountKey, Attempt, Network, SignInAttempts, SignInRates, SignInTry, attempts::TRIES_FROM_ELSEWHERE},
    domain::accounts::window::Window,
    store::StoreError,
};

/// How many accounts, addresses and pairs of both are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);

/// The failed sign-ins of a single node.
pub struct LocalAttempts {
    rates: SignInRates,
    windows: Mutex<Windows>,
}

struct Windows {
    accounts: LruCache<AccountKey, Window>,
    addresses: LruCache<Network, Window>,
    pairs: LruCache<(AccountKey, Network), Window>,
}

impl LocalAttempts {
    /// Counts up to those rates.
    pub fn new(rates: SignInRates) -> Self {
        Self {
            rates,
            windows: Mutex::new(Windows {
                accounts: LruCache::sparse(REMEMBERED),
                addresses: LruCache::sparse(REMEMBERED),
                pairs: LruCache::sparse(REMEMBERED),
            }),
        }
    }

    fn begin_now(&self, of: SignInTry) -> Result<Attempt, Duration> {
        let SignInRates { per_account, per_address } = self.rates;
        let mut windows = self.windows.lock();
        let account_wait = self.look(&mut windows, &of)?;
        let SignInTry { account, network, at } = of.clone();
        if account_wait.is_none() {
            windows.accounts.get_or_insert_mut(account.clone(), Window::default).note(at, per_account);
        }
        windows.addresses.get_or_insert_mut(network, Window::default).note(at, per_address);
        windows.pairs.get_or_insert_mut((account, network), Window::default).note(at, per_account);
        Ok(Attempt { of, account_wait })
    }

    /// The wait for the account, when its limit was exceeded from elsewhere alone; an error when no try may be made.
    fn look(&self, windows: &mut Windows, of: &SignInTry) -> Result<Option<Duration>, Duration> {
        let SignInRates { per_account, per_address } = self.rates;
        let SignInTry { account, network, at } = of;
        if let Some(wait) = windows.addresses.get(network).and_then(|window| window.wait(*at, per_address)) {
            return Err(wait);
        }
        let own = windows.pairs.get(&(account.clone(), *network)).map_or(0, |window| window.count(*at, per_account));
        let account_wait = match windows.accounts.get(account) {
            Some(window) => window.wait(*at, per_account),
            None => Window::default().wait(*at, per_account),
        };
        match account_wait {
            Some(wait) if own >= TRIES_FROM_ELSEWHERE.min(per_account.limit) => Err(wait),
            wait => Ok(wait),
        }
    }

    fn take_back_now(&self, attempt: Attempt) {
        let Attempt { of: SignInTry { account, network, at }, account_wait } = attempt;
        let mut windows = self.windows.lock();
        if account_wait.is_none() {
            take_back(&mut windows.accounts, &account, at);
        }
        take_back(&mut windows.addresses, &network, at);
        take_back(&mut windows.pairs, &(account, network), at);
    }
}

#[async_trait]
impl SignInAttempts for LocalAttempts {
    async fn may_try(&self, try_: &SignInTry) -> Result<Result<(), Duration>, StoreError> {
        Ok(self.look(&mut self.windows.lock(), try_).map(|_| ()))
    }

    async fn begin(&self, try_: SignInTry) -> Result<Result<Attempt, Duration>, StoreError> {
        Ok(self.begin_now(try_))
    }

    async fn take_back(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.take_back_now(attempt);
        Ok(())
    }
}

fn take_back<K: Eq + Hash>(windows: &mut LruCache<K, Window>, key: &K, at: Timestamp) {
    if let Some(window) = windows.get_mut(key) {
        window.take_back(at);
        if window.last().is_none() {
            windows.pop(key);
        }
    }
}

impl fmt::Debug for LocalAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalAttempts(…)")
    }
}
