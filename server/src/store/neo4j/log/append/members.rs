use std::collections::BTreeMap;

use i9chat_spec::{ChatId, Membership, Role, UserId, event::ReadStateChanged};

use super::super::rows::integer;
use crate::{
    domain::Position,
    store::neo4j::driver::{Value, list, map, text},
};

/// What a batch does to memberships. Several changes of one become one row, so that it does not matter in which order rows are
/// written.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<(UserId, ChatId), Member>);

/// What a batch does to one membership. What is `None` stays as it is.
#[derive(Debug, Default)]
struct Member {
    /// What they are now, when that is another.
    becomes: Option<Membership>,
    role: Option<Role>,
    delivered: Option<i64>,
    read: Option<i64>,
    /// For who comes in: when, and their place among the members.
    since: Option<Since>,
    /// For who goes: the group as it was then, as JSON.
    left_behind: Option<String>,
    /// Where the stretch ends that was open before the batch.
    ends: Option<(i64, i64)>,
    /// The stretches that begin.
    begins: Vec<Begun>,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    opened_at: i64,
    seq: i64,
    order: i64,
}

/// A stretch that begins in a batch; an open end is -1.
#[derive(Debug, Clone, Copy)]
struct Begun {
    from_seq: i64,
    from_position: i64,
    to_seq: i64,
    to_position: i64,
}

/// How somebody comes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComesIn {
    pub(super) at: Position,
    pub(super) opened_at: i64,
    pub(super) from_seq: i64,
    pub(super) order: i64,
    pub(super) role: Role,
    pub(super) delivered: i64,
    pub(super) read: i64,
}

impl Members {
    fn of(&mut self, user_id: UserId, chat_id: ChatId) -> &mut Member {
        self.0.entry((user_id, chat_id)).or_default()
    }

    pub(super) fn comes_in(&mut self, user_id: UserId, chat_id: ChatId, comes: ComesIn) {
        let member = self.of(user_id, chat_id);
        member.becomes = Some(Membership::Member);
        member.role = Some(comes.role);
        (member.delivered, member.read) = (Some(comes.delivered), Some(comes.read));
        member.since = Some(Since { opened_at: comes.opened_at, seq: comes.from_seq, order: comes.order });
        member.left_behind = None;
        member.begins.push(Begun {
            from_seq: comes.from_seq,
            from_position: integer(comes.at.0),
            to_seq: -1,
            to_position: -1,
        });
    }

    /// `to` is what they still see: the entry that lets them out, and its position.
    pub(super) fn goes(
        &mut self,
        (user_id, chat_id): (UserId, ChatId),
        becomes: Membership,
        to: (i64, i64),
        left_behind: String,
    ) {
        let member = self.of(user_id, chat_id);
        member.becomes = Some(becomes);
        member.role = Some(Role::Member);
        member.left_behind = Some(left_behind);
        match member.begins.last_mut() {
            Some(begun) => (begun.to_seq, begun.to_position) = to,
            None => member.ends = Some(to),
        }
    }

    pub(super) fn has_read(&mut self, user_id: UserId, state: &ReadStateChanged) {
        let member = self.of(user_id, state.chat_id);
        member.delivered = Some(integer(state.delivered.get()));
        member.read = Some(integer(state.read.get()));
    }

    pub(super) fn has_role(&mut self, user_id: UserId, chat_id: ChatId, role: Role) {
        self.of(user_id, chat_id).role = Some(role);
    }

    /// Those who come or go.
    pub(super) fn moved(&self) -> Vec<Value> {
        let moved = self.0.iter().filter(|(_, member)| member.becomes.is_some());
        moved.map(|((user_id, chat_id), member)| member.moved(*user_id, *chat_id)).collect()
    }

    /// Those who stay, and are further on or may do something else.
    pub(super) fn marked(&self) -> Vec<Value> {
        let marked = self.0.iter().filter(|(_, member)| member.becomes.is_none());
        let row = |((user_id, chat_id), member): (&(UserId, ChatId), &Member)| {
            let role = member.role.map(|role| role_text(role).to_owned());
            list([text(user_id), text(chat_id), member.delivered.into(), member.read.into(), role.into()])
        };
        marked.map(row).collect()
    }
}

impl Member {
    fn moved(&self, user_id: UserId, chat_id: ChatId) -> Value {
        let mut is = vec![
            ("membership", membership_text(self.becomes.unwrap_or(Membership::Member)).into()),
            ("role", role_text(self.role.unwrap_or(Role::Member)).into()),
            // Nothing removes what was left behind before.
            ("left_behind", self.left_behind.clone().into()),
        ];
        if let Some(Since { opened_at, seq, order }) = self.since {
            is.extend([("opened_at", opened_at.into()), ("since_seq", seq.into()), ("since_order", order.into())]);
        }
        is.extend(self.delivered.map(|delivered| ("delivered", delivered.into())));
        is.extend(self.read.map(|read| ("read", read.into())));
        let begins = |part: fn(&Begun) -> i64| list(self.begins.iter().map(|begun| part(begun).into()));
        map([
            ("user_id", text(user_id)),
            ("chat_id", text(chat_id)),
            ("is", map(is)),
            ("ends_seq", self.ends.map(|(seq, _)| seq).into()),
            ("ends_position", self.ends.map(|(_, position)| position).into()),
            ("from_seq", begins(|begun| begun.from_seq)),
            ("from_position", begins(|begun| begun.from_position)),
            ("to_seq", begins(|begun| begun.to_seq)),
            ("to_position", begins(|begun| begun.to_position)),
        ])
    }
}

/// As it stands in the database, and in answers.
fn membership_text(membership: Membership) -> &'static str {
    match membership {
        Membership::Member => "member",
        Membership::Left => "left",
        Membership::Removed | Membership::Unknown => "removed",
    }
}

/// As it stands in the database, and in answers.
pub(super) fn role_text(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Member | Role::Unknown => "member",
    }
}
