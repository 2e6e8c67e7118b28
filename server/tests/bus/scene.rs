//! Nodes that belong together, and what they stand on.

use std::{sync::Arc, time::Duration};

use i9chat_server::{
    bus::{
        Bus, CleanUps, Committed, LiveBus, LocalAttempts, LocalBus, LocalCleanUps, LocalPresence, LocalRates, Presence,
        Rates, RedisBuses, RedisParts, SignInAttempts, SignInRates,
    },
    clock::Clock,
    domain::{ChangeBody, Place, Position, State, Wanted},
    ids::{Ids, SystemIds},
    store::{
        Decided, LogHead, LogStore, StoreError,
        accounts::{AccountMade, AccountStore, NewAccount, NewSession, SessionProof},
        claims::ClaimStore,
        mails::MailStore,
        sqlite::SqliteStore,
    },
};
use i9chat_spec::{Lifetimes, Limits, SessionId, User, UserId, event::ProfileChanged};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    heard::Heard,
    lab,
    memory::{HandClock, Memory, at},
};

/// How long what was taken from the queue of clean-ups stays with who took it, on a single node.
const LEFT: Duration = Duration::from_millis(50);

/// What connects the nodes.
pub enum Ways {
    /// There is one.
    Local,
    /// Redis.
    Redis { url: String, prefix: String, own: Option<Box<lab::Redis>> },
}

/// Nodes that belong together.
pub struct Scene {
    ways: Ways,
    /// The log of all nodes.
    pub store: Arc<SqliteStore>,
    /// When users were last seen.
    pub memory: Arc<Memory>,
    /// The clock of all nodes.
    pub clock: Arc<HandClock>,
    the_one: OnceCell<Node>,
    _folder: TempDir,
}

/// What a node is started with.
#[derive(Clone, Default)]
pub struct Setup {
    pub limits: Limits,
    pub lifetimes: Lifetimes,
    /// Where Redis is, if it is reached in another way.
    pub url: Option<String>,
    /// The end of the log, if it is another.
    pub head: Option<LogHead>,
}

/// A node. It ends without a word when the last clone is dropped.
#[derive(Clone)]
pub struct Node {
    pub bus: Arc<dyn Bus>,
    pub live: Arc<dyn LiveBus>,
    pub presence: Arc<dyn Presence>,
    pub rates: Arc<dyn Rates>,
    pub attempts: Arc<dyn SignInAttempts>,
    pub claims: Arc<dyn ClaimStore>,
    pub mails: Arc<dyn MailStore>,
    pub clean_ups: Arc<dyn CleanUps>,
    pub heard: Arc<Heard>,
    /// All of it, on Redis.
    pub buses: Option<Arc<RedisBuses>>,
}

impl Setup {
    /// With leases that run out so soon.
    pub fn with_lease(seconds: u64) -> Self {
        Self { lifetimes: Lifetimes { presence_lease_s: seconds, ..Lifetimes::default() }, ..Self::default() }
    }
}

