use std::collections::HashSet;

use i9chat_spec::{
    ActivityKind, ChatId, ErrorCode, GroupSummary, Role, Seq, User,
    api::groups::{AddedMember, GroupCreated, NewGroup},
};

use super::{
    GroupRefusal, Named,
    checks::usable_picture,
    entries::{Entries, Newcomer, Said},
};
use crate::domain::{Command, Decision, DoneBefore, GroupCreation, Stamp, State, Wanted};

/// Creates a group. (GRP-1)
#[derive(Debug, Clone)]
pub struct CreateGroup {
    /// Who creates it.
    pub creator: User,
    /// What was asked for.
    pub asked: NewGroup,
    /// The users that it names as first members, in its order.
    pub members: Vec<Named>,
    /// The most members of a group. (GRP-4)
    pub max_members: u64,
}

impl Command for CreateGroup {
    type Answer = GroupCreated;
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.done.insert((self.creator.user_id, self.asked.client_id));
        wanted.media.extend(self.asked.picture_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<GroupCreated>, GroupRefusal> {
        // Before anything else, so that a retry has its first answer whatever happened since. (GRP-3)
        if let Some(before) = state.done.get(&(self.creator.user_id, self.asked.client_id)) {
            return match before {
                DoneBefore::Group(before) if same(&before.asked, &self.asked) => Ok(Decision::nothing(answer(before))),
                DoneBefore::Group(_) | DoneBefore::Message(_) => Err(GroupRefusal::IdempotencyConflict),
            };
        }
        if let Some(picture_id) = self.asked.picture_id {
            usable_picture(state, self.creator.user_id, picture_id)?;
        }
        let chat_id = ChatId::from_uuid(stamp.ids.uuid(stamp.at));
        let (first, results) = self.first_members();
        let members_count = first.len() as u64 + 1;
        let group = GroupSummary {
            name: self.asked.name.clone(),
            description: self.asked.description.clone().unwrap_or_default(),
            picture_id: self.asked.picture_id,
            members_count,
            role: None,
        };
        let creation = GroupCreation { asked: self.asked.clone(), chat_id, created_at: stamp.at, results };
        let answer = answer(&creation);
        let said = Said {
            targets: first.iter().map(|user| (*user).clone()).collect(),
            to: Some(self.asked.name.as_str().to_owned()),
            members_count: Some(members_count),
            ..Said::default()
        };
        let newcomer = |user, role| Newcomer { user, role, seen_before: Vec::new() };
        let newcomers = [newcomer(&self.creator, Role::Admin)]
            .into_iter()
            .chain(first.into_iter().map(|user| newcomer(user, Role::Member)))
            .collect();
        let mut entries = Entries::first(chat_id, &self.creator, stamp);
        entries.let_in(newcomers, &group, ActivityKind::GroupCreated, said, Some(creation));
        Ok(Decision::new(answer, entries.changes))
    }
}

impl CreateGroup {
    /// Who becomes a member besides the creator, and what became of each name. (GRP-4)
    fn first_members(&self) -> (Vec<&User>, Vec<AddedMember>) {
        let mut inside = HashSet::from([self.creator.user_id]);
        let mut first = Vec::new();
        let results = self
            .members
            .iter()
            .map(|Named { username, user }| {
                let refused = |code| AddedMember::refused(username.clone(), code);
                let Some(user) = user else { return refused(ErrorCode::UserNotFound) };
                if inside.contains(&user.user_id) {
                    return refused(ErrorCode::AlreadyMember);
                }
                if inside.len() as u64 >= self.max_members {
                    return refused(ErrorCode::GroupFull);
                }
                inside.insert(user.user_id);
                first.push(user);
                AddedMember::added(username.clone())
            })
            .collect();
        (first, results)
    }
}

fn answer(creation: &GroupCreation) -> GroupCreated {
    GroupCreated {
        chat_id: creation.chat_id,
        seq: Seq::FIRST,
        created_at: creation.created_at,
        results: creation.results.clone(),
    }
}

/// Whether a retry asks for the same. (GRP-3)
fn same(before: &NewGroup, now: &NewGroup) -> bool {
    let description = |group: &NewGroup| group.description.clone().unwrap_or_default();
    let names = |group: &NewGroup| -> Vec<_> {
        group.members.iter().flat_map(|members| members.iter().map(i9chat_spec::Username::key)).collect()
    };
    before.name == now.name
        && description(before) == description(now)
        && before.picture_id == now.picture_id
        && names(before) == names(now)
}
