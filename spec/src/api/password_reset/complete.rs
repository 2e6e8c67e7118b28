use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, Example, Password, Ticket, endpoint, refusals};

endpoint! {
    /// Sets the new password, and ends every session of the user.
    ///
    /// It does not sign in: the new password does. (ACC-13, ACC-17)
    CompletePasswordReset("complete_password_reset"): POST "/v1/password-reset/complete" => 204 {
        caller: Anyone,
        body: NewPassword,
        refusal: CompletePasswordResetRefusal,
    }
}

refusals! {
    /// Why the password stays as it is.
    CompletePasswordResetRefusal { TicketInvalid }
}

/// The last step of setting a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPassword {
    /// From the second step.
    pub ticket: Ticket,
    /// The password from now on.
    pub password: Password,
}

impl Example for NewPassword {
    fn example() -> Self {
        Self { ticket: Ticket::example(), password: Password::example() }
    }
}
