//! Somebody on the way to an account. (ACC-1)

use serde_json::{Value, json};

use super::{
    World,
    user::{User, no_mail, patiently},
};
use crate::{
    client::{Answer, Client},
    expect::text_at,
    mail::{Seen, codes_in},
    verdict::{Stop, Verdict},
};

/// Somebody without an account yet: an address, and what they would like to be called.
#[derive(Debug, Clone)]
pub struct Newcomer<'w> {
    world: &'w World,
    /// The client that they come with.
    pub client: Client,
    /// The mail address.
    pub email: String,
    /// The name that they would like.
    pub username: String,
    /// The password that they would like.
    pub password: String,
}

/// A ticket, and the code that came by mail with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The ticket of the first step.
    pub ticket: String,
    /// The code.
    pub code: String,
}

impl<'w> Newcomer<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        // Letters alone: a mail may name its address, and holds one run of six digits only. (ACC-2)
        let mark: String = (0..12).map(|_| rand::random_range('a'..='z')).collect();
        let password = format!("correct horse {mark}");
        world.journal().secret(&password);
        Self {
            world,
            client: world.visitor(),
            email: format!("u{mark}@conformance.example"),
            username: format!("U{mark}"),
            password,
        }
    }

    /// The same newcomer with another mail address.
    #[must_use]
    pub fn with_email(self, email: impl Into<String>) -> Self {
        Self { email: email.into(), ..self }
    }

    /// The same newcomer, who would like another name.
    #[must_use]
    pub fn with_username(self, username: impl Into<String>) -> Self {
        Self { username: username.into(), ..self }
    }

    /// Asks to sign up: the first step.
    pub async fn asks(&self) -> Verdict<Answer> {
        patiently(self.client.post("/v1/signup", &json!({ "email": self.email }))).await
    }

    /// Asks to sign up, and reads the code from the mail.
    pub async fn gets_ticket(&self) -> Verdict<Ticket> {
        let mail = self.world.target().mail();
        let seen = mail.seen(&self.email).await;
        let ticket = text_at(&self.asks().await?.succeeded(202)?, "ticket")?;
        self.world.journal().secret(&ticket);
        Ok(Ticket { ticket, code: self.reads_code(&seen).await? })
    }

    /// Waits for a mail beyond those seen, and answers its only code. (ACC-2)
    pub async fn reads_code(&self, seen: &Seen) -> Verdict<String> {
        let text = self.reads_mail(seen).await?;
        let codes = codes_in(&text);
        match codes.as_slice() {
            [code] => Ok(code.clone()),
            _ => Err(Stop::failed("a mail with one run of exactly six digits", format!("{} of them", codes.len()))),
        }
    }

    /// Waits for a mail beyond those seen, and answers its text.
    pub async fn reads_mail(&self, seen: &Seen) -> Verdict<String> {
        let deadline = self.world.target().deadlines().mail;
        let text = self.world.target().mail().next(&self.email, seen, deadline).await;
        text.ok_or_else(|| no_mail(&self.email))
    }

    /// Shows a code: the second step.
    pub async fn verifies(&self, ticket: &str, code: &str) -> Verdict<Answer> {
        patiently(self.client.post("/v1/signup/verify", &json!({ "ticket": ticket, "code": code }))).await
    }

    /// Asks, reads the code and shows it: answers the ticket for the last step.
    pub async fn proves_address(&self) -> Verdict<String> {
        let Ticket { ticket, code } = self.gets_ticket().await?;
        let ticket = text_at(&self.verifies(&ticket, &code).await?.succeeded(200)?, "ticket")?;
        self.world.journal().secret(&ticket);
        Ok(ticket)
    }

    /// The body of the last step.
    pub fn account(&self, ticket: &str) -> Value {
        json!({ "ticket": ticket, "username": self.username, "password": self.password })
    }

    /// Makes the account: the last step.
    pub async fn completes(&self, ticket: &str) -> Verdict<Answer> {
        patiently(self.client.post("/v1/signup/complete", &self.account(ticket))).await
    }

    /// All three steps.
    pub async fn signs_up(self) -> Verdict<User> {
        let ticket = self.proves_address().await?;
        let session = self.completes(&ticket).await?.succeeded(201)?;
        User::from_session(&self.client, &session, &self.email, &self.password)
    }
}
