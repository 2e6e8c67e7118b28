use std::time::Duration;

use i9chat_spec::{
    SessionId, Timestamp, User, UserId,
    api::sessions::{EndSessionRefusal, SessionOpened, TokenPair},
    error::NoRefusal,
};

use crate::{
    app::{Answer, App, CookieChange, Failure, Origin, accounts::broken},
    auth::{secrets::SessionSecret, tokens::TokenClaims},
    domain::accounts::{refresh::RefreshState, session},
    store::accounts::{NewSession, SessionOpening, SessionProof},
};

/// The longest that browsers keep a cookie. Whether it is still good, the server decides at each use. (SES-11)
const COOKIE_IS_KEPT: Duration = Duration::from_hours(400 * 24);
/// The longest `client` in the list of sessions, in characters. (SES-8)
const MAX_CLIENT_CHARS: usize = 200;
/// How often room is made for a session while others take it: far more often than sign-ins of one user meet.
const TRIES: usize = 64;

/// A session that is yet to be stored, and what its opener is told once it is.
pub(in crate::app) struct OpeningSession {
    pub(in crate::app) session: NewSession,
    pub(in crate::app) answer: Answer<SessionOpened>,
}

impl App {
    /// Makes a session and its first tokens, or its cookie. Nothing is stored yet.
    pub(in crate::app) fn new_session(
        &self,
        user: &User,
        by_cookie: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<OpeningSession, Failure<NoRefusal>> {
        let session_id = SessionId::from_uuid(self.ids.uuid(now));
        let opened = |tokens| SessionOpened { session_id, user: user.clone(), tokens };
        let (proof, answer) = if by_cookie {
            let secret = SessionSecret::generate(&*self.ids, session_id, 0);
            let cookie = CookieChange::Set { secret: self.accounts.secrets.cookie(&secret), max_age: COOKIE_IS_KEPT };
            (SessionProof::Cookie(secret.hash()), Answer { body: opened(None), cookie: Some(cookie), location: None })
        } else {
            let secret = SessionSecret::generate(&*self.ids, session_id, 1);
            let tokens = self.tokens_for(user.user_id, &secret, now)?;
            // Before the first pair there is none whose use the first use of this one would rule out.
            let state = RefreshState { generation: 1, newest: secret.hash(), before: None, newest_used: true };
            (SessionProof::Tokens(state), opened(Some(tokens)).into())
        };
        let client = origin.user_agent.as_ref().map(|agent| agent.chars().take(MAX_CLIENT_CHARS).collect());
        Ok(OpeningSession { session: NewSession { session_id, created_at: now, client, proof }, answer })
    }

    /// The pair of tokens that belongs to a refresh secret. (SES-4, SES-5)
    pub(super) fn tokens_for(
        &self,
        user_id: UserId,
        secret: &SessionSecret,
        now: Timestamp,
    ) -> Result<TokenPair, Failure<NoRefusal>> {
        let claims = TokenClaims { user_id, session_id: secret.session_id, generation: secret.generation };
        let (token, expires_at) = self.accounts.tokens.issue(claims, now, self.lifetimes.token_ttl_s)?;
        let refresh_token = self.accounts.secrets.refresh_token(secret);
        let refresh_token = refresh_token.ok_or_else(|| broken("a refresh token has no form"))?;
        Ok(TokenPair { token, expires_at, refresh_token })
    }

    /// Stores the session; the one that was unused longest makes room for it. (SES-13) `None` when the password was set anew
    /// since it was looked at. (ACC-17)
    pub(super) async fn open_session(
        &self,
        user_id: UserId,
        password_version: i64,
        opening: OpeningSession,
    ) -> Result<Option<Answer<SessionOpened>>, Failure<NoRefusal>> {
        let max_open = self.limits.max_sessions_per_user;
        let open_since = session::idle_since(opening.session.created_at, self.lifetimes.session_idle_ttl_s);
        for _ in 0..TRIES {
            let session = opening.session.clone();
            let opened = self.accounts.store.open_session(user_id, password_version, session, max_open, open_since);
            match opened.await? {
                SessionOpening::Opened => return Ok(Some(opening.answer)),
                SessionOpening::PasswordChanged => return Ok(None),
                SessionOpening::TooMany { unused_longest } => self.end_if_open(user_id, unused_longest).await?,
            }
        }
        Err(Failure::Overloaded)
    }

    /// Ends a session of the user, unless somebody else did meanwhile.
    pub(super) async fn end_if_open(&self, user_id: UserId, session_id: SessionId) -> Result<(), Failure<NoRefusal>> {
        match self.committer.end_session(user_id, session_id).await {
            Ok(()) | Err(Failure::Refused(EndSessionRefusal::SessionNotFound)) => Ok(()),
            Err(Failure::Invalid(fault)) => Err(Failure::Invalid(fault)),
            Err(Failure::RateLimited(delay)) => Err(Failure::RateLimited(delay)),
            Err(Failure::SessionEnded) => Err(Failure::SessionEnded),
            Err(Failure::Overloaded) => Err(Failure::Overloaded),
            Err(Failure::Unavailable) => Err(Failure::Unavailable),
            Err(Failure::Internal) => Err(Failure::Internal),
        }
    }
}
