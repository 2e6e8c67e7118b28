//! A server without a network, and the people who use it.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use i9chat_server::{
    app::{
        Act, Actor, Admitted, Answer, App, Call, CookieChange, Credential, Failure, Feed, Handle, Identity, LiveSink,
        News, Origin, Unidentified,
    },
    auth::{keys::ServerKey, passwords::PasswordCost},
    bus::Topic,
    clock::Clock,
    config::MediaConfig,
    ids::SystemIds,
    node::{Ground, Stack},
    store::mails::MailMatter,
};
use i9chat_spec::{
    Action, Code, ConnectionId, EmailAddress, Endpoint, Event, Lifetimes, Limits, Nothing, RefreshToken, SessionId,
    Ticket, Timestamp, User,
    api::{
        password_reset::{
            CompletePasswordReset, CompletePasswordResetRefusal, NewPassword, NewPasswordReset, PasswordResetCode,
            RequestPasswordReset, VerifyPasswordReset, VerifyPasswordResetRefusal,
        },
        sessions::{
            Credentials, EndSession, EndSessionRefusal, ListSessions, OneSession, RefreshSession,
            RefreshSessionRefusal, SessionInfo, SessionOpened, SessionRef, SignIn, SignInRefusal, SpentToken,
            TokenPair,
        },
        signup::{
            CompleteSignup, CompleteSignupRefusal, NewAccount, NewSignup, RequestSignup, SignupCode, TicketIssued,
            VerifySignup, VerifySignupRefusal,
        },
        users::{
            Around, FindNearby, GetUser, GetUserRefusal, OneUser, OwnProfile, ProfilePatch, UpdateMe, UpdateMeRefusal,
            UserProfile,
        },
    },
    error::NoRefusal,
};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse";

/// A clock that stands still until it is set.
pub struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub struct World {
    pub app: Arc<App>,
    pub key: ServerKey,
    clock: Arc<HandClock>,
    _folder: TempDir,
}

/// A connection, and what it was told.
pub struct Listener {
    pub actor: Actor,
    ear: Arc<Ear>,
}

#[derive(Default)]
struct Ear(Mutex<Vec<News>>);

impl LiveSink for Ear {
    fn tell(&self, news: News) {
        self.0.lock().unwrap().push(news);
    }

    fn withdraw(&self, topic: Topic) {
        self.0.lock().unwrap().retain(|news| news.event.topic != topic);
    }
}

