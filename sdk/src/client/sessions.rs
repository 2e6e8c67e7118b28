use i9chat_spec::{
    ErrorCode, Nothing, SessionId,
    api::sessions::{EndSession, ListSessions, OneSession, SessionInfo, SessionRef},
};

use crate::{Client, Error, Session};

/// Sessions: this one, and those of the user's other devices.
impl Client {
    /// The user's open sessions, newest first. (SES-8)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// for session in client.sessions().await?.iter().filter(|session| !session.current) {
    ///     println!("{:?}, last used at {}", session.client, session.last_used_at);
    ///     client.end_session(session.session_id).await?; // signs that device out
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        let list = self.inner.http.call::<ListSessions>(&Nothing {}, &Nothing {}, &Nothing {}).await?;
        Ok(list.items)
    }

    /// Ends another of the user's sessions, whose tokens are refused from then on. (SES-9, SES-10)
    ///
    /// Refused with `session_not_found` when there is no such open session.
    pub async fn end_session(&self, session_id: SessionId) -> Result<(), Error> {
        self.end(SessionRef::Id(session_id)).await
    }

    /// Ends this session, forgets the stored one, and stops the client. A session that is over already is no error.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// client.sign_out().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sign_out(&self) -> Result<(), Error> {
        match self.end(SessionRef::Current).await {
            Err(error) if !error.is_session_over() => return Err(error),
            _ => {}
        }
        if let Some(tokens) = self.inner.http.tokens() {
            tokens.clear().await?;
        }
        self.close().await;
        Ok(())
    }

    /// The session with its present tokens, for a program that keeps it in a place of its own.
    pub async fn session(&self) -> Option<Session> {
        match self.inner.http.tokens() {
            Some(tokens) => Some(tokens.session().await),
            None => None,
        }
    }

    async fn end(&self, session: SessionRef) -> Result<(), Error> {
        let path = OneSession { session_id: session };
        self.inner.http.call_until::<EndSession>(&path, ErrorCode::SessionNotFound).await.map(|_| ())
    }
}
