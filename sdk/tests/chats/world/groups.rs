//! What users do with groups.

use std::collections::BTreeSet;

use i9chat_spec::{
    Activity, ActivityKind, ChatKind, Entry, GroupSummary, Membership, Role, Seq, User,
    event::{GroupActivity, MembershipEnded},
};

use super::{VIEWER, World, time};

impl World {
    pub(super) fn create_group(&mut self, user: usize, others: &[usize]) {
        let chat = self.add_room(ChatKind::Group);
        let others: BTreeSet<usize> = others.iter().copied().filter(|other| *other != user).collect();
        let mut everybody = vec![user];
        everybody.extend(&others);
        let seq = Seq::FIRST;
        for somebody in &everybody {
            let role = if *somebody == user { Role::Admin } else { Role::Member };
            self.chats[chat].admit(*somebody, seq, role, self.head + 1);
        }
        if everybody.contains(&VIEWER) {
            self.tell_added(chat);
        }
        let targets = others.iter().map(|other| super::user(*other)).collect();
        let to = Some(self.chats[chat].group.name.as_str().to_owned());
        self.happen(chat, ActivityKind::GroupCreated, user, targets, (None, to), true);
    }

    pub(super) fn let_in(&mut self, chat: usize, actor: usize, users: &[usize], kind: ActivityKind) {
        let Some(chat) = self.pick(chat) else { return };
        let room = &self.chats[chat];
        if room.kind != ChatKind::Group || room.current().count() == 0 {
            return;
        }
        // GRP-5
        let barred = if kind == ActivityKind::MemberJoined { Membership::Removed } else { Membership::Left };
        let may = |user: &&usize| {
            let membership = room.members.get(user).map(|member| member.membership);
            membership != Some(Membership::Member) && membership != Some(barred)
        };
        let users: BTreeSet<usize> = users.iter().filter(may).copied().collect();
        if users.is_empty() {
            return;
        }
        let seq = room.next_seq();
        for user in &users {
            self.chats[chat].admit(*user, seq, Role::Member, self.head + 1);
        }
        if users.contains(&VIEWER) {
            self.tell_added(chat);
        }
        let added = kind == ActivityKind::MembersAdded;
        let targets = if added { users.iter().map(|user| super::user(*user)).collect() } else { Vec::new() };
        self.happen(chat, kind, actor, targets, (None, None), true);
    }

    pub(super) fn leave(&mut self, chat: usize, user: usize) {
        let Some(index) = self.pick(chat) else { return };
        let was_last_admin = self.chats[index].current().filter(|(_, member)| member.role == Role::Admin).count() == 1
            && self.admin_of(chat) == Some(user);
        self.let_out(chat, user, user, ActivityKind::MemberLeft);
        let next = self.chats[index].current().map(|(user, _)| user).next();
        if let Some(next) = next.filter(|_| was_last_admin) {
            self.chats[index].members.get_mut(&next).expect("a member").role = Role::Admin;
            let target = vec![super::user(next)];
            self.happen(index, ActivityKind::AdminSucceeded, user, target, (None, None), false);
        }
    }

    pub(super) fn let_out(&mut self, chat: usize, actor: usize, user: usize, kind: ActivityKind) {
        let Some(chat) = self.pick(chat) else { return };
        let room = &mut self.chats[chat];
        let is_in = room.members.get(&user).is_some_and(|member| member.membership == Membership::Member);
        if room.kind != ChatKind::Group || !is_in {
            return;
        }
        room.group.members_count -= 1;
        let removed = kind == ActivityKind::MemberRemoved;
        let targets = if removed { vec![super::user(user)] } else { Vec::new() };
        let last_seq = self.happen(chat, kind, actor, targets, (None, None), true);
        let room = &mut self.chats[chat];
        let member = room.members.get_mut(&user).expect("a member");
        member.membership = if removed { Membership::Removed } else { Membership::Left };
        member.visible.last_mut().expect("a stretch").to = Some(last_seq);
        member.then = Some(room.group.clone());
        let (chat_id, membership) = (room.chat_id, member.membership);
        if user == VIEWER {
            self.tell(MembershipEnded { chat_id, membership, last_seq });
        }
    }

    pub(super) fn turn_admin(&mut self, chat: usize, user: usize) {
        let (Some(admin), Some(index)) = (self.admin_of(chat), self.pick(chat)) else { return };
        let admins = self.chats[index].current().filter(|(_, member)| member.role == Role::Admin).count();
        let Some(member) =
            self.chats[index].members.get_mut(&user).filter(|member| member.membership == Membership::Member)
        else {
            return;
        };
        let kind = match member.role {
            Role::Admin if admins > 1 => {
                member.role = Role::Member;
                ActivityKind::AdminRemoved
            }
            Role::Member => {
                member.role = Role::Admin;
                ActivityKind::AdminAdded
            }
            _ => return,
        };
        self.happen(index, kind, admin, vec![super::user(user)], (None, None), false);
    }

    pub(super) fn change_group(
        &mut self,
        chat: usize,
        kind: ActivityKind,
        change: impl FnOnce(&mut GroupSummary) -> (Option<String>, Option<String>),
    ) {
        let (Some(admin), Some(chat)) = (self.admin_of(chat), self.pick(chat)) else { return };
        let values = change(&mut self.chats[chat].group);
        if values.0 == values.1 {
            return;
        }
        self.happen(chat, kind, admin, Vec::new(), values, false);
    }

    fn happen(
        &mut self,
        chat: usize,
        kind: ActivityKind,
        actor: usize,
        targets: Vec<User>,
        (from, to): (Option<String>, Option<String>),
        counts: bool,
    ) -> Seq {
        let room = &mut self.chats[chat];
        let seq = room.next_seq();
        let activity = Activity {
            seq,
            chat_id: room.chat_id,
            created_at: time(self.head + 1),
            kind,
            actor: super::user(actor),
            targets,
            from,
            to,
            members_count: counts.then_some(room.group.members_count),
            client_id: None,
        };
        room.entries.push((self.head + 1, Entry::Activity(activity.clone())));
        self.tell_chat(chat, GroupActivity { activity });
        seq
    }

    pub(super) fn admin_of(&self, chat: usize) -> Option<usize> {
        let room = &self.chats[self.pick(chat)?];
        room.current().find(|(_, member)| member.role == Role::Admin).map(|(user, _)| user)
    }
}
