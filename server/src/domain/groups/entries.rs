use std::sync::Arc;

use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatId, ChatKind, GroupSummary, Membership, Role, Seq, Stretch, User, UserId,
    event::MembershipEnded,
};

use super::checks::Found;
use crate::domain::{ChangeBody, GroupCreation, Stamp};

/// Writes the entries of one command to a group, one after the other.
pub(super) struct Entries<'a> {
    chat_id: ChatId,
    actor: &'a User,
    stamp: &'a Stamp<'a>,
    next: Seq,
    audience: Arc<[UserId]>,
    pub(super) changes: Vec<ChangeBody>,
}

/// Whom an entry lets in.
pub(super) struct Newcomer<'a> {
    pub(super) user: &'a User,
    /// What they may do.
    pub(super) role: Role,
    /// What they saw before, if they return.
    pub(super) seen_before: Vec<Stretch>,
}

/// What an activity says besides who did it.
#[derive(Default)]
pub(super) struct Said {
    pub(super) targets: Vec<User>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) members_count: Option<u64>,
}

impl<'a> Entries<'a> {
    pub(super) fn of(found: Found<'_>, actor: &'a User, stamp: &'a Stamp<'a>) -> Self {
        Self {
            chat_id: found.chat.chat_id,
            actor,
            stamp,
            next: found.chat.next_seq(),
            audience: found.chat.audience.clone(),
            changes: Vec::new(),
        }
    }

    /// Those of a group that is new.
    pub(super) fn first(chat_id: ChatId, actor: &'a User, stamp: &'a Stamp<'a>) -> Self {
        Self { chat_id, actor, stamp, next: Seq::FIRST, audience: Arc::default(), changes: Vec::new() }
    }

    /// An activity that changes nothing about who is in the group.
    pub(super) fn say(&mut self, kind: ActivityKind, said: Said) {
        self.write(kind, said, None);
    }

    /// An activity that lets users in: each of them gets the chat first. (GRP-17)
    pub(super) fn let_in(
        &mut self,
        newcomers: Vec<Newcomer<'_>>,
        group: &GroupSummary,
        kind: ActivityKind,
        said: Said,
        creation: Option<GroupCreation>,
    ) {
        let from = self.next;
        self.audience =
            self.audience.iter().copied().chain(newcomers.iter().map(|newcomer| newcomer.user.user_id)).collect();
        for (order, Newcomer { user, role, seen_before }) in (0..).zip(newcomers) {
            let mut visible = seen_before;
            visible.push(Stretch { from, to: None });
            let chat = Chat {
                chat_id: self.chat_id,
                kind: ChatKind::Group,
                partner: None,
                group: Some(GroupSummary { role: Some(role), ..group.clone() }),
                membership: Membership::Member,
                opened_at: self.stamp.at,
                visible,
                last_entry: None,
                unread_count: 0,
                delivered: from.into(),
                read: from.into(),
            };
            self.changes.push(ChangeBody::ChatAdded { user: user.clone(), order, chat: Box::new(chat) });
        }
        self.write(kind, said, creation);
    }

    /// An activity that lets a member out: the end of the membership follows it. (GRP-18)
    pub(super) fn let_out(
        &mut self,
        user_id: UserId,
        membership: Membership,
        group: GroupSummary,
        kind: ActivityKind,
        said: Said,
    ) {
        let last_seq = self.next;
        self.write(kind, said, None);
        let ended = MembershipEnded { chat_id: self.chat_id, membership, last_seq };
        self.changes.push(ChangeBody::MembershipEnded { user_id, ended, group: Box::new(group) });
        self.audience = self.audience.iter().copied().filter(|member| *member != user_id).collect();
    }

    fn write(&mut self, kind: ActivityKind, said: Said, creation: Option<GroupCreation>) {
        let Said { targets, from, to, members_count } = said;
        let activity = Activity {
            seq: self.next,
            chat_id: self.chat_id,
            created_at: self.stamp.at,
            kind,
            actor: self.actor.clone(),
            targets,
            from,
            to,
            members_count,
            client_id: creation.as_ref().map(|creation| creation.asked.client_id),
        };
        self.next = self.next.next();
        self.changes.push(ChangeBody::GroupActivity {
            audience: self.audience.clone(),
            activity: Box::new(activity),
            creation: creation.map(Box::new),
        });
    }
}
