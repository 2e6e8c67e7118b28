//! Signing in and staying signed in: credentials, the session that they open, and where it is kept.

mod credentials;
mod file;

use std::{io, sync::Mutex, sync::PoisonError};

use i9chat_spec::{
    SessionId, User,
    api::sessions::{SessionOpened, TokenPair},
};
use serde::{Deserialize, Serialize};

pub(crate) use self::credentials::Source;
pub use self::{credentials::Credentials, file::FileStore};
use crate::Error;

/// A session with everything that is needed to go on with it. Whoever holds it is its user: keep it like a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The server that the session is one of; its tokens go nowhere else.
    pub server: String,
    /// Names the session.
    pub session_id: SessionId,
    /// Who is signed in.
    pub user: User,
    /// The token, and the refresh token for the next one.
    #[serde(flatten)]
    pub tokens: TokenPair,
}

impl Session {
    /// The session that a server opened.
    pub(crate) fn opened(server: &str, opened: SessionOpened) -> Result<Self, Error> {
        let SessionOpened { session_id, user, tokens } = opened;
        let tokens = tokens.ok_or_else(|| Error::Unexpected("a session without tokens".to_owned()))?;
        Ok(Self { server: server.to_owned(), session_id, user, tokens })
    }
}

/// Keeps one session between runs of a program.
///
/// A refresh replaces both tokens. The client saves the new ones before it uses them, so that a crash in between loses nothing:
/// the refresh token before stays good until then. (SES-6) Calls come one at a time, from threads that may block.
///
/// Several clients may share a store: before a refresh each looks whether another was first. Only two refreshes at the very same
/// time can cross; a session that must not be lost is for one program at a time.
pub trait SessionStore: Send + Sync + 'static {
    /// The session that was saved last, if there is one.
    fn load(&self) -> io::Result<Option<Session>>;

    /// Keeps the session in place of the one before: whole or, on an error, not at all.
    fn save(&self, session: &Session) -> io::Result<()>;

    /// Forgets the session. That there is none is no error.
    fn clear(&self) -> io::Result<()>;
}

/// Keeps a session while the program runs; for tests, and for programs that keep it in a place of their own.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Option<Session>>);

impl MemoryStore {
    fn held(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MemoryStore {
    fn load(&self) -> io::Result<Option<Session>> {
        Ok(self.held().clone())
    }

    fn save(&self, session: &Session) -> io::Result<()> {
        *self.held() = Some(session.clone());
        Ok(())
    }

    fn clear(&self) -> io::Result<()> {
        *self.held() = None;
        Ok(())
    }
}

impl<S: SessionStore + ?Sized> SessionStore for std::sync::Arc<S> {
    fn load(&self) -> io::Result<Option<Session>> {
        (**self).load()
    }

    fn save(&self, session: &Session) -> io::Result<()> {
        (**self).save(session)
    }

    fn clear(&self) -> io::Result<()> {
        (**self).clear()
    }
}
