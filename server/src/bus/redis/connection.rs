//! The way to Redis. A task of its own keeps the connection that commands share, so that whoever asks waits for a moment at
//! most: while Redis is away, every call fails at once.

use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError,
    RedisResult, ScriptInvocation, ServerErrorKind,
    aio::{MultiplexedConnection, PubSub},
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::store::StoreError;

/// How long a call may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// How long may pass until a connection is open.
const CONNECT: Duration = Duration::from_secs(1);
/// How long Redis is left alone after it could not be reached.
pub(super) const TRIED_AGAIN: Duration = Duration::from_millis(200);
/// How often Redis is asked whether it is there, when nobody else asks.
const LOOKED: Duration = Duration::from_millis(500);

/// A Redis; cheap to clone.
#[derive(Clone)]
pub(super) struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    reached: watch::Receiver<Option<Reached>>,
    doubt: Arc<Doubt>,
    _keeping: AbortOnDropHandle<()>,
}

/// The connection that is open.
#[derive(Clone)]
pub(super) struct Reached {
    connection: MultiplexedConnection,
    run: Run,
}

/// Names the time from a start of Redis to its end: what it held in another may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run(Arc<str>);

/// What callers tell the task that keeps the connection.
#[derive(Default)]
struct Doubt {
    /// A call failed, and nothing was heard of Redis since.
    is_there: AtomicBool,
    /// The other end can be read alone: it is no more what it was.
    is_unfit: AtomicBool,
    rung: Notify,
}

impl Redis {
    /// Looks for the Redis at a URL, and keeps looking for as long as this or a clone of it is there. An error when the URL
    /// leads nowhere, when Redis is not ready within a time, and at once when it does not let us in.
    pub(super) async fn start(url: impl IntoConnectionInfo, patience: Duration) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| failed(&error))?;
        let began = Instant::now();
        let judge = |error: &_| {
            let is_over = is_denied(error) || began.elapsed() >= patience;
            if is_over { Err(failed(error)) } else { Ok(()) }
        };
        let found = search(&client, judge).await?;
        let (reached, changes) = watch::channel(Some(found.clone()));
        let doubt = Arc::new(Doubt::default());
        let keeping = AbortOnDropHandle::new(tokio::spawn(keep(client.clone(), found, reached, Arc::clone(&doubt))));
        Ok(Self(Arc::new(Shared { client, reached: changes, doubt, _keeping: keeping })))
    }

    /// Whether Redis answers, as far as is known.
    pub(super) fn is_reachable(&self) -> bool {
        self.0.reached.borrow().is_some() && !self.0.doubt.is_there.load(Ordering::Relaxed)
    }

    /// The run of Redis that is connected to, if any is.
    pub(super) fn run(&self) -> Option<Run> {
        self.0.reached.borrow().as_ref().map(|reached| reached.run.clone())
    }

    /// Tells when the connection is another one, or there is none any more, or one again.
    pub(super) fn changes(&self) -> watch::Receiver<Option<Reached>> {
        self.0.reached.clone()
    }

    /// Gives a command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.within(DEADLINE, async |connection| command.query_async(connection).await).await
    }

    /// Gives several commands in one go.
    pub(super) async fn commands<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        self.within(DEADLINE, async |connection| commands.query_async(connection).await).await
    }

    /// Runs a script.
    pub(super) async fn script<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        self.script_within(DEADLINE, script).await
    }

    /// Runs a script, which may take that long.
    pub(super) async fn script_within<T: FromRedisValue>(
        &self,
        deadline: Duration,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.within(deadline, async |connection| script.invoke_async(connection).await).await
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        call: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let Some(Reached { mut connection, .. }) = self.0.reached.borrow().clone() else {
            return Err(StoreError::Unavailable("Redis is not connected".to_owned()));
        };
        let began = Instant::now();
        let outcome = timeout(deadline, call(&mut connection)).await;
        metrics::histogram!("i9chat_redis_call_seconds").record(began.elapsed().as_secs_f64());
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.call_failed(&error)),
            Err(_) => {
                self.0.doubt.ring();
                Err(StoreError::Unavailable("Redis does not answer".to_owned()))
            }
        }
    }

    fn call_failed(&self, error: &RedisError) -> StoreError {
        match error.kind() {
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => StoreError::Corrupt(error.to_string()),
            kind => {
                if kind == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                    self.0.doubt.is_unfit.store(true, Ordering::Relaxed);
                }
                self.0.doubt.ring();
                failed(error)
            }
        }
    }

    /// A connection of one's own, on which a call may take as long as it likes.
    pub(super) async fn own_connection(&self) -> Result<MultiplexedConnection, StoreError> {
        connect(&self.0.client).await.map_err(|error| failed(&error))
    }

    /// A connection of one's own for listening.
    pub(super) async fn listening_connection(&self) -> Result<PubSub, StoreError> {
        match timeout(CONNECT, self.0.client.get_async_pubsub()).await {
            Ok(connected) => connected.map_err(|error| failed(&error)),
            Err(_) => Err(StoreError::Unavailable("Redis does not answer".to_owned())),
        }
    }
}

