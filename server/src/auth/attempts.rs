//! How many failed sign-ins are taken. (SES-3)
//!
//! Counted in memory: a restart forgives. The tables are bounded, and forget first what was longest left alone.

use std::{
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use i9chat_spec::{Limits, Timestamp, UserId};
use lru::LruCache;

use crate::domain::accounts::window::{Rate, Window};

const HOUR_S: u64 = 3600;
/// How many accounts, addresses and pairs of both are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);
/// Failures on one account that an address may have when the account's limit was exceeded from others.
const TRIES_FROM_ELSEWHERE: u64 = 3;

/// Whose sign-ins are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum AccountKey {
    /// A user, by whichever login.
    User(UserId),
    /// A login that nobody has, in lower case. It is limited too, so that the limit does not tell who is here. (SES-2)
    Unknown(String),
}

/// Counts failed sign-ins per account and per client address.
pub struct SignInAttempts {
    per_account: Rate,
    per_address: Rate,
    windows: Mutex<Windows>,
}

struct Windows {
    accounts: LruCache<AccountKey, Window>,
    addresses: LruCache<IpAddr, Window>,
    pairs: LruCache<(AccountKey, IpAddr), Window>,
}

impl SignInAttempts {
    /// Counts up to the limits that the capabilities publish.
    pub fn new(limits: &Limits) -> Self {
        Self {
            per_account: Rate { limit: limits.sign_in_failures_per_account, seconds: HOUR_S },
            per_address: Rate { limit: limits.sign_in_failures_per_address, seconds: HOUR_S },
            windows: Mutex::new(Windows {
                accounts: LruCache::sparse(REMEMBERED),
                addresses: LruCache::sparse(REMEMBERED),
                pairs: LruCache::sparse(REMEMBERED),
            }),
        }
    }

    /// Whether a try may be made now, or else when.
    pub fn may_try(&self, account: &AccountKey, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        self.look(&mut self.lock(), account, network(address), now).map(|_| ())
    }

    /// Begins a try. It counts as failed while it lasts, so that tries at once are no way around the limit.
    pub fn begin(&self, account: AccountKey, address: IpAddr, now: Timestamp) -> Result<Attempt<'_>, Duration> {
        let address = network(address);
        let mut windows = self.lock();
        let account_wait = self.look(&mut windows, &account, address, now)?;
        if account_wait.is_none() {
            windows.accounts.get_or_insert_mut(account.clone(), Window::default).note(now, self.per_account);
        }
        windows.addresses.get_or_insert_mut(address, Window::default).note(now, self.per_address);
        windows.pairs.get_or_insert_mut((account.clone(), address), Window::default).note(now, self.per_account);
        Ok(Attempt { attempts: self, account, address, at: now, account_wait, failed: false })
    }

    /// The wait for the account, when its limit was exceeded from elsewhere alone; an error when no try may be made.
    fn look(
        &self,
        windows: &mut Windows,
        account: &AccountKey,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<Duration>, Duration> {
        if let Some(wait) = windows.addresses.get(&address).and_then(|window| window.wait(now, self.per_address)) {
            return Err(wait);
        }
        let own =
            windows.pairs.get(&(account.clone(), address)).map_or(0, |window| window.count(now, self.per_account));
        let account_wait = match windows.accounts.get(account) {
            Some(window) => window.wait(now, self.per_account),
            None => Window::default().wait(now, self.per_account),
        };
        match account_wait {
            Some(wait) if own >= TRIES_FROM_ELSEWHERE.min(self.per_account.limit) => Err(wait),
            wait => Ok(wait),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A try to sign in. Dropped, it does not count; [`Attempt::fail`] makes it count.
pub struct Attempt<'a> {
    attempts: &'a SignInAttempts,
    account: AccountKey,
    address: IpAddr,
    at: Timestamp,
    account_wait: Option<Duration>,
    failed: bool,
}

impl Attempt<'_> {
    /// The password was wrong. The wait is given when the account's limit was exceeded before, from elsewhere.
    pub fn fail(mut self) -> Option<Duration> {
        self.failed = true;
        self.account_wait
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.failed {
            return;
        }
        let mut windows = self.attempts.lock();
        if self.account_wait.is_none() {
            take_back(&mut windows.accounts, &self.account, self.at);
        }
        take_back(&mut windows.addresses, &self.address, self.at);
        take_back(&mut windows.pairs, &(self.account.clone(), self.address), self.at);
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

/// What counts as one address: an IPv6 client has a whole network of 64 bits to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

impl fmt::Debug for SignInAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInAttempts(…)")
    }
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_380_000_000);

    fn attempts(per_account: u64, per_address: u64) -> SignInAttempts {
        SignInAttempts::new(&Limits {
            sign_in_failures_per_account: per_account,
            sign_in_failures_per_address: per_address,
            ..Limits::default()
        })
    }

    fn login(name: &str) -> AccountKey {
        AccountKey::Unknown(name.to_owned())
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fails(attempts: &SignInAttempts, name: &str, from: u8) -> Option<Duration> {
        attempts.begin(login(name), address(from), NOW).unwrap().fail()
    }

    #[test]
    fn the_limit_of_an_account_is_exact_and_ends_after_an_hour() {
        let attempts = attempts(3, 100);
        for _ in 0..3 {
            assert_eq!(fails(&attempts, "alice", 1), None);
        }
        assert_eq!(attempts.may_try(&login("alice"), address(1), NOW), Err(Duration::from_hours(1)));
        assert!(attempts.begin(login("alice"), address(1), NOW).is_err());
        assert!(attempts.begin(login("bob"), address(1), NOW).is_ok(), "another account is another account");
        assert!(attempts.begin(login("alice"), address(1), NOW.plus_seconds(3600)).is_ok());
    }

    #[test]
    fn the_limit_of_an_address_counts_over_all_accounts() {
        let attempts = attempts(10, 3);
        for name in ["alice", "bob", "carol"] {
            fails(&attempts, name, 1);
        }
        assert!(attempts.begin(login("dave"), address(1), NOW).is_err());
        assert!(attempts.begin(login("dave"), address(2), NOW).is_ok());
    }

    #[test]
    fn an_owner_is_let_in_while_others_exceed_the_limit_of_the_account() {
        let attempts = attempts(4, 100);
        for _ in 0..4 {
            fails(&attempts, "alice", 1);
        }
        drop(attempts.begin(login("alice"), address(2), NOW).unwrap());
        for _ in 0..3 {
            assert!(fails(&attempts, "alice", 2).is_some(), "a wrong password is told to wait all the same");
        }
        assert!(attempts.begin(login("alice"), address(2), NOW).is_err());
    }

    #[test]
    fn success_does_not_count_and_tries_at_once_are_no_way_around() {
        let attempts = attempts(2, 100);
        for _ in 0..10 {
            drop(attempts.begin(login("alice"), address(1), NOW).unwrap());
        }
        let first = attempts.begin(login("alice"), address(1), NOW).unwrap();
        let second = attempts.begin(login("alice"), address(1), NOW).unwrap();
        assert!(attempts.begin(login("alice"), address(1), NOW).is_err());
        drop((first, second));
        assert!(attempts.begin(login("alice"), address(1), NOW).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_its_ipv4_address() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
    }
}
