use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChatId, Entry, Example, GroupDescription, GroupName, MediaId, Seq, Timestamp, User, Watermark};

/// A chat as somebody who is or was in it sees it. (CHT-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// Names the chat.
    pub chat_id: ChatId,
    /// What kind of chat it is.
    pub kind: ChatKind,
    /// The other user; in a direct chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<Partner>,
    /// The group; in a group chat. For who is no member any more as it was when they went. (GRP-19)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupSummary>,
    /// What the viewer is to the chat.
    pub membership: Membership,
    /// When the chat was added for the viewer: for the last time, if they returned.
    pub opened_at: Timestamp,
    /// The stretches of `seq` that the viewer may see.
    pub visible: Vec<Stretch>,
    /// The latest entry that the viewer may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entry: Option<Entry>,
    /// Visible messages of others above the viewer's read watermark, counted up to `max_unread_count`. (CHT-4)
    pub unread_count: u64,
    /// How far the viewer's clients have got the chat. (RCP-1)
    pub delivered: Watermark,
    /// How far the viewer has read. (RCP-1)
    pub read: Watermark,
}

/// The other user of a direct chat, and how far they are. (CHT-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Partner {
    /// Who.
    pub user: User,
    /// How far their clients have got the chat. (RCP-1)
    pub delivered: Watermark,
    /// How far they have read. (RCP-1)
    pub read: Watermark,
}

/// A group as a list of chats shows it. (CHT-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupSummary {
    /// Its name.
    pub name: GroupName,
    /// What it says about itself.
    pub description: GroupDescription,
    /// Its picture, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_id: Option<MediaId>,
    /// How many members it has.
    pub members_count: u64,
    /// What the viewer may do in it; left out for who is no member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What kind of chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Between two users.
    Direct,
    /// Of a group.
    Group,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// What a user is to a chat. (GRP-5)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// May read and send.
    Member,
    /// Has left the group: may read what they saw, and may join again.
    Left,
    /// Was removed from the group: may read what they saw, and may be added again.
    Removed,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// What a member may do in a group. (GRP-5)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May read and send, and leave.
    Member,
    /// May also change the group, add and remove members, and make and remove admins.
    Admin,
    /// Something that this version does not know: a client shows what it can. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// Entries that somebody may see: from one `seq` to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// The first one.
    pub from: Seq,
    /// The last one; left out while the stretch goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Seq>,
}

impl Stretch {
    /// Whether the stretch contains an entry.
    pub fn contains(self, seq: Seq) -> bool {
        self.from <= seq && self.to.is_none_or(|to| seq <= to)
    }
}

impl Example for Chat {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            kind: ChatKind::Direct,
            partner: Some(Partner::example()),
            group: None,
            membership: Membership::Member,
            opened_at: Timestamp::example(),
            visible: vec![Stretch { from: Seq::FIRST, to: None }],
            last_entry: Some(Entry::example()),
            unread_count: 1,
            delivered: Watermark::example(),
            read: Watermark::example(),
        }
    }
}

impl Example for Partner {
    fn example() -> Self {
        Self { user: User::example(), delivered: Watermark::example(), read: Watermark::example() }
    }
}

impl Example for GroupSummary {
    fn example() -> Self {
        Self {
            name: GroupName::example(),
            description: GroupDescription::example(),
            picture_id: Some(MediaId::example()),
            members_count: 3,
            role: Some(Role::Admin),
        }
    }
}
