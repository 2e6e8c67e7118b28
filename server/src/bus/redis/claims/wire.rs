//! How claims and mails stand in Redis: MessagePack with names, so that nodes of two versions can read each other.

use i9chat_spec::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    bus::redis::packed::Packed,
    domain::accounts::{
        claim::{Claim, Purpose, Step},
        hashes::SecretHash,
        window::Window,
    },
    store::{
        StoreError,
        mails::{MailMatter, NewMail},
    },
};

#[derive(Serialize, Deserialize)]
struct WireClaim<'a> {
    email: &'a str,
    #[serde(borrow)]
    ticket: Packed<'a>,
    expires_at: i64,
    step: WireStep,
    tickets: Vec<i64>,
    wrong_codes: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
enum WireStep {
    Verify { good: bool, wrong_codes: u32 },
    Complete,
    Done,
}

#[derive(Serialize, Deserialize)]
struct WireMail<'a> {
    /// Makes two mails of the same kind two.
    name: u64,
    to: &'a str,
    #[serde(borrow)]
    matter: WireMatter<'a>,
    due_at: i64,
    give_up_at: i64,
    tries: u32,
}

#[derive(Serialize, Deserialize)]
enum WireMatter<'a> {
    SignupCode(#[serde(borrow)] Packed<'a>),
    AlreadyRegistered,
    PasswordResetCode(Packed<'a>),
    NoAccount,
}

pub(super) fn encode_claim(claim: &Claim) -> Result<Vec<u8>, StoreError> {
    encode(&WireClaim {
        email: claim.email.as_str(),
        ticket: (&claim.ticket.0).into(),
        expires_at: claim.expires_at.as_millis(),
        step: match claim.step {
            Step::Verify { good, wrong_codes } => WireStep::Verify { good, wrong_codes },
            Step::Complete => WireStep::Complete,
            Step::Done => WireStep::Done,
        },
        tickets: claim.tickets.times().map(Timestamp::as_millis).collect(),
        wrong_codes: claim.wrong_codes.times().map(Timestamp::as_millis).collect(),
    })
}

pub(super) fn decode_claim(purpose: Purpose, bytes: &[u8]) -> Result<Claim, StoreError> {
    let claim: WireClaim<'_> = decode(bytes)?;
    let window = |times: Vec<i64>| Window::from_times(times.into_iter().map(Timestamp::from_millis));
    Ok(Claim {
        purpose,
        email: claim.email.parse().map_err(corrupt)?,
        ticket: hash(&claim.ticket)?,
        expires_at: Timestamp::from_millis(claim.expires_at),
        step: match claim.step {
            WireStep::Verify { good, wrong_codes } => Step::Verify { good, wrong_codes },
            WireStep::Complete => Step::Complete,
            WireStep::Done => Step::Done,
        },
        tickets: window(claim.tickets),
        wrong_codes: window(claim.wrong_codes),
    })
}

pub(super) fn encode_mail(name: u64, mail: &NewMail, tries: u32) -> Result<Vec<u8>, StoreError> {
    encode(&WireMail {
        name,
        to: mail.to.as_str(),
        matter: match &mail.matter {
            MailMatter::SignupCode { ticket } => WireMatter::SignupCode((&ticket.0).into()),
            MailMatter::AlreadyRegistered => WireMatter::AlreadyRegistered,
            MailMatter::PasswordResetCode { ticket } => WireMatter::PasswordResetCode((&ticket.0).into()),
            MailMatter::NoAccount => WireMatter::NoAccount,
        },
        due_at: mail.due_at.as_millis(),
        give_up_at: mail.give_up_at.as_millis(),
        tries,
    })
}

/// The mail, and how often it was tried.
pub(super) fn decode_mail(bytes: &[u8]) -> Result<(NewMail, u32), StoreError> {
    let WireMail { to, matter, due_at, give_up_at, tries, .. }: WireMail<'_> = decode(bytes)?;
    let mail = NewMail {
        to: to.parse().map_err(corrupt)?,
        matter: match matter {
            WireMatter::SignupCode(ticket) => MailMatter::SignupCode { ticket: hash(&ticket)? },
            WireMatter::AlreadyRegistered => MailMatter::AlreadyRegistered,
            WireMatter::PasswordResetCode(ticket) => MailMatter::PasswordResetCode { ticket: hash(&ticket)? },
            WireMatter::NoAccount => MailMatter::NoAccount,
        },
        due_at: Timestamp::from_millis(due_at),
        give_up_at: Timestamp::from_millis(give_up_at),
    };
    Ok((mail, tries))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    rmp_serde::to_vec_named(value).map_err(corrupt)
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes).map_err(corrupt)
}

fn hash(bytes: &Packed<'_>) -> Result<SecretHash, StoreError> {
    bytes.array().map(SecretHash).ok_or_else(|| corrupt("a ticket of another length"))
}

fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("in Redis: {what}"))
}
