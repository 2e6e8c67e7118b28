//! Signing up, in three steps. (ACC-1)

use i9chat_spec::{
    Bio, User, UserId,
    api::{
        sessions::SessionOpened,
        signup::{
            CompleteSignup, CompleteSignupRefusal, RequestSignup, TicketIssued, VerifySignup, VerifySignupRefusal,
        },
    },
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle, accounts::broken, claims::CodeRefusals};
use crate::{
    domain::accounts::claim::{self, Purpose},
    store::accounts::{AccountMade, NewAccount},
};

impl Handle<RequestSignup> for App {
    async fn handle(&self, call: Call<RequestSignup>) -> Result<Answer<TicketIssued>, Failure<NoRefusal>> {
        Ok(self.request_claim(Purpose::Signup, &call.body.email).await?.into())
    }
}

impl Handle<VerifySignup> for App {
    async fn handle(&self, call: Call<VerifySignup>) -> Result<Answer<TicketIssued>, Failure<VerifySignupRefusal>> {
        let refusals = CodeRefusals {
            ticket_invalid: VerifySignupRefusal::TicketInvalid,
            wrong_code: VerifySignupRefusal::WrongCode,
        };
        Ok(self.verify_claim(Purpose::Signup, &call.body.ticket, &call.body.code, refusals).await?.into())
    }
}

impl Handle<CompleteSignup> for App {
    async fn handle(
        &self,
        call: Call<CompleteSignup>,
    ) -> Result<Answer<SessionOpened>, Failure<CompleteSignupRefusal>> {
        let ticket_invalid = || Failure::Refused(CompleteSignupRefusal::TicketInvalid);
        let body = call.body;
        let stored = self.proven_claim(Purpose::Signup, &body.ticket).await.map_err(Failure::widen)?;
        let stored = stored.ok_or_else(ticket_invalid)?;
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
        // Good still, after the time that hashing took.
        claim::complete(stored.value.clone(), self.clock.now()).ok_or_else(ticket_invalid)?;
        let email = stored.value.email.clone();
        let account = NewAccount { email, user, bio, password, session: opened.session };
        match self.accounts.store.make_account(account).await? {
            AccountMade::Made => {
                // The address has its account now, so whether the ticket is seen to be used up decides nothing any more.
                if let Err(failure) = self.use_up(&stored).await {
                    tracing::warn!(?failure, "a ticket that led to an account is not used up");
                }
                Ok(opened.answer)
            }
            AccountMade::UsernameTaken => Err(Failure::Refused(CompleteSignupRefusal::UsernameTaken)),
            AccountMade::AddressTaken => Err(ticket_invalid()),
        }
    }
}

fn empty_bio() -> Result<Bio, Failure<NoRefusal>> {
    "".parse().map_err(|_| broken("an empty bio has no form"))
}
