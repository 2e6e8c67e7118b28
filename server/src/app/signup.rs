//! Signing up, in three steps. (ACC-1)

use i9chat_spec::{
    Bio, Timestamp, User, UserId,
    api::{
        sessions::SessionOpened,
        signup::{
            CompleteSignup, CompleteSignupRefusal, RequestSignup, TicketIssued, VerifySignup, VerifySignupRefusal,
        },
    },
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle, accounts::broken};
use crate::{
    auth::secrets::Secrets,
    domain::accounts::signup::{self, RequestMail, Signup, SignupRules, Verification},
    store::accounts::{AccountMade, MailMatter, NewAccount, NewMail, SaveSignup},
};

/// How long a mail is tried.
const MAIL_IS_TRIED_S: u64 = 3600;
/// How often a decision is made anew because somebody else decided for the same address meanwhile. Each time one of them
/// got through, so this many would have to be at it at once.
const TRIES: usize = 32;

impl Handle<RequestSignup> for App {
    async fn handle(&self, call: Call<RequestSignup>) -> Result<Answer<TicketIssued>, Failure<NoRefusal>> {
        let rules = self.signup_rules();
        let ticket = Secrets::ticket(&*self.ids).ok_or_else(|| broken("a ticket has no form"))?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let state = self.accounts.store.address(&call.body.email).await?;
            let seen = state.signup.as_ref().map(|stored| stored.version);
            let (signup, mail) = signup::request(
                state.signup.map(|stored| stored.value),
                call.body.email.clone(),
                state.has_account,
                Secrets::hash_of_ticket(&ticket),
                now,
                &rules,
            );
            let expires_at = signup.expires_at;
            let mail = mail_for(mail, &signup, now);
            if self.save(signup, seen, mail).await? {
                self.accounts.mail_waits.notify_one();
                return Ok(TicketIssued { ticket, expires_at }.into());
            }
        }
        Err(Failure::Overloaded)
    }
}

fn mail_for(mail: RequestMail, signup: &Signup, now: Timestamp) -> Option<NewMail> {
    let give_up_at = now.plus_seconds(MAIL_IS_TRIED_S);
    let (matter, give_up_at) = match mail {
        RequestMail::Nothing => return None,
        RequestMail::AlreadyRegistered => (MailMatter::AlreadyRegistered, give_up_at),
        // A code that arrives after its ticket ran out is of no use.
        RequestMail::Code => (MailMatter::SignupCode { ticket: signup.ticket }, give_up_at.min(signup.expires_at)),
    };
    Some(NewMail { to: signup.email.clone(), matter, due_at: now, give_up_at })
}

impl Handle<VerifySignup> for App {
    async fn handle(&self, call: Call<VerifySignup>) -> Result<Answer<TicketIssued>, Failure<VerifySignupRefusal>> {
        let rules = self.signup_rules();
        let ticket = Secrets::hash_of_ticket(&call.body.ticket);
        let is_right = self.accounts.secrets.is_code(&ticket, &call.body.code);
        let next = Secrets::ticket(&*self.ids).ok_or_else(|| broken("a ticket has no form").widen())?;
        for _ in 0..TRIES {
            let stored = self.accounts.store.signup(ticket).await?;
            let stored = stored.ok_or(Failure::Refused(VerifySignupRefusal::TicketInvalid))?;
            let seen = Some(stored.version);
            let next_hash = Secrets::hash_of_ticket(&next);
            match signup::verify(stored.value, is_right, next_hash, self.clock.now(), &rules) {
                Verification::TicketInvalid => return Err(Failure::Refused(VerifySignupRefusal::TicketInvalid)),
                Verification::Verified(signup) => {
                    let expires_at = signup.expires_at;
                    if self.save(signup, seen, None).await.map_err(Failure::widen)? {
                        return Ok(TicketIssued { ticket: next, expires_at }.into());
                    }
                }
                Verification::Wrong(signup) => {
                    // Only a try that was counted is answered, so that tries at once are no way around the limit.
                    if self.save(signup, seen, None).await.map_err(Failure::widen)? {
                        return Err(Failure::Refused(VerifySignupRefusal::WrongCode));
                    }
                }
            }
        }
        Err(Failure::Overloaded)
    }
}

impl Handle<CompleteSignup> for App {
    async fn handle(
        &self,
        call: Call<CompleteSignup>,
    ) -> Result<Answer<SessionOpened>, Failure<CompleteSignupRefusal>> {
        let ticket_invalid = || Failure::Refused(CompleteSignupRefusal::TicketInvalid);
        let body = call.body;
        let stored = self.accounts.store.signup(Secrets::hash_of_ticket(&body.ticket)).await?;
        let stored = stored.ok_or_else(ticket_invalid)?;
        let seen = Some(stored.version);
        let signup = signup::complete(stored.value, self.clock.now()).ok_or_else(ticket_invalid)?;
        // Looked up before the password is hashed, which is what costs. The store decides again.
        if self.accounts.store.profile(&body.username).await?.is_some() {
            return Err(Failure::Refused(CompleteSignupRefusal::UsernameTaken));
        }
        let password = self.accounts.passwords.turn().await?.hash(&body.password).await?;
        let now = self.clock.now();
        let user = User { user_id: UserId::from_uuid(self.ids.uuid(now)), username: body.username };
        let bio = body.bio.map_or_else(empty_bio, Ok).map_err(Failure::widen)?;
        let opened =
            self.new_session(&user, body.cookie.unwrap_or(false), &call.origin, now).map_err(Failure::widen)?;
        let forget_at = signup::forget_at(&signup, &self.signup_rules());
        let account = NewAccount {
            signup: SaveSignup { signup, seen, forget_at, mail: None },
            user,
            bio,
            password,
            session: opened.session,
        };
        match self.accounts.store.make_account(account).await? {
            AccountMade::Made => Ok(opened.answer),
            AccountMade::UsernameTaken => Err(Failure::Refused(CompleteSignupRefusal::UsernameTaken)),
            AccountMade::TooLate => Err(ticket_invalid()),
        }
    }
}

fn empty_bio() -> Result<Bio, Failure<NoRefusal>> {
    "".parse().map_err(|_| broken("an empty bio has no form"))
}

impl App {
    fn signup_rules(&self) -> SignupRules {
        SignupRules::new(&self.limits, &self.lifetimes)
    }

    async fn save(&self, signup: Signup, seen: Option<i64>, mail: Option<NewMail>) -> Result<bool, Failure<NoRefusal>> {
        let forget_at = signup::forget_at(&signup, &self.signup_rules());
        Ok(self.accounts.store.save_signup(SaveSignup { signup, seen, forget_at, mail }).await?)
    }
}
