//! Claims to mail addresses in SQLite: a row for each address and purpose.

use async_trait::async_trait;
use i9chat_spec::{EmailAddress, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params, types::Type};

use super::{
    SqliteStore,
    column::{Column, Parsed},
    mails,
};
use crate::{
    domain::accounts::{
        claim::{Claim, Purpose, Step},
        hashes::SecretHash,
        window::Window,
    },
    store::{
        StoreError,
        claims::{ClaimStore, SaveClaim, Stored},
    },
};

const SIGN_UP: i64 = 1;
const PASSWORD_RESET: i64 = 2;

const VERIFY: i64 = 1;
const COMPLETE: i64 = 2;
const DONE: i64 = 3;

#[async_trait]
impl ClaimStore for SqliteStore {
    async fn claim_to(&self, purpose: Purpose, email: &EmailAddress) -> Result<Option<Stored<Claim>>, StoreError> {
        let key = email.key();
        let select = "SELECT * FROM claims WHERE purpose = ?1 AND email_key = ?2";
        self.read(move |connection| one(connection, select, purpose, &key)).await
    }

    async fn claim(&self, purpose: Purpose, ticket: SecretHash) -> Result<Option<Stored<Claim>>, StoreError> {
        let select = "SELECT * FROM claims WHERE purpose = ?1 AND ticket = ?2";
        self.read(move |connection| one(connection, select, purpose, &ticket)).await
    }

    async fn save_claim(&self, claim: SaveClaim) -> Result<bool, StoreError> {
        self.write(move |connection| {
            if !save(connection, &claim)? {
                return Ok(false);
            }
            if let Some(mail) = &claim.mail {
                mails::queue(connection, mail)?;
            }
            Ok(true)
        })
        .await
    }

    async fn forget_claims(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM claims WHERE forget_at <= :now")?
                .execute(named_params! { ":now": Column(now) })?;
            Ok(())
        })
        .await
    }
}

fn one(
    connection: &Connection,
    sql: &str,
    purpose: Purpose,
    parameter: &dyn ToSql,
) -> Result<Option<Stored<Claim>>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params![number_of(purpose), parameter], claim).optional()?)
}

const fn number_of(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Signup => SIGN_UP,
        Purpose::PasswordReset => PASSWORD_RESET,
    }
}

fn claim(row: &Row<'_>) -> rusqlite::Result<Stored<Claim>> {
    let out_of_range = |column, value| -> rusqlite::Result<rusqlite::Error> {
        Ok(rusqlite::Error::IntegralValueOutOfRange(row.as_ref().column_index(column)?, value))
    };
    let purpose = match row.get("purpose")? {
        SIGN_UP => Purpose::Signup,
        PASSWORD_RESET => Purpose::PasswordReset,
        purpose => return Err(out_of_range("purpose", purpose)?),
    };
    let step = match row.get("step")? {
        VERIFY => Step::Verify { good: row.get("good")?, wrong_codes: row.get("wrong_codes")? },
        COMPLETE => Step::Complete,
        DONE => Step::Done,
        step => return Err(out_of_range("step", step)?),
    };
    let value = Claim {
        purpose,
        email: row.get::<_, Parsed<_>>("email")?.0,
        ticket: row.get("ticket")?,
        expires_at: row.get::<_, Column<_>>("expires_at")?.0,
        step,
        tickets: window(row, "tickets_at")?,
        wrong_codes: window(row, "wrong_codes_at")?,
    };
    Ok(Stored { value, version: row.get("version")? })
}

fn window(row: &Row<'_>, column: &str) -> rusqlite::Result<Window> {
    let times: Vec<i64> = serde_json::from_str(&row.get::<_, String>(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    Ok(Window::from_times(times.into_iter().map(Timestamp::from_millis)))
}

fn times(window: &Window) -> String {
    let times: Vec<_> = window.times().map(Timestamp::as_millis).collect();
    // A list of numbers.
    format!("{times:?}")
}

fn save(connection: &Connection, save: &SaveClaim) -> Result<bool, StoreError> {
    let claim = &save.claim;
    let (step, good, wrong_codes) = match claim.step {
        Step::Verify { good, wrong_codes } => (VERIFY, good, wrong_codes),
        Step::Complete => (COMPLETE, false, 0),
        Step::Done => (DONE, false, 0),
    };
    let changed = connection
        .prepare_cached(
            "INSERT INTO claims (purpose, email_key, email, version, ticket, expires_at, step, good, wrong_codes, tickets_at,
                                  wrong_codes_at, forget_at)
             SELECT :purpose, :email_key, :email, ifnull(:seen, 0) + 1, :ticket, :expires_at, :step, :good, :wrong_codes,
                    :tickets_at, :wrong_codes_at, :forget_at
             WHERE :seen IS (SELECT version FROM claims WHERE purpose = :purpose AND email_key = :email_key)
             ON CONFLICT (purpose, email_key) DO UPDATE SET
                 email = excluded.email, version = excluded.version, ticket = excluded.ticket,
                 expires_at = excluded.expires_at, step = excluded.step, good = excluded.good,
                 wrong_codes = excluded.wrong_codes, tickets_at = excluded.tickets_at,
                 wrong_codes_at = excluded.wrong_codes_at, forget_at = excluded.forget_at",
        )?
        .execute(named_params! {
            ":purpose": number_of(claim.purpose),
            ":email_key": claim.email.key(),
            ":email": claim.email.as_str(),
            ":seen": save.seen,
            ":ticket": claim.ticket,
            ":expires_at": Column(claim.expires_at),
            ":step": step,
            ":good": good,
            ":wrong_codes": wrong_codes,
            ":tickets_at": times(&claim.tickets),
            ":wrong_codes_at": times(&claim.wrong_codes),
            ":forget_at": Column(save.forget_at),
        })?;
    Ok(changed == 1)
}
