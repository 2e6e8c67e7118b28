use i9chat_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, types::Type};

use super::column::{Column, Parsed};
use crate::{
    domain::accounts::{
        hashes::SecretHash,
        signup::{Signup, Step},
        window::Window,
    },
    store::{
        StoreError,
        accounts::{SaveSignup, Stored},
    },
};

const VERIFY: i64 = 1;
const COMPLETE: i64 = 2;
const DONE: i64 = 3;

pub(super) fn of_address(connection: &Connection, key: &str) -> Result<Option<Stored<Signup>>, StoreError> {
    one(connection, "SELECT * FROM signups WHERE email_key = ?1", &key)
}

pub(super) fn of_ticket(connection: &Connection, ticket: &SecretHash) -> Result<Option<Stored<Signup>>, StoreError> {
    one(connection, "SELECT * FROM signups WHERE ticket = ?1", ticket)
}

fn one(connection: &Connection, sql: &str, parameter: &dyn ToSql) -> Result<Option<Stored<Signup>>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([parameter], signup).optional()?)
}

fn signup(row: &Row<'_>) -> rusqlite::Result<Stored<Signup>> {
    let step = match row.get("step")? {
        VERIFY => Step::Verify { good: row.get("good")?, wrong_codes: row.get("wrong_codes")? },
        COMPLETE => Step::Complete,
        DONE => Step::Done,
        step => return Err(rusqlite::Error::IntegralValueOutOfRange(row.as_ref().column_index("step")?, step)),
    };
    let value = Signup {
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

pub(super) fn save(connection: &Connection, save: &SaveSignup) -> Result<bool, StoreError> {
    let signup = &save.signup;
    let (step, good, wrong_codes) = match signup.step {
        Step::Verify { good, wrong_codes } => (VERIFY, good, wrong_codes),
        Step::Complete => (COMPLETE, false, 0),
        Step::Done => (DONE, false, 0),
    };
    let changed = connection
        .prepare_cached(
            "INSERT INTO signups (email_key, email, version, ticket, expires_at, step, good, wrong_codes, tickets_at,
                                  wrong_codes_at, forget_at)
             SELECT :email_key, :email, ifnull(:seen, 0) + 1, :ticket, :expires_at, :step, :good, :wrong_codes,
                    :tickets_at, :wrong_codes_at, :forget_at
             WHERE :seen IS (SELECT version FROM signups WHERE email_key = :email_key)
             ON CONFLICT (email_key) DO UPDATE SET
                 email = excluded.email, version = excluded.version, ticket = excluded.ticket,
                 expires_at = excluded.expires_at, step = excluded.step, good = excluded.good,
                 wrong_codes = excluded.wrong_codes, tickets_at = excluded.tickets_at,
                 wrong_codes_at = excluded.wrong_codes_at, forget_at = excluded.forget_at",
        )?
        .execute(named_params! {
            ":email_key": signup.email.key(),
            ":email": signup.email.as_str(),
            ":seen": save.seen,
            ":ticket": signup.ticket,
            ":expires_at": Column(signup.expires_at),
            ":step": step,
            ":good": good,
            ":wrong_codes": wrong_codes,
            ":tickets_at": times(&signup.tickets),
            ":wrong_codes_at": times(&signup.wrong_codes),
            ":forget_at": Column(save.forget_at),
        })?;
    Ok(changed == 1)
}

pub(super) fn forget(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM signups WHERE forget_at <= :now")?
        .execute(named_params! { ":now": Column(now) })?;
    Ok(())
}
