//! A model of a server: who did what, in one log, and what a user reading now would read.

mod groups;

use i9chat_spec::{
    ActivityKind, Chat, ChatId, ChatKind, ClientId, Content, Cursor, Emoji, Entry, Event, EventFrame, Example,
    GroupSummary, Limits, Membership, Message, MessageId, Timestamp, User, UserId, Watermark,
    event::{ChatAdded, MessageCreated, ProfileChanged, ReactionChanged, ReadStateChanged, ReceiptsUpdated},
};

use crate::room::{Member, Room};

/// Whose view it is: the first user.
pub const VIEWER: usize = 0;
pub const USERS: usize = 5;
pub const EMOJIS: [&str; 3] = ["👍", "❤️", "😂"];

pub fn limits() -> Limits {
    Limits { max_unread_count: 4, receipt_fanout_members: 3, ..Limits::default() }
}

/// What users do. Who may not is left alone.
#[derive(Debug, Clone)]
pub enum Deed {
    OpenDirect { user: usize, other: usize },
    Send { chat: usize, user: usize },
    React { chat: usize, user: usize, message: usize, emoji: Option<usize> },
    Mark { chat: usize, user: usize, delivered: u64, read: u64 },
    CreateGroup { user: usize, others: Vec<usize> },
    Join { chat: usize, user: usize },
    Leave { chat: usize, user: usize },
    Add { chat: usize, others: Vec<usize> },
    Remove { chat: usize, user: usize },
    MakeAdmin { chat: usize, user: usize },
    Rename { chat: usize, name: u8 },
    Describe { chat: usize, text: u8 },
    Picture { chat: usize, picture: Option<u8> },
    Bio { text: u8 },
}

#[derive(Debug)]
pub struct World {
    pub chats: Vec<Room>,
    /// What the viewer is told, with its place in the log.
    pub told: Vec<(u64, Event, Option<ChatId>)>,
    pub head: u64,
    pub bio: String,
}

pub fn id(number: usize, kind: u8) -> uuid::Uuid {
    uuid::Builder::from_unix_timestamp_millis(number as u64, &[kind; 10]).into_uuid()
}

pub fn user(number: usize) -> User {
    User { user_id: UserId::from_uuid(id(number, 1)), username: format!("user-{number}").parse().expect("a name") }
}

pub fn cursor(position: u64) -> Cursor {
    format!("c{position}").parse().expect("a cursor")
}

pub fn time(position: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(position).expect("a time"))
}

pub fn mark(seq: u64) -> Watermark {
    Watermark::try_from(seq).expect("a watermark")
}

impl World {
    pub fn new() -> Self {
        Self { chats: Vec::new(), told: Vec::new(), head: 1, bio: String::new() }
    }

    pub fn frame(&self, told: usize) -> EventFrame {
        let (position, event, chat_id) = self.told[told].clone();
        EventFrame { cursor: Some(cursor(position)), chat_id, event }
    }

    /// The chats that the viewer has, with the place that decides the order of the list, the first of the list first. (CHT-5)
    pub fn list(&self) -> Vec<(u64, Chat)> {
        let shown = self.chats.iter().filter_map(|room| Some((room.activity()?, room.seen_by_viewer()?)));
        let mut list: Vec<_> = shown.collect();
        list.sort_by_key(|(activity, _)| std::cmp::Reverse(*activity));
        list
    }

    pub fn room(&self, chat_id: ChatId) -> Option<&Room> {
        self.chats.iter().find(|room| room.chat_id == chat_id)
    }

    /// Chats of which the viewer was told something after that place. (CHT-8)
    pub fn changed_since(&self, position: u64) -> impl Fn(ChatId) -> bool {
        let told = self.told.iter().filter(move |(at, ..)| *at > position);
        let changed: Vec<ChatId> = told
            .filter_map(|(_, event, chat_id)| match event {
                Event::ChatAdded(added) => Some(added.chat.chat_id),
                Event::MembershipEnded(ended) => Some(ended.chat_id),
                Event::ReadStateChanged(changed) => Some(changed.chat_id),
                _ => *chat_id,
            })
            .collect();
        move |chat_id| changed.contains(&chat_id)
    }

