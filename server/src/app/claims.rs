//! Claiming a mail address: what signing up and resetting a password have in common. (ACC-1 to ACC-7, ACC-13 to ACC-16)

use i9chat_spec::{Code, EmailAddress, Ticket, Timestamp, api::signup::TicketIssued, error::NoRefusal};

use super::{App, Failure, accounts::broken};
use crate::{
    auth::secrets::Secrets,
    domain::accounts::claim::{self, Claim, ClaimRules, Purpose, RequestMail, Verification},
    store::{
        claims::{SaveClaim, Stored},
        mails::{MailMatter, NewMail},
    },
};

/// How long a mail is tried.
const MAIL_IS_TRIED_S: u64 = 3600;
/// How often a decision is made anew because somebody else decided for the same address meanwhile. Each time one of them
/// got through, so this many would have to be at it at once.
const TRIES: usize = 32;

/// What the second step of an endpoint refuses with.
pub(super) struct CodeRefusals<R> {
    pub(super) ticket_invalid: R,
    pub(super) wrong_code: R,
}

impl App {
    pub(super) fn claim_rules(&self) -> ClaimRules {
        ClaimRules::new(&self.limits, &self.lifetimes)
    }

    /// The first step: a ticket, and a mail that goes out later.
    pub(super) async fn request_claim(
        &self,
        purpose: Purpose,
        email: &EmailAddress,
    ) -> Result<TicketIssued, Failure<NoRefusal>> {
        let rules = self.claim_rules();
        let ticket = Secrets::ticket(&*self.ids).ok_or_else(|| broken("a ticket has no form"))?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let stored = self.accounts.claims.claim_to(purpose, email).await?;
            let seen = stored.as_ref().map(|stored| stored.version);
            // Mail to an account goes where its owner said, not to a spelling of it that somebody typed. (ACC-10)
            let account = self.accounts.store.account_address(email).await?;
            let has_account = account.is_some();
            let (claim, mail) = claim::request(
                stored.map(|stored| stored.value),
                purpose,
                account.unwrap_or_else(|| email.clone()),
                has_account,
                Secrets::hash_of_ticket(&ticket),
                now,
                &rules,
            );
            let expires_at = claim.expires_at;
            let mail = mail_for(mail, &claim, now);
            if self.save_claim(claim, seen, mail).await? {
                self.accounts.mail_waits.notify_one();
                return Ok(TicketIssued { ticket, expires_at });
            }
        }
        Err(Failure::Overloaded)
    }

    /// The second step: the code for a ticket that is good for the last one.
    pub(super) async fn verify_claim<R: Copy>(
        &self,
        purpose: Purpose,
        ticket: &Ticket,
        code: &Code,
        refusals: CodeRefusals<R>,
    ) -> Result<TicketIssued, Failure<R>> {
        let rules = self.claim_rules();
        let ticket = Secrets::hash_of_ticket(ticket);
        let is_right = self.accounts.secrets.is_code(&ticket, code);
        let next = Secrets::ticket(&*self.ids).ok_or_else(|| broken("a ticket has no form").widen())?;
        for _ in 0..TRIES {
            let stored = self.accounts.claims.claim(purpose, ticket).await?;
            let stored = stored.ok_or(Failure::Refused(refusals.ticket_invalid))?;
            let seen = Some(stored.version);
            let next_hash = Secrets::hash_of_ticket(&next);
            match claim::verify(stored.value, is_right, next_hash, self.clock.now(), &rules) {
                Verification::TicketInvalid => return Err(Failure::Refused(refusals.ticket_invalid)),
                Verification::Verified(claim) => {
                    let expires_at = claim.expires_at;
                    if self.save_claim(claim, seen, None).await.map_err(Failure::widen)? {
                        return Ok(TicketIssued { ticket: next, expires_at });
                    }
                }
                Verification::Wrong(claim) => {
                    // Only a try that was counted is answered, so that tries at once are no way around the limit.
                    if self.save_claim(claim, seen, None).await.map_err(Failure::widen)? {
                        return Err(Failure::Refused(refusals.wrong_code));
                    }
                }
            }
        }
        Err(Failure::Overloaded)
    }

    /// The claim of a ticket for the last step, as it is, if the ticket is good for that.
    pub(super) async fn proven_claim(
        &self,
        purpose: Purpose,
        ticket: &Ticket,
    ) -> Result<Option<Stored<Claim>>, Failure<NoRefusal>> {
        let stored = self.accounts.claims.claim(purpose, Secrets::hash_of_ticket(ticket)).await?;
        let now = self.clock.now();
        Ok(stored.filter(|stored| claim::complete(stored.value.clone(), now).is_some()))
    }

    /// The last step begins: the ticket is used up. `false` when somebody else used it, or asked for another, meanwhile.
    pub(super) async fn use_up(&self, stored: &Stored<Claim>) -> Result<bool, Failure<NoRefusal>> {
        match claim::complete(stored.value.clone(), self.clock.now()) {
            Some(done) => self.save_claim(done, Some(stored.version), None).await,
            None => Ok(false),
        }
    }

    /// The last step could not be done: the ticket is good again, unless another was asked for meanwhile.
    pub(super) async fn give_back(&self, claim: Claim) {
        let given_back = async {
            match self.accounts.claims.claim(claim.purpose, claim.ticket).await? {
                Some(used) => self.save_claim(claim, Some(used.version), None).await,
                None => Ok(false),
            }
        };
        if let Err(failure) = given_back.await {
            tracing::warn!(?failure, "a ticket is used up by a step that could not be done");
        }
    }

    async fn save_claim(
        &self,
        claim: Claim,
        seen: Option<i64>,
        mail: Option<NewMail>,
    ) -> Result<bool, Failure<NoRefusal>> {
        let forget_at = claim::forget_at(&claim, &self.claim_rules());
        Ok(self.accounts.claims.save_claim(SaveClaim { claim, seen, forget_at, mail }).await?)
    }
}

fn mail_for(mail: RequestMail, claim: &Claim, now: Timestamp) -> Option<NewMail> {
    let ticket = claim.ticket;
    let matter = match (mail, claim.purpose) {
        (RequestMail::Nothing, _) => return None,
        (RequestMail::Note, Purpose::Signup) => MailMatter::AlreadyRegistered,
        (RequestMail::Note, Purpose::PasswordReset) => MailMatter::NoAccount,
        (RequestMail::Code, Purpose::Signup) => MailMatter::SignupCode { ticket },
        (RequestMail::Code, Purpose::PasswordReset) => MailMatter::PasswordResetCode { ticket },
    };
    let mut give_up_at = now.plus_seconds(MAIL_IS_TRIED_S);
    if mail == RequestMail::Code {
        // A code that arrives after its ticket ran out is of no use.
        give_up_at = give_up_at.min(claim.expires_at);
    }
    Some(NewMail { to: claim.email.clone(), matter, due_at: now, give_up_at })
}
