use std::{fmt, path::PathBuf, sync::Arc};

use super::{FileStore, Session, SessionStore};

/// Who connects: by password, by a session that is open, or by one that was stored.
///
/// ```no_run
/// use i9chat_sdk::{Client, Credentials, FileStore};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// // The first time, by password; the session is kept.
/// let by_password = Credentials::password("alice", "correct horse battery staple").kept_in(FileStore::new("alice.session"));
/// let client = Client::connect("http://127.0.0.1:8080", by_password).await?;
/// // Ever after, without it.
/// let client = Client::connect("http://127.0.0.1:8080", Credentials::stored("alice.session")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(crate) source: Source,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
}

#[derive(Clone)]
pub(crate) enum Source {
    Password { login: String, password: String },
    Session(Box<Session>),
    Store,
}

impl Credentials {
    /// Signs in, by username or mail address: this opens a new session. (SES-1)
    pub fn password(login: impl Into<String>, password: impl Into<String>) -> Self {
        Self { source: Source::Password { login: login.into(), password: password.into() }, store: None }
    }

    /// Goes on with an open session. Without a store its refreshed tokens are lost when the client is.
    pub fn session(session: Session) -> Self {
        Self { source: Source::Session(Box::new(session)), store: None }
    }

    /// Goes on with the session in a file, which is kept up to date. The file is readable by its owner alone.
    pub fn stored(path: impl Into<PathBuf>) -> Self {
        Self::from_store(FileStore::new(path))
    }

    /// Goes on with the session in a store, which is kept up to date.
    pub fn from_store(store: impl SessionStore) -> Self {
        Self { source: Source::Store, store: Some(Arc::new(store)) }
    }

    /// Keeps the session in a store, now and after each refresh.
    #[must_use]
    pub fn kept_in(self, store: impl SessionStore) -> Self {
        Self { store: Some(Arc::new(store)), ..self }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Password { .. } => "password",
            Source::Session(_) => "session",
            Source::Store => "store",
        };
        f.debug_struct("Credentials").field("source", &source).field("kept", &self.store.is_some()).finish()
    }
}
