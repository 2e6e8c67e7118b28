use i9chat_spec::{EmailAddress, Login, User, UserId, Username};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::column::{Column, Parsed};
use crate::{
    domain::accounts::hashes::PasswordHash,
    store::{
        StoreError,
        accounts::{Account, NewAccount},
    },
};

/// The row id of a user, as other tables name them.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserRow(pub i64);

/// The address with that key, as its account has it.
pub(super) fn address(connection: &Connection, key: &str) -> Result<Option<EmailAddress>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT email FROM users WHERE email_key = ?1")?;
    Ok(statement.query_row([key], |row| Ok(row.get::<_, Parsed<_>>("email")?.0)).optional()?)
}

pub(super) fn has_username(connection: &Connection, key: &str) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM users WHERE username_key = ?1")?.exists([key])?)
}

pub(super) fn add(connection: &Connection, account: &NewAccount) -> Result<UserRow, StoreError> {
    let email = &account.email;
    let id = connection
        .prepare_cached(
            "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at)
             VALUES (:user_id, :username, :username_key, :email, :email_key, :password, :bio, :created_at)",
        )?
        .insert(named_params! {
            ":user_id": Column(account.user.user_id.as_uuid()),
            ":username": account.user.username.as_str(),
            ":username_key": account.user.username.key(),
            ":email": email.as_str(),
            ":email_key": email.key(),
            ":password": account.password,
            ":bio": account.bio.as_str(),
            ":created_at": Column(account.session.created_at),
        })?;
    Ok(UserRow(id))
}

pub(super) fn row_of(connection: &Connection, user_id: UserId) -> Result<UserRow, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM users WHERE user_id = ?1")?;
    Ok(UserRow(statement.query_row([Column(user_id.as_uuid())], |row| row.get(0))?))
}

pub(super) fn by_login(connection: &Connection, login: &Login) -> Result<Option<Account>, StoreError> {
    // No username holds an `@`, and every mail address does.
    let sql = if login.as_str().contains('@') {
        "SELECT user_id, username, password_hash, password_version FROM users WHERE email_key = ?1"
    } else {
        "SELECT user_id, username, password_hash, password_version FROM users WHERE username_key = ?1"
    };
    let mut statement = connection.prepare_cached(sql)?;
    let account = statement.query_row([login.as_str().to_ascii_lowercase()], |row| {
        Ok(Account {
            user: user(row, "user_id", "username")?,
            password: row.get("password_hash")?,
            password_version: row.get("password_version")?,
        })
    });
    Ok(account.optional()?)
}

pub(super) fn renew_password_hash(
    connection: &Connection,
    user_id: UserId,
    seen: &PasswordHash,
    renewed: &PasswordHash,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE users SET password_hash = :renewed WHERE user_id = :user_id AND password_hash = :seen")?
        .execute(named_params! {
            ":renewed": renewed, ":user_id": Column(user_id.as_uuid()), ":seen": seen,
        })?;
    Ok(())
}

/// The users of those names, in their order.
pub(super) fn by_names(connection: &Connection, names: &[Username]) -> Result<Vec<Option<User>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT user_id, username FROM users WHERE username_key = ?1")?;
    names
        .iter()
        .map(|name| Ok(statement.query_row([name.key()], |row| user(row, "user_id", "username")).optional()?))
        .collect()
}

pub(super) fn password_version(connection: &Connection, user_id: UserId) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT password_version FROM users WHERE user_id = ?1")?;
    Ok(statement.query_row([Column(user_id.as_uuid())], |row| row.get(0))?)
}

/// Sets another password.
pub(super) fn set_password(
    connection: &Connection,
    user_id: UserId,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE users SET password_hash = :password, password_version = password_version + 1
             WHERE user_id = :user_id",
        )?
        .execute(named_params! { ":password": password, ":user_id": Column(user_id.as_uuid()) })?;
    Ok(())
}

/// The user in two columns of a row.
pub(super) fn user(row: &Row<'_>, user_id: &str, username: &str) -> rusqlite::Result<User> {
    Ok(User {
        user_id: UserId::from_uuid(row.get::<_, Column<_>>(user_id)?.0),
        username: row.get::<_, Parsed<_>>(username)?.0,
    })
}