    /// A change addressed to the viewer. (LOG-1)
    fn tell(&mut self, event: impl Into<Event>) {
        self.head += 1;
        self.told.push((self.head, event.into(), None));
    }

    /// A change addressed to a chat, which the viewer hears of while in it. (GRP-16)
    fn tell_chat(&mut self, chat: usize, event: impl Into<Event>) {
        self.head += 1;
        let room = &self.chats[chat];
        if room.members.get(&VIEWER).is_some_and(|viewer| viewer.shown && viewer.membership == Membership::Member) {
            self.told.push((self.head, event.into(), Some(room.chat_id)));
        }
    }

    fn tell_added(&mut self, chat: usize) {
        let added = self.chats[chat].seen_by_viewer().expect("the viewer is in it");
        self.head += 1;
        self.told.push((self.head, ChatAdded { chat: Chat { last_entry: None, ..added } }.into(), None));
    }

    pub fn act(&mut self, deed: Deed) {
        match deed {
            Deed::OpenDirect { user, other } if user != other => self.open_direct(user, other),
            Deed::Send { chat, user } => self.send(chat, user),
            Deed::React { chat, user, message, emoji } => self.react(chat, user, message, emoji),
            Deed::Mark { chat, user, delivered, read } => self.mark(chat, user, delivered, read),
            Deed::CreateGroup { user, others } => self.create_group(user, &others),
            Deed::Join { chat, user } => self.let_in(chat, user, &[user], ActivityKind::MemberJoined),
            Deed::Add { chat, others } => {
                if let Some(admin) = self.admin_of(chat) {
                    self.let_in(chat, admin, &others, ActivityKind::MembersAdded);
                }
            }
            Deed::Leave { chat, user } => self.leave(chat, user),
            Deed::Remove { chat, user } => {
                if let Some(admin) = self.admin_of(chat).filter(|admin| *admin != user) {
                    self.let_out(chat, admin, user, ActivityKind::MemberRemoved);
                }
            }
            Deed::MakeAdmin { chat, user } => self.turn_admin(chat, user),
            Deed::Rename { chat, name } => self.change_group(chat, ActivityKind::NameChanged, |group| {
                let before = group.name.as_str().to_owned();
                group.name = format!("group {name}").parse().expect("a name");
                (Some(before), Some(group.name.as_str().to_owned()))
            }),
            Deed::Describe { chat, text } => self.change_group(chat, ActivityKind::DescriptionChanged, |group| {
                let before = group.description.as_str().to_owned();
                group.description = "!".repeat(text.into()).parse().expect("a description");
                (Some(before), Some(group.description.as_str().to_owned()))
            }),
            Deed::Picture { chat, picture } => self.change_group(chat, ActivityKind::PictureChanged, |group| {
                let before = group.picture_id.map(|id| id.to_string());
                group.picture_id = picture.map(|picture| i9chat_spec::MediaId::from_uuid(id(picture.into(), 9)));
                (before, group.picture_id.map(|id| id.to_string()))
            }),
            Deed::Bio { text } => {
                self.bio = "~".repeat(text.into());
                let bio = self.bio.parse().expect("a bio");
                self.tell(ProfileChanged { bio, picture_id: None, location: None });
            }
            Deed::OpenDirect { .. } => {}
        }
    }

    fn pick(&self, chat: usize) -> Option<usize> {
        (!self.chats.is_empty()).then(|| chat % self.chats.len())
    }

    fn add_room(&mut self, kind: ChatKind) -> usize {
        let chat_id = ChatId::from_uuid(id(self.chats.len(), 2));
        let group = GroupSummary {
            name: "group".parse().expect("a name"),
            description: "".parse().expect("a description"),
            picture_id: None,
            members_count: 0,
            role: None,
        };
        let (entries, members, reactions) = Default::default();
        self.chats.push(Room { chat_id, kind, entries, members, reactions, group });
        self.chats.len() - 1
    }

