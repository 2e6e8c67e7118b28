//! Calls over HTTP: any endpoint of the specification, with token, retries and typed errors.

mod tokens;
mod transport;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use i9chat_spec::{
    Endpoint, ErrorCode, Format, Method, Nothing, Token,
    api::{
        groups::{CreateGroup, UpdateGroup},
        media::CompleteUpload,
        messages::SendMessage,
        receipts::MarkReceipts,
        sessions::RefreshSession,
        users::UpdateMe,
    },
    endpoint::Access,
};

use self::transport::Request;
pub(crate) use self::{
    tokens::{Tokens, in_store},
    transport::{Transport, USER_AGENT, bearer},
};
use crate::{Error, connection::Backoff};

/// Tries of a call that may be repeated, the first included.
const TRIES: u32 = 5;
/// A server that asks for more patience is not waited for: the caller hears of it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5) };

/// Calls endpoints of a server, as a signed-in user or as anyone. Cheap to clone.
///
/// The token is renewed shortly before it runs out, and when the server says that it has: once, however many calls wait for it.
/// Calls that may be repeated without harm (`GET`, `PUT`, `PATCH`, `DELETE`, receipts, and what carries a `client_id`) are tried up to five times,
/// with a growing delay.
#[derive(Debug, Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    tokens: Option<Tokens>,
}

impl Http {
    /// Calls as anyone: only endpoints that need no signed-in user.
    ///
    /// `server` is the address, such as `https://chat.example`; a path in it is kept before `/v1`.
    pub fn anonymous(server: &str, format: Format) -> Result<Self, Error> {
        Ok(Self::new(Transport::new(server, format)?, None))
    }

    pub(crate) fn new(transport: Transport, tokens: Option<Tokens>) -> Self {
        Self { inner: Arc::new(Inner { transport, tokens }) }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.inner.tokens.as_ref()
    }

    /// Calls an endpoint.
    ///
    /// ```no_run
    /// use i9chat_sdk::{Http, spec::{Format, Nothing, api::capabilities::GetCapabilities}};
    ///
    /// # async fn run() -> Result<(), i9chat_sdk::Error> {
    /// let http = Http::anonymous("http://127.0.0.1:8080", Format::MessagePack)?;
    /// let capabilities = http.call::<GetCapabilities>(&Nothing {}, &Nothing {}, &Nothing {}).await?;
    /// println!("{} {}", capabilities.server.name, capabilities.server.version);
    /// # Ok(())
    /// # }
    /// ```
    pub fn call<E: Endpoint>(
        &self,
        path: &E::Path,
        query: &E::Query,
        body: &E::Body,
    ) -> impl Future<Output = Result<E::Response, Error>> + Send + use<'_, E> {
        // Encoded before the first await, so that the parts need not be shared between threads.
        let request = Request::of::<E>(&self.inner.transport, path, query, body);
        async move {
            let request = request?;
            if !is_repeatable::<E>() {
                return self.call_once::<E>(&request).await;
            }
            retrying(|| self.call_once::<E>(&request)).await
        }
    }

    /// Calls an endpoint whose repetition is refused: `done` is the code that tells that it is done already. After a try whose outcome
    /// is not known that code means success, `None`.
    pub(crate) async fn call_until<E>(&self, path: &E::Path, done: ErrorCode) -> Result<Option<E::Response>, Error>
    where
        E: Endpoint<Query = Nothing, Body = Nothing>,
    {
        let request = Request::of::<E>(&self.inner.transport, path, &Nothing {}, &Nothing {})?;
        let unsure = AtomicBool::new(false);
        retrying(|| async {
            match self.call_once::<E>(&request).await {
                Ok(answer) => Ok(Some(answer)),
                Err(error) if error.code() == Some(done) && unsure.load(Ordering::Relaxed) => Ok(None),
                Err(error) => {
                    // Those two say that nothing was done.
                    let is_sure = matches!(error.code(), Some(ErrorCode::RateLimited | ErrorCode::Overloaded));
                    unsure.fetch_or(!is_sure, Ordering::Relaxed);
                    Err(error)
                }
            }
        })
        .await
    }

    async fn call_once<E: Endpoint>(&self, request: &Request) -> Result<E::Response, Error> {
        let transport = &self.inner.transport;
        if !E::Caller::SIGNED_IN {
            return transport.exchange::<E>(request, None).await;
        }
        let Some(tokens) = &self.inner.tokens else {
            return transport.exchange::<E>(request, None).await;
        };
        let token: Token = tokens.current(transport).await?;
        match transport.exchange::<E>(request, Some(&token)).await {
            Err(error) if error.code() == Some(ErrorCode::TokenExpired) => {
                let token = tokens.renew(transport, &token).await?;
                transport.exchange::<E>(request, Some(&token)).await
            }
            answer => answer,
        }
    }
}

/// Whether a repetition does no harm, though the first try may have succeeded.
fn is_repeatable<E: Endpoint>() -> bool {
    match E::METHOD {
        Method::GET | Method::PUT | Method::DELETE => true,
        // MSG-7, GRP-3, RCP-4, MED-14 and SES-6 make these harmless; a PATCH states new values, which it may state again.
        Method::POST | Method::PATCH => [
            SendMessage::NAME,
            CreateGroup::NAME,
            UpdateGroup::NAME,
            UpdateMe::NAME,
            MarkReceipts::NAME,
            CompleteUpload::NAME,
            RefreshSession::NAME,
        ]
        .contains(&E::NAME),
    }
}

/// Tries until it succeeds, or fails in a way that another try does not mend, or often enough.
async fn retrying<T, F: Future<Output = Result<T, Error>>>(mut attempt: impl FnMut() -> F) -> Result<T, Error> {
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Err(error) if error.is_retryable() && failures + 1 < TRIES => error,
            done => return done,
        };
        let delay = BACKOFF.delay(failures, rand::random()).max(error.retry_after().unwrap_or_default());
        if delay > LONGEST_WAIT {
            return Err(error);
        }
        failures += 1;
        tracing::debug!(%error, failures, ?delay, "trying again");
        tokio::time::sleep(delay).await;
    }
}
