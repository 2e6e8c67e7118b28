//! The claim to a mail address, for one purpose: request, verify, complete. (ACC-1 to ACC-7, ACC-13 to ACC-16)
//!
//! An address has at most one ticket for a purpose, so that a new one voids the earlier by taking its place. (ACC-6)

use i9chat_spec::{EmailAddress, Lifetimes, Limits, Timestamp};

use super::{
    hashes::SecretHash,
    window::{Rate, Window},
};

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;

/// What somebody claims an address for. Each is counted by itself. (ACC-15)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To make an account.
    Signup,
    /// To set a new password of the account.
    PasswordReset,
}

/// What a claim keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRules {
    /// How long a ticket is good, in seconds. (ACC-4)
    pub ticket_ttl_s: u64,
    /// Good tickets for one address. (ACC-7)
    pub tickets: Rate,
    /// Wrong codes for one ticket. (ACC-5)
    pub wrong_codes_of_ticket: u64,
    /// Wrong codes for one address. (ACC-7)
    pub wrong_codes_of_address: Rate,
}

impl ClaimRules {
    /// The rules as the capabilities publish them.
    pub fn new(limits: &Limits, lifetimes: &Lifetimes) -> Self {
        Self {
            ticket_ttl_s: lifetimes.ticket_ttl_s,
            tickets: Rate { limit: limits.tickets_per_hour, seconds: HOUR_S },
            wrong_codes_of_ticket: limits.max_wrong_codes,
            wrong_codes_of_address: Rate { limit: limits.wrong_codes_per_day, seconds: DAY_S },
        }
    }
}

/// What the newest ticket of an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The code is awaited.
    Verify {
        /// Whether a code is right at all: not so for a sign-up with an address that has an account, a reset with one that
        /// has none, or an address that asked too often. Such a ticket looks like any other from outside. (ACC-3, ACC-7, ACC-14)
        good: bool,
        /// Wrong codes for this ticket so far.
        wrong_codes: u32,
    },
    /// The code was right; username and password, or the new password, are awaited.
    Complete,
    /// The ticket was used.
    Done,
}

/// The claim to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What for.
    pub purpose: Purpose,
    /// The address, spelled as its account has it, and without one as it was last sent.
    pub email: EmailAddress,
    /// The newest ticket.
    pub ticket: SecretHash,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// What it is for.
    pub step: Step,
    /// When good tickets were made.
    pub tickets: Window,
    /// When wrong codes were taken.
    pub wrong_codes: Window,
}

/// The mail that a request leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestMail {
    /// The code.
    Code,
    /// A note instead: to the owner of the account that somebody tried to sign up (ACC-3), to one without an account that
    /// there is no password to reset (ACC-14).
    Note,
    /// None: too many were asked for. (ACC-7)
    Nothing,
}

/// Starts a claim, or starts it again with a new ticket.
pub fn request(
    earlier: Option<Claim>,
    purpose: Purpose,
    email: EmailAddress,
    has_account: bool,
    ticket: SecretHash,
    now: Timestamp,
    rules: &ClaimRules,
) -> (Claim, RequestMail) {
    let (mut tickets, wrong_codes) =
        earlier.map_or_else(Default::default, |earlier| (earlier.tickets, earlier.wrong_codes));
    let too_many = tickets.is_full(now, rules.tickets);
    if !too_many {
        tickets.note(now, rules.tickets);
    }
    let has_what_it_takes = match purpose {
        Purpose::Signup => !has_account,
        Purpose::PasswordReset => has_account,
    };
    let mail = match (too_many, has_what_it_takes) {
        (true, _) => RequestMail::Nothing,
        (false, false) => RequestMail::Note,
        (false, true) => RequestMail::Code,
    };
    let step = Step::Verify { good: mail == RequestMail::Code, wrong_codes: 0 };
    let expires_at = now.plus_seconds(rules.ticket_ttl_s);
    (Claim { purpose, email, ticket, expires_at, step, tickets, wrong_codes }, mail)
}

/// What comes of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It is right: the claim goes on with the new ticket.
    Verified(Claim),
    /// It is wrong, and that counts.
    Wrong(Claim),
    /// The ticket is no good, whatever the code. (ACC-4, ACC-5)
    TicketInvalid,
}

/// Takes a code for the newest ticket of an address.
pub fn verify(
    mut claim: Claim,
    code_is_right: bool,
    next_ticket: SecretHash,
    now: Timestamp,
    rules: &ClaimRules,
) -> Verification {
    let Step::Verify { good, wrong_codes } = claim.step else { return Verification::TicketInvalid };
    if now >= claim.expires_at || u64::from(wrong_codes) >= rules.wrong_codes_of_ticket {
        return Verification::TicketInvalid;
    }
    let too_many = claim.wrong_codes.is_full(now, rules.wrong_codes_of_address);
    if good && code_is_right && !too_many {
        claim.ticket = next_ticket;
        claim.expires_at = now.plus_seconds(rules.ticket_ttl_s);
        claim.step = Step::Complete;
        return Verification::Verified(claim);
    }
    claim.step = Step::Verify { good, wrong_codes: wrong_codes.saturating_add(1) };
    if !too_many {
        claim.wrong_codes.note(now, rules.wrong_codes_of_address);
    }
    Verification::Wrong(claim)
}

/// Uses the ticket for the last step, if it is good for that. (ACC-4)
pub fn complete(claim: Claim, now: Timestamp) -> Option<Claim> {
    (claim.step == Step::Complete && now < claim.expires_at).then_some(Claim { step: Step::Done, ..claim })
}

/// From when on nothing of the claim matters any more.
pub fn forget_at(claim: &Claim, rules: &ClaimRules) -> Timestamp {
    let ends = [
        Some(claim.expires_at),
        claim.tickets.last().map(|at| at.plus_seconds(rules.tickets.seconds)),
        claim.wrong_codes.last().map(|at| at.plus_seconds(rules.wrong_codes_of_address.seconds)),
    ];
    ends.into_iter().flatten().fold(claim.expires_at, Ord::max)
}

#[cfg(test)]
mod tests;