    fn open_direct(&mut self, user: usize, other: usize) {
        let is_theirs = |room: &Room| {
            room.kind == ChatKind::Direct && room.members.contains_key(&user) && room.members.contains_key(&other)
        };
        let chat = self.chats.iter().position(is_theirs).unwrap_or_else(|| {
            let chat = self.add_room(ChatKind::Direct);
            for user in [user, other] {
                self.chats[chat].members.insert(user, Member::direct());
            }
            chat
        });
        self.show(chat, user);
    }

    /// Makes a direct chat one of the user's. (CHT-2)
    fn show(&mut self, chat: usize, user: usize) {
        let at = self.head + 1;
        let member = self.chats[chat].members.get_mut(&user).expect("one of the two");
        if !member.shown {
            (member.shown, member.opened) = (true, at);
            if user == VIEWER {
                self.tell_added(chat);
            } else {
                self.head += 1;
            }
        }
    }

    fn send(&mut self, chat: usize, user: usize) {
        let Some(chat) = self.pick(chat) else { return };
        let room = &self.chats[chat];
        if !room.members.get(&user).is_some_and(|member| member.shown && member.membership == Membership::Member) {
            return;
        }
        if room.kind == ChatKind::Direct {
            let users: Vec<usize> = room.members.keys().copied().collect();
            for user in users {
                self.show(chat, user);
            }
        }
        let room = &self.chats[chat];
        let message = Message {
            seq: room.next_seq(),
            message_id: MessageId::from_uuid(id(usize::try_from(self.head).expect("a number"), 3)),
            chat_id: room.chat_id,
            sender: self::user(user),
            client_id: ClientId::from_uuid(id(0, 4)),
            created_at: time(self.head + 1),
            content: Content::example(),
            reply_to: None,
            reactions: Vec::new(),
            own_reaction: None,
        };
        self.chats[chat].entries.push((self.head + 1, Entry::Message(message.clone())));
        self.tell_chat(chat, MessageCreated { message });
    }

    fn react(&mut self, chat: usize, user: usize, message: usize, emoji: Option<usize>) {
        let Some(chat) = self.pick(chat) else { return };
        let room = &mut self.chats[chat];
        let Some(member) = room.members.get(&user).filter(|member| member.membership == Membership::Member) else {
            return;
        };
        let visible = |entry: &&Message| member.shown && member.sees(entry.seq);
        let messages: Vec<_> =
            room.entries.iter().filter_map(|(_, entry)| entry.as_message()).filter(visible).cloned().collect();
        let Some(message) = (!messages.is_empty()).then(|| &messages[message % messages.len()]) else { return };
        let emoji: Option<Emoji> = emoji.map(|emoji| EMOJIS[emoji % EMOJIS.len()].parse().expect("an emoji"));
        let given = room.reactions.entry(message.seq).or_default();
        let before = match &emoji {
            Some(emoji) => given.insert(user, emoji.clone()),
            None => given.remove(&user),
        };
        if before != emoji {
            let (message_id, seq, reactions) = (message.message_id, message.seq, room.counted(message.seq));
            self.tell_chat(chat, ReactionChanged { message_id, seq, user: self::user(user), emoji, reactions });
        }
    }

    fn mark(&mut self, chat: usize, user: usize, delivered: u64, read: u64) {
        let Some(chat) = self.pick(chat) else { return };
        let room = &mut self.chats[chat];
        let Some(last) = room.members.get(&user).filter(|member| member.shown).and_then(|member| room.last(member))
        else {
            return;
        };
        let member = room.members.get_mut(&user).expect("a member");
        let before = (member.delivered, member.read);
        member.read = member.read.max(read.min(last));
        member.delivered = member.delivered.max(delivered.min(last)).max(member.read);
        if before == (member.delivered, member.read) {
            return;
        }
        let (delivered, read) = (mark(member.delivered), mark(member.read));
        let is_member = member.membership == Membership::Member;
        let small = room.kind == ChatKind::Direct || room.group.members_count <= limits().receipt_fanout_members;
        if user == VIEWER {
            let unread_count = room.unread();
            let chat_id = room.chat_id;
            self.tell(ReadStateChanged { chat_id, delivered, read, unread_count });
        }
        if is_member && small {
            self.tell_chat(chat, ReceiptsUpdated { user: self::user(user), delivered, read });
        }
    }
}
