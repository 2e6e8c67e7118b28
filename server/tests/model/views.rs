//! What users see of the log, found in the plainest way: by looking at all of it, each time.

mod groups;
mod reactions;
mod receipts;

use std::collections::HashSet;

use i9chat_server::domain::{Change, ChangeBody};
use i9chat_spec::{Chat, ChatId, ChatKind, Entry, Membership, Message, Partner, Seq, Stretch, User, UserId, Watermark};
use serde_json::{Value, json};

pub use groups::Standing;

/// The log, or its beginning.
#[derive(Clone, Copy)]
pub struct Views<'a> {
    pub log: &'a [Change],
    pub users: &'a [User],
}

/// A stretch of a chat that somebody may see, in entries and in positions of the log.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub from: u64,
    pub to: Option<u64>,
    pub after: u64,
    pub up_to: Option<u64>,
}

/// The chat that a change is addressed to.
pub fn addressed_chat(body: &ChangeBody) -> Option<ChatId> {
    match body {
        ChangeBody::MessageCreated { message, .. } => Some(message.chat_id),
        ChangeBody::GroupActivity { activity, .. } => Some(activity.chat_id),
        ChangeBody::ReactionChanged { chat_id, .. } | ChangeBody::ReceiptsUpdated { chat_id, .. } => Some(*chat_id),
        _ => None,
    }
}

/// The user that a change is addressed to.
pub fn addressed_user(body: &ChangeBody) -> Option<UserId> {
    match body {
        ChangeBody::ChatAdded { user, .. } => Some(user.user_id),
        ChangeBody::MembershipEnded { user_id, .. } | ChangeBody::ReadStateChanged { user_id, .. } => Some(*user_id),
        _ => None,
    }
}

/// The chat that a change is addressed to, or that it names.
pub fn concerned_chat(body: &ChangeBody) -> Option<ChatId> {
    match body {
        ChangeBody::ChatAdded { chat, .. } => Some(chat.chat_id),
        ChangeBody::MembershipEnded { ended, .. } => Some(ended.chat_id),
        ChangeBody::ReadStateChanged { state, .. } => Some(state.chat_id),
        other => addressed_chat(other),
    }
}

fn entry_of(body: &ChangeBody) -> Option<Entry> {
    match body {
        ChangeBody::MessageCreated { message, .. } => Some(Entry::Message((**message).clone())),
        ChangeBody::GroupActivity { activity, .. } => Some(Entry::Activity((**activity).clone())),
        _ => None,
    }
}

fn is_entry_of(body: &ChangeBody, chat_id: ChatId) -> bool {
    match body {
        ChangeBody::MessageCreated { message, .. } => message.chat_id == chat_id,
        ChangeBody::GroupActivity { activity, .. } => activity.chat_id == chat_id,
        _ => false,
    }
}

pub fn mark(number: u64) -> Watermark {
    Watermark::try_from(number).unwrap()
}

impl<'a> Views<'a> {
    /// The log up to a position.
    pub fn at(self, position: u64) -> Self {
        Self { log: &self.log[..usize::try_from(position).unwrap()], ..self }
    }

    /// The end of the log.
    pub fn head(self) -> u64 {
        self.log.len() as u64
    }

    fn changes(self) -> impl DoubleEndedIterator<Item = (u64, &'a ChangeBody)> {
        let change = |index: usize| (index as u64 + 1, &self.log[index].body);
        (0..self.log.len()).map(change)
    }

    /// All chats, the oldest first.
    pub fn chats(self) -> Vec<ChatId> {
        let mut chats = Vec::new();
        for (_, body) in self.changes() {
            if let ChangeBody::ChatAdded { chat, .. } = body
                && !chats.contains(&chat.chat_id)
            {
                chats.push(chat.chat_id);
            }
        }
        chats
    }

