use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bio, EmailAddress, Example, SignedIn, Timestamp, UserId, Username, endpoint};

endpoint! {
    /// Answers the caller's own profile. (USR-1)
    ///
    /// The mail address is shown to nobody else. (USR-3)
    GetMe("get_me"): GET "/v1/me" => 200 {
        caller: SignedIn,
        response: OwnProfile,
    }
}

/// What a user sees of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnProfile {
    /// Names the user for ever.
    pub user_id: UserId,
    /// The name, spelled as chosen.
    pub username: Username,
    /// The mail address, spelled as given.
    pub email: EmailAddress,
    /// What the user says about themselves.
    pub bio: Bio,
    /// When the account was made.
    pub created_at: Timestamp,
}

impl Example for OwnProfile {
    fn example() -> Self {
        Self {
            user_id: UserId::example(),
            username: Username::example(),
            email: EmailAddress::example(),
            bio: Bio::example(),
            created_at: Timestamp::example(),
        }
    }
}
