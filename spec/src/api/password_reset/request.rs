use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, EmailAddress, Example, api::signup::TicketIssued, endpoint};

endpoint! {
    /// Starts setting a new password: a code goes to the address by mail.
    ///
    /// The answer is the same whether or not the address has an account, and however often it was asked for.
    /// The mail is sent after the answer. (ACC-13 to ACC-16)
    RequestPasswordReset("request_password_reset"): POST "/v1/password-reset" => 202 {
        caller: Anyone,
        body: NewPasswordReset,
        response: TicketIssued,
    }
}

/// The first step of setting a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPasswordReset {
    /// The address of the account; the code goes there.
    pub email: EmailAddress,
}

impl Example for NewPasswordReset {
    fn example() -> Self {
        Self { email: EmailAddress::example() }
    }
}
