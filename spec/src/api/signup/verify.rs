use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TicketIssued;
use crate::{Anyone, Code, Example, Ticket, endpoint, refusals};

endpoint! {
    /// Proves that the mail arrived.
    ///
    /// The right code is answered with a new ticket, for the last step. The fifth wrong one voids the ticket. (ACC-4, ACC-5, ACC-7)
    VerifySignup("verify_signup"): POST "/v1/signup/verify" => 200 {
        caller: Anyone,
        body: SignupCode,
        response: TicketIssued,
        refusal: VerifySignupRefusal,
    }
}

refusals! {
    /// Why a code is not taken.
    VerifySignupRefusal { TicketInvalid, WrongCode }
}

/// The second step of signing up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignupCode {
    /// From the first step.
    pub ticket: Ticket,
    /// From the mail.
    pub code: Code,
}

impl Example for SignupCode {
    fn example() -> Self {
        Self { ticket: Ticket::example(), code: Code::example() }
    }
}
