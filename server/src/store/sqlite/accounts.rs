//! Accounts in SQLite: which statements run in which transaction. The statements stand in the files below.

mod nearby;
mod profiles;
mod sessions;
mod users;

use async_trait::async_trait;
use i9chat_spec::{
    EmailAddress, Login, SessionId, Timestamp, User, UserId, Username,
    api::users::{NearbyUser, OwnProfile},
};

use rusqlite::Connection;

use super::SqliteStore;
use crate::{
    domain::{
        Effect,
        accounts::hashes::{PasswordHash, SecretHash},
    },
    store::{
        StoreError,
        accounts::{
            Account, AccountMade, AccountStore, NearbySearch, NewAccount, NewSession, OpenSession, Profile,
            SessionOpening, SessionRecord,
        },
    },
};

pub(super) use self::profiles::{changeable as profile_state, write as write_profile};

/// Does what a command changes beside the log.
pub(super) fn take_effect(connection: &Connection, effect: &Effect) -> Result<(), StoreError> {
    match effect {
        Effect::PasswordSet { user_id, hash } => users::set_password(connection, *user_id, hash),
    }
}

#[async_trait]
impl AccountStore for SqliteStore {
    async fn account_address(&self, email: &EmailAddress) -> Result<Option<EmailAddress>, StoreError> {
        let key = email.key();
        self.read(move |connection| users::address(connection, &key)).await
    }

    async fn make_account(&self, account: NewAccount) -> Result<AccountMade, StoreError> {
        self.write(move |connection| {
            // Looked up before anything is written, so that nothing is to be undone.
            if users::has_username(connection, &account.user.username.key())? {
                return Ok(AccountMade::UsernameTaken);
            }
            if users::address(connection, &account.email.key())?.is_some() {
                return Ok(AccountMade::AddressTaken);
            }
            let user = users::add(connection, &account)?;
            sessions::add(connection, user, &account.session)?;
            Ok(AccountMade::Made)
        })
        .await
    }

    async fn account(&self, login: &Login) -> Result<Option<Account>, StoreError> {
        let login = login.clone();
        self.read(move |connection| users::by_login(connection, &login)).await
    }

    async fn renew_password_hash(
        &self,
        user_id: UserId,
        seen: PasswordHash,
        renewed: PasswordHash,
    ) -> Result<(), StoreError> {
        self.write(move |connection| users::renew_password_hash(connection, user_id, &seen, &renewed)).await
    }

    async fn own_profile(&self, user_id: UserId) -> Result<Option<OwnProfile>, StoreError> {
        self.read(move |connection| profiles::own(connection, user_id)).await
    }

    async fn profile(&self, username: &Username) -> Result<Option<Profile>, StoreError> {
        let key = username.key();
        self.read(move |connection| profiles::of(connection, &key)).await
    }

    async fn users_by_name(&self, usernames: Vec<Username>) -> Result<Vec<Option<User>>, StoreError> {
        self.read(move |connection| users::by_names(connection, &usernames)).await
    }

    async fn nearby(&self, search: NearbySearch) -> Result<Vec<NearbyUser>, StoreError> {
        self.read(move |connection| nearby::search(connection, &search)).await
    }

    async fn open_session(
        &self,
        user_id: UserId,
        password_version: i64,
        session: NewSession,
        max_open: u64,
        open_since: Timestamp,
    ) -> Result<SessionOpening, StoreError> {
        self.write(move |connection| {
            if users::password_version(connection, user_id)? != password_version {
                return Ok(SessionOpening::PasswordChanged);
            }
            if let Some(unused_longest) = sessions::one_too_many(connection, user_id, max_open, open_since)? {
                return Ok(SessionOpening::TooMany { unused_longest });
            }
            let user = users::row_of(connection, user_id)?;
            sessions::add(connection, user, &session)?;
            Ok(SessionOpening::Opened)
        })
        .await
    }

    async fn session(&self, session_id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.read(move |connection| sessions::record(connection, session_id)).await
    }

    async fn open_sessions(&self, user_id: UserId, open_since: Timestamp) -> Result<Vec<OpenSession>, StoreError> {
        self.read(move |connection| sessions::open_of_user(connection, user_id, open_since)).await
    }

    async fn advance_tokens(
        &self,
        session_id: SessionId,
        generation: u32,
        newest: SecretHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| sessions::advance(connection, session_id, generation, &newest, at)).await
    }

    async fn note_use(&self, session_id: SessionId, at: Timestamp, newest_used: Option<u32>) -> Result<(), StoreError> {
        self.write(move |connection| sessions::note_use(connection, session_id, at, newest_used)).await
    }

    async fn forget_sessions(&self, ended_before: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| sessions::forget(connection, ended_before)).await
    }
}
