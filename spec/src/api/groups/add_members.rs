use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ErrorCode, Example, SignedIn, Username, api::chats::OneChat, endpoint, list::List, refusals};

endpoint! {
    /// Adds several users to a group; admins may.
    ///
    /// Each name has a result of its own; those that are added make one entry. (GRP-4, GRP-12)
    AddMembers("add_members"): POST "/v1/groups/{chat_id}/members" => 200 {
        caller: SignedIn,
        path: OneChat,
        body: MembersToAdd,
        response: MembersAdded,
        refusal: AddMembersRefusal,
    }
}

refusals! {
    /// Why nobody is added.
    AddMembersRefusal { GroupNotFound, NotMember, AdminRequired }
}

/// Whom to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MembersToAdd {
    /// 1 to 100 names, none of them twice.
    pub usernames: List<Username, 1, 100>,
}

/// What became of the names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MembersAdded {
    /// One for each name, in the order given.
    pub results: Vec<AddedMember>,
    /// How many members the group has now.
    pub members_count: u64,
}

/// What became of one name. (GRP-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddedMember {
    /// The name, as it was given.
    pub username: Username,
    /// Whether the user is a member because of this call.
    pub added: bool,
    /// Why not: `user_not_found`, `already_member`, `left_group` or `group_full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ErrorCode>")]
    pub code: Option<String>,
}

impl AddedMember {
    /// The user was added.
    pub fn added(username: Username) -> Self {
        Self { username, added: true, code: None }
    }

    /// The user was not added.
    pub fn refused(username: Username, code: ErrorCode) -> Self {
        Self { username, added: false, code: Some(code.as_str().to_owned()) }
    }
}

impl Example for MembersToAdd {
    fn example() -> Self {
        Self { usernames: List::example() }
    }
}

impl Example for MembersAdded {
    fn example() -> Self {
        Self { results: vec![AddedMember::example()], members_count: 3 }
    }
}

impl Example for AddedMember {
    fn example() -> Self {
        Self::added(Username::example())
    }
}
