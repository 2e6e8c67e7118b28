//! Setting a new password without the old one, in three steps. (ACC-13)

use i9chat_spec::{
    Nothing,
    api::{
        password_reset::{
            CompletePasswordReset, CompletePasswordResetRefusal, RequestPasswordReset, VerifyPasswordReset,
            VerifyPasswordResetRefusal,
        },
        signup::TicketIssued,
    },
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle, accounts::broken, claims::CodeRefusals};
use crate::domain::{ResetPassword, accounts::claim::Purpose};

impl Handle<RequestPasswordReset> for App {
    async fn handle(&self, call: Call<RequestPasswordReset>) -> Result<Answer<TicketIssued>, Failure<NoRefusal>> {
        Ok(self.request_claim(Purpose::PasswordReset, &call.body.email).await?.into())
    }
}

impl Handle<VerifyPasswordReset> for App {
    async fn handle(
        &self,
        call: Call<VerifyPasswordReset>,
    ) -> Result<Answer<TicketIssued>, Failure<VerifyPasswordResetRefusal>> {
        let refusals = CodeRefusals {
            ticket_invalid: VerifyPasswordResetRefusal::TicketInvalid,
            wrong_code: VerifyPasswordResetRefusal::WrongCode,
        };
        Ok(self.verify_claim(Purpose::PasswordReset, &call.body.ticket, &call.body.code, refusals).await?.into())
    }
}

impl Handle<CompletePasswordReset> for App {
    async fn handle(
        &self,
        call: Call<CompletePasswordReset>,
    ) -> Result<Answer<Nothing>, Failure<CompletePasswordResetRefusal>> {
        let ticket_invalid = || Failure::Refused(CompletePasswordResetRefusal::TicketInvalid);
        // Looked up before the password is hashed, which is what costs. It is used up after that.
        let stored = self.proven_claim(Purpose::PasswordReset, &call.body.ticket).await.map_err(Failure::widen)?;
        let stored = stored.ok_or_else(ticket_invalid)?;
        // No address loses its account, and such a ticket is good only for one that has an account.
        let login = stored.value.email.as_str().parse().map_err(|_| broken("an address is no login").widen())?;
        let account = self.accounts.store.account(&login).await?;
        let account = account.ok_or_else(|| broken("a claim to reset belongs to no account").widen())?;
        let password = self.accounts.passwords.turn().await?.hash(&call.body.password).await?;
        if !self.use_up(&stored).await.map_err(Failure::widen)? {
            return Err(ticket_invalid());
        }
        let command = ResetPassword { user_id: account.user.user_id, password };
        if let Err(failure) = self.committer.commit(command).await {
            self.give_back(stored.value).await;
            return Err(failure.widen());
        }
        Ok(Nothing {}.into())
    }
}
