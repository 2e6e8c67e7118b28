//! The use cases: what a caller may ask, one per endpoint or action, called by `http/` and `realtime/` alike.
//!
//! A handler says what happens, not how it travels: no axum, no SQL, no JSON.

mod accounts;
mod capabilities;
mod chats;
mod claims;
mod committer;
mod events;
mod groups;
mod media;
mod messages;
mod password_reset;
mod presence;
mod reactions;
mod receipts;
mod seen;
mod sessions;
mod signup;
mod start;
mod users;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use i9chat_spec::{
    Access, Action, Anyone, Endpoint, ErrorCode, FieldError, Lifetimes, Limits, Refusal, SessionId, SignedIn, User,
    error::NoRefusal,
};

pub use self::{
    accounts::{AccountStores, Accounts},
    committer::{Committer, CommitterParts},
    media::Media,
    presence::{Feed, LiveSink, News, Watching},
    sessions::{Credential, Unidentified},
    start::Start,
};
use crate::{
    bus::{LiveBus, Presence, Rates},
    clock::Clock,
    domain::LogEpoch,
    ids::Ids,
    store::{LogStore, StoreError},
};

/// Who a signed-in caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: User,
    /// The session that the token or cookie names.
    pub session_id: SessionId,
}

/// Who acts on a connection.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user.
    pub user: User,
    /// The session of the connection.
    pub session_id: SessionId,
    /// What the connection is told besides the log, and how much it asks of that.
    pub feed: Arc<Feed>,
}

/// What an endpoint's [`Access`] hands to its handler.
pub trait Admitted: Access {
    /// Who the caller is, as far as the endpoint asks.
    type Who: Send + 'static;

    /// What the caller is to a handler; `None` when the endpoint needs a signed-in user and there is none.
    fn admit(identity: Option<Identity>) -> Option<Self::Who>;
}

impl Admitted for Anyone {
    type Who = ();

    fn admit(_: Option<Identity>) -> Option<()> {
        Some(())
    }
}

impl Admitted for SignedIn {
    type Who = Identity;

    fn admit(identity: Option<Identity>) -> Option<Identity> {
        identity
    }
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The `User-Agent`, if it was given.
    pub user_agent: Option<String>,
}

/// A request that was parsed: everything in it has the form that the documents give.
pub struct Call<E: Endpoint>
where
    E::Caller: Admitted,
{
    /// Who asks.
    pub caller: <E::Caller as Admitted>::Who,
    /// The parameters in the path.
    pub path: E::Path,
    /// The query parameters.
    pub query: E::Query,
    /// The body.
    pub body: E::Body,
    /// Where it came from.
    pub origin: Origin,
}

/// What happens to the cookie `i9chat_session` with an answer. (CAL-5)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// It is set to this secret, for so long.
    Set {
        /// The secret of the session.
        secret: String,
        /// For how long the browser keeps it.
        max_age: Duration,
    },
    /// It is taken away.
    Clear,
}

/// What a handler answers.
#[derive(Debug)]
pub struct Answer<T> {
    /// The body.
    pub body: T,
    /// What happens to the cookie.
    pub cookie: Option<CookieChange>,
    /// Where the answer leads, if it leads elsewhere. (MED-22)
    pub location: Option<String>,
}

impl<T> From<T> for Answer<T> {
    fn from(body: T) -> Self {
        Self { body, cookie: None, location: None }
    }
}

/// Why a handler does not answer.
#[derive(Debug)]
pub enum Failure<R> {
    /// The endpoint refuses, with one of its own codes.
    Refused(R),
    /// A value has the right form, but not together with the others. (ERR-4)
    Invalid(FieldError),
    /// Too many requests; good again after this time. (ERR-7)
    RateLimited(Duration),
    /// The session of the caller has ended meanwhile; nothing was done. (SES-10)
    SessionEnded,
    /// A queue is full; nothing was done.
    Overloaded,
    /// The store cannot be written or read now.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl<R> From<StoreError> for Failure<R> {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) | StoreError::Denied(_) => Self::Unavailable,
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Corrupt(_) => Self::Internal,
        }
    }
}

impl Failure<NoRefusal> {
    /// The same failure for an endpoint that refuses more.
    pub fn widen<R>(self) -> Failure<R> {
        match self {
            Self::Refused(never) => match never {},
            Self::Invalid(fault) => Failure::Invalid(fault),
            Self::RateLimited(delay) => Failure::RateLimited(delay),
            Self::SessionEnded => Failure::SessionEnded,
            Self::Overloaded => Failure::Overloaded,
            Self::Unavailable => Failure::Unavailable,
            Self::Internal => Failure::Internal,
        }
    }
}

impl<R: Refusal> Failure<R> {
    /// The same failure for an endpoint that refuses for some of the same reasons.
    pub fn narrow<S: Refusal>(self) -> Failure<S> {
        match self {
            Self::Refused(refusal) => Failure::refused(refusal.code()),
            Self::Invalid(fault) => Failure::Invalid(fault),
            Self::RateLimited(delay) => Failure::RateLimited(delay),
            Self::SessionEnded => Failure::SessionEnded,
            Self::Overloaded => Failure::Overloaded,
            Self::Unavailable => Failure::Unavailable,
            Self::Internal => Failure::Internal,
        }
    }

    /// The refusal with a code; a fault of the server when the endpoint does not declare it. (ERR-2)
    pub fn refused(code: ErrorCode) -> Self {
        R::of(code).map_or_else(
            || {
                tracing::error!(%code, "a refusal that the endpoint does not declare");
                Self::Internal
            },
            Self::Refused,
        )
    }
}

/// Handles an endpoint. An endpoint of the list without an implementation for [`App`] does not compile.
pub trait Handle<E: Endpoint>
where
    E::Caller: Admitted,
{
    /// Does what the endpoint is for.
    fn handle(&self, call: Call<E>) -> impl Future<Output = Result<Answer<E::Response>, Failure<E::Refusal>>> + Send;
}

/// Takes the outcome of an action, exactly once.
pub type Done<A> = Box<dyn FnOnce(Result<<A as Action>::Reply, Failure<<A as Action>::Refusal>>) + Send>;

/// Handles an action of the socket. The order of calls is the order in which actions take effect. (MSG-12)
pub trait Act<A: Action> {
    /// Starts the action; `done` gets its outcome, now or later, from any task.
    fn act(&self, caller: &Actor, data: A::Data, done: Done<A>);
}

/// The application: everything that the use cases need, behind traits whose backends `main` chooses.
pub struct App {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub ids: Arc<dyn Ids>,
    /// What the server publishes and keeps to. (CAP-2)
    pub limits: Limits,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// The log and the views of it.
    pub log: Arc<dyn LogStore>,
    /// Which log it is.
    pub epoch: LogEpoch,
    /// Where the log grows.
    pub committer: Committer,
    /// Accounts and sessions.
    pub accounts: Accounts,
    /// Who is there.
    pub presence: Arc<dyn Presence>,
    /// Who is told of whom.
    pub watching: Arc<Watching>,
    /// Carries what is not durable.
    pub live: Arc<dyn LiveBus>,
    /// Counts how often something is done.
    pub rates: Arc<dyn Rates>,
    /// What was uploaded.
    pub media: Media,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// The code of a failure, and what else its problem holds.
impl<R: Refusal> Failure<R> {
    /// The code that the caller sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::RateLimited(_) => ErrorCode::RateLimited,
            Self::SessionEnded => ErrorCode::SessionEnded,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Unavailable => ErrorCode::Unavailable,
            Self::Internal => ErrorCode::Internal,
        }
    }
}
