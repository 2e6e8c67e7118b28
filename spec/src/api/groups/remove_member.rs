use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChatId, Example, SignedIn, Username, endpoint, refusals};

endpoint! {
    /// Removes a member from a group; admins may, but not themselves. (GRP-13)
    RemoveMember("remove_member"): DELETE "/v1/groups/{chat_id}/members/{username}" => 204 {
        caller: SignedIn,
        path: OneMember,
        refusal: RemoveMemberRefusal,
    }
}

refusals! {
    /// Why nobody is removed.
    RemoveMemberRefusal { GroupNotFound, NotMember, AdminRequired, UserNotFound, TargetNotMember, UseLeave }
}

/// Names a user and a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneMember {
    /// The group.
    pub chat_id: ChatId,
    /// The user, in any case.
    pub username: Username,
}

impl Example for OneMember {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), username: Username::example() }
    }
}
