use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Example, PageLimit, PresenceState, Role, SignedIn, Timestamp, User, Username, api::chats::OneChat, endpoint,
    refusals,
};

endpoint! {
    /// Lists the members of a group by name, for its members. (GRP-9)
    ListMembers("list_members"): GET "/v1/groups/{chat_id}/members" => 200 {
        caller: SignedIn,
        path: OneChat,
        query: NamesQuery,
        response: MemberPage,
        refusal: ListMembersRefusal,
    }
}

refusals! {
    /// Why no members are answered.
    ListMembersRefusal { GroupNotFound, NotMember }
}

/// Which page of a list that is ordered by name, without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamesQuery {
    /// Those after this name: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Username>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageLimit>,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberPage {
    /// By name, without regard to case.
    pub items: Vec<Member>,
    /// For `after`; there when more members follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Username>,
}

/// A member of a group. (GRP-9)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// When they became a member: for the last time, if they returned.
    pub joined_at: Timestamp,
    /// Whether they are there.
    pub presence: PresenceState,
    /// When they were last there; left out while they are, and when they never were. (PRS-2)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

impl Example for NamesQuery {
    fn example() -> Self {
        Self { after: None, limit: Some(PageLimit::example()) }
    }
}

impl Example for MemberPage {
    fn example() -> Self {
        Self { items: vec![Member::example()], next: None }
    }
}

impl Example for Member {
    fn example() -> Self {
        Self {
            user: User::example(),
            role: Role::Admin,
            joined_at: Timestamp::example(),
            presence: PresenceState::Offline,
            last_seen: Some(Timestamp::example()),
        }
    }
}
