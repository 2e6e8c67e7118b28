use std::{fmt, io, sync::Arc, time::Duration};

use i9chat_spec::{
    Nothing, Timestamp, Token,
    api::sessions::{RefreshSession, SpentToken, TokenPair},
};
use tokio::{sync::Mutex, time::Instant};

use super::{Transport, retrying, transport::Request};
use crate::{Error, Session, SessionStore};

/// A token is renewed so long before it runs out.
const MARGIN: Duration = Duration::from_mins(1);

/// The tokens of a session, renewed by one caller at a time.
pub(crate) struct Tokens {
    held: Mutex<Held>,
    store: Option<Arc<dyn SessionStore>>,
}

struct Held {
    session: Session,
    /// When to renew without being told, as far as the clocks of both sides can be trusted for that.
    renew_at: Option<Instant>,
}

impl Tokens {
    pub(crate) fn new(session: Session, store: Option<Arc<dyn SessionStore>>) -> Self {
        let renew_at = Some(renewal(&session.tokens).unwrap_or_else(Instant::now));
        Self { held: Mutex::new(Held { session, renew_at }), store }
    }

    /// A token that is good for a while, as far as is known.
    pub(crate) async fn current(&self, transport: &Transport) -> Result<Token, Error> {
        let mut held = self.held.lock().await;
        if held.renew_at.is_some_and(|at| Instant::now() >= at) {
            self.refresh(transport, &mut held).await?;
        }
        Ok(held.session.tokens.token.clone())
    }

    /// A token in place of one that the server refused. Whoever comes while one is being fetched gets that one.
    pub(crate) async fn renew(&self, transport: &Transport, spent: &Token) -> Result<Token, Error> {
        let mut held = self.held.lock().await;
        if held.session.tokens.token == *spent {
            self.refresh(transport, &mut held).await?;
        }
        Ok(held.session.tokens.token.clone())
    }

    /// The session as it is now.
    pub(crate) async fn session(&self) -> Session {
        self.held.lock().await.session.clone()
    }

    /// Forgets the stored session.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        match &self.store {
            Some(store) => in_store(store, <dyn SessionStore>::clear).await,
            None => Ok(()),
        }
    }

    /// A caller that goes away in the middle does no harm: the refresh token before stays good until a new token is used. (SES-6)
    async fn refresh(&self, transport: &Transport, held: &mut Held) -> Result<(), Error> {
        if let Some(store) = &self.store
            && let Some(stored) = in_store(store, <dyn SessionStore>::load).await?
            && stored.session_id == held.session.session_id
            && stored.tokens != held.session.tokens
        {
            // Another program that shares the store was first. To spend our older refresh token would end the session. (SES-7)
            held.renew_at = renewal(&stored.tokens);
            held.session = stored;
            if held.renew_at.is_some() {
                return Ok(());
            }
        }
        let spent = SpentToken { refresh_token: held.session.tokens.refresh_token.clone() };
        let request = Request::of::<RefreshSession>(transport, &Nothing {}, &Nothing {}, &spent)?;
        let tokens = retrying(|| transport.exchange::<RefreshSession>(&request, None)).await?;
        let session = Session { tokens, ..held.session.clone() };
        if let Some(store) = &self.store {
            // Kept before it is used: its first use makes the refresh token before it worthless.
            let kept = session.clone();
            in_store(store, move |store| store.save(&kept)).await?;
        }
        held.renew_at = renewal(&session.tokens);
        held.session = session;
        Ok(())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("kept", &self.store.is_some()).finish_non_exhaustive()
    }
}

/// Runs a call of a store on a thread that may block.
pub(crate) async fn in_store<T: Send + 'static>(
    store: &Arc<dyn SessionStore>,
    call: impl FnOnce(&dyn SessionStore) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let store = Arc::clone(store);
    let done = tokio::task::spawn_blocking(move || call(&*store)).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Error::Store)
}

/// When to renew a pair. `None` when that is now or past: for a pair that just came, the clocks disagree, and the server will tell.
fn renewal(tokens: &TokenPair) -> Option<Instant> {
    let left = tokens.expires_at.as_millis().checked_sub(now().as_millis())?;
    let left = Duration::from_millis(u64::try_from(left).ok()?).checked_sub(MARGIN)?;
    Instant::now().checked_add(left).filter(|_| !left.is_zero())
}

#[expect(clippy::disallowed_methods, reason = "tokens run out by the clock on the wall, which nothing hands in here")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
