use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TicketIssued;
use crate::{Anyone, EmailAddress, Example, endpoint};

endpoint! {
    /// Starts signing up: a code goes to the address by mail.
    ///
    /// The answer is the same whether or not the address has an account, and however often it was asked for.
    /// The mail is sent after the answer. (ACC-1, ACC-3, ACC-6, ACC-7, ACC-12)
    RequestSignup("request_signup"): POST "/v1/signup" => 202 {
        caller: Anyone,
        body: NewSignup,
        response: TicketIssued,
    }
}

/// The first step of signing up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewSignup {
    /// Where the code goes.
    pub email: EmailAddress,
}

impl Example for NewSignup {
    fn example() -> Self {
        Self { email: EmailAddress::example() }
    }
}
