use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bio, EmailAddress, Example, Location, MediaId, SignedIn, Timestamp, UserId, Username, endpoint};

endpoint! {
    /// Answers the caller's own profile. (USR-1)
    ///
    /// The mail address and the location are shown to nobody else. (USR-3, USR-6)
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
    /// The picture, if there is one. (USR-5)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// Where the user is, as they set it; shown to nobody else. (USR-6)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
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
            picture_id: Some(MediaId::example()),
            location: Some(Location::example()),
            created_at: Timestamp::example(),
        }
    }
}
