//! Groups: who is in one, as what, and what it says of itself.

use i9chat_server::domain::ChangeBody;
use i9chat_spec::{ActivityKind, ChatId, GroupSummary, Role, Timestamp, User, UserId, api::groups::Group};

use super::{Views, is_entry_of};

/// What a user is to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    None,
    Member,
    Admin,
    Left,
    Removed,
}

impl<'a> Views<'a> {
    /// What a user is to a group. (GRP-5)
    pub fn standing(self, user_id: UserId, chat_id: ChatId) -> Standing {
        let mut standing = Standing::None;
        for (_, body) in self.changes() {
            match body {
                ChangeBody::ChatAdded { user, chat, .. } if user.user_id == user_id && chat.chat_id == chat_id => {
                    let founds = self.count_before(chat_id, body) == 0 && self.founder(chat_id) == Some(user_id);
                    standing = if founds { Standing::Admin } else { Standing::Member };
                }
                ChangeBody::GroupActivity { activity, .. } if activity.chat_id == chat_id => {
                    let is_target = activity.targets.iter().any(|target| target.user_id == user_id);
                    standing = match activity.kind {
                        ActivityKind::AdminAdded | ActivityKind::AdminSucceeded if is_target => Standing::Admin,
                        ActivityKind::AdminRemoved if is_target => Standing::Member,
                        ActivityKind::MemberRemoved if is_target => Standing::Removed,
                        ActivityKind::MemberLeft if activity.actor.user_id == user_id => Standing::Left,
                        _ => standing,
                    };
                }
                _ => {}
            }
        }
        standing
    }

    /// How many entries a chat had before a change.
    fn count_before(self, chat_id: ChatId, before: &ChangeBody) -> usize {
        let earlier = self.changes().take_while(|(_, body)| !std::ptr::eq(*body, before));
        earlier.filter(|(_, body)| is_entry_of(body, chat_id)).count()
    }

    fn founder(self, chat_id: ChatId) -> Option<UserId> {
        self.changes().find_map(|(_, body)| match body {
            ChangeBody::GroupActivity { activity, .. } if activity.chat_id == chat_id => Some(activity.actor.user_id),
            _ => None,
        })
    }

    /// The members of a group, who has been one for longest first.
    pub fn members(self, chat_id: ChatId) -> Vec<&'a User> {
        let mut members: Vec<_> = self.users.iter().filter(|user| self.is_in(user.user_id, chat_id)).collect();
        members.sort_by_key(|user| self.last_added(user.user_id, chat_id).map(|(position, _)| position));
        members
    }

    /// The admins of a group.
    pub fn admins(self, chat_id: ChatId) -> Vec<&'a User> {
        let users = self.users.iter();
        users.filter(|user| self.standing(user.user_id, chat_id) == Standing::Admin).collect()
    }

    fn role(self, user_id: UserId, chat_id: ChatId) -> Option<Role> {
        match self.standing(user_id, chat_id) {
            Standing::Member => Some(Role::Member),
            Standing::Admin => Some(Role::Admin),
            Standing::None | Standing::Left | Standing::Removed => None,
        }
    }

    /// What a group says of itself, and how many are in it.
    pub fn summary(self, user_id: UserId, chat_id: ChatId) -> GroupSummary {
        let first = self.first_added(chat_id).and_then(|chat| chat.group.clone()).expect("a group");
        let mut summary = GroupSummary {
            members_count: self.members(chat_id).len() as u64,
            role: self.role(user_id, chat_id),
            ..first
        };
        for (_, body) in self.changes() {
            let ChangeBody::GroupActivity { activity, .. } = body else { continue };
            if activity.chat_id != chat_id {
                continue;
            }
            let to = activity.to.as_deref().unwrap_or_default();
            match activity.kind {
                ActivityKind::NameChanged => summary.name = to.parse().unwrap(),
                ActivityKind::DescriptionChanged => summary.description = to.parse().unwrap(),
                _ => {}
            }
        }
        summary
    }

    /// A group as a user sees it, nobody there. (GRP-7)
    pub fn group(self, user_id: UserId, chat_id: ChatId) -> Group {
        let GroupSummary { name, description, picture_id, members_count, role } = self.summary(user_id, chat_id);
        let created_at = self.first_added(chat_id).map(|chat| chat.opened_at).expect("a group");
        Group { chat_id, name, description, picture_id, created_at, members_count, online_members_count: 0, role }
    }

    /// The members of a group by name: who, what, since when. (GRP-9)
    pub fn member_list(self, chat_id: ChatId) -> Vec<(User, Role, Timestamp)> {
        let members = self.by_name().into_iter().filter(|user| self.is_in(user.user_id, chat_id));
        members
            .map(|user| {
                let role = self.role(user.user_id, chat_id).expect("a member");
                let (_, chat) = self.last_added(user.user_id, chat_id).expect("a member");
                (user.clone(), role, chat.opened_at)
            })
            .collect()
    }
}
