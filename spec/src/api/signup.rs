//! Signing up, in three steps. (ACC-1)

mod complete;
mod request;
mod verify;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use complete::{CompleteSignup, CompleteSignupRefusal, NewAccount};
pub use request::{NewSignup, RequestSignup};
pub use verify::{SignupCode, VerifySignup, VerifySignupRefusal};

use crate::{Example, Ticket, Timestamp};

/// A ticket for the next step. (ACC-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketIssued {
    /// Names the sign-up, or the password reset, in the next step, and works for that step only.
    pub ticket: Ticket,
    /// When the ticket runs out.
    pub expires_at: Timestamp,
}

impl Example for TicketIssued {
    fn example() -> Self {
        Self { ticket: Ticket::example(), expires_at: Timestamp::example() }
    }
}
