use std::{collections::HashMap, sync::Arc};

use i9chat_spec::{
    GroupDescription, GroupName, GroupSummary, MediaId, Membership, Role, Seq, Stretch, Timestamp, User, UserId,
};

/// A group: what it is, and everybody who is or was in it.
#[derive(Debug, Clone)]
pub struct GroupState {
    /// Its name.
    pub name: GroupName,
    /// What it says about itself.
    pub description: GroupDescription,
    /// Its picture.
    pub picture_id: Option<MediaId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who is or was in it.
    pub standings: HashMap<UserId, Standing>,
}

/// What a user is to a group. (GRP-5)
#[derive(Debug, Clone)]
pub struct Standing {
    /// Who.
    pub user: User,
    /// What they are, or how they went.
    pub membership: Membership,
    /// What a member may do.
    pub role: Role,
    /// Since when a member is one: the entry that let them in, and their place among those whom it let in.
    pub since: (Seq, u32),
    /// What they may see.
    pub stretches: Vec<Stretch>,
}

impl Standing {
    /// Whether they are in the group now.
    pub fn is_member(&self) -> bool {
        self.membership == Membership::Member
    }

    /// The last entry that they may see, if they are out.
    pub fn last_seen(&self) -> Option<Seq> {
        self.stretches.last().and_then(|stretch| stretch.to)
    }
}

impl GroupState {
    /// A group in which nobody is as yet.
    pub fn of(summary: &GroupSummary, created_at: Timestamp) -> Self {
        Self {
            name: summary.name.clone(),
            description: summary.description.clone(),
            picture_id: summary.picture_id,
            created_at,
            standings: HashMap::new(),
        }
    }

    /// What a user is or was to the group.
    pub fn standing(&self, user_id: UserId) -> Option<&Standing> {
        self.standings.get(&user_id)
    }

    /// A member.
    pub fn member(&self, user_id: UserId) -> Option<&Standing> {
        self.standing(user_id).filter(|standing| standing.is_member())
    }

    /// Those who are in it now.
    pub fn members(&self) -> impl Iterator<Item = &Standing> {
        self.standings.values().filter(|standing| standing.is_member())
    }

    /// How many are in it now; a group without members is closed.
    pub fn members_count(&self) -> u64 {
        self.members().count() as u64
    }

    /// How many of them are admins.
    pub fn admins_count(&self) -> u64 {
        self.members().filter(|standing| standing.role == Role::Admin).count() as u64
    }

    /// Everybody who may see what is written now.
    pub fn audience(&self) -> Arc<[UserId]> {
        self.members().map(|standing| standing.user.user_id).collect()
    }

    /// The group as lists of chats show it.
    pub fn summary(&self, members_count: u64, role: Option<Role>) -> GroupSummary {
        GroupSummary {
            name: self.name.clone(),
            description: self.description.clone(),
            picture_id: self.picture_id,
            members_count,
            role,
        }
    }

    /// Lets a user in, from an entry on.
    pub fn let_in(&mut self, user: &User, role: Role, since: (Seq, u32)) {
        let stretch = Stretch { from: since.0, to: None };
        let standing = self.standings.entry(user.user_id).or_insert_with(|| Standing {
            user: user.clone(),
            membership: Membership::Member,
            role,
            since,
            stretches: Vec::new(),
        });
        standing.membership = Membership::Member;
        standing.role = role;
        standing.since = since;
        standing.stretches.push(stretch);
    }

    /// Lets a member out, after an entry.
    pub fn let_out(&mut self, user_id: UserId, membership: Membership, last: Seq) {
        let Some(standing) = self.standings.get_mut(&user_id) else { return };
        standing.membership = membership;
        standing.role = Role::Member;
        if let Some(stretch) = standing.stretches.last_mut() {
            stretch.to = Some(last);
        }
    }

    /// Changes what a member may do.
    pub fn set_role(&mut self, user_id: UserId, role: Role) {
        if let Some(standing) = self.standings.get_mut(&user_id) {
            standing.role = role;
        }
    }
}
