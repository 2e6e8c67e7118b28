use i9chat_spec::{ActivityKind, ChatId, Membership, Role, User};

use super::{
    GroupRefusal,
    checks::found_by_member,
    entries::{Entries, Said},
};
use crate::domain::{Command, Decision, GroupState, Stamp, State, Wanted};

/// Leaves a group. (GRP-11)
#[derive(Debug, Clone)]
pub struct LeaveGroup {
    /// Who leaves.
    pub user: User,
    /// Which group.
    pub chat_id: ChatId,
}

impl Command for LeaveGroup {
    type Answer = ();
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, GroupRefusal> {
        let found = found_by_member(state, self.chat_id, self.user.user_id)?;
        let members_count = found.group.members_count() - 1;
        let mut entries = Entries::of(found, &self.user, stamp);
        let said = Said { members_count: Some(members_count), ..Said::default() };
        let left_behind = found.group.summary(members_count, None);
        entries.let_out(self.user.user_id, Membership::Left, left_behind, ActivityKind::MemberLeft, said);
        if let Some(successor) = self.successor(found.group) {
            let said = Said { targets: vec![successor.clone()], ..Said::default() };
            entries.say(ActivityKind::AdminSucceeded, said);
        }
        Ok(Decision::new((), entries.changes))
    }
}

impl LeaveGroup {
    /// Who becomes admin when the last one leaves: who has been a member for longest.
    fn successor<'a>(&self, group: &'a GroupState) -> Option<&'a User> {
        let others = || group.members().filter(|member| member.user.user_id != self.user.user_id);
        if others().any(|member| member.role == Role::Admin) {
            return None;
        }
        others().min_by_key(|member| member.since).map(|member| &member.user)
    }
}
