//! Sessions: signing in, refreshing, listing and ending them. (section 5 of `docs/protocol.md`)

mod identify;
mod open;
mod refresh;

use i9chat_spec::{
    Nothing, SessionId,
    api::sessions::{
        EndSession, EndSessionRefusal, ListSessions, SessionInfo, SessionList, SessionOpened, SessionRef, SignIn,
        SignInRefusal,
    },
    error::NoRefusal,
};

pub use identify::{Credential, Unidentified};

use super::{Answer, App, Call, CookieChange, Failure, Handle, accounts::broken};
use crate::{
    auth::passwords::PasswordCheck,
    bus::{AccountKey, Network, SignInTry},
    domain::accounts::session,
    store::accounts::SessionProof,
};

impl Handle<SignIn> for App {
    async fn handle(&self, call: Call<SignIn>) -> Result<Answer<SessionOpened>, Failure<SignInRefusal>> {
        let (body, accounts) = (call.body, &self.accounts);
        let address = call.origin.address;
        let account = accounts.store.account(&body.login).await?;
        let key = match &account {
            Some(account) => AccountKey::User(account.user.user_id),
            None => AccountKey::Unknown(body.login.as_str().to_ascii_lowercase()),
        };
        let mut try_ = SignInTry { account: key, network: Network::of(address), at: self.clock.now() };
        // Before one's turn, so that those over the limit keep nobody waiting; and again in it, for the exact count.
        accounts.attempts.may_try(&try_).await?.map_err(Failure::RateLimited)?;
        let turn = accounts.passwords.turn().await?;
        try_.at = self.clock.now();
        let attempt = accounts.attempts.begin(try_).await?.map_err(Failure::RateLimited)?;
        let stored = account.as_ref().map(|account| &account.password);
        let checked = turn.check(&body.password, stored).await;
        drop(turn);
        // A caller who goes away before this has failed: nobody learns from that whether the password was right.
        let renewed = match (checked, &account) {
            (Ok(PasswordCheck::Right { renewed }), Some(_)) => {
                accounts.attempts.take_back(attempt).await?;
                renewed
            }
            (Ok(_), _) => {
                return Err(match attempt.account_wait {
                    Some(wait) => Failure::RateLimited(wait),
                    None => Failure::Refused(SignInRefusal::WrongCredentials),
                });
            }
            (Err(error), _) => {
                accounts.attempts.take_back(attempt).await?;
                return Err(error.into());
            }
        };
        let Some(account) = account else { return Err(broken("a password of nobody is right").widen()) };
        if let Some(renewed) = renewed {
            accounts.store.renew_password_hash(account.user.user_id, account.password, renewed).await?;
        }
        let opened = self
            .new_session(&account.user, body.cookie.unwrap_or(false), &call.origin, self.clock.now())
            .map_err(Failure::widen)?;
        match self.open_session(account.user.user_id, account.password_version, opened).await.map_err(Failure::widen)? {
            Some(answer) => Ok(answer),
            // Reset while it was checked: it is the wrong one now. (ACC-17)
            None => Err(Failure::Refused(SignInRefusal::WrongCredentials)),
        }
    }
}

impl Handle<ListSessions> for App {
    async fn handle(&self, call: Call<ListSessions>) -> Result<Answer<SessionList>, Failure<NoRefusal>> {
        let open_since = session::idle_since(self.clock.now(), self.lifetimes.session_idle_ttl_s);
        let sessions = self.accounts.store.open_sessions(call.caller.user.user_id, open_since).await?;
        let items = sessions
            .into_iter()
            .map(|session| SessionInfo {
                current: session.session_id == call.caller.session_id,
                session_id: session.session_id,
                created_at: session.created_at,
                last_used_at: session.last_used_at,
                client: session.client,
            })
            .collect();
        Ok(SessionList { items }.into())
    }
}

impl Handle<EndSession> for App {
    async fn handle(&self, call: Call<EndSession>) -> Result<Answer<Nothing>, Failure<EndSessionRefusal>> {
        let own = call.caller.session_id;
        let session_id = match call.path.session_id {
            SessionRef::Current => own,
            SessionRef::Id(session_id) => session_id,
        };
        let by_cookie = self.is_open_by_cookie(session_id).await?;
        self.committer.end_session(call.caller.user.user_id, session_id).await?;
        let cookie = (session_id == own && by_cookie).then_some(CookieChange::Clear);
        Ok(Answer { body: Nothing {}, cookie, location: None })
    }
}

impl App {
    /// Whether the session is one of a cookie; refused when it is not open, which the committer does not see of one that was
    /// unused for too long. (SES-11)
    async fn is_open_by_cookie(&self, session_id: SessionId) -> Result<bool, Failure<EndSessionRefusal>> {
        let record = self.accounts.store.session(session_id).await?;
        let (now, idle_ttl_s) = (self.clock.now(), self.lifetimes.session_idle_ttl_s);
        match record.filter(|record| session::is_open(record.times, now, idle_ttl_s)) {
            Some(record) => Ok(matches!(record.proof, SessionProof::Cookie(_))),
            None => Err(Failure::Refused(EndSessionRefusal::SessionNotFound)),
        }
    }
}
