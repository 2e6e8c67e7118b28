//! A user of the server, signed in.

use std::{ops::Deref, time::Duration};

use i9chat_spec::ErrorCode;
use serde_json::{Value, json};

use super::World;
use crate::{
    client::{Answer, Client, Request, Socket},
    expect::text_at,
    verdict::{InSetup, Stop, Verdict},
};

/// A user with a session, as a client: `alice.get("/v1/me").send()`.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub user_id: String,
    /// The name, as chosen.
    pub username: String,
    /// The mail address, as given.
    pub email: String,
    /// The password.
    pub password: String,
    /// The session of this client.
    pub session_id: String,
    /// The token of the session.
    pub token: String,
    /// The refresh token of the session.
    pub refresh_token: String,
    client: Client,
}

impl Deref for User {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl User {
    /// Reads the answer of signing in or up. (SES-1)
    pub(super) fn from_session(client: &Client, session: &Value, email: &str, password: &str) -> Verdict<Self> {
        let token = text_at(session, "token")?;
        let refresh_token = text_at(session, "refresh_token")?;
        for secret in [&token, &refresh_token] {
            client.journal.secret(secret);
        }
        Ok(Self {
            user_id: text_at(session, "user.user_id")?,
            username: text_at(session, "user.username")?,
            email: email.to_owned(),
            password: password.to_owned(),
            session_id: text_at(session, "session_id")?,
            client: client.with_token(&token),
            token,
            refresh_token,
        })
    }

    /// The same user and session as another case's, in whose record the traffic then stands. Where a server has several nodes, this
    /// takes the next one.
    pub(crate) fn seen_by(&self, world: &World) -> Self {
        for secret in [&self.token, &self.refresh_token, &self.password] {
            world.journal().secret(secret);
        }
        Self { client: world.visitor().with_token(&self.token), ..self.clone() }
    }

    /// The user as they stand in answers. (CNV-10)
    pub fn as_value(&self) -> Value {
        json!({ "user_id": self.user_id, "username": self.username })
    }

    /// The user as the partner of a direct chat, with their watermarks. (CHT-3)
    pub fn as_partner(&self, delivered: u64, read: u64) -> Value {
        json!({ "user": self.as_value(), "delivered": delivered, "read": read })
    }

    /// Opens a WebSocket and reads `hello`. Inconclusive when that does not work.
    pub async fn connects(&self) -> Verdict<Socket> {
        self.handshake().connect().await.in_setup("connecting")
    }

    /// Resumes from a cursor and reads `hello`.
    pub async fn resumes(&self, cursor: &str) -> Verdict<Socket> {
        self.handshake().cursor(cursor).connect().await
    }

    /// The body that this user signs in with.
    pub fn sign_in_body(&self) -> Value {
        json!({ "login": self.username, "password": self.password })
    }

    /// Signs in once more: the same user with another session. Inconclusive when that does not work.
    pub async fn signs_in_again(&self) -> Verdict<Self> {
        let request = self.client.anonymous().post("/v1/sessions", &self.sign_in_body());
        let session = patiently(request).await.and_then(|answer| answer.succeeded(201)).in_setup("signing in")?;
        Self::from_session(&self.client.anonymous(), &session, &self.email, &self.password)
    }

    /// The same session with a new token, for cases that may take longer than a token lasts. Inconclusive when that does not work.
    pub async fn renewed(&self) -> Verdict<Self> {
        let body = json!({ "refresh_token": self.refresh_token });
        let request = self.client.anonymous().post("/v1/sessions/refresh", &body);
        let pair = patiently(request).await.and_then(|answer| answer.succeeded(200)).in_setup("refreshing")?;
        let (token, refresh_token) = (text_at(&pair, "token")?, text_at(&pair, "refresh_token")?);
        Ok(Self { client: self.client.with_token(&token), token, refresh_token, ..self.clone() })
    }

    /// Ends the session of this client. Inconclusive when that does not work.
    pub async fn signs_out(&self) -> Verdict {
        let answer = self.delete("/v1/sessions/current").send().await.in_setup("signing out")?;
        answer.succeeded_without_body().in_setup("signing out")
    }

    /// A barrier for events, by the order of the log (LOG-4): makes a change addressed to this user, by ending a session made
    /// for it, and reads the socket until its event, which it answers. Whatever was committed before for this user has come by then.
    pub(super) async fn passes_a_barrier(&self, socket: &mut Socket) -> Verdict<Value> {
        let passing = self.signs_in_again().await?;
        passing.signs_out().await?;
        let is_barrier = |frame: &Value| {
            frame["event"] == "session_ended" && frame["data"]["session_id"] == passing.session_id.as_str()
        };
        let barrier = match socket.events().iter().find(|event| is_barrier(event)) {
            Some(barrier) => barrier.clone(),
            None => socket.until("the event session_ended of a session that was ended", is_barrier).await?,
        };
        socket.forgets(is_barrier);
        Ok(barrier)
    }

    /// Answers every event that the socket has read since it was opened, after whatever is still on its way has come, those of barriers
    /// left out.
    pub async fn has_caught_up(&self, socket: &mut Socket) -> Verdict<Vec<Value>> {
        self.passes_a_barrier(socket).await?;
        Ok(socket.events().to_vec())
    }
}

/// The longest time that the set-up of a case waits when the server asks for it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Sends a request of the set-up; waits and repeats while the server asks for that, and for no long time. (ERR-7)
pub(crate) async fn patiently(request: Request) -> Verdict<Answer> {
    loop {
        let answer = request.clone().send().await?;
        let wait =
            answer.refused_with(ErrorCode::RateLimited).ok().and_then(|problem| problem["retry_after_ms"].as_u64());
        match wait.map(Duration::from_millis) {
            Some(wait) if wait <= LONGEST_WAIT => tokio::time::sleep(wait).await,
            _ => return Ok(answer),
        }
    }
}

/// For cases that need the code of a mail that does not come.
pub(super) fn no_mail(address: &str) -> Stop {
    Stop::failed(format!("a mail to {address}"), "none")
}