impl Listener {
    /// What it was told since it was last asked.
    pub fn heard(&self) -> Vec<Event> {
        self.ear.0.lock().unwrap().drain(..).map(|news| news.event.event().clone()).collect()
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Member {
    pub user: User,
    pub session_id: SessionId,
    pub tokens: TokenPair,
}

impl Member {
    pub fn identity(&self) -> Identity {
        Identity { user: self.user.clone(), session_id: self.session_id }
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default(), Lifetimes::default()).await
    }

    pub async fn with(limits: Limits, lifetimes: Lifetimes) -> Self {
        super::log::capture();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(Mutex::new(Timestamp::from_millis(1_795_380_000_000))));
        let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
        let password_cost = PasswordCost { params, at_once: 2, waiting: 100 };
        let ids = Arc::new(SystemIds);
        let ground = Ground { clock: Arc::clone(&clock) as _, ids, limits, lifetimes, password_cost };
        let stack = Stack::embedded(folder.path(), &MediaConfig::Disk, &ground).await.unwrap();
        let app = stack.app(ground).unwrap();
        Self { app, key: stack.key, clock, _folder: folder }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets so many seconds pass.
    pub fn wait(&self, seconds: u64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }

    pub async fn call<E: Endpoint>(
        &self,
        caller: <E::Caller as Admitted>::Who,
        path: E::Path,
        body: E::Body,
        origin: Origin,
    ) -> Result<Answer<E::Response>, Failure<E::Refusal>>
    where
        App: Handle<E>,
        E::Caller: Admitted,
        E::Query: Default,
    {
        self.app.handle(Call { caller, path, query: E::Query::default(), body, origin }).await
    }

    pub async fn asks_to_reset(&self, email: &str) -> TicketIssued {
        let body = NewPasswordReset { email: email.parse().unwrap() };
        self.call::<RequestPasswordReset>((), Nothing {}, body, origin(1)).await.unwrap().body
    }

    pub async fn verifies_reset(
        &self,
        ticket: &Ticket,
        code: &Code,
    ) -> Result<Ticket, Failure<VerifyPasswordResetRefusal>> {
        let body = PasswordResetCode { ticket: ticket.clone(), code: code.clone() };
        Ok(self.call::<VerifyPasswordReset>((), Nothing {}, body, origin(1)).await?.body.ticket)
    }

    pub async fn resets(&self, ticket: &Ticket, password: &str) -> Result<(), Failure<CompletePasswordResetRefusal>> {
        let body = NewPassword { ticket: ticket.clone(), password: password.parse().unwrap() };
        self.call::<CompletePasswordReset>((), Nothing {}, body, origin(1)).await.map(|_| ())
    }

    /// A ticket for the last step of a reset.
    pub async fn proves_to_reset(&self, email: &str) -> Ticket {
        let ticket = self.asks_to_reset(email).await.ticket;
        self.verifies_reset(&ticket, &self.mailed_code(email).await).await.unwrap()
    }

    pub async fn changes_profile(
        &self,
        who: &Member,
        patch: ProfilePatch,
    ) -> Result<OwnProfile, Failure<UpdateMeRefusal>> {
        Ok(self.call::<UpdateMe>(who.identity(), Nothing {}, patch, origin(1)).await?.body)
    }

    pub async fn looks_at(&self, who: &Member, name: &str) -> Result<UserProfile, Failure<GetUserRefusal>> {
        let path = OneUser { username: name.parse().unwrap() };
        Ok(self.call::<GetUser>(who.identity(), path, Nothing {}, origin(1)).await?.body)
    }

    /// The names that a search finds, with their distances.
    pub async fn searches(&self, who: &Member, query: Around) -> Result<Vec<(String, u64)>, Failure<NoRefusal>> {
        let call = Call { caller: who.identity(), path: Nothing {}, query, body: Nothing {}, origin: origin(1) };
        let answer = Handle::<FindNearby>::handle(&*self.app, call).await?;
        let found = answer.body.items.into_iter();
        Ok(found.map(|user| (user.username.as_str().to_owned(), user.distance_m)).collect())
    }

    /// A connection of somebody, as the use cases of presence know it.
    pub fn listens(&self, who: &Member) -> Listener {
        let ear = Arc::new(Ear::default());
        let connection = ConnectionId::from_uuid(self.app.ids.uuid(self.now()));
        let feed = Arc::new(Feed::new(connection, Arc::clone(&ear) as _));
        Listener { actor: Actor { user: who.user.clone(), session_id: who.session_id, feed }, ear }
    }

    /// Does an action, and waits for its outcome.
    pub async fn acts<A: Action>(&self, listener: &Listener, data: A::Data) -> Result<A::Reply, Failure<A::Refusal>>
    where
        App: Act<A>,
    {
        let (done, outcome) = tokio::sync::oneshot::channel();
        let done = move |result| drop(done.send(result));
        Act::<A>::act(&*self.app, &listener.actor, data, Box::new(done));
        outcome.await.unwrap()
    }

    pub async fn asks_to_sign_up(&self, email: &str) -> TicketIssued {
        let body = NewSignup { email: email.parse().unwrap() };
        self.call::<RequestSignup>((), Nothing {}, body, origin(1)).await.unwrap().body
    }

    /// What the newest mail to the address is about.
    pub async fn newest_mail(&self, email: &str) -> Option<MailMatter> {
        let email: EmailAddress = email.parse().unwrap();
        let due = self.app.accounts.mails().due_mails(self.now(), 1000).await.unwrap();
        due.mails.into_iter().rev().find(|queued| queued.mail.to == email).map(|queued| queued.mail.matter)
    }

    /// The code in the newest mail to the address.
    pub async fn mailed_code(&self, email: &str) -> Code {
        match self.newest_mail(email).await {
            Some(MailMatter::SignupCode { ticket } | MailMatter::PasswordResetCode { ticket }) => {
                self.app.accounts.secrets().code(&ticket).unwrap()
            }
            other => panic!("no code was mailed but {other:?}"),
        }
    }

    pub async fn verifies(&self, ticket: &Ticket, code: &Code) -> Result<Ticket, Failure<VerifySignupRefusal>> {
        let body = SignupCode { ticket: ticket.clone(), code: code.clone() };
        Ok(self.call::<VerifySignup>((), Nothing {}, body, origin(1)).await?.body.ticket)
    }

    pub async fn completes(
        &self,
        ticket: &Ticket,
        name: &str,
    ) -> Result<SessionOpened, Failure<CompleteSignupRefusal>> {
        let body = NewAccount {
            ticket: ticket.clone(),
            username: name.parse().unwrap(),
            password: PASSWORD.parse().unwrap(),
            bio: None,
            cookie: None,
        };
        Ok(self.call::<CompleteSignup>((), Nothing {}, body, origin(1)).await?.body)
    }

    /// A ticket for the last step.
    pub async fn proves(&self, email: &str) -> Ticket {
        let ticket = self.asks_to_sign_up(email).await.ticket;
        self.verifies(&ticket, &self.mailed_code(email).await).await.unwrap()
    }

    /// Signs up with the address NAME@example.com.
    pub async fn signs_up(&self, name: &str) -> Member {
        let ticket = self.proves(&format!("{name}@example.com")).await;
        member(self.completes(&ticket, name).await.unwrap())
    }

    pub async fn tries_to_sign_in(
        &self,
        login: &str,
        password: &str,
        from: u8,
    ) -> Result<SessionOpened, Failure<SignInRefusal>> {
        let body = Credentials { login: login.parse().unwrap(), password: password.parse().unwrap(), cookie: None };
        Ok(self.call::<SignIn>((), Nothing {}, body, origin(from)).await?.body)
    }

    pub async fn signs_in(&self, login: &str) -> Member {
        member(self.tries_to_sign_in(login, PASSWORD, 1).await.unwrap())
    }

    /// Signs in with a cookie, and gives the cookie's secret.
    pub async fn signs_in_by_cookie(&self, login: &str) -> (SessionOpened, String) {
        let body =
            Credentials { login: login.parse().unwrap(), password: PASSWORD.parse().unwrap(), cookie: Some(true) };
        let answer = self.call::<SignIn>((), Nothing {}, body, origin(1)).await.unwrap();
        match answer.cookie {
            Some(CookieChange::Set { secret, .. }) => (answer.body, secret),
            other => panic!("a cookie was asked for, and {other:?} came"),
        }
    }

    pub async fn refreshes(&self, token: &RefreshToken) -> Result<TokenPair, Failure<RefreshSessionRefusal>> {
        let body = SpentToken { refresh_token: token.clone() };
        Ok(self.call::<RefreshSession>((), Nothing {}, body, origin(1)).await?.body)
    }

    pub async fn lists_sessions(&self, who: &Member) -> Vec<SessionInfo> {
        self.call::<ListSessions>(who.identity(), Nothing {}, Nothing {}, origin(1)).await.unwrap().body.items
    }

    pub async fn ends(
        &self,
        who: &Identity,
        session: SessionRef,
    ) -> Result<Option<CookieChange>, Failure<EndSessionRefusal>> {
        let path = OneSession { session_id: session };
        Ok(self.call::<EndSession>(who.clone(), path, Nothing {}, origin(1)).await?.cookie)
    }

    pub async fn uses(&self, tokens: &TokenPair) -> Result<Identity, Unidentified> {
        self.app.identify(&Credential::Bearer(tokens.token.as_str().to_owned())).await
    }

    pub async fn uses_cookie(&self, secret: &str) -> Result<Identity, Unidentified> {
        self.app.identify(&Credential::Cookie(secret.to_owned())).await
    }
}

pub fn member(opened: SessionOpened) -> Member {
    Member { user: opened.user, session_id: opened.session_id, tokens: opened.tokens.unwrap() }
}

/// A client at the address that ends so.
pub fn origin(last: u8) -> Origin {
    Origin { address: IpAddr::from([192, 0, 2, last]), user_agent: Some("test/1".to_owned()) }
}

/// A code that is not this one.
pub fn other_than(code: &Code) -> Code {
    if code.as_str() == "000000" { "000001" } else { "000000" }.parse().unwrap()
}
