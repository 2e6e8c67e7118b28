//! The real server on a database of its own, with a clock that the test sets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use i9chat_server::{
    app::App,
    auth::{
        passwords::PasswordCost,
        tokens::{TokenClaims, Tokens},
    },
    clock::Clock,
    config::MediaConfig,
    domain::accounts::{
        hashes::{PasswordHash, SecretHash},
        refresh::RefreshState,
    },
    http::{self, HttpConfig, Listening},
    ids::SystemIds,
    node::{Ground, Stack},
    realtime::Router,
    store::{
        StoreError,
        accounts::{AccountMade, NewAccount, NewSession, SessionProof},
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
        let clock = Arc::new(HandClock(Mutex::new(now)));
        let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
        let password_cost = PasswordCost { params, at_once: 1, waiting: 1 };
        let ids = Arc::new(SystemIds);
        let ground = Ground { clock: Arc::clone(&clock) as _, ids, limits, lifetimes, password_cost };
        let stack = Stack::embedded(folder.path(), &MediaConfig::Disk, &ground).await.unwrap();
        let app = stack.app(ground).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = HttpConfig {
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            public_url: None,
            max_connections: 100,
        };
        let service = http::routes(Arc::clone(&app), Arc::clone(&stack.router), stack.disk, &config, metrics());
        let listening = http::listen(listener, service, config.max_connections, 16 * 1024);
        Self { app, address, clock, router: stack.router, listening, tokens: Tokens::new(&stack.key), _folder: folder }
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
        let proof =
            SessionProof::Tokens(RefreshState { generation: 1, newest: secret(1), before: None, newest_used: true });
        let account = NewAccount {
            email: format!("{}@example.com", user.username).parse().unwrap(),
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
