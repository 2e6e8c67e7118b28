//! What users see of the log, found in the plainest way: by looking at all of it, each time.

use std::collections::{BTreeMap, HashSet};

use i9chat_server::domain::{Change, ChangeBody};
use i9chat_spec::{
    ActivityKind, Chat, ChatId, ChatKind, Emoji, Entry, GroupSummary, Membership, Message, MessageId, MessageStatus,
    Partner, ReactionCount, Role, Seq, Stretch, Timestamp, User, UserId, Watermark,
    api::{
        groups::Group,
        reactions::Reaction,
        receipts::{ChatReceipt, MessageReceipt},
    },
};
use serde_json::{Value, json};

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

/// What a user is to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    None,
    Member,
    Admin,
    Left,
    Removed,
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

    /// The emoji of each user who has one on a message.
    fn emojis(self, message_id: MessageId) -> BTreeMap<UserId, Emoji> {
        let mut emojis = BTreeMap::new();
        for (_, body) in self.changes() {
            let ChangeBody::ReactionChanged { changed, .. } = body else { continue };
            if changed.message_id == message_id {
                match &changed.emoji {
                    Some(emoji) => emojis.insert(changed.user.user_id, emoji.clone()),
                    None => emojis.remove(&changed.user.user_id),
                };
            }
        }
        emojis
    }

    /// A user's emoji on a message.
    pub fn own_reaction(self, user_id: UserId, message_id: MessageId) -> Option<Emoji> {
        self.emojis(message_id).remove(&user_id)
    }

    /// The reactions to a message. (REA-4)
    pub fn counts(self, message_id: MessageId) -> Vec<ReactionCount> {
        let mut counts: Vec<ReactionCount> = Vec::new();
        for emoji in self.emojis(message_id).into_values() {
            match counts.iter_mut().find(|counted| counted.emoji == emoji) {
                Some(counted) => counted.count += 1,
                None => counts.push(ReactionCount { emoji, count: 1 }),
            }
        }
        counts.sort_by(|one, other| {
            let code_points = |counted: &ReactionCount| counted.emoji.as_str().chars().collect::<Vec<_>>();
            other.count.cmp(&one.count).then_with(|| code_points(one).cmp(&code_points(other)))
        });
        counts
    }

    /// Who reacted to a message, by name. (REA-5)
    pub fn reactions(self, message_id: MessageId) -> Vec<Reaction> {
        let emojis = self.emojis(message_id);
        let by_name = self.by_name().into_iter();
        by_name
            .filter_map(|user| Some(Reaction { emoji: emojis.get(&user.user_id)?.clone(), user: user.clone() }))
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

    /// How far a user is in a chat: delivered and read. (RCP-6)
    pub fn marks(self, user_id: UserId, chat_id: ChatId) -> (u64, u64) {
        let Some(start) = self.seen(user_id, chat_id).last().copied() else { return (0, 0) };
        let start_at = if self.is_group(chat_id) == Some(true) { start.from } else { 0 };
        let moved = self.changes().rev().find_map(|(position, body)| match body {
            ChangeBody::ReadStateChanged { user_id: who, state } if *who == user_id && state.chat_id == chat_id => {
                (position > start.after).then(|| (state.delivered.get(), state.read.get()))
            }
            _ => None,
        });
        moved.unwrap_or((start_at, start_at))
    }

    /// The messages of others that a user has not read. (CHT-4)
    pub fn unread(self, user_id: UserId, chat_id: ChatId) -> Vec<u64> {
        let (_, read) = self.marks(user_id, chat_id);
        let entries = self.entries(user_id, chat_id);
        let unread = entries.iter().filter_map(Entry::as_message).filter(|message| message.sender.user_id != user_id);
        unread.map(|message| message.seq.get()).filter(|seq| *seq > read).collect()
    }

    /// What a user is to a group. (GRP-5)
    pub fn standing(self, user_id: UserId, chat_id: ChatId) -> Standing {
        let mut standing = Standing::None;
        for (_, body) in self.changes() {
            match body {
                ChangeBody::ChatAdded { user, chat, .. } if user.user_id == user_id && chat.chat_id == chat_id => {
                    let founds = self.count_before(chat_id, body) == 0 && self.founder(chat_id) == Some(user_id);
                    standing = if founds { Standing::Admin } else { Standing::Member };
                }
                ChangeBody::GroupActivity { activity, .. } if activity.chat_id == chat_id => {
                    let is_target = activity.targets.iter().any(|target| target.user_id == user_id);
                    standing = match activity.kind {
                        ActivityKind::AdminAdded | ActivityKind::AdminSucceeded if is_target => Standing::Admin,
                        ActivityKind::AdminRemoved if is_target => Standing::Member,
                        ActivityKind::MemberRemoved if is_target => Standing::Removed,
                        ActivityKind::MemberLeft if activity.actor.user_id == user_id => Standing::Left,
                        _ => standing,
                    };
                }
                _ => {}
            }
        }
        standing
    }

    /// How many entries a chat had before a change.
    fn count_before(self, chat_id: ChatId, before: &ChangeBody) -> usize {
        let earlier = self.changes().take_while(|(_, body)| !std::ptr::eq(*body, before));
        earlier.filter(|(_, body)| is_entry_of(body, chat_id)).count()
    }

    fn founder(self, chat_id: ChatId) -> Option<UserId> {
        self.changes().find_map(|(_, body)| match body {
            ChangeBody::GroupActivity { activity, .. } if activity.chat_id == chat_id => Some(activity.actor.user_id),
            _ => None,
        })
    }

    /// The members of a group, who has been one for longest first.
    pub fn members(self, chat_id: ChatId) -> Vec<&'a User> {
        let mut members: Vec<_> = self.users.iter().filter(|user| self.is_in(user.user_id, chat_id)).collect();
        members.sort_by_key(|user| self.last_added(user.user_id, chat_id).map(|(position, _)| position));
        members
    }

    /// The admins of a group.
    pub fn admins(self, chat_id: ChatId) -> Vec<&'a User> {
        let users = self.users.iter();
        users.filter(|user| self.standing(user.user_id, chat_id) == Standing::Admin).collect()
    }

    fn role(self, user_id: UserId, chat_id: ChatId) -> Option<Role> {
        match self.standing(user_id, chat_id) {
            Standing::Member => Some(Role::Member),
            Standing::Admin => Some(Role::Admin),
            Standing::None | Standing::Left | Standing::Removed => None,
        }
    }

    /// What a group says of itself, and how many are in it.
    pub fn summary(self, user_id: UserId, chat_id: ChatId) -> GroupSummary {
        let first = self.first_added(chat_id).and_then(|chat| chat.group.clone()).expect("a group");
        let mut summary = GroupSummary {
            members_count: self.members(chat_id).len() as u64,
            role: self.role(user_id, chat_id),
            ..first
        };
        for (_, body) in self.changes() {
            let ChangeBody::GroupActivity { activity, .. } = body else { continue };
            if activity.chat_id != chat_id {
                continue;
            }
            let to = activity.to.as_deref().unwrap_or_default();
            match activity.kind {
                ActivityKind::NameChanged => summary.name = to.parse().unwrap(),
                ActivityKind::DescriptionChanged => summary.description = to.parse().unwrap(),
                _ => {}
            }
        }
        summary
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

    /// A group as a user sees it, nobody there. (GRP-7)
    pub fn group(self, user_id: UserId, chat_id: ChatId) -> Group {
        let GroupSummary { name, description, picture_id, members_count, role } = self.summary(user_id, chat_id);
        let created_at = self.first_added(chat_id).map(|chat| chat.opened_at).expect("a group");
        Group { chat_id, name, description, picture_id, created_at, members_count, online_members_count: 0, role }
    }

    /// The members of a group by name: who, what, since when. (GRP-9)
    pub fn member_list(self, chat_id: ChatId) -> Vec<(User, Role, Timestamp)> {
        let members = self.by_name().into_iter().filter(|user| self.is_in(user.user_id, chat_id));
        members
            .map(|user| {
                let role = self.role(user.user_id, chat_id).expect("a member");
                let (_, chat) = self.last_added(user.user_id, chat_id).expect("a member");
                (user.clone(), role, chat.opened_at)
            })
            .collect()
    }

    /// How far the members of a chat are, by name; in a direct chat its two users. (RCP-9)
    pub fn chat_receipts(self, chat_id: ChatId) -> Vec<ChatReceipt> {
        let pair = self.first_added(chat_id).and_then(|chat| chat.partner.as_ref()).map(|partner| {
            let opener = self.changes().find_map(|(_, body)| match body {
                ChangeBody::ChatAdded { user, chat, .. } if chat.chat_id == chat_id => Some(user.user_id),
                _ => None,
            });
            [opener.expect("a chat"), partner.user.user_id]
        });
        let belongs = |user: &User| match &pair {
            Some(pair) => pair.contains(&user.user_id),
            None => self.is_in(user.user_id, chat_id),
        };
        let members = self.by_name().into_iter().filter(|user| belongs(user));
        members
            .map(|user| {
                let (delivered, read) = self.marks(user.user_id, chat_id);
                ChatReceipt { user: user.clone(), delivered: mark(delivered), read: mark(read) }
            })
            .collect()
    }

    /// How far a message has come, in all and with each member whose present stretch holds it. (RCP-7, RCP-8)
    pub fn message_receipts(self, message: &Message) -> (MessageStatus, Vec<MessageReceipt>) {
        let holds = |user: &&User| {
            let seen = self.seen(user.user_id, message.chat_id);
            seen.last().is_some_and(|seen| seen.to.is_none() && seen.from <= message.seq.get())
        };
        let others = self.by_name().into_iter().filter(|user| user.user_id != message.sender.user_id).filter(holds);
        let receipts: Vec<_> = others
            .map(|user| {
                let (delivered, read) = self.marks(user.user_id, message.chat_id);
                let status = match message.seq.get() {
                    seq if seq <= read => MessageStatus::Read,
                    seq if seq <= delivered => MessageStatus::Delivered,
                    _ => MessageStatus::Sent,
                };
                MessageReceipt { user: user.clone(), status }
            })
            .collect();
        let status = receipts.iter().map(|receipt| receipt.status).min().unwrap_or(MessageStatus::Read);
        (status, receipts)
    }
}
