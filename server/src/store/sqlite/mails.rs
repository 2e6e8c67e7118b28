//! The mails that wait in SQLite: a row each.

use async_trait::async_trait;
use i9chat_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{
    SqliteStore,
    column::{Column, Parsed},
};
use crate::store::{
    StoreError,
    mails::{DueMails, MailId, MailMatter, MailStore, NewMail, QueuedMail},
};

/// How many mails may wait, so that a mail server that is away does not fill the disk.
const MOST_WAITING: i64 = 10_000;

const SIGNUP_CODE: i64 = 1;
const ALREADY_REGISTERED: i64 = 2;
const PASSWORD_RESET_CODE: i64 = 3;
const NO_ACCOUNT: i64 = 4;

#[async_trait]
impl MailStore for SqliteStore {
    async fn due_mails(&self, now: Timestamp, at_most: usize) -> Result<DueMails, StoreError> {
        self.read(move |connection| due(connection, now, at_most)).await
    }

    async fn remove_mail(&self, id: &MailId) -> Result<(), StoreError> {
        let row = row_of(id)?;
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM mails WHERE id = ?1")?.execute([row])?;
            Ok(())
        })
        .await
    }

    async fn postpone_mail(&self, mail: &QueuedMail, tries: u32, until: Timestamp) -> Result<(), StoreError> {
        let row = row_of(&mail.id)?;
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE mails SET tries = :tries, due_at = :until WHERE id = :id")?
                .execute(named_params! { ":tries": tries, ":until": Column(until), ":id": row })?;
            Ok(())
        })
        .await
    }
}

fn row_of(id: &MailId) -> Result<i64, StoreError> {
    id.0.parse().map_err(|_| StoreError::Corrupt(format!("a mail {:?}", id.0)))
}

pub(super) fn queue(connection: &Connection, mail: &NewMail) -> Result<(), StoreError> {
    let waiting: i64 = connection.prepare_cached("SELECT count(*) FROM mails")?.query_row([], |row| row.get(0))?;
    if waiting >= MOST_WAITING {
        return Err(StoreError::Overloaded);
    }
    let (matter, ticket) = match mail.matter {
        MailMatter::SignupCode { ticket } => (SIGNUP_CODE, Some(ticket)),
        MailMatter::AlreadyRegistered => (ALREADY_REGISTERED, None),
        MailMatter::PasswordResetCode { ticket } => (PASSWORD_RESET_CODE, Some(ticket)),
        MailMatter::NoAccount => (NO_ACCOUNT, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO mails (recipient, matter, ticket, due_at, give_up_at, tries)
             VALUES (:recipient, :matter, :ticket, :due_at, :give_up_at, 0)",
        )?
        .insert(named_params! {
            ":recipient": mail.to.as_str(), ":matter": matter, ":ticket": ticket, ":due_at": Column(mail.due_at),
            ":give_up_at": Column(mail.give_up_at),
        })?;
    Ok(())
}

fn due(connection: &Connection, now: Timestamp, at_most: usize) -> Result<DueMails, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, recipient, matter, ticket, due_at, give_up_at, tries FROM mails WHERE due_at <= :now
         ORDER BY due_at, id LIMIT :at_most",
    )?;
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let mails = statement
        .query_map(named_params! { ":now": Column(now), ":at_most": at_most }, |row| {
            let matter = match row.get("matter")? {
                SIGNUP_CODE => MailMatter::SignupCode { ticket: row.get("ticket")? },
                ALREADY_REGISTERED => MailMatter::AlreadyRegistered,
                PASSWORD_RESET_CODE => MailMatter::PasswordResetCode { ticket: row.get("ticket")? },
                NO_ACCOUNT => MailMatter::NoAccount,
                matter => {
                    let column = row.as_ref().column_index("matter")?;
                    return Err(rusqlite::Error::IntegralValueOutOfRange(column, matter));
                }
            };
            let mail = NewMail {
                to: row.get::<_, Parsed<_>>("recipient")?.0,
                matter,
                due_at: row.get::<_, Column<_>>("due_at")?.0,
                give_up_at: row.get::<_, Column<_>>("give_up_at")?.0,
            };
            Ok(QueuedMail { id: MailId(row.get::<_, i64>("id")?.to_string()), mail, tries: row.get("tries")? })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let next_due_at = connection
        .prepare_cached("SELECT due_at FROM mails ORDER BY due_at, id LIMIT 1 OFFSET :listed")?
        .query_row(named_params! { ":listed": i64::try_from(mails.len()).unwrap_or(i64::MAX) }, |row| {
            row.get::<_, Column<Timestamp>>(0)
        })
        .optional()?
        .map(|at| at.0);
    Ok(DueMails { mails, next_due_at })
}
