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

#[cfg(test)]
mod tests {
    use i9chat_spec::Limits;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_380_000_000);

    fn attempts(per_account: u64, per_address: u64) -> LocalAttempts {
        LocalAttempts::new(SignInRates::of(&Limits {
            sign_in_failures_per_account: per_account,
            sign_in_failures_per_address: per_address,
            ..Limits::default()
        }))
    }

    fn a_try(name: &str, from: u8, at: Timestamp) -> SignInTry {
        let network = Network::of([192, 0, 2, from].into());
        SignInTry { account: AccountKey::Unknown(name.to_owned()), network, at }
    }

    fn begins(attempts: &LocalAttempts, name: &str, from: u8) -> Result<Attempt, Duration> {
        attempts.begin_now(a_try(name, from, NOW))
    }

    fn fails(attempts: &LocalAttempts, name: &str, from: u8) -> Option<Duration> {
        begins(attempts, name, from).unwrap().account_wait
    }

    #[test]
    fn the_limit_of_an_account_is_exact_and_ends_after_an_hour() {
        let attempts = attempts(3, 100);
        for _ in 0..3 {
            assert_eq!(fails(&attempts, "alice", 1), None);
        }
        let again = a_try("alice", 1, NOW);
        let looked = attempts.look(&mut attempts.windows.lock(), &again);
        assert_eq!(looked, Err(Duration::from_hours(1)));
        assert!(begins(&attempts, "alice", 1).is_err());
        assert!(begins(&attempts, "bob", 1).is_ok(), "another account is another account");
        assert!(attempts.begin_now(a_try("alice", 1, NOW.plus_seconds(3600))).is_ok());
    }

    #[test]
    fn the_limit_of_an_address_counts_over_all_accounts() {
        let attempts = attempts(10, 3);
        for name in ["alice", "bob", "carol"] {
            fails(&attempts, name, 1);
        }
        assert!(begins(&attempts, "dave", 1).is_err());
        assert!(begins(&attempts, "dave", 2).is_ok());
    }

    #[test]
    fn an_owner_is_let_in_while_others_exceed_the_limit_of_the_account() {
        let attempts = attempts(4, 100);
        for _ in 0..4 {
            fails(&attempts, "alice", 1);
        }
        attempts.take_back_now(begins(&attempts, "alice", 2).unwrap());
        for _ in 0..3 {
            assert!(fails(&attempts, "alice", 2).is_some(), "a wrong password is told to wait all the same");
        }
        assert!(begins(&attempts, "alice", 2).is_err());
    }

    #[test]
    fn success_does_not_count_and_tries_at_once_are_no_way_around() {
        let attempts = attempts(2, 100);
        for _ in 0..10 {
            attempts.take_back_now(begins(&attempts, "alice", 1).unwrap());
        }
        let first = begins(&attempts, "alice", 1).unwrap();
        let second = begins(&attempts, "alice", 1).unwrap();
        assert!(begins(&attempts, "alice", 1).is_err());
        attempts.take_back_now(first);
        attempts.take_back_now(second);
        assert!(begins(&attempts, "alice", 1).is_ok());
    }
}