impl Scene {
    pub fn new(ways: Ways) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            ways,
            store: Arc::new(SqliteStore::open(&folder.path().join("i9chat.db"), 2).unwrap()),
            memory: Arc::default(),
            clock: Arc::new(HandClock::new()),
            the_one: OnceCell::new(),
            _folder: folder,
        }
    }

    /// Two nodes.
    pub async fn nodes(&self) -> [Node; 2] {
        self.nodes_with(Setup::default()).await
    }

    /// Two nodes, started with that.
    pub async fn nodes_with(&self, setup: Setup) -> [Node; 2] {
        [self.node_with(setup.clone()).await, self.node_with(setup).await]
    }

    /// Another node. Where there is only one, that one.
    pub async fn node(&self) -> Node {
        self.node_with(Setup::default()).await
    }

    /// The same, started with that.
    pub async fn node_with(&self, setup: Setup) -> Node {
        match &self.ways {
            Ways::Local => self.the_one.get_or_init(async || self.local(&setup).await).await.clone(),
            Ways::Redis { url, prefix, .. } => self.on_redis(setup.url.as_ref().unwrap_or(url), prefix, &setup).await,
        }
    }

    async fn local(&self, setup: &Setup) -> Node {
        let heard = Arc::<Heard>::default();
        let lease = Duration::from_secs(setup.lifetimes.presence_lease_s);
        let records = Arc::clone(&self.memory) as _;
        let presence = LocalPresence::start(records, self.clock(), Arc::clone(&heard) as _, lease);
        Node {
            bus: Arc::new(LocalBus::new(Arc::clone(&heard) as _)),
            live: Arc::clone(&heard) as _,
            presence: Arc::new(presence.await.unwrap()),
            rates: LocalRates::start(),
            attempts: Arc::new(LocalAttempts::new(SignInRates::of(&setup.limits))),
            claims: Arc::clone(&self.store) as _,
            mails: Arc::clone(&self.store) as _,
            clean_ups: Arc::new(LocalCleanUps::new(LEFT)),
            heard,
            buses: None,
        }
    }

    /// Tries to start a node whose Redis is elsewhere.
    pub async fn try_node(&self, url: String) -> Result<Node, StoreError> {
        self.try_on_redis(&url, "i9chat", &Setup::default()).await
    }

    async fn on_redis(&self, url: &str, prefix: &str, setup: &Setup) -> Node {
        self.try_on_redis(url, prefix, setup).await.unwrap()
    }

    async fn try_on_redis(&self, url: &str, prefix: &str, setup: &Setup) -> Result<Node, StoreError> {
        let heard = Arc::<Heard>::default();
        let parts = RedisParts {
            url: &url.parse().unwrap(),
            prefix,
            node: uuid(),
            log: Arc::clone(&self.store) as _,
            head: match setup.head {
                Some(other) => other,
                None => self.store.head().await.unwrap(),
            },
            subscriber: Arc::clone(&heard) as _,
            here: Arc::clone(&heard) as _,
            watcher: Arc::clone(&heard) as _,
            last_seen: Arc::clone(&self.memory) as _,
            limits: &setup.limits,
            lifetimes: &setup.lifetimes,
            clock: self.clock(),
            ids: Arc::new(SystemIds),
        };
        let buses = Arc::new(RedisBuses::start(parts).await?);
        Ok(Node {
            bus: Arc::clone(&buses.bus) as _,
            live: Arc::clone(&buses.live) as _,
            presence: Arc::clone(&buses.presence) as _,
            rates: Arc::clone(&buses.rates) as _,
            attempts: Arc::clone(&buses.attempts) as _,
            claims: Arc::clone(&buses.claims) as _,
            mails: Arc::clone(&buses.claims) as _,
            clean_ups: Arc::clone(&buses.clean_ups) as _,
            heard,
            buses: Some(buses),
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    /// The Redis that the case has for itself.
    pub fn own_redis(&self) -> &lab::Redis {
        match &self.ways {
            Ways::Redis { own: Some(own), .. } => own,
            _ => panic!("the case does not say that it needs a Redis of its own"),
        }
    }

    /// The Redis of the nodes, past them, and what the names of their keys begin with.
    pub async fn redis(&self) -> (redis::aio::MultiplexedConnection, String) {
        let Ways::Redis { url, prefix, .. } = &self.ways else { panic!("there is no Redis") };
        let client = redis::Client::open(url.as_str()).unwrap();
        (client.get_multiplexed_async_connection().await.unwrap(), format!("{{{prefix}}}:"))
    }

    /// A user with an account.
    pub async fn user(&self, name: &str) -> User {
        let user = User { user_id: user_id(), username: name.parse().unwrap() };
        let account = NewAccount {
            email: format!("{name}@example.com").parse().unwrap(),
            user: user.clone(),
            bio: "Hello".parse().unwrap(),
            password: i9chat_server::domain::accounts::hashes::PasswordHash("phc".to_owned()),
            session: NewSession {
                session_id: SessionId::from_uuid(uuid()),
                created_at: at(0),
                client: None,
                proof: SessionProof::Cookie(i9chat_server::domain::accounts::hashes::SecretHash([1; 32])),
            },
        };
        assert_eq!(self.store.make_account(account).await.unwrap(), AccountMade::Made);
        user
    }

    /// Commits changes of a user's profile, as a node does that has told nobody yet.
    pub async fn commit(&self, user: &User, how_many: u64) -> Vec<Committed> {
        let user_id = user.user_id;
        let decide = Box::new(move |_: &mut State, head: Place| {
            let change = |n: u64| {
                let bio = format!("{}", head.position.0 + n).parse().unwrap();
                let profile = Box::new(ProfileChanged { bio, picture_id: None, location: None });
                let body = ChangeBody::ProfileChanged { user_id, profile };
                body.at(Position(head.position.0 + n), &SystemIds)
            };
            let changes = (1..=how_many).map(change).collect::<Result<_, _>>();
            let changes = changes.map_err(|error: serde_json::Error| StoreError::Corrupt(error.to_string()))?;
            Ok(Decided { changes, effects: Vec::new() })
        });
        let mut wanted = Wanted::default();
        wanted.profiles.insert(user_id);
        let changes = self.store.transact(wanted, at(0), decide).await.unwrap();
        changes.into_iter().map(Committed::from).collect()
    }

    /// Gives back what was taken.
    pub async fn end(self) {
        drop(self.the_one);
        if let Ways::Redis { own: Some(own), .. } = self.ways {
            own.end().await;
        }
    }
}

pub fn uuid() -> Uuid {
    SystemIds.uuid(at(0))
}

pub fn user_id() -> UserId {
    UserId::from_uuid(uuid())
}

pub fn user_ids<const N: usize>() -> [UserId; N] {
    std::array::from_fn(|_| user_id())
}