impl Doubt {
    fn ring(&self) {
        self.is_there.store(true, Ordering::Relaxed);
        self.rung.notify_one();
    }
}

fn failed(error: &RedisError) -> StoreError {
    let text = format!("Redis: {error}");
    if is_denied(error) { StoreError::Denied(text) } else { StoreError::Unavailable(text) }
}

/// Whether Redis does not let us in, or not do what we ask for.
fn is_denied(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    // Calls have deadlines of their own.
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
    match timeout(CONNECT, client.get_multiplexed_async_connection_with_config(&config)).await {
        Ok(connected) => connected,
        Err(_) => Err((ErrorKind::Io, "it does not answer").into()),
    }
}

/// Stays with the connection that was found, and connects again whenever it is lost.
async fn keep(client: Client, mut found: Reached, reached: watch::Sender<Option<Reached>>, doubt: Arc<Doubt>) {
    loop {
        tracing::info!("Redis is connected");
        metrics::gauge!("i9chat_redis_connected").set(1.0);
        let lost = stay(&mut found.connection, &doubt).await;
        reached.send_replace(None);
        metrics::gauge!("i9chat_redis_connected").set(0.0);
        metrics::counter!("i9chat_redis_outages_total").increment(1);
        tracing::warn!(reason = %lost, "the connection to Redis is lost");
        sleep(TRIED_AGAIN).await;
        let Ok(again) = search(&client, |_| Ok::<_, Infallible>(())).await;
        found = again;
        reached.send_replace(Some(found.clone()));
    }
}

/// Looks for Redis until it is found, or whoever judges the errors gives up.
async fn search<E>(client: &Client, judge: impl Fn(&RedisError) -> Result<(), E>) -> Result<Reached, E> {
    let mut is_known_to_be_away = false;
    loop {
        let error = match reach(client).await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        judge(&error)?;
        if is_known_to_be_away {
            tracing::debug!(%error, "Redis is still away");
        } else {
            is_known_to_be_away = true;
            tracing::warn!(%error, "Redis cannot be reached");
        }
        sleep(TRIED_AGAIN).await;
    }
}

/// Opens a connection to a Redis that is ready.
async fn reach(client: &Client) -> RedisResult<Reached> {
    let mut connection = connect(client).await?;
    // A Redis that still reads its files refuses a ping.
    ping(&mut connection).await?;
    let info: String = in_time(redis::cmd("INFO").arg("server").query_async(&mut connection)).await?;
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
    Ok(Reached { connection, run: Run(run.trim().into()) })
}

/// Stays while the connection is good; answers why it is not.
async fn stay(connection: &mut MultiplexedConnection, doubt: &Doubt) -> RedisError {
    doubt.is_unfit.store(false, Ordering::Relaxed);
    loop {
        if let Err(error) = ping(connection).await {
            return error;
        }
        doubt.is_there.store(false, Ordering::Relaxed);
        tokio::select! {
            () = doubt.rung.notified() => {}
            () = sleep(LOOKED) => {}
        }
        if doubt.is_unfit.load(Ordering::Relaxed) {
            return (ErrorKind::Client, "it takes no writes any more").into();
        }
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    in_time(redis::cmd("PING").query_async(connection)).await
}

async fn in_time<T>(call: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(DEADLINE, call).await {
        Ok(outcome) => outcome,
        Err(_) => Err((ErrorKind::Io, "it does not answer").into()),
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("is_reachable", &self.is_reachable()).finish_non_exhaustive()
    }
}
