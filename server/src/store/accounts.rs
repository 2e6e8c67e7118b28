//! What accounts need of a store. (sections 4 to 6 of `docs/protocol.md`)
//!
//! A method that writes is one transaction: all or nothing, and durable when it returns. A method that reads sees
//! everything that was written before it began. The rules are in [`crate::domain::accounts`]: a store loads what they
//! look at and saves what they decide, provided that nobody else decided meanwhile. Claims to mail addresses are in
//! [`super::claims`].

use async_trait::async_trait;
use i9chat_spec::{
    Bio, EmailAddress, Location, Login, MediaId, SessionId, Timestamp, User, UserId, Username,
    api::users::{NearbyUser, OwnProfile},
};

use super::StoreError;
use crate::domain::accounts::{
    hashes::{PasswordHash, SecretHash},
    refresh::RefreshState,
    session::SessionTimes,
};

/// Accounts and sessions.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// The address of the account that a mail address names in any case, as the account has it.
    async fn account_address(&self, email: &EmailAddress) -> Result<Option<EmailAddress>, StoreError>;

    /// Makes an account and opens its first session, or does nothing of it.
    async fn make_account(&self, account: NewAccount) -> Result<AccountMade, StoreError>;

    /// The account that the login names, by username or mail address in any case.
    async fn account(&self, login: &Login) -> Result<Option<Account>, StoreError>;

    /// Replaces the password hash, unless it is no longer the one that was seen.
    async fn renew_password_hash(
        &self,
        user_id: UserId,
        seen: PasswordHash,
        renewed: PasswordHash,
    ) -> Result<(), StoreError>;

    /// What a user sees of themselves. (USR-1)
    async fn own_profile(&self, user_id: UserId) -> Result<Option<OwnProfile>, StoreError>;

    /// What others see of the user of that name, in any case, besides presence. (USR-2)
    async fn profile(&self, username: &Username) -> Result<Option<Profile>, StoreError>;

    /// The users of those names, in any case: one for each name, in their order.
    async fn users_by_name(&self, usernames: Vec<Username>) -> Result<Vec<Option<User>>, StoreError>;

    /// Users around a place, the nearest first. (USR-8 to USR-12)
    async fn nearby(&self, search: NearbySearch) -> Result<Vec<NearbyUser>, StoreError>;

    /// Opens a session, unless the password was set since the `password_version` that was seen (ACC-17), or the user has
    /// `max_open` already that were used after `open_since`: looked at and opened in one transaction, so that sign-ins at
    /// once do not exceed it. (SES-13)
    async fn open_session(
        &self,
        user_id: UserId,
        password_version: i64,
        session: NewSession,
        max_open: u64,
        open_since: Timestamp,
    ) -> Result<SessionOpening, StoreError>;

    /// A session and its user, whether or not it has ended. One that ended long ago may be gone.
    async fn session(&self, session_id: SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// The sessions of a user that are not ended and were used after `open_since`, newest first. (SES-8)
    async fn open_sessions(&self, user_id: UserId, open_since: Timestamp) -> Result<Vec<OpenSession>, StoreError>;

    /// Makes the refresh token with this hash the newest, and the newest until now the one before. `false`, and nothing is changed,
    /// when the session has ended or its newest generation is not the one before `generation`.
    async fn advance_tokens(
        &self,
        session_id: SessionId,
        generation: u32,
        newest: SecretHash,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Notes that the session was used, and, when a generation is given and is still the newest, that a token of the
    /// newest pair was. (SES-6) A session that has ended or is gone is left as it is.
    async fn note_use(&self, session_id: SessionId, at: Timestamp, newest_used: Option<u32>) -> Result<(), StoreError>;

    /// Forgets sessions that have ended or were last used before then.
    async fn forget_sessions(&self, ended_before: Timestamp) -> Result<(), StoreError>;
}

/// A user as others see them, besides presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub user: User,
    /// What they say about themselves.
    pub bio: Bio,
    /// Their picture.
    pub picture_id: Option<MediaId>,
}

/// A search for users around a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearbySearch {
    /// The place.
    pub near: Location,
    /// How far around it, in metres.
    pub radius_m: u32,
    /// The most users to find.
    pub limit: usize,
    /// Who searches, and is not found.
    pub except: UserId,
}

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its mail address.
    pub email: EmailAddress,
    /// Who it is.
    pub user: User,
    /// What they say about themselves.
    pub bio: Bio,
    /// The password.
    pub password: PasswordHash,
    /// The first session; its opening is the account's beginning.
    pub session: NewSession,
}

/// What became of making an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountMade {
    /// It is made, and its session open.
    Made,
    /// Another user has the name. (ACC-8)
    UsernameTaken,
    /// The address has an account by now. (ACC-10)
    AddressTaken,
}

/// What signing in looks at.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who it is.
    pub user: User,
    /// The password.
    pub password: PasswordHash,
    /// Another whenever a new password was set; hashing the same one anew leaves it as it is.
    pub password_version: i64,
}

/// How a session's callers prove that they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionProof {
    /// By tokens.
    Tokens(RefreshState),
    /// By the cookie whose secret has this hash.
    Cookie(SecretHash),
}

/// A session to open.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Names it.
    pub session_id: SessionId,
    /// When it is opened, and first used.
    pub created_at: Timestamp,
    /// The `User-Agent` of the sign-in. (SES-8)
    pub client: Option<String>,
    /// Its tokens or its cookie.
    pub proof: SessionProof,
}

/// What became of opening a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionOpening {
    /// It is open.
    Opened,
    /// The user has too many.
    TooMany {
        /// The one that was unused longest. (SES-13)
        unused_longest: SessionId,
    },
    /// Another password was set meanwhile. (ACC-17)
    PasswordChanged,
}

/// A session as it is checked on each request.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// Whose it is.
    pub user: User,
    /// When it was used and ended.
    pub times: SessionTimes,
    /// Its tokens or its cookie.
    pub proof: SessionProof,
}

/// A session in its owner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Names it.
    pub session_id: SessionId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// The last use that was noted.
    pub last_used_at: Timestamp,
    /// The `User-Agent` of the sign-in.
    pub client: Option<String>,
}
