//! A server, put together from its parts.

pub mod moved;
mod stack;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use i9chat_spec::{Lifetimes, Limits};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

pub use self::stack::{Ground, Stack};
use crate::{
    app::App,
    auth::{
        keys::{KeyError, create_private_folder},
        passwords::{PasswordCost, PasswordError},
    },
    bus::{Presence, RedisBuses},
    clock::SystemClock,
    config::{MediaConfig, StackConfig},
    http::{self, HttpConfig, Listening},
    ids::{Ids, SystemIds},
    mail::{MailQueue, Mailer},
    media::MediaError,
    realtime::Router,
    store::{StoreError, sqlite::SqliteStore},
};

/// The name of the database in the data folder.
const DATABASE: &str = "i9chat.db";
/// The name of the file whose lock says that a server uses the data folder.
const LOCK: &str = "i9chat.lock";
/// What the nodes' common key is called in the database of a cluster.
pub const SERVER_KEY: &str = "server-key";
/// How many reads of the store run at once.
const READERS: usize = 4;
/// How often sessions with an open connection are marked as used. (SES-11)
const USE_IS_NOTED: Duration = Duration::from_hours(1);
/// How often what has run out is cleaned up.
const CLEAN_UP: Duration = Duration::from_hours(1);
/// How long an orderly stop waits for requests and connections to end.
const STOP_TIME: Duration = Duration::from_secs(5);
/// The longest delay that a stopping server asks a client to wait before it connects again, in milliseconds. (WSK-12)
const SPREAD_MS: u64 = 5000;

/// What a server is started with.
pub struct NodeConfig {
    /// Where everything is kept that has no other place; made when it is not there.
    pub data: PathBuf,
    /// One server, or several nodes.
    pub stack: StackConfig,
    /// Where the bytes of media are.
    pub media: MediaConfig,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What the server publishes and keeps to.
    pub limits: Limits,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// Pages, proxies and connections.
    pub http: HttpConfig,
    /// What a password hash costs.
    pub password_cost: PasswordCost,
    /// Sends mails.
    pub mailer: Arc<dyn Mailer>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made, read or written.
    #[error("the data folder {folder} cannot be used: {error}")]
    Data {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another server uses the data folder.
    #[error("another server uses the data folder {folder}; stop it first, or name another folder with --data")]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// What the data folder holds was moved to a cluster.
    #[error(
        "everything in the data folder {folder} was moved to {place} by `i9chat-server migrate`: start nodes with --store and --bus; a \
         server on this folder would go on with the same chats beside them. To use it all the same, remove the file {mark}"
    )]
    Moved {
        /// Which.
        folder: PathBuf,
        /// Where it is now, without a password.
        place: String,
        /// What stands in the way.
        mark: PathBuf,
    },
    /// The database cannot be opened.
    #[error("the database {file} cannot be opened: {error}")]
    Store {
        /// Which.
        file: PathBuf,
        /// Why.
        error: StoreError,
    },
    /// The database of a cluster cannot be used.
    #[error("the database of the cluster cannot be used: {0}")]
    Graph(StoreError),
    /// Redis cannot be used.
    #[error("Redis cannot be used: {0}")]
    Bus(StoreError),
    /// The bucket cannot be used.
    #[error("the bucket {place} cannot be used: {error}")]
    Media {
        /// Which.
        place: String,
        /// Why.
        error: MediaError,
    },
    /// The signing key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Passwords cannot be hashed on this machine.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {error}; name another address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// A server that runs.
pub struct Node {
    address: SocketAddr,
    ids: Arc<dyn Ids>,
    router: Arc<Router>,
    presence: Arc<dyn Presence>,
    shared: Option<RedisBuses>,
    listening: Listening,
    stop_mail: CancellationToken,
    mail: JoinHandle<()>,
    _chores: Vec<AbortOnDropHandle<()>>,
    _data_lock: Option<DataLock>,
}

/// A data folder that this process has for itself, until this is dropped or the process ends, however it ends.
///
/// The committer knows the head of the log without asking: a second one on the same database would write over it.
#[derive(Debug)]
pub struct DataLock(std::fs::File);

/// Said in so many words: closing the file would leave the lock with a child of this process that is being started just then.
impl Drop for DataLock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the data folder was not let go of");
        }
    }
}

