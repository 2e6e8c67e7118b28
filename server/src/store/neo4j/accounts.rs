//! Accounts in Neo4j. Each method is one statement. One that writes locks the node that decides before it looks at anything else,
//! and answers a second try like the first: so it is tried again also when a lost connection leaves open whether it was done.

mod nearby;
mod profiles;
mod sessions;
mod users;

use async_trait::async_trait;
use i9chat_spec::{
    EmailAddress, Login, SessionId, Timestamp, User, UserId, Username,
    api::users::{NearbyUser, OwnProfile},
};

pub(super) use self::profiles::row as profile_row;
use super::Neo4jStore;
use crate::{
    domain::accounts::hashes::{PasswordHash, SecretHash},
    store::{
        StoreError,
        accounts::{
            Account, AccountMade, AccountStore, NearbySearch, NewAccount, NewSession, OpenSession, Profile,
            SessionOpening, SessionRecord,
        },
    },
};

/// Every statement of accounts.
pub(super) const STATEMENTS: &[&str] = &[
    nearby::CELLS,
    nearby::USERS,
    profiles::OWN,
    profiles::OF,
    sessions::OPEN,
    sessions::RECORD,
    sessions::OPEN_OF_USER,
    sessions::ADVANCE,
    sessions::NOTE_USE,
    sessions::FORGET_UNUSED,
    sessions::FORGET_ENDED,
    users::ADDRESS,
    users::MAKE,
    users::BY_USERNAME,
    users::BY_EMAIL,
    users::BY_NAMES,
    users::RENEW_PASSWORD_HASH,
];

#[async_trait]
impl AccountStore for Neo4jStore {
    async fn account_address(&self, email: &EmailAddress) -> Result<Option<EmailAddress>, StoreError> {
        users::address(&self.driver, email).await
    }

    async fn make_account(&self, account: NewAccount) -> Result<AccountMade, StoreError> {
        users::make(&self.driver, &account).await
    }

    async fn account(&self, login: &Login) -> Result<Option<Account>, StoreError> {
        users::by_login(&self.driver, login).await
    }

    async fn renew_password_hash(
        &self,
        user_id: UserId,
        seen: PasswordHash,
        renewed: PasswordHash,
    ) -> Result<(), StoreError> {
        users::renew_password_hash(&self.driver, user_id, &seen, &renewed).await
    }

    async fn own_profile(&self, user_id: UserId) -> Result<Option<OwnProfile>, StoreError> {
        profiles::own(&self.driver, user_id).await
    }

    async fn profile(&self, username: &Username) -> Result<Option<Profile>, StoreError> {
        profiles::of(&self.driver, username).await
    }

    async fn users_by_name(&self, usernames: Vec<Username>) -> Result<Vec<Option<User>>, StoreError> {
        users::by_names(&self.driver, &usernames).await
    }

    async fn nearby(&self, search: NearbySearch) -> Result<Vec<NearbyUser>, StoreError> {
        nearby::search(&self.driver, &search).await
    }

    async fn open_session(
        &self,
        user_id: UserId,
        password_version: i64,
        session: NewSession,
        max_open: u64,
        open_since: Timestamp,
    ) -> Result<SessionOpening, StoreError> {
        sessions::open(&self.driver, user_id, password_version, &session, max_open, open_since).await
    }

    async fn session(&self, session_id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        sessions::record(&self.driver, session_id).await
    }

    async fn open_sessions(&self, user_id: UserId, open_since: Timestamp) -> Result<Vec<OpenSession>, StoreError> {
        sessions::open_of_user(&self.driver, user_id, open_since).await
    }

    async fn advance_tokens(
        &self,
        session_id: SessionId,
        generation: u32,
        newest: SecretHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        sessions::advance(&self.driver, session_id, generation, newest, at).await
    }

    async fn note_use(&self, session_id: SessionId, at: Timestamp, newest_used: Option<u32>) -> Result<(), StoreError> {
        sessions::note_use(&self.driver, session_id, at, newest_used).await
    }

    async fn forget_sessions(&self, ended_before: Timestamp) -> Result<(), StoreError> {
        sessions::forget(&self.driver, ended_before).await
    }
}
