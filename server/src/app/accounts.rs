//! What the use cases of accounts and sessions work with.

use std::sync::Arc;

use i9chat_spec::{User, Username, error::NoRefusal};
use tokio::sync::Notify;

use super::{App, Failure};
use crate::{
    auth::{
        keys::ServerKey,
        passwords::{PasswordCost, PasswordError, Passwords},
        secrets::Secrets,
        tokens::{SigningFailed, Tokens},
    },
    bus::SignInAttempts,
    domain::accounts::session,
    ids::Ids,
    store::{StoreError, accounts::AccountStore, claims::ClaimStore, mails::MailStore},
};

/// Where accounts, and what belongs to them, are kept.
pub struct AccountStores {
    /// Accounts and sessions.
    pub accounts: Arc<dyn AccountStore>,
    /// Claims to mail addresses.
    pub claims: Arc<dyn ClaimStore>,
    /// The mails that wait.
    pub mails: Arc<dyn MailStore>,
    /// Counts failed sign-ins.
    pub attempts: Arc<dyn SignInAttempts>,
}

/// Accounts: where they are kept, and what proves who a caller is.
pub struct Accounts {
    pub(super) store: Arc<dyn AccountStore>,
    pub(super) claims: Arc<dyn ClaimStore>,
    pub(super) mails: Arc<dyn MailStore>,
    pub(super) passwords: Passwords,
    pub(super) tokens: Tokens,
    pub(super) secrets: Arc<Secrets>,
    pub(super) attempts: Arc<dyn SignInAttempts>,
    pub(super) mail_waits: Arc<Notify>,
}

impl Accounts {
    /// Accounts in those stores, with keys derived from the server's. Makes one password hash, so it blocks; call it before serving.
    pub fn new(
        stores: AccountStores,
        key: &ServerKey,
        cost: PasswordCost,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, PasswordError> {
        let AccountStores { accounts, claims, mails, attempts } = stores;
        Ok(Self {
            store: accounts,
            claims,
            mails,
            passwords: Passwords::new(cost, ids)?,
            tokens: Tokens::new(key),
            secrets: Arc::new(Secrets::new(key)),
            attempts,
            mail_waits: Arc::new(Notify::new()),
        })
    }

    /// Where accounts are kept.
    pub fn store(&self) -> &Arc<dyn AccountStore> {
        &self.store
    }

    /// Where mails wait.
    pub fn mails(&self) -> &Arc<dyn MailStore> {
        &self.mails
    }

    /// The user of that name, in any case.
    pub async fn user_by_name(&self, username: &Username) -> Result<Option<User>, StoreError> {
        Ok(self.store.profile(username).await?.map(|profile| profile.user))
    }

    /// Makes the codes that mails carry.
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    /// Rings when a mail was queued.
    pub fn mail_waits(&self) -> &Arc<Notify> {
        &self.mail_waits
    }
}

impl App {
    /// Forgets what no longer matters: claims that ran out, and sessions that ended long ago.
    pub async fn clean_up(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.accounts.claims.forget_claims(now).await?;
        let ended_before = session::idle_since(now, self.lifetimes.session_idle_ttl_s);
        self.accounts.store.forget_sessions(ended_before).await
    }
}

impl<R> From<PasswordError> for Failure<R> {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => Self::Overloaded,
            PasswordError::Failed => {
                tracing::error!("a password cannot be hashed, or a stored hash cannot be read");
                Self::Internal
            }
        }
    }
}

impl<R> From<SigningFailed> for Failure<R> {
    fn from(error: SigningFailed) -> Self {
        tracing::error!(%error);
        Self::Internal
    }
}

/// For what cannot fail unless the code is wrong, such as a secret that the server makes and that keeps its own rules.
pub(super) fn broken(what: &'static str) -> Failure<NoRefusal> {
    tracing::error!(what, "a fault of the server");
    Failure::Internal
}
