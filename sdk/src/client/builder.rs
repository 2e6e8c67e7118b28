use std::{fmt, sync::Arc, time::Duration};

use i9chat_spec::{
    Cursor, Format, Login, Nothing, Password,
    api::sessions::{Credentials as SignInBody, SignIn},
};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::task::TaskTracker;

use super::{
    Client, Inner,
    ask::Asker,
    driver::{Driver, Observers},
    marks::{self, Deliveries, Marks},
    presence::{self, Watchlist},
    typing::Typing,
};
use crate::{
    ConnectionState, Credentials, Error, Http, Session, SessionStore,
    connection::{Backoff, Settings},
    http::{Tokens, Transport, in_store},
    session::Source,
};

/// The choices that a [`Client`] is made with.
///
/// ```no_run
/// use i9chat_sdk::{Client, Credentials, spec::Format};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// let client = Client::builder("https://chat.example", Credentials::stored("alice.session"))
///     .format(Format::MessagePack)
///     .update_capacity(10_000)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct ClientBuilder {
    server: String,
    credentials: Credentials,
    format: Format,
    cursor: Option<Cursor>,
    update_capacity: usize,
    auto_delivered: bool,
    timeout: Duration,
    settings: Settings,
}

impl ClientBuilder {
    pub(super) fn new(server: &str, credentials: Credentials) -> Self {
        Self {
            server: server.to_owned(),
            credentials,
            format: Format::Json,
            cursor: None,
            update_capacity: 1024,
            auto_delivered: true,
            timeout: Duration::from_secs(30),
            settings: Settings::default(),
        }
    }

    /// The encoding of calls and frames: JSON unless chosen otherwise. (CNV-2, WSK-1)
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Goes on after the last update that an earlier run has seen ([`Update::cursor`](crate::Update::cursor)): what was missed comes first. (RSM-4)
    ///
    /// ```no_run
    /// # async fn run(cursor: i9chat_sdk::spec::Cursor) -> Result<(), i9chat_sdk::Error> {
    /// use i9chat_sdk::{Client, Credentials};
    ///
    /// let client = Client::builder("https://chat.example", Credentials::stored("alice.session"))
    ///     .resume_from(cursor) // kept with what was made of the updates
    ///     .connect()
    ///     .await?;
    /// while let Some(update) = client.updates().next().await {
    ///     if let Some(cursor) = update.cursor() {
    ///         println!("keep {}", cursor.as_str());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resume_from(self, cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), ..self }
    }

    /// How many updates wait for the program, 1,024 unless chosen otherwise, at least 1; [`Client::updates`] says what happens beyond.
    #[must_use]
    pub fn update_capacity(self, updates: usize) -> Self {
        Self { update_capacity: updates.max(1), ..self }
    }

    /// Whether messages of others are marked as delivered once they are among the [updates](Client::updates), or the last of a chat that
    /// [`Client::chats`] lists: `true` unless chosen otherwise. Marks that come together travel together, and no update waits for them. (RCP-1)
    #[must_use]
    pub fn auto_delivered(self, yes: bool) -> Self {
        Self { auto_delivered: yes, ..self }
    }

    /// How many sends wait for their acknowledgement, 256 unless chosen otherwise; one more is refused with [`Error::Overloaded`].
    #[must_use]
    pub fn max_pending_sends(mut self, sends: usize) -> Self {
        self.settings.max_pending_sends = sends;
        self
    }

    /// The delays between attempts to connect: a quarter of a second to 30 seconds unless chosen otherwise.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long [`connect`](Self::connect) tries: 30 seconds unless chosen otherwise.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Signs in if need be, and connects; see [`Client::connect`].
    pub async fn connect(self) -> Result<Client, Error> {
        let timeout = self.timeout;
        let client = self.start().await?;
        match tokio::time::timeout(timeout, client.connected()).await {
            Ok(connected) => connected.map(|()| client),
            Err(elapsed) => Err(Error::Network(elapsed.into())),
        }
    }

    /// Signs in if need be, and returns without waiting for the connection, which comes when it can. With a stored session this works offline.
    pub async fn start(self) -> Result<Client, Error> {
        let transport = Transport::new(&self.server, self.format)?;
        let session = establish(&transport, &self.credentials).await?;
        let me = session.user.user_id;
        let http = Http::new(transport, Some(Tokens::new(session, self.credentials.store)));

        let (commands, commands_taken) = mpsc::channel(64);
        let (updates, updates_taken) = mpsc::channel(self.update_capacity);
        let (marks, watchlist) = (Arc::new(Marks::default()), Arc::new(Watchlist::default()));
        let deliveries = Deliveries { me, marks: self.auto_delivered.then(|| Arc::clone(&marks)) };
        let observers = Observers { watchlist: Arc::clone(&watchlist), deliveries: deliveries.clone() };
        let driver = Driver::new(http.clone(), self.settings, self.cursor, commands_taken, updates, observers);
        let (state_shown, state) = watch::channel(driver.state());
        let task = TaskTracker::new();
        task.spawn(driver.run(state_shown));
        let marking = marks::run(Arc::clone(&marks), Asker::new(&commands), http.clone(), state.clone());
        task.spawn(until_stopped(state.clone(), marking));
        let watching = presence::run(Arc::clone(&watchlist), Asker::new(&commands), state.clone());
        task.spawn(until_stopped(state.clone(), watching));
        task.close();
        let updates = Arc::new(Mutex::new(updates_taken));
        let typing = Typing::default();
        let inner = Inner { http, commands, updates, state, marks, deliveries, watchlist, typing, task };
        Ok(Client { inner: Arc::new(inner) })
    }
}

/// Does something until the connection has stopped for good.
async fn until_stopped(mut state: watch::Receiver<ConnectionState>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = state.wait_for(|state| matches!(state, ConnectionState::Stopped(_))) => {}
        () = work => {}
    }
}

/// The session to go on with, kept in the store before any use.
async fn establish(transport: &Transport, credentials: &Credentials) -> Result<Session, Error> {
    let session = match &credentials.source {
        Source::Store => {
            let Some(store) = &credentials.store else { return Err(Error::NoStoredSession) };
            let stored = in_store(store, <dyn SessionStore>::load).await?;
            return belongs_to(transport, stored.ok_or(Error::NoStoredSession)?);
        }
        Source::Session(session) => belongs_to(transport, (**session).clone())?,
        Source::Password { login, password } => {
            let body =
                SignInBody { login: login.parse::<Login>()?, password: password.parse::<Password>()?, cookie: None };
            let http = Http::new(transport.clone(), None);
            let opened = http.call::<SignIn>(&Nothing {}, &Nothing {}, &body).await?;
            Session::opened(transport.server(), opened)?
        }
    };
    if let Some(store) = &credentials.store {
        let kept = session.clone();
        in_store(store, move |store| store.save(&kept)).await?;
    }
    Ok(session)
}

/// Tokens go to the server that made them, and to no other.
fn belongs_to(transport: &Transport, session: Session) -> Result<Session, Error> {
    if session.server == transport.server() { Ok(session) } else { Err(Error::OtherServer(session.server)) }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("server", &self.server)
            .field("credentials", &self.credentials)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
