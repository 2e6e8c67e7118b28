use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, Code, Example, Ticket, api::signup::TicketIssued, endpoint, refusals};

endpoint! {
    /// Proves that the mail arrived.
    ///
    /// The right code is answered with a new ticket, for the last step. The fifth wrong one voids the ticket. (ACC-13, ACC-15)
    VerifyPasswordReset("verify_password_reset"): POST "/v1/password-reset/verify" => 200 {
        caller: Anyone,
        body: PasswordResetCode,
        response: TicketIssued,
        refusal: VerifyPasswordResetRefusal,
    }
}

refusals! {
    /// Why a code is not taken.
    VerifyPasswordResetRefusal { TicketInvalid, WrongCode }
}

/// The second step of setting a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordResetCode {
    /// From the first step.
    pub ticket: Ticket,
    /// From the mail.
    pub code: Code,
}

impl Example for PasswordResetCode {
    fn example() -> Self {
        Self { ticket: Ticket::example(), code: Code::example() }
    }
}
