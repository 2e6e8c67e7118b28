//! The real server on a database of its own, with a clock that the test sets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use i9chat_server::{
    app::{Accounts, App, Committer, CommitterParts, Media, UserRates, Watching},
    auth::{
        keys::ServerKey,
        passwords::PasswordCost,
        tokens::{TokenClaims, Tokens},
    },
    bus::{LocalBus, LocalPresence},
    clock::Clock,
    domain::accounts::{
        claim::{Claim, Purpose, Step},
        hashes::{PasswordHash, SecretHash},
        refresh::RefreshState,
        window::Window,
    },
    http::{self, HttpConfig, Listening},
    ids::{Ids, SystemIds},
    media::disk::DiskMedia,
    realtime::Router,
    store::{
        LogStore, StoreError,
        accounts::{AccountMade, AccountStore, NewAccount, NewSession, SaveClaim, SessionProof},
        sqlite::SqliteStore,
    },
};
use i9chat_spec::{Bio, Lifetimes, Limits, SessionId, Timestamp, Token, User};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// How long tokens are good: longer than any case.
const TOKEN_TTL_S: u64 = 1_000_000;
/// How long events are kept.
pub const RETENTION_S: u64 = 100;

/// A clock that stands still until it is set.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub struct Server {
    pub app: Arc<App>,
    pub address: SocketAddr,
    clock: Arc<HandClock>,
    router: Arc<Router>,
    listening: Listening,
    tokens: Tokens,
    _folder: TempDir,
}

/// The one recorder of numbers in this program.
fn metrics() -> metrics_exporter_prometheus::PrometheusHandle {
    static HANDLE: OnceLock<metrics_exporter_prometheus::PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| http::install_metrics().unwrap()).clone()
}

impl Server {
    pub async fn start(limits: Limits, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lifetimes = Lifetimes { token_ttl_s: TOKEN_TTL_S, event_retention_s: RETENTION_S, ..Lifetimes::default() };
        let store = Arc::new(SqliteStore::open(&folder.path().join("i9chat.db"), 4).unwrap());
        let clock = Arc::new(HandClock(Mutex::new(now)));
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let key = ServerKey::generate(&*ids);
        let head = store.head().await.unwrap();
        let log: Arc<dyn LogStore> = Arc::clone(&store) as _;
        let router = Arc::new(Router::new(head, 50));
        let watching = Arc::new(Watching::default());
        let lease = std::time::Duration::from_secs(lifetimes.presence_lease_s);
        let presence =
            LocalPresence::start(Arc::clone(&store) as _, Arc::clone(&clock) as _, Arc::clone(&watching) as _, lease);
        let presence = Arc::new(presence.await.unwrap());
        let subscriber = Arc::clone(&router);
        let committer = Committer::start(CommitterParts {
            store: Arc::clone(&log),
            bus: Arc::new(LocalBus::new(subscriber)),
            clock: Arc::clone(&clock) as _,
            ids: Arc::clone(&ids),
        });
        let media = Arc::new(DiskMedia::open(folder.path(), &key).unwrap());
        let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
        let cost = PasswordCost { params, at_once: 1, waiting: 1 };
        let account_store: Arc<dyn AccountStore> = Arc::clone(&store) as _;
        let accounts = Accounts::new(account_store, &key, &limits, cost, Arc::clone(&ids)).unwrap();
        let nearby_rates = UserRates::per_minute(limits.nearby_per_minute);
        let records = Arc::clone(&store) as _;
        let app = Arc::new(App {
            clock: Arc::clone(&clock) as _,
            ids,
            limits,
            lifetimes,
            log,
            epoch: head.epoch,
            committer,
            accounts,
            presence,
            watching,
            live: Arc::clone(&router) as _,
            nearby_rates,
            media: Media { records, store: Arc::clone(&media) as _ },
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = HttpConfig {
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            public_url: None,
            max_connections: 100,
        };
        let service = http::routes(Arc::clone(&app), Arc::clone(&router), media, &config, metrics());
        let listening = http::listen(listener, service, config.max_connections, 16 * 1024);
        Self { app, address, clock, router, listening, tokens: Tokens::new(&key), _folder: folder }
    }

    pub fn set_time(&self, now: Timestamp) {
        *self.clock.0.lock().unwrap() = now;
    }

    /// Makes an account straight in the store, and gives a token of its session.
    pub async fn make_account(&self, user: &User) -> Token {
        let now = self.clock.now();
        let session_id = SessionId::from_uuid(self.app.ids.uuid(now));
        let secret = |what: u8| {
            let mut bytes = [what; 32];
            self.app.ids.fill(&mut bytes);
            SecretHash(bytes)
        };
        let claim = Claim {
            purpose: Purpose::Signup,
            email: format!("{}@example.com", user.username).parse().unwrap(),
            ticket: secret(0),
            step: Step::Done,
            expires_at: now,
            tickets: Window::default(),
            wrong_codes: Window::default(),
        };
        let proof =
            SessionProof::Tokens(RefreshState { generation: 1, newest: secret(1), before: None, newest_used: true });
        let account = NewAccount {
            claim: SaveClaim { claim, seen: None, forget_at: now, mail: None },
            user: user.clone(),
            bio: "".parse::<Bio>().unwrap(),
            password: PasswordHash("nobody signs in with it".to_owned()),
            session: NewSession { session_id, created_at: now, client: None, proof },
        };
        assert_eq!(self.app.accounts.store().make_account(account).await.unwrap(), AccountMade::Made);
        let claims = TokenClaims { user_id: user.user_id, session_id, generation: 1 };
        self.tokens.issue(claims, now, TOKEN_TTL_S).unwrap().0
    }

    /// Makes the writer forget what it remembers of the log, as it does after a transaction that failed.
    pub async fn forget(&self) {
        let fails = Box::new(|_: &mut _, _| Err(StoreError::Overloaded));
        let now = self.clock.now();
        self.app.log.transact(i9chat_server::domain::Wanted::default(), now, fails).await.unwrap_err();
    }

    /// Ends every connection and waits for that.
    pub async fn stop(self) {
        self.listening.stop.cancel();
        self.listening.tasks.close();
        self.router.close_all(|| 0);
        self.listening.tasks.wait().await;
    }
}
