//! What a wish means in the world as it is.

use i9chat_server::domain::groups::Named;
use i9chat_spec::{
    ChatId, ClientId, GroupName, MessageId, Patch, Role, User, UserId, Username,
    api::{
        groups::{GroupChanges, NewGroup},
        receipts::Mark,
    },
};
use uuid::Uuid;

use super::Model;
use crate::{
    act::{Act, Deed},
    step::{MarkWish, Pick, Wish, nth},
    views::mark,
};

const EMOJIS: [&str; 4] = ["👍", "❤️", "😂", "🇪🇺"];
const TEXTS: [&str; 6] = ["hello", "how are you?", " ", "a\nb", "😀😀", "long"];
const NAMES: [&str; 4] = ["Friends", "Work", "Family 🏡", "Friends "];
const DESCRIPTIONS: [&str; 3] = ["", "about us", "about work"];

/// A chat that nobody has.
pub fn no_chat() -> ChatId {
    ChatId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

/// An id that no message has; the places of messages that ids hold begin with 1, and so does this one.
pub fn no_message() -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

impl Model {
    /// What a wish means; `None` when it means nothing as yet.
    pub fn resolve(&self, wish: &Wish) -> Option<Deed> {
        let views = self.views();
        Some(match wish {
            Wish::OpenDirect { by, with } => {
                Deed { by: self.number(*by), act: Act::OpenDirect { with: nth(&self.users, *with) } }
            }
            Wish::Send { chat, by, client_id, text, reply_to } => {
                let (chat_id, by) = self.in_chat(*chat, *by);
                let reply_to = reply_to.map(|pick| self.message(pick, by, chat_id));
                let long = "x".repeat(150);
                let text = nth(&TEXTS, *text);
                let text = if text == "long" { &long } else { text };
                let client_id = self.client_id(by, *client_id);
                Deed { by, act: Act::Send { chat_id, client_id, text: text.parse().unwrap(), reply_to } }
            }
            Wish::React { chat, by, message, emoji } => {
                let (chat_id, by) = self.in_chat(*chat, *by);
                let message_id = self.message(*message, by, chat_id);
                let emoji = emoji.map(|emoji| nth(&EMOJIS, emoji).parse().unwrap());
                Deed { by, act: Act::React { chat_id, message_id, emoji } }
            }
            Wish::Mark { by, marks } => self.mark(*by, marks),
            Wish::CreateGroup { by, client_id, name, description, members } => {
                self.create_group(*by, *client_id, *name, *description, members)
            }
            Wish::Join { chat, by } => {
                let chat_id = chat.of(&self.groups(), &self.all_chats());
                let outside = self.those(|user_id| !views.is_in(user_id, chat_id));
                Deed { by: by.of(&outside, &self.everybody()), act: Act::Join { chat_id } }
            }
            Wish::Leave { chat, by } => {
                let chat_id = chat.of(&self.groups(), &self.all_chats());
                let inside = self.those(|user_id| views.is_in(user_id, chat_id));
                Deed { by: by.of(&inside, &self.everybody()), act: Act::Leave { chat_id } }
            }
            Wish::Add { chat, by, names } => {
                let (chat_id, by) = self.by_admin(*chat, *by);
                let outside = self.those(|user_id| !views.is_in(user_id, chat_id));
                let all: Vec<usize> = (0..self.users.len() + 2).collect();
                let mut named: Vec<Named> = Vec::new();
                for pick in names {
                    let member = self.named(u8::try_from(pick.of(&outside, &all)).unwrap());
                    if named.iter().all(|named| named.username.key() != member.username.key()) {
                        named.push(member);
                    }
                }
                Deed { by, act: Act::Add { chat_id, names: named } }
            }
            Wish::Remove { chat, by, target } => {
                let (chat_id, by) = self.by_admin(*chat, *by);
                Deed { by, act: Act::Remove { chat_id, target: self.target(*target, chat_id) } }
            }
            Wish::MakeAdmin { chat, by, target } => {
                let (chat_id, by) = self.by_admin(*chat, *by);
                Deed { by, act: Act::ChangeAdmin { chat_id, target: self.target(*target, chat_id), role: Role::Admin } }
            }
            Wish::RemoveAdmin { chat, by, target } => {
                let (chat_id, by) = self.by_admin(*chat, *by);
                let admins: Vec<_> =
                    self.those(|user_id| views.admins(chat_id).iter().any(|admin| admin.user_id == user_id));
                let target = self.named(u8::try_from(target.of(&admins, &self.everybody())).unwrap());
                Deed { by, act: Act::ChangeAdmin { chat_id, target, role: Role::Member } }
            }
            Wish::Update { chat, by, name, description } => {
                let (chat_id, by) = self.by_admin(*chat, *by);
                let asked = GroupChanges {
                    name: name.map(group_name),
                    description: match description {
                        Patch::Keep => Patch::Keep,
                        Patch::Clear => Patch::Clear,
                        Patch::Set(number) => Patch::Set(nth(&DESCRIPTIONS, *number).parse().unwrap()),
                    },
                    picture_id: Patch::Keep,
                };
                Deed { by, act: Act::Update { chat_id, asked } }
            }
            Wish::Retry { which } => {
                if self.done.is_empty() {
                    return None;
                }
                nth(&self.done, *which).0
            }
        })
    }

    fn mark(&self, by: Pick, marks: &[MarkWish]) -> Deed {
        let views = self.views();
        let by = self.number(by.number);
        let user_id = self.users[by].user_id;
        let own: Vec<_> = views.chats().into_iter().filter(|chat_id| views.chat(user_id, *chat_id).is_some()).collect();
        let mut made: Vec<Mark> = Vec::new();
        for wanted in marks {
            let chat_id = wanted.chat.of(&own, &self.all_chats());
            let last = views.seen(user_id, chat_id).last().and_then(|seen| seen.to).unwrap_or(views.count(chat_id));
            let at = |back: u8| mark((last + 1).saturating_sub(u64::from(back)));
            let read = wanted.read.or(if wanted.delivered.is_none() { Some(1) } else { None });
            if made.iter().all(|made| made.chat_id != chat_id) {
                made.push(Mark { chat_id, delivered: wanted.delivered.map(at), read: read.map(at) });
            }
        }
        Deed { by, act: Act::Mark { marks: made } }
    }

    fn create_group(&self, by: u8, client_id: Option<u8>, name: u8, description: bool, members: &[u8]) -> Deed {
        let by = self.number(by);
        let mut named: Vec<Named> = Vec::new();
        for number in members {
            let member = self.named(*number);
            if named.iter().all(|named| named.username.key() != member.username.key()) {
                named.push(member);
            }
        }
        let usernames: Vec<Username> = named.iter().map(|named| named.username.clone()).collect();
        let asked = NewGroup {
            client_id: self.client_id(by, client_id),
            name: group_name(name),
            description: description.then(|| "about us".parse().unwrap()),
            picture_id: None,
            members: (!usernames.is_empty()).then(|| usernames.try_into().unwrap()),
        };
        Deed { by, act: Act::CreateGroup { asked, members: named } }
    }

    fn number(&self, number: u8) -> usize {
        usize::from(number) % self.users.len()
    }

    fn everybody(&self) -> Vec<usize> {
        (0..self.users.len()).collect()
    }

    fn those(&self, are: impl Fn(UserId) -> bool) -> Vec<usize> {
        (0..).zip(&self.users).filter(|(_, user)| are(user.user_id)).map(|(number, _)| number).collect()
    }

    /// All chats, and one that is none.
    fn all_chats(&self) -> Vec<ChatId> {
        self.views().chats().into_iter().chain([no_chat()]).collect()
    }

    /// The groups that are not closed.
    fn groups(&self) -> Vec<ChatId> {
        let views = self.views();
        let chats = views.chats().into_iter();
        chats.filter(|id| views.is_group(*id) == Some(true) && !views.members(*id).is_empty()).collect()
    }

    /// A chat and somebody in it.
    fn in_chat(&self, chat: Pick, by: Pick) -> (ChatId, usize) {
        let views = self.views();
        let alive = |chat_id: &ChatId| !self.those(|user_id| views.is_in(user_id, *chat_id)).is_empty();
        let open: Vec<_> = views.chats().into_iter().filter(alive).collect();
        let chat_id = chat.of(&open, &self.all_chats());
        let inside = self.those(|user_id| views.is_in(user_id, chat_id));
        (chat_id, by.of(&inside, &self.everybody()))
    }

    /// A group and an admin of it.
    fn by_admin(&self, chat: Pick, by: Pick) -> (ChatId, usize) {
        let chat_id = chat.of(&self.groups(), &self.all_chats());
        let admins = self.views().admins(chat_id);
        let admins = self.those(|user_id| admins.iter().any(|admin| admin.user_id == user_id));
        (chat_id, by.of(&admins, &self.everybody()))
    }

    /// A message that somebody sees in a chat; or any message, or none.
    fn message(&self, pick: Pick, by: usize, chat_id: ChatId) -> MessageId {
        let (views, user_id) = (self.views(), self.users[by].user_id);
        let here = views.messages().filter(|sent| sent.chat_id == chat_id && views.sees(user_id, chat_id, sent.seq));
        let here: Vec<_> = here.map(|sent| sent.message_id).collect();
        let all: Vec<_> = views.messages().map(|sent| sent.message_id).chain([no_message()]).collect();
        pick.of(&here, &all)
    }

    /// A member of a group; or anybody, or nobody.
    fn target(&self, pick: Pick, chat_id: ChatId) -> Named {
        let members = self.those(|user_id| self.views().is_in(user_id, chat_id));
        let all: Vec<usize> = (0..self.users.len() + 2).collect();
        self.named(u8::try_from(pick.of(&members, &all)).unwrap())
    }

    /// A user by name, written in capitals now and then, or a name that nobody has.
    fn named(&self, number: u8) -> Named {
        match self.users.get(usize::from(number)) {
            Some(user @ User { username, .. }) => {
                let text = if number.is_multiple_of(2) {
                    username.as_str().to_uppercase()
                } else {
                    username.as_str().to_owned()
                };
                Named { username: text.parse().unwrap(), user: Some(user.clone()) }
            }
            None => Named { username: format!("nobody{number}").parse().unwrap(), user: None },
        }
    }

    /// One that the user has used, or a new one.
    fn client_id(&self, by: usize, used: Option<u8>) -> ClientId {
        let own: Vec<_> =
            self.done.iter().filter(|(done, _)| done.by == by).filter_map(|(done, _)| done.client_id()).collect();
        match used {
            Some(number) if !own.is_empty() => nth(&own, number),
            _ => {
                self.client_ids.set(self.client_ids.get() + 1);
                ClientId::from_uuid(Uuid::from_u128(self.client_ids.get()))
            }
        }
    }
}

fn group_name(number: u8) -> GroupName {
    nth(&NAMES, number).parse().unwrap()
}
