//! Claims to mail addresses in Redis, and the mails that come with them: what is lost with it people ask for again.

mod mails;
mod wire;

pub(super) use self::mails::LEFT;

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use i9chat_spec::{EmailAddress, Timestamp};
use redis::Script;
use uuid::Uuid;

use super::{connection::Redis, keys::Keys};
use crate::{
    domain::accounts::{
        claim::{Claim, Purpose},
        hashes::SecretHash,
    },
    ids::Ids,
    store::{
        StoreError,
        claims::{ClaimStore, SaveClaim, Stored},
    },
};

/// How long a claim is kept at most, by the clock of Redis: longer than any matters.
const KEPT: Duration = Duration::from_hours(72);
/// How many claims are forgotten by one script.
const FORGET_AT_ONCE: usize = 500;

static SAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claims/save.lua")));
static OF_TICKET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claims/of_ticket.lua")));
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claims/forget.lua")));

/// The claims of all nodes, and their mails.
pub struct RedisClaims {
    redis: Redis,
    keys: Keys,
    node: Uuid,
    ids: Arc<dyn Ids>,
    /// After how long a node has left the mails that it took.
    left: Duration,
}

impl RedisClaims {
    /// Keeps them in that Redis. Mails that this node takes are left to others after some time.
    pub(super) fn new(redis: Redis, keys: Keys, node: Uuid, ids: Arc<dyn Ids>, left: Duration) -> Self {
        Self { redis, keys, node, ids, left }
    }

    fn claim_key(&self, purpose: Purpose, email: &EmailAddress) -> String {
        self.keys.key(format_args!("claim:{}:{}", name(purpose), email.key()))
    }

    fn ticket_key(&self, purpose: Purpose, ticket: &SecretHash) -> String {
        self.keys.key(format_args!("ticket:{}:{}", name(purpose), Hex(&ticket.0)))
    }

    fn forgetting_key(&self) -> String {
        self.keys.key("claims")
    }
}

const fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Signup => "signup",
        Purpose::PasswordReset => "reset",
    }
}

#[async_trait]
impl ClaimStore for RedisClaims {
    async fn claim_to(&self, purpose: Purpose, email: &EmailAddress) -> Result<Option<Stored<Claim>>, StoreError> {
        let mut find = redis::cmd("HMGET");
        find.arg(self.claim_key(purpose, email)).arg("version").arg("claim");
        let found: (Option<i64>, Option<Vec<u8>>) = self.redis.command(&find).await?;
        let (Some(version), Some(claim)) = found else { return Ok(None) };
        Ok(Some(Stored { value: wire::decode_claim(purpose, &claim)?, version }))
    }

    async fn claim(&self, purpose: Purpose, ticket: SecretHash) -> Result<Option<Stored<Claim>>, StoreError> {
        let mut find = OF_TICKET.prepare_invoke();
        find.key(self.ticket_key(purpose, &ticket));
        let found: Vec<(i64, Vec<u8>)> = self.redis.script(&find).await?;
        let Some((version, claim)) = found.into_iter().next() else { return Ok(None) };
        Ok(Some(Stored { value: wire::decode_claim(purpose, &claim)?, version }))
    }

    async fn save_claim(&self, save: SaveClaim) -> Result<bool, StoreError> {
        let SaveClaim { claim, seen, forget_at, mail } = save;
        let mut saving = SAVE.prepare_invoke();
        saving.key(self.claim_key(claim.purpose, &claim.email)).key(self.ticket_key(claim.purpose, &claim.ticket));
        saving.key(self.forgetting_key()).key(self.later_key()).key(self.taken_key());
        let seen_text = seen.map(|version| version.to_string()).unwrap_or_default();
        saving.arg(seen_text).arg(seen.unwrap_or(0) + 1).arg(wire::encode_claim(&claim)?);
        saving.arg(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX)).arg(forget_at.as_millis());
        saving.arg(mails::MOST_WAITING);
        match &mail {
            Some(mail) => saving.arg(self.waiting(mail, 0)?).arg(mail.due_at.as_millis()),
            None => saving.arg("").arg(0),
        };
        match self.redis.script::<i64>(&saving).await? {
            1 => Ok(true),
            -1 => Err(StoreError::Overloaded),
            _ => Ok(false),
        }
    }

    async fn forget_claims(&self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let mut forget = FORGET.prepare_invoke();
            forget.key(self.forgetting_key()).arg(now.as_millis()).arg(FORGET_AT_ONCE);
            if self.redis.script::<usize>(&forget).await? < FORGET_AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// Bytes, as digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RedisClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisClaims")
    }
}
