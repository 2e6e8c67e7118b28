use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OwnProfile;
use crate::{Bio, Example, Location, MediaId, Patch, SignedIn, endpoint, refusals};

endpoint! {
    /// Changes the caller's own profile, and answers it.
    ///
    /// What is left out stays, `null` takes a value away. The caller's connections hear of it with `profile_changed`. (USR-4 to USR-6)
    UpdateMe("update_me"): PATCH "/v1/me" => 200 {
        caller: SignedIn,
        body: ProfilePatch,
        response: OwnProfile,
        refusal: UpdateMeRefusal,
    }
}

refusals! {
    /// Why a profile stays as it is.
    UpdateMeRefusal { MediaNotUsable }
}

/// What changes in one's own profile. (USR-4)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePatch {
    /// What the user says about themselves; `null` empties it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub bio: Patch<Bio>,
    /// The picture: complete media of the caller's, made for profile pictures; `null` takes it away. (USR-5)
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub picture_id: Patch<MediaId>,
    /// Where the user is; shown to nobody else; `null` takes it away. (USR-6)
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub location: Patch<Location>,
}

impl Example for ProfilePatch {
    fn example() -> Self {
        Self {
            bio: Patch::Set(Bio::example()),
            picture_id: Patch::Set(MediaId::example()),
            location: Patch::Set(Location::example()),
        }
    }
}
