//! What Redis knows of who is there: under which leases, and when they went. Every change of it is one script, which also tells
//! all nodes, so that each user's changes are heard in the order in which they happened.

use std::{sync::LazyLock, time::Duration};

use i9chat_spec::{Timestamp, UserId};
use redis::Script;
use uuid::Uuid;

use crate::{
    bus::{
        PresenceOf,
        redis::{connection::Redis, keys::Keys},
    },
    store::StoreError,
};

static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("leases.lua"), include_str!("renew.lua"))));
static MOVE: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("leases.lua"), include_str!("move.lua"))));
static REAP: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("leases.lua"), include_str!("reap.lua"))));
static LOOK: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("leases.lua"), include_str!("look.lua"))));
static WRITTEN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("written.lua")));

/// The presence of all nodes.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) redis: Redis,
    leases: String,
    renewed: String,
    here: String,
    gone: String,
    /// What the names of the sets of users by lease begin with.
    under: String,
    pub(super) channel: String,
}

/// Names a lease: one stay of a node, from when it registers its users until it stops or its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseId(pub(super) String);

/// Who was moved from somewhere to nowhere, or the other way.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) came: Vec<UserId>,
    pub(super) went: Vec<UserId>,
    /// For each who came, how many connections they have under other leases.
    pub(super) elsewhere: Vec<u32>,
}

/// Who went, and when.
pub(super) type Gone = (UserId, Timestamp);

impl Ledger {
    pub(super) fn new(redis: Redis, keys: &Keys) -> Self {
        Self {
            redis,
            leases: keys.key("presence:leases"),
            renewed: keys.key("presence:renewed"),
            here: keys.key("presence:here"),
            gone: keys.key("presence:gone"),
            under: keys.key("presence:under:"),
            channel: keys.key("presence"),
        }
    }

    /// Begins a lease.
    pub(super) async fn begin(&self, lease: &LeaseId, lasts: Duration, now: Timestamp) -> Result<(), StoreError> {
        let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
        self.set_lease(lease, lasts, now, true).await.map(|_| ())
    }

    /// Renews a lease; `false` when it has run out.
    pub(super) async fn renew(&self, lease: &LeaseId, lasts: Duration, now: Timestamp) -> Result<bool, StoreError> {
        let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
        self.set_lease(lease, lasts, now, false).await
    }

    /// Ends a lease, as if it had run out that long ago: whoever is left under it was there until now.
    pub(super) async fn end(&self, lease: &LeaseId, ago: Duration, now: Timestamp) -> Result<(), StoreError> {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        self.set_lease(lease, -ago, now, false).await.map(|_| ())
    }

    async fn set_lease(&self, lease: &LeaseId, lasts: i64, now: Timestamp, begins: bool) -> Result<bool, StoreError> {
        let mut renew = RENEW.prepare_invoke();
        renew.key(&self.leases).key(&self.renewed);
        renew.arg(&lease.0).arg(lasts).arg(now.as_millis()).arg(u8::from(begins));
        self.redis.script(&renew).await
    }

    /// Notes who came to the node of a lease, with how many connections they are there, and who went; `None`, and nothing is changed,
    /// when the lease has run out.
    pub(super) async fn apply(
        &self,
        lease: &LeaseId,
        came: &[(UserId, u32)],
        went: &[Gone],
    ) -> Result<Option<Moved>, StoreError> {
        let mut apply = MOVE.prepare_invoke();
        apply.key(&self.leases).key(&self.here).key(&self.gone).key(format!("{}{}", self.under, lease.0));
        apply.arg(&lease.0).arg(&self.channel).arg(came.len());
        for (user_id, connections) in came {
            apply.arg(bytes(user_id)).arg(connections);
        }
        for (user_id, at) in went {
            apply.arg(bytes(user_id)).arg(at.as_millis());
        }
        let answer: Vec<redis::Value> = self.redis.script(&apply).await?;
        let [_, came, went, elsewhere] = answer.as_slice() else { return Ok(None) };
        let elsewhere = redis::from_redis_value_ref(elsewhere).map_err(|_| corrupt())?;
        Ok(Some(Moved { came: users(came)?, went: users(went)?, elsewhere }))
    }

    /// Takes out some users of a node whose lease ran out that long ago; answers who is nowhere now, and whether there may be
    /// more.
    pub(super) async fn reap(&self, at_most: usize, ago: Duration) -> Result<(Vec<Gone>, bool), StoreError> {
        let mut reap = REAP.prepare_invoke();
        reap.key(&self.leases).key(&self.here).key(&self.gone).key(&self.renewed);
        let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        reap.arg(&self.channel).arg(&self.under).arg(at_most).arg(ago);
        let (more, gone): (bool, Vec<(Vec<u8>, i64)>) = self.redis.script(&reap).await?;
        Ok((pairs(gone)?, more))
    }

    /// Whether users are there; `None` for whom Redis does not know.
    pub(super) async fn look(&self, users: &[UserId]) -> Result<Vec<Option<PresenceOf>>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let answers: Vec<String> = self.ask("each", users).await?;
        let state = |answer: &String| match answer.as_str() {
            "" => Ok(None),
            "+" => Ok(Some(PresenceOf::ONLINE)),
            at => Ok(Some(PresenceOf::offline(Some(Timestamp::from_millis(at.parse().map_err(|_| corrupt())?))))),
        };
        answers.iter().map(state).collect()
    }

    /// How many of the users are there.
    pub(super) async fn count(&self, users: &[UserId]) -> Result<u64, StoreError> {
        if users.is_empty() { Ok(0) } else { self.ask("count", users).await }
    }

    async fn ask<T: redis::FromRedisValue>(&self, what: &str, users: &[UserId]) -> Result<T, StoreError> {
        let mut look = LOOK.prepare_invoke();
        look.key(&self.leases).key(&self.here).key(&self.gone).key(&self.renewed).arg(what);
        for user_id in users {
            look.arg(bytes(user_id));
        }
        self.redis.script(&look).await
    }

    /// Some of those of whom it is known when they went.
    pub(super) async fn some_gone(&self, at_most: usize) -> Result<Vec<Gone>, StoreError> {
        let mut some = redis::cmd("HRANDFIELD");
        some.arg(&self.gone).arg(at_most).arg("WITHVALUES");
        pairs(self.redis.command(&some).await?)
    }

    /// When they went is written elsewhere.
    pub(super) async fn forget(&self, gone: &[Gone]) -> Result<(), StoreError> {
        let mut forget = WRITTEN.prepare_invoke();
        forget.key(&self.gone);
        for (user_id, at) in gone {
            forget.arg(bytes(user_id)).arg(at.as_millis());
        }
        self.redis.script(&forget).await
    }
}

fn bytes(user_id: &UserId) -> &[u8] {
    user_id.as_uuid().as_bytes()
}

pub(super) fn user(bytes: &[u8]) -> Result<UserId, StoreError> {
    Uuid::from_slice(bytes).map(UserId::from_uuid).map_err(|_| corrupt())
}

fn users(answer: &redis::Value) -> Result<Vec<UserId>, StoreError> {
    let ids: Vec<Vec<u8>> = redis::from_redis_value_ref(answer).map_err(|_| corrupt())?;
    ids.iter().map(|id| user(id)).collect()
}

fn pairs(answer: Vec<(Vec<u8>, i64)>) -> Result<Vec<Gone>, StoreError> {
    answer.into_iter().map(|(id, at)| Ok((user(&id)?, Timestamp::from_millis(at)))).collect()
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("presence in Redis".to_owned())
}
