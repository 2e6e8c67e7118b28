use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Group;
use crate::{
    Example, GroupDescription, GroupName, MediaId, Patch, SignedIn, api::chats::OneChat, endpoint, patch, refusals,
};

endpoint! {
    /// Changes the name, description or picture of a group; admins may.
    ///
    /// Each of the three that becomes another makes an entry; what stays as it is makes none. (GRP-8)
    UpdateGroup("update_group"): PATCH "/v1/groups/{chat_id}" => 200 {
        caller: SignedIn,
        path: OneChat,
        body: GroupChanges,
        response: Group,
        refusal: UpdateGroupRefusal,
    }
}

refusals! {
    /// Why a group is not changed.
    UpdateGroupRefusal { GroupNotFound, NotMember, AdminRequired, MediaNotUsable }
}

/// What to change. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupChanges {
    /// The new name. A group always has one: `null` is refused.
    #[serde(default, deserialize_with = "patch::present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "GroupName")]
    pub name: Option<GroupName>,
    /// The new description; `null` empties it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub description: Patch<GroupDescription>,
    /// A complete upload for `group_picture`; `null` takes the picture away.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub picture_id: Patch<MediaId>,
}

impl Example for GroupChanges {
    fn example() -> Self {
        Self {
            name: Some(GroupName::example()),
            description: Patch::Set(GroupDescription::example()),
            picture_id: Patch::Clear,
        }
    }
}
