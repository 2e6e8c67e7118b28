use i9chat_spec::{ActivityKind, ChatId, Role, User};

use super::{
    GroupRefusal, Named,
    checks::{found_by_admin, known, target_member},
    entries::{Entries, Said},
};
use crate::domain::{Command, Decision, Stamp, State, Wanted};

/// Makes a member an admin, or an admin a member. (GRP-14, GRP-15)
#[derive(Debug, Clone)]
pub struct ChangeAdmin {
    /// Who does it.
    pub actor: User,
    /// Which group.
    pub chat_id: ChatId,
    /// To whom.
    pub target: Named,
    /// What the target becomes.
    pub role: Role,
}

impl Command for ChangeAdmin {
    type Answer = ();
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, GroupRefusal> {
        let found = found_by_admin(state, self.chat_id, self.actor.user_id)?;
        let target = known(&self.target)?;
        let is_admin = target_member(found.group, target.user_id)?.role == Role::Admin;
        let kind = match (self.role, is_admin) {
            (Role::Admin, true) => return Err(GroupRefusal::AlreadyAdmin),
            (Role::Admin, false) => ActivityKind::AdminAdded,
            (_, false) => return Err(GroupRefusal::TargetNotAdmin),
            (_, true) if found.group.admins_count() == 1 => return Err(GroupRefusal::LastAdmin),
            (_, true) => ActivityKind::AdminRemoved,
        };
        let mut entries = Entries::of(found, &self.actor, stamp);
        entries.say(kind, Said { targets: vec![target.clone()], ..Said::default() });
        Ok(Decision::new((), entries.changes))
    }
}
