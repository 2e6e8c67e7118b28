use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bio, Example, MediaId, PresenceState, SignedIn, Timestamp, UserId, Username, endpoint, refusals};

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
    /// The picture, if there is one. (USR-5)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// Whether the user is there. (PRS-1)
    pub presence: PresenceState,
    /// When they were last there; left out while they are, and when they never were. (PRS-2)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

impl Example for OneUser {
    fn example() -> Self {
        Self { username: Username::example() }
    }
}

impl Example for UserProfile {
    fn example() -> Self {
        Self {
            user_id: UserId::example(),
            username: Username::example(),
            bio: Bio::example(),
            picture_id: Some(MediaId::example()),
            presence: PresenceState::Offline,
            last_seen: Some(Timestamp::example()),
        }
    }
}
