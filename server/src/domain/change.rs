use std::sync::Arc;

use i9chat_spec::{
    Activity, Chat, ChatId, GroupSummary, Message, SessionId, Timestamp, User, UserId,
    api::groups::{AddedMember, NewGroup},
    event::{
        ChatAdded, EventData, GroupActivity, MembershipEnded, MessageCreated, ProfileChanged, ReactionChanged,
        ReadStateChanged, ReceiptsUpdated, SessionEnded,
    },
};
use serde::{Deserialize, Serialize};

use super::{Place, Position};
use crate::ids::Ids;

/// A change of the log: what is stored, and what it does to whom.
#[derive(Debug, Clone)]
pub struct Change {
    /// How clients hear of it.
    pub record: Record,
    /// What it does.
    pub body: ChangeBody,
}

/// A change as its event shows it. The data is encoded once, for the log and for every viewer.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it stands.
    pub place: Place,
    /// The name of the event.
    pub event: &'static str,
    /// The chat that it is addressed to; else it is addressed to a user.
    pub chat_id: Option<ChatId>,
    /// The data of the event, as JSON.
    pub data: Arc<str>,
}

/// What a change does.
#[derive(Debug, Clone)]
pub enum ChangeBody {
    /// A message stands in a chat.
    MessageCreated {
        /// Who may see it.
        audience: Arc<[UserId]>,
        /// The message.
        message: Box<Message>,
    },
    /// Something happened to a group.
    GroupActivity {
        /// Who may see it.
        audience: Arc<[UserId]>,
        /// The activity.
        activity: Box<Activity>,
        /// What was asked for and answered, when it created the group.
        creation: Option<Box<GroupCreation>>,
    },
    /// A user's reaction to a message is another.
    ReactionChanged {
        /// Who may see it.
        audience: Arc<[UserId]>,
        /// Where.
        chat_id: ChatId,
        /// Whose, and what it is now.
        changed: Box<ReactionChanged>,
    },
    /// Others may see how far a user is in a chat. What it does is in the `ReadStateChanged` before it.
    ReceiptsUpdated {
        /// Who may see it.
        audience: Arc<[UserId]>,
        /// Where.
        chat_id: ChatId,
        /// Who, and how far.
        updated: Box<ReceiptsUpdated>,
    },
    /// A user has a chat, from this position on.
    ChatAdded {
        /// Who.
        user: User,
        /// Their place among those whom the same entry let in.
        order: u32,
        /// The chat as they see it.
        chat: Box<Chat>,
    },
    /// A user is no member of a group any more; what comes after the entry before this they do not see.
    MembershipEnded {
        /// Who.
        user_id: UserId,
        /// From what, how, and after which entry.
        ended: MembershipEnded,
        /// The group as it was then.
        group: Box<GroupSummary>,
    },
    /// A user has got or read more of a chat.
    ReadStateChanged {
        /// Who.
        user_id: UserId,
        /// How far they are now.
        state: ReadStateChanged,
    },
    /// A user's profile is another.
    ProfileChanged {
        /// Whose.
        user_id: UserId,
        /// What it is now.
        profile: Box<ProfileChanged>,
    },
    /// A session has ended.
    SessionEnded {
        /// Whose.
        user_id: UserId,
        /// Which.
        session_id: SessionId,
        /// When.
        at: Timestamp,
    },
}

/// A group that was created: kept so that a retry has the first answer again. (GRP-3)
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupCreation {
    /// What was asked for.
    pub asked: NewGroup,
    /// The group.
    pub chat_id: ChatId,
    /// When it was created.
    pub created_at: Timestamp,
    /// What became of each name.
    pub results: Vec<AddedMember>,
}

/// Whom a change is for.
#[derive(Debug, Clone)]
pub enum Audience {
    /// One user.
    One(UserId),
    /// Everybody who might see that place of a chat.
    Many(Arc<[UserId]>),
}

impl Audience {
    /// Whether a user is one of them.
    pub fn contains(&self, user_id: UserId) -> bool {
        self.as_slice().contains(&user_id)
    }

    /// All of them.
    pub fn as_slice(&self) -> &[UserId] {
        match self {
            Self::One(user_id) => std::slice::from_ref(user_id),
            Self::Many(users) => users,
        }
    }
}

impl ChangeBody {
    /// Whom the change is for.
    pub fn audience(&self) -> Audience {
        match self {
            Self::MessageCreated { audience, .. }
            | Self::GroupActivity { audience, .. }
            | Self::ReactionChanged { audience, .. }
            | Self::ReceiptsUpdated { audience, .. } => Audience::Many(Arc::clone(audience)),
            Self::ChatAdded { user, .. } => Audience::One(user.user_id),
            Self::MembershipEnded { user_id, .. }
            | Self::ReadStateChanged { user_id, .. }
            | Self::ProfileChanged { user_id, .. }
            | Self::SessionEnded { user_id, .. } => Audience::One(*user_id),
        }
    }

    /// Gives the change its place and encodes its event.
    pub fn at(self, position: Position, ids: &dyn Ids) -> Result<Change, serde_json::Error> {
        let (event, chat_id, data) = match &self {
            Self::MessageCreated { message, .. } => {
                encode(Some(message.chat_id), &MessageCreated { message: (**message).clone() })?
            }
            Self::GroupActivity { activity, .. } => {
                encode(Some(activity.chat_id), &GroupActivity { activity: (**activity).clone() })?
            }
            Self::ReactionChanged { chat_id, changed, .. } => encode(Some(*chat_id), &**changed)?,
            Self::ReceiptsUpdated { chat_id, updated, .. } => encode(Some(*chat_id), &**updated)?,
            Self::ChatAdded { chat, .. } => encode(None, &ChatAdded { chat: (**chat).clone() })?,
            Self::MembershipEnded { ended, .. } => encode(None, ended)?,
            Self::ReadStateChanged { state, .. } => encode(None, state)?,
            Self::ProfileChanged { profile, .. } => encode(None, &**profile)?,
            Self::SessionEnded { session_id, .. } => encode(None, &SessionEnded { session_id: *session_id })?,
        };
        let place = Place { position, tag: ids.tag() };
        Ok(Change { record: Record { place, event, chat_id, data: data.into() }, body: self })
    }
}

fn encode<E: EventData>(
    chat_id: Option<ChatId>,
    data: &E,
) -> Result<(&'static str, Option<ChatId>, String), serde_json::Error> {
    Ok((E::NAME, chat_id, serde_json::to_string(data)?))
}
