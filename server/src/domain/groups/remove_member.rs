use i9chat_spec::{ActivityKind, ChatId, Membership, User};

use super::{
    GroupRefusal, Named,
    checks::{found_by_admin, known, target_member},
    entries::{Entries, Said},
};
use crate::domain::{Command, Decision, Stamp, State, Wanted};

/// Removes a member from a group. (GRP-13)
#[derive(Debug, Clone)]
pub struct RemoveMember {
    /// Who removes.
    pub actor: User,
    /// Which group.
    pub chat_id: ChatId,
    /// Whom.
    pub target: Named,
}

impl Command for RemoveMember {
    type Answer = ();
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, GroupRefusal> {
        let found = found_by_admin(state, self.chat_id, self.actor.user_id)?;
        let target = known(&self.target)?;
        // So an admin always remains.
        if target.user_id == self.actor.user_id {
            return Err(GroupRefusal::UseLeave);
        }
        target_member(found.group, target.user_id)?;
        let members_count = found.group.members_count() - 1;
        let said = Said { targets: vec![target.clone()], members_count: Some(members_count), ..Said::default() };
        let left_behind = found.group.summary(members_count, None);
        let mut entries = Entries::of(found, &self.actor, stamp);
        entries.let_out(target.user_id, Membership::Removed, left_behind, ActivityKind::MemberRemoved, said);
        Ok(Decision::new((), entries.changes))
    }
}