    /// All messages, the oldest first.
    pub fn messages(self) -> impl Iterator<Item = &'a Message> {
        self.changes().filter_map(|(_, body)| match body {
            ChangeBody::MessageCreated { message, .. } => Some(&**message),
            _ => None,
        })
    }

    fn last_added(self, user_id: UserId, chat_id: ChatId) -> Option<(u64, &'a Chat)> {
        self.changes().rev().find_map(|(position, body)| match body {
            ChangeBody::ChatAdded { user, chat, .. } if user.user_id == user_id && chat.chat_id == chat_id => {
                Some((position, &**chat))
            }
            _ => None,
        })
    }

    fn first_added(self, chat_id: ChatId) -> Option<&'a Chat> {
        self.changes().find_map(|(_, body)| match body {
            ChangeBody::ChatAdded { chat, .. } if chat.chat_id == chat_id => Some(&**chat),
            _ => None,
        })
    }

    /// Whether it is a group; `None` when there is no such chat.
    pub fn is_group(self, chat_id: ChatId) -> Option<bool> {
        self.first_added(chat_id).map(|chat| chat.kind == ChatKind::Group)
    }

    /// How many entries a chat has.
    pub fn count(self, chat_id: ChatId) -> u64 {
        self.changes().filter(|(_, body)| is_entry_of(body, chat_id)).count() as u64
    }

    /// What a user sees of a chat. (GRP-16)
    pub fn seen(self, user_id: UserId, chat_id: ChatId) -> Vec<Seen> {
        let mut seen: Vec<Seen> = Vec::new();
        let mut entries = 0;
        for (position, body) in self.changes() {
            entries += u64::from(is_entry_of(body, chat_id));
            match body {
                ChangeBody::ChatAdded { user, chat, .. } if user.user_id == user_id && chat.chat_id == chat_id => {
                    let from = if chat.kind == ChatKind::Group { entries + 1 } else { 1 };
                    seen.push(Seen { from, to: None, after: position, up_to: None });
                }
                ChangeBody::MembershipEnded { user_id: who, ended, .. }
                    if *who == user_id && ended.chat_id == chat_id =>
                {
                    let last = seen.last_mut().expect("who goes was there");
                    (last.to, last.up_to) = (Some(entries), Some(position - 1));
                }
                _ => {}
            }
        }
        seen
    }

    /// Whether a user sees what is written to a chat now.
    pub fn is_in(self, user_id: UserId, chat_id: ChatId) -> bool {
        self.seen(user_id, chat_id).last().is_some_and(|seen| seen.to.is_none())
    }

    /// Whether a user sees an entry.
    pub fn sees(self, user_id: UserId, chat_id: ChatId, seq: Seq) -> bool {
        let seen = self.seen(user_id, chat_id);
        seen.iter().any(|seen| seen.from <= seq.get() && seen.to.is_none_or(|to| seq.get() <= to))
    }

    /// Whether a change at a position is for a user. (LOG-3, GRP-16)
    pub fn is_for(self, user_id: UserId, position: u64, body: &ChangeBody) -> bool {
        match addressed_chat(body) {
            Some(chat_id) => {
                let seen = self.seen(user_id, chat_id);
                seen.iter().any(|seen| seen.after < position && seen.up_to.is_none_or(|up_to| position <= up_to))
            }
            None => addressed_user(body) == Some(user_id),
        }
    }

    /// What a user hears after a position, as it is told, without cursors. (LOG-4)
    pub fn events(self, user_id: UserId, after: u64) -> Vec<(u64, Value)> {
        let chats: Vec<_> = self.chats().into_iter().map(|chat_id| (chat_id, self.seen(user_id, chat_id))).collect();
        let is_for = |position: u64, body: &ChangeBody| match addressed_chat(body) {
            Some(chat_id) => chats
                .iter()
                .filter(|(id, _)| *id == chat_id)
                .flat_map(|(_, seen)| seen)
                .any(|seen| seen.after < position && seen.up_to.is_none_or(|up_to| position <= up_to)),
            None => addressed_user(body) == Some(user_id),
        };
        self.changes()
            .filter(|(position, body)| *position > after && is_for(*position, body))
            .map(|(position, _)| {
                let record = &self.log[usize::try_from(position).unwrap() - 1].record;
                let data: Value = serde_json::from_str(&record.data).unwrap();
                let mut event = json!({ "event": record.event, "data": data });
                if let Some(chat_id) = record.chat_id {
                    event["chat_id"] = json!(chat_id);
                }
                (position, event)
            })
            .collect()
    }

    /// The chats of which a user hears something after a position. (CHT-8)
    pub fn changed_since(self, user_id: UserId, after: u64) -> HashSet<ChatId> {
        self.changes()
            .filter(|(position, body)| *position > after && self.is_for(user_id, *position, body))
            .filter_map(|(_, body)| concerned_chat(body))
            .collect()
    }

    fn by_name(self) -> Vec<&'a User> {
        let mut users: Vec<_> = self.users.iter().collect();
        users.sort_by_key(|user| user.username.as_str().to_lowercase());
        users
    }

    /// The entries of a chat that a user sees, with what became of them. (MSG-13)
    pub fn entries(self, user_id: UserId, chat_id: ChatId) -> Vec<Entry> {
        let seen = self.seen(user_id, chat_id);
        let all = (1..).zip(self.changes().filter(|(_, body)| is_entry_of(body, chat_id)));
        all.filter(|(seq, _)| seen.iter().any(|seen| seen.from <= *seq && seen.to.is_none_or(|to| *seq <= to)))
            .filter_map(|(_, (_, body))| entry_of(body))
            .map(|entry| self.shown(user_id, entry))
            .collect()
    }

    fn shown(self, user_id: UserId, mut entry: Entry) -> Entry {
        if let Entry::Message(message) = &mut entry {
            message.reactions = self.counts(message.message_id);
            message.own_reaction = self.own_reaction(user_id, message.message_id);
        }
        entry
    }

    /// A chat as a user sees it. (CHT-3)
    pub fn chat(self, user_id: UserId, chat_id: ChatId) -> Option<Chat> {
        let (_, added) = self.last_added(user_id, chat_id)?;
        let seen = self.seen(user_id, chat_id);
        let (delivered, read) = self.marks(user_id, chat_id);
        let partner = added.partner.as_ref().map(|Partner { user, .. }| {
            let (delivered, read) = self.marks(user.user_id, chat_id);
            Partner { user: user.clone(), delivered: mark(delivered), read: mark(read) }
        });
        let is_group = added.kind == ChatKind::Group;
        let membership = match self.standing(user_id, chat_id) {
            Standing::Left => Membership::Left,
            Standing::Removed => Membership::Removed,
            _ => Membership::Member,
        };
        let group = is_group.then(|| match seen.last().and_then(|seen| seen.up_to) {
            // As it was with the entry that let them out, after which they are not in it: one change later. (GRP-19)
            Some(up_to) => self.at(up_to + 1).summary(user_id, chat_id),
            None => self.summary(user_id, chat_id),
        });
        let seq = |number: u64| Seq::try_from(number).unwrap();
        Some(Chat {
            chat_id,
            kind: added.kind,
            partner,
            group,
            membership,
            opened_at: added.opened_at,
            visible: seen.iter().map(|seen| Stretch { from: seq(seen.from), to: seen.to.map(seq) }).collect(),
            last_entry: self.entries(user_id, chat_id).pop(),
            unread_count: self.unread(user_id, chat_id).len() as u64,
            delivered: mark(delivered),
            read: mark(read),
        })
    }

    /// A user's chats, the one with the latest visible entry first. (CHT-5)
    pub fn list(self, user_id: UserId) -> Vec<Chat> {
        let mut chats: Vec<_> = self.chats().into_iter().filter_map(|chat_id| self.chat(user_id, chat_id)).collect();
        chats.sort_by_key(|chat| {
            let latest = self
                .changes()
                .rev()
                .find(|(position, body)| is_entry_of(body, chat.chat_id) && self.is_for(user_id, *position, body));
            let opened = || self.last_added(user_id, chat.chat_id).map(|(position, _)| position);
            std::cmp::Reverse(latest.map(|(position, _)| position).or_else(opened))
        });
        chats
    }
}
