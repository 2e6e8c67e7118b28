use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChatId, ClientId, Example, Seq, Timestamp, User};

/// Something that happened to a group, as an entry of it: data, never a sentence. (GRP-20)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Its place in the chat.
    pub seq: Seq,
    /// The group.
    pub chat_id: ChatId,
    /// When it happened.
    pub created_at: Timestamp,
    /// What happened.
    pub kind: ActivityKind,
    /// Who did it.
    pub actor: User,
    /// To whom it was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<User>,
    /// What was there before: the name, the description, or the `media_id` of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many members the group has after it; when it changed who is a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members_count: Option<u64>,
    /// The id that its actor's client gave it; when the group was created. (GRP-3)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

/// What happened to a group. (GRP-20)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// The actor created the group with the targets as first members; `to` is its name.
    GroupCreated,
    /// The actor changed the name.
    NameChanged,
    /// The actor changed the description.
    DescriptionChanged,
    /// The actor changed the picture.
    PictureChanged,
    /// The actor joined.
    MemberJoined,
    /// The actor left.
    MemberLeft,
    /// The actor added the targets.
    MembersAdded,
    /// The actor removed the target.
    MemberRemoved,
    /// The actor made the target an admin.
    AdminAdded,
    /// The actor removed the target from the admins.
    AdminRemoved,
    /// The actor was the last admin and left, so the target became one.
    AdminSucceeded,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl ActivityKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::GroupCreated,
        Self::NameChanged,
        Self::DescriptionChanged,
        Self::PictureChanged,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::MembersAdded,
        Self::MemberRemoved,
        Self::AdminAdded,
        Self::AdminRemoved,
        Self::AdminSucceeded,
    ];
}

impl Example for Activity {
    fn example() -> Self {
        Self {
            seq: Seq::example(),
            chat_id: ChatId::example(),
            created_at: Timestamp::example(),
            kind: ActivityKind::MembersAdded,
            actor: User::example(),
            targets: vec![User::example()],
            from: None,
            to: None,
            members_count: Some(3),
            client_id: None,
        }
    }
}