/// Takes a data folder for this process, making it when it is not there.
pub fn lock_data(data: &std::path::Path) -> Result<DataLock, StartError> {
    let failed = |error| StartError::Data { folder: data.to_owned(), error };
    create_private_folder(data).map_err(failed)?;
    let file = std::fs::File::create(data.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse { folder: data.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Where the database of a data folder is.
pub fn database(data: &std::path::Path) -> PathBuf {
    data.join(DATABASE)
}

/// Opens the store of a data folder, making both when they are not there, but not when its data was moved to a cluster. Blocks.
pub fn open_store(data: &std::path::Path) -> Result<SqliteStore, StartError> {
    let moved_to = moved::moved_to(data).map_err(|error| StartError::Data { folder: data.to_owned(), error })?;
    match moved_to {
        Some(place) => Err(StartError::Moved { folder: data.to_owned(), place, mark: moved::mark(data) }),
        None => open_store_to_move(data),
    }
}

/// Opens the store of a data folder for moving what it holds, whether or not that was done before. Blocks.
pub fn open_store_to_move(data: &std::path::Path) -> Result<SqliteStore, StartError> {
    // Addresses and password hashes are nobody else's business.
    create_private_folder(data).map_err(|error| StartError::Data { folder: data.to_owned(), error })?;
    let file = database(data);
    SqliteStore::open(&file, READERS).map_err(|error| StartError::Store { file, error })
}

impl Node {
    /// Starts a server. It serves when this returns.
    pub async fn start(config: NodeConfig, metrics: PrometheusHandle) -> Result<Self, StartError> {
        let NodeConfig { data, stack, media, listen, limits, lifetimes, http, password_cost, mailer } = config;
        let ground =
            Ground { clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), limits, lifetimes, password_cost };
        let (data_lock, stack) = match &stack {
            StackConfig::Embedded => {
                let lock = lock_data(&data)?;
                (Some(lock), Stack::embedded(&data, &media, &ground).await?)
            }
            StackConfig::ScaleOut(shared) => (None, Stack::scale_out(shared, &data, &media, &ground).await?),
        };
        let ids = Arc::clone(&ground.ids);
        let app = stack.app(ground)?;
        let Stack { router, presence, disk, shared, .. } = stack;

        let listener =
            TcpListener::bind(listen).await.map_err(|error| StartError::Listen { address: listen, error })?;
        let address = listener.local_addr().map_err(|error| StartError::Listen { address: listen, error })?;
        let stop_mail = CancellationToken::new();
        let mail = tokio::spawn(mail_queue(&app, mailer).run(stop_mail.clone()));
        let chores = vec![spawn(note_use(Arc::clone(&app), Arc::clone(&router))), spawn(clean_up(Arc::clone(&app)))];
        let head_bytes = usize::try_from(app.limits.max_head_bytes).unwrap_or(usize::MAX);
        let service = http::routes(Arc::clone(&app), Arc::clone(&router), disk, &http, metrics);
        let listening = http::listen(listener, service, http.max_connections, head_bytes);
        Ok(Self {
            address,
            ids,
            router,
            presence,
            shared,
            listening,
            stop_mail,
            mail,
            _chores: chores,
            _data_lock: data_lock,
        })
    }

    /// Where it listens: with the port that was chosen when the configuration left it open.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops in order: takes no more connections, tells the open ones to come back later, each after another delay, and
    /// lets requests that are under way end. What was acknowledged is on disk already.
    pub async fn stop(self) {
        self.listening.stop.cancel();
        self.listening.tasks.close();
        let ids = self.ids;
        self.router.close_all(move || ids.tag() % SPREAD_MS);
        self.stop_mail.cancel();
        let ended = timeout(STOP_TIME, async {
            self.listening.tasks.wait().await;
            self.router.emptied().await;
            self.mail.await
        });
        if ended.await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        if let Err(error) = self.presence.stop().await {
            tracing::warn!(%error, "when users were last seen was not written down");
        }
        if let Some(shared) = &self.shared {
            shared.stop().await;
        }
    }
}

fn spawn(chore: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(chore))
}

fn mail_queue(app: &App, mailer: Arc<dyn Mailer>) -> MailQueue {
    MailQueue {
        store: Arc::clone(app.accounts.mails()),
        mailer,
        secrets: Arc::clone(app.accounts.secrets()),
        clock: Arc::clone(&app.clock),
        ticket_ttl_s: app.lifetimes.ticket_ttl_s,
        mail_waits: Arc::clone(app.accounts.mail_waits()),
    }
}

/// An open connection is use of its session. (SES-11)
async fn note_use(app: Arc<App>, router: Arc<Router>) {
    // Several times within the shortest of lifetimes, so that no session with a connection ever runs out.
    let several_times = Duration::from_secs(app.lifetimes.session_idle_ttl_s) / 4;
    let mut tick = tokio::time::interval(USE_IS_NOTED.min(several_times));
    loop {
        tick.tick().await;
        for session_id in router.sessions() {
            if let Err(failure) = app.session_used(session_id).await {
                tracing::warn!(?failure, "the use of a session was not noted");
            }
        }
    }
}

/// Takes away what has run out: tickets, and sessions that ended long ago.
async fn clean_up(app: Arc<App>) {
    let mut tick = tokio::time::interval(CLEAN_UP);
    loop {
        tick.tick().await;
        if let Err(error) = app.clean_up().await {
            tracing::warn!(%error, "what has run out was not cleaned up");
        }
        if let Err(error) = app.forget_old_events().await {
            tracing::warn!(%error, "old events were not removed");
        }
        if let Err(failure) = app.remove_expired_media().await {
            tracing::warn!(?failure, "media that nobody uses was not removed");
        }
    }
}
