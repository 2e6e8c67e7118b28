use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, MediaId, Near, NearbyLimit, RadiusM, SignedIn, UserId, Username, endpoint};

endpoint! {
    /// Finds users around a place, the nearest first.
    ///
    /// Only users who set a location are found, never the caller, and nobody's coordinates are shown: locations are snapped
    /// to a grid before any use, and distances rounded. (USR-7 to USR-13)
    FindNearby("find_nearby"): GET "/v1/users" => 200 {
        caller: SignedIn,
        query: Around,
        response: NearbyUsers,
    }
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Around {
    /// The place, as `lat,lon` in degrees.
    pub near: Near,
    /// How far around it, in metres; 10,000 when left out. (USR-10)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<RadiusM>,
    /// The most users to answer; 50 when left out. (USR-8)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<NearbyLimit>,
}

/// Users around a place. (USR-8)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NearbyUsers {
    /// The users, by distance and then by name.
    pub items: Vec<NearbyUser>,
}

/// A user and how far away they are. (USR-8)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NearbyUser {
    /// Names the user for ever.
    pub user_id: UserId,
    /// The name, spelled as chosen.
    pub username: Username,
    /// The picture, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// How far away, in metres, to the nearest 100. (USR-11)
    pub distance_m: u64,
}

impl Example for Around {
    fn example() -> Self {
        Self { near: Near::example(), radius_m: Some(RadiusM::example()), limit: Some(NearbyLimit::example()) }
    }
}

impl Example for NearbyUsers {
    fn example() -> Self {
        Self { items: vec![NearbyUser::example()] }
    }
}

impl Example for NearbyUser {
    fn example() -> Self {
        Self {
            user_id: UserId::example(),
            username: Username::example(),
            picture_id: Some(MediaId::example()),
            distance_m: 1300,
        }
    }
}
