use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, Bio, Example, Password, Ticket, Username, api::sessions::SessionOpened, endpoint, refusals};

endpoint! {
    /// Makes the account, and signs it in.
    ///
    /// A name that is taken leaves the ticket usable, for another name. (ACC-1, ACC-8 to ACC-11)
    CompleteSignup("complete_signup"): POST "/v1/signup/complete" => 201 {
        caller: Anyone,
        body: NewAccount,
        response: SessionOpened,
        refusal: CompleteSignupRefusal,
    }
}

refusals! {
    /// Why an account is not made.
    CompleteSignupRefusal { TicketInvalid, UsernameTaken }
}

/// The last step of signing up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewAccount {
    /// From the second step.
    pub ticket: Ticket,
    /// The name that others find the user by.
    pub username: Username,
    /// The password.
    pub password: Password,
    /// What the user says about themselves; empty when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<Bio>,
    /// Whether to answer with a cookie instead of tokens. (SES-1)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<bool>,
}

impl Example for NewAccount {
    fn example() -> Self {
        Self {
            ticket: Ticket::example(),
            username: Username::example(),
            password: Password::example(),
            bio: Some(Bio::example()),
            cookie: None,
        }
    }
}
