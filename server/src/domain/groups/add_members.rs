use std::collections::HashSet;

use i9chat_spec::{
    ActivityKind, ChatId, ErrorCode, Membership, Role, User,
    api::groups::{AddedMember, MembersAdded},
};

use super::{
    GroupRefusal, Named,
    checks::found_by_admin,
    entries::{Entries, Newcomer, Said},
};
use crate::domain::{Command, Decision, Stamp, State, Wanted};

/// Adds several users to a group. (GRP-12)
#[derive(Debug, Clone)]
pub struct AddMembers {
    /// Who adds.
    pub actor: User,
    /// Which group.
    pub chat_id: ChatId,
    /// Whom, in the order given.
    pub names: Vec<Named>,
    /// The most members of a group. (GRP-4)
    pub max_members: u64,
}

impl Command for AddMembers {
    type Answer = MembersAdded;
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<MembersAdded>, GroupRefusal> {
        let found = found_by_admin(state, self.chat_id, self.actor.user_id)?;
        let mut members_count = found.group.members_count();
        let mut newcomers = Vec::new();
        let mut let_in = HashSet::new();
        let results = self
            .names
            .iter()
            .map(|Named { username, user }| {
                let refused = |code| AddedMember::refused(username.clone(), code);
                let Some(user) = user else { return refused(ErrorCode::UserNotFound) };
                let before = found.group.standing(user.user_id);
                match before.map(|standing| standing.membership) {
                    Some(Membership::Member) => return refused(ErrorCode::AlreadyMember),
                    // Who went by themselves comes back only by themselves.
                    Some(Membership::Left) => return refused(ErrorCode::LeftGroup),
                    Some(Membership::Removed | Membership::Unknown) | None => {}
                }
                if let_in.contains(&user.user_id) {
                    return refused(ErrorCode::AlreadyMember);
                }
                if members_count >= self.max_members {
                    return refused(ErrorCode::GroupFull);
                }
                members_count += 1;
                let_in.insert(user.user_id);
                let seen_before = before.map(|standing| standing.stretches.clone()).unwrap_or_default();
                newcomers.push(Newcomer { user, role: Role::Member, seen_before });
                AddedMember::added(username.clone())
            })
            .collect();
        let answer = MembersAdded { results, members_count };
        if newcomers.is_empty() {
            return Ok(Decision::nothing(answer));
        }
        let group = found.group.summary(members_count, None);
        let said = Said {
            targets: newcomers.iter().map(|newcomer| newcomer.user.clone()).collect(),
            members_count: Some(members_count),
            ..Said::default()
        };
        let mut entries = Entries::of(found, &self.actor, stamp);
        entries.let_in(newcomers, &group, ActivityKind::MembersAdded, said, None);
        Ok(Decision::new(answer, entries.changes))
    }
}
