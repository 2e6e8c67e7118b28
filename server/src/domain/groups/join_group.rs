use i9chat_spec::{ActivityKind, ChatId, Membership, Role, User};

use super::{
    GroupRefusal,
    checks::found,
    entries::{Entries, Newcomer, Said},
};
use crate::domain::{Command, Decision, Stamp, State, Wanted};

/// Joins a group. (GRP-10)
#[derive(Debug, Clone)]
pub struct JoinGroup {
    /// Who joins.
    pub user: User,
    /// Which group.
    pub chat_id: ChatId,
    /// The most members of a group. (GRP-4)
    pub max_members: u64,
}

impl Command for JoinGroup {
    type Answer = ();
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, GroupRefusal> {
        let found = found(state, self.chat_id)?;
        let members_count = found.group.members_count();
        if members_count == 0 {
            return Err(GroupRefusal::GroupClosed);
        }
        let before = found.group.standing(self.user.user_id);
        match before.map(|standing| standing.membership) {
            Some(Membership::Member) => return Err(GroupRefusal::AlreadyMember),
            Some(Membership::Removed) => return Err(GroupRefusal::RemovedFromGroup),
            Some(Membership::Left | Membership::Unknown) | None => {}
        }
        if members_count >= self.max_members {
            return Err(GroupRefusal::GroupFull);
        }
        let newcomer = Newcomer {
            user: &self.user,
            role: Role::Member,
            seen_before: before.map(|standing| standing.stretches.clone()).unwrap_or_default(),
        };
        let members_count = members_count + 1;
        let group = found.group.summary(members_count, None);
        let said = Said { members_count: Some(members_count), ..Said::default() };
        let mut entries = Entries::of(found, &self.user, stamp);
        entries.let_in(vec![newcomer], &group, ActivityKind::MemberJoined, said, None);
        Ok(Decision::new((), entries.changes))
    }
}
