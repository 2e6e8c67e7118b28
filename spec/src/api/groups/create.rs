use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AddedMember;
use crate::{
    ChatId, ClientId, Example, GroupDescription, GroupName, MediaId, Seq, SignedIn, Timestamp, Username, endpoint,
    list::List, refusals,
};

endpoint! {
    /// Creates a group with the caller as its admin.
    ///
    /// A retry with the same `client_id` has the first answer again and makes nothing twice, for ever. (GRP-1 to GRP-4)
    CreateGroup("create_group"): POST "/v1/groups" => 201 {
        caller: SignedIn,
        body: NewGroup,
        response: GroupCreated,
        refusal: CreateGroupRefusal,
    }
}

refusals! {
    /// Why no group is created.
    CreateGroupRefusal { IdempotencyConflict, MediaNotUsable }
}

/// The names of the first members. (GRP-4)
pub type FirstMembers = List<Username, 0, 100>;

/// A group to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewGroup {
    /// Makes a retry harmless. (GRP-3)
    pub client_id: ClientId,
    /// Its name.
    pub name: GroupName,
    /// What it says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<GroupDescription>,
    /// A complete upload for `group_picture`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// Whom to add besides the caller; nobody when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<FirstMembers>,
}

/// The acknowledgement of a group: it is durable. (GRP-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCreated {
    /// Names the group, as a chat.
    pub chat_id: ChatId,
    /// The place of its first entry: 1.
    pub seq: Seq,
    /// When it was created.
    pub created_at: Timestamp,
    /// What became of each name, in the order given. (GRP-4)
    pub results: Vec<AddedMember>,
}

impl Example for NewGroup {
    fn example() -> Self {
        Self {
            client_id: ClientId::example(),
            name: GroupName::example(),
            description: Some(GroupDescription::example()),
            picture_id: None,
            members: Some(FirstMembers::example()),
        }
    }
}

impl Example for GroupCreated {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            seq: Seq::FIRST,
            created_at: Timestamp::example(),
            results: vec![AddedMember::example()],
        }
    }
}
