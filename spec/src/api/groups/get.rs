use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ChatId, Example, GroupDescription, GroupName, MediaId, Role, SignedIn, Timestamp, api::chats::OneChat, endpoint,
    refusals,
};

endpoint! {
    /// Answers what a group is; any signed-in user may ask. (GRP-7)
    GetGroup("get_group"): GET "/v1/groups/{chat_id}" => 200 {
        caller: SignedIn,
        path: OneChat,
        response: Group,
        refusal: GetGroupRefusal,
    }
}

refusals! {
    /// Why no group is answered.
    GetGroupRefusal { GroupNotFound }
}

/// A group, as anybody may see it. (GRP-7)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Names the group, as a chat.
    pub chat_id: ChatId,
    /// Its name.
    pub name: GroupName,
    /// What it says about itself.
    pub description: GroupDescription,
    /// Its picture, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many members it has; 0 when it is closed.
    pub members_count: u64,
    /// How many of them are online now.
    pub online_members_count: u64,
    /// What the caller may do in it; left out for who is no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl Example for Group {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            name: GroupName::example(),
            description: GroupDescription::example(),
            picture_id: Some(MediaId::example()),
            created_at: Timestamp::example(),
            members_count: 3,
            online_members_count: 2,
            role: Some(Role::Member),
        }
    }
}
