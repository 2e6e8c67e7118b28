use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bio, Example, SignedIn, UserId, Username, endpoint, refusals};

endpoint! {
    /// Finds a user by exact name, in any case. (USR-2)
    ///
    /// The name in the answer is spelled as its owner chose it.
    GetUser("get_user"): GET "/v1/users/{username}" => 200 {
        caller: SignedIn,
        path: OneUser,
        response: UserProfile,
        refusal: GetUserRefusal,
    }
}

refusals! {
    /// Why no user is answered.
    GetUserRefusal { UserNotFound }
}

/// Names a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneUser {
    /// The name, in any case.
    pub username: Username,
}

/// What others see of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfile {
    /// Names the user for ever.
    pub user_id: UserId,
    /// The name, spelled as chosen.
    pub username: Username,
    /// What the user says about themselves.
    pub bio: Bio,
}

impl Example for OneUser {
    fn example() -> Self {
        Self { username: Username::example() }
    }
}

impl Example for UserProfile {
    fn example() -> Self {
        Self { user_id: UserId::example(), username: Username::example(), bio: Bio::example() }
    }
}
