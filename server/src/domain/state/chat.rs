use std::sync::Arc;

use i9chat_spec::{ChatId, Seq, Stretch, Timestamp, User, UserId, Watermark};

use super::GroupState;

/// A chat.
#[derive(Debug, Clone)]
pub struct ChatState {
    /// Names the chat.
    pub chat_id: ChatId,
    /// The `seq` of its last entry; 0 when it is empty.
    pub last_seq: u64,
    /// Everybody who may see what is written to it now.
    pub audience: Arc<[UserId]>,
    /// What kind of chat it is, and who is in it.
    pub body: ChatBody,
}

/// What kind of chat it is, and who is in it.
#[derive(Debug, Clone)]
pub enum ChatBody {
    /// Its two users.
    Direct([Side; 2]),
    /// A group. Shared with whoever remembers the chat, so that reading it costs nothing however many are in it.
    Group(Arc<GroupState>),
}

/// One of the two users of a direct chat.
#[derive(Debug, Clone)]
pub struct Side {
    /// Who.
    pub user: User,
    /// When the chat was added for them; until then they do not see it. (CHT-2)
    pub added_at: Option<Timestamp>,
}

/// What a user is to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belonging {
    /// Is in it now.
    Now,
    /// Was in it, and sees what they saw up to this entry.
    Until(Seq),
}

impl ChatState {
    /// The direct chat of two users, as yet added for neither.
    pub fn direct(chat_id: ChatId, one: User, other: User) -> Self {
        let sides = [one, other].map(|user| Side { user, added_at: None });
        Self { chat_id, last_seq: 0, audience: Arc::default(), body: ChatBody::Direct(sides) }
    }

    /// A group.
    pub fn group(chat_id: ChatId, group: GroupState) -> Self {
        Self { chat_id, last_seq: 0, audience: group.audience(), body: ChatBody::Group(Arc::new(group)) }
    }

    /// The group, if it is one.
    pub fn as_group(&self) -> Option<&GroupState> {
        match &self.body {
            ChatBody::Group(group) => Some(group),
            ChatBody::Direct(_) => None,
        }
    }

    /// A user's own side and the other one, if it is a direct chat that the user has.
    pub fn seen_by(&self, user_id: UserId) -> Option<(&Side, &Side)> {
        let ChatBody::Direct([one, other]) = &self.body else { return None };
        let (own, partner) = if one.user.user_id == user_id { (one, other) } else { (other, one) };
        (own.user.user_id == user_id && own.added_at.is_some()).then_some((own, partner))
    }

    /// What a user is to the chat; `None` for who was never in it.
    pub fn belonging(&self, user_id: UserId) -> Option<Belonging> {
        match &self.body {
            ChatBody::Direct(_) => self.seen_by(user_id).map(|_| Belonging::Now),
            ChatBody::Group(group) => {
                let standing = group.standing(user_id)?;
                Some(match standing.last_seen() {
                    Some(seq) => Belonging::Until(seq),
                    None => Belonging::Now,
                })
            }
        }
    }

    /// Whether a user may see an entry.
    pub fn sees(&self, user_id: UserId, seq: Seq) -> bool {
        match &self.body {
            ChatBody::Direct(_) => self.seen_by(user_id).is_some(),
            ChatBody::Group(group) => group
                .standing(user_id)
                .is_some_and(|standing| standing.stretches.iter().any(|stretch| stretch.contains(seq))),
        }
    }

    /// The `seq` of the entry that comes next.
    pub fn next_seq(&self) -> Seq {
        Seq::try_from(self.last_seq + 1).unwrap_or(Seq::MAX)
    }

    /// The last entry that somebody who is in the chat may see.
    pub fn last(&self) -> Watermark {
        Watermark::try_from(self.last_seq).unwrap_or_default()
    }

    /// Adds a direct chat for one of its users.
    pub fn add(&mut self, user_id: UserId, at: Timestamp) {
        let ChatBody::Direct(sides) = &mut self.body else { return };
        for side in sides.iter_mut().filter(|side| side.user.user_id == user_id) {
            side.added_at = Some(at);
        }
        self.audience = sides.iter().filter(|side| side.added_at.is_some()).map(|side| side.user.user_id).collect();
    }

    /// Changes the group, if it is one, and with it who may see what is written.
    pub fn change_group(&mut self, change: impl FnOnce(&mut GroupState)) {
        let ChatBody::Group(group) = &mut self.body else { return };
        let group = Arc::make_mut(group);
        change(group);
        self.audience = group.audience();
    }
}

/// The stretch of a direct chat: all of it.
pub fn whole() -> Stretch {
    Stretch { from: Seq::FIRST, to: None }
}
