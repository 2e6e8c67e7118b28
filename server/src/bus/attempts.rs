use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use async_trait::async_trait;
use i9chat_spec::{Limits, Timestamp, UserId};

use crate::{domain::accounts::window::Rate, store::StoreError};

const HOUR_S: u64 = 3600;

/// Failures on one account that an address may have when the account's limit was exceeded from others.
pub const TRIES_FROM_ELSEWHERE: u64 = 3;

/// Counts failed sign-ins per account and per client address, over all nodes. (SES-3)
#[async_trait]
pub trait SignInAttempts: Send + Sync + 'static {
    /// Whether a try may be made now, or else when.
    async fn may_try(&self, try_: &SignInTry) -> Result<Result<(), Duration>, StoreError>;

    /// Begins a try. It counts as failed from now on, so that tries at once are no way around the limit, until it is
    /// [taken back](Self::take_back).
    async fn begin(&self, try_: SignInTry) -> Result<Result<Attempt, Duration>, StoreError>;

    /// The try did not fail.
    async fn take_back(&self, attempt: Attempt) -> Result<(), StoreError>;
}

/// Who tries to sign in, from where, and when.
#[derive(Debug, Clone)]
pub struct SignInTry {
    /// The account.
    pub account: AccountKey,
    /// The client's network.
    pub network: Network,
    /// When.
    pub at: Timestamp,
}

/// A try that has begun.
#[derive(Debug)]
pub struct Attempt {
    /// The try.
    pub of: SignInTry,
    /// How long the account is to be left alone, when its limit was exceeded from elsewhere before.
    pub account_wait: Option<Duration>,
}

/// Whose sign-ins are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum AccountKey {
    /// A user, by whichever login.
    User(UserId),
    /// A login that nobody has, in lower case. It is limited too, so that the limit does not tell who is here. (SES-2)
    Unknown(String),
}

impl std::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountKey(…)")
    }
}

/// What counts as one address: an IPv6 client has a whole network of 64 bits to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// Its first address.
    pub fn address(self) -> IpAddr {
        self.0
    }
}

/// How many failures are taken.
#[derive(Debug, Clone, Copy)]
pub struct SignInRates {
    /// Of one account.
    pub per_account: Rate,
    /// From one network.
    pub per_address: Rate,
}

impl SignInRates {
    /// Those that the capabilities publish.
    pub fn of(limits: &Limits) -> Self {
        Self {
            per_account: Rate { limit: limits.sign_in_failures_per_account, seconds: HOUR_S },
            per_address: Rate { limit: limits.sign_in_failures_per_address, seconds: HOUR_S },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_its_ipv4_address() {
        let same = |a: &str, b: &str| Network::of(a.parse().unwrap()) == Network::of(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
    }
}
