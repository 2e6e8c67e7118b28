use std::collections::{BTreeMap, HashMap, HashSet};

use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatId, Emoji, GroupSummary, Message, Role, SessionId, Timestamp, User, UserId,
    event::{MembershipEnded, ReactionChanged},
};

use super::{
    super::{
        load::pair_text,
        rows::{corrupt, integer},
    },
    members::{ComesIn, Members},
};
use crate::{
    domain::{Change, ChangeBody, Effect, GroupCreation, Pair, Record},
    store::{
        StoreError,
        neo4j::{
            accounts,
            driver::{Statement, Value, list, map, text},
        },
    },
};

/// What a batch writes, gathered so that each node is written once.
#[derive(Default)]
pub(super) struct Writes {
    /// The chats that are there, or are made by what came before.
    there: HashSet<ChatId>,
    chats: BTreeMap<ChatId, ChatWrite>,
    groups: BTreeMap<ChatId, GroupWrite>,
    members: Members,
    /// Changes that are no entries.
    changes: Vec<Value>,
    /// The chats that are made.
    made: Vec<Value>,
    /// Whose reaction to which message is what now.
    own: BTreeMap<(ChatId, i64, UserId), Option<Emoji>>,
    /// The reactions of messages as they are shown now, as JSON.
    shown: BTreeMap<(ChatId, i64), Option<String>>,
    media: Vec<Value>,
    profiles: BTreeMap<UserId, Value>,
    passwords: Vec<Value>,
    sessions: Vec<Value>,
}

/// What a batch does to a chat. What is `None` stays as it is.
#[derive(Default)]
struct ChatWrite {
    entries: Vec<Value>,
    last_seq: Option<i64>,
    /// Of the last change that is addressed to it.
    last_position: Option<i64>,
    /// Of the last change after which what others remember of it is wrong.
    version: Option<i64>,
}

/// What a batch does to a group.
#[derive(Default)]
struct GroupWrite {
    name: Option<String>,
    description: Option<String>,
    picture_id: Option<Value>,
    /// How many more are in it.
    more: i64,
}

/// Whom a change that is no entry is for, and what it is about.
#[derive(Default)]
struct Address {
    chat_id: Option<ChatId>,
    user_id: Option<UserId>,
    about: Option<ChatId>,
    ends: Option<SessionId>,
}

impl Writes {
    /// Nothing as yet, with these chats in the database.
    pub(super) fn new(there: impl IntoIterator<Item = ChatId>) -> Self {
        Self { there: there.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn change(&mut self, Change { record, body }: &Change) -> Result<(), StoreError> {
        match body {
            ChangeBody::MessageCreated { message, .. } => self.message_created(record, message),
            ChangeBody::GroupActivity { activity, creation, .. } => {
                self.group_activity(record, activity, creation.as_deref())?;
            }
            ChangeBody::ReactionChanged { chat_id, changed, .. } => self.reaction_changed(record, *chat_id, changed)?,
            ChangeBody::ReceiptsUpdated { chat_id, .. } => self.of_chat(record, *chat_id),
            ChangeBody::ChatAdded { user, order, chat } => self.chat_added(record, user, *order, chat)?,
            ChangeBody::MembershipEnded { user_id, ended, group } => {
                self.membership_ended(record, *user_id, ended, group)?;
            }
            ChangeBody::ReadStateChanged { user_id, state } => {
                self.members.has_read(*user_id, state);
                self.of_user(record, *user_id, Some(state.chat_id));
            }
            ChangeBody::ProfileChanged { user_id, profile } => {
                self.profiles.insert(*user_id, accounts::profile_row(*user_id, profile));
                self.of_user(record, *user_id, None);
            }
            ChangeBody::SessionEnded { user_id, session_id, at } => {
                self.session_ended(record, *user_id, *session_id, *at);
            }
        }
        Ok(())
    }

    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::PasswordSet { user_id, hash } => {
                self.passwords.push(list([text(user_id), hash.0.as_str().into()]));
            }
        }
    }

    /// The new versions of the chats that have one.
    pub(super) fn versions(&self) -> HashMap<ChatId, i64> {
        self.chats.iter().filter_map(|(chat_id, chat)| Some((*chat_id, chat.version?))).collect()
    }

    /// What few batches do, if this one does.
    pub(super) fn rare(&mut self, statement: &'static str) -> Option<Statement> {
        let members = self.members.moved();
        let is_rare = !(self.made.is_empty()
            && self.groups.is_empty()
            && members.is_empty()
            && self.shown.is_empty()
            && self.media.is_empty()
            && self.profiles.is_empty()
            && self.passwords.is_empty()
            && self.sessions.is_empty());
        let take = |rows: &mut Vec<Value>| list(std::mem::take(rows));
        let at = |(chat_id, seq): &(ChatId, i64)| [text(chat_id), (*seq).into()];
        let reacted = |is_one: bool| {
            let own = self.own.iter().filter(move |(_, emoji)| emoji.is_some() == is_one);
            list(own.map(|((chat_id, seq, user_id), emoji)| {
                let emoji = emoji.as_ref().map(|emoji| emoji.as_str().to_owned());
                list([text(chat_id), (*seq).into(), text(user_id), emoji.into()])
            }))
        };
        is_rare.then(|| {
            Statement::new(statement)
                .with("reacted", reacted(true))
                .with("unreacted", reacted(false))
                .with(
                    "reactions",
                    list(self.shown.iter().map(|(key, shown)| list(at(key).into_iter().chain([shown.clone().into()])))),
                )
                .with("groups", list(self.groups.iter().map(|(chat_id, group)| group.row(*chat_id))))
                .with("members", list(members))
                .with("profiles", list(self.profiles.values().cloned()))
                .with("made", take(&mut self.made))
                .with("media", take(&mut self.media))
                .with("passwords", take(&mut self.passwords))
                .with("sessions", take(&mut self.sessions))
        })
    }

    /// The changes themselves.
    pub(super) fn changes(self, statement: &'static str) -> Statement {
        let chats = self.chats.into_iter().map(|(chat_id, chat)| {
            list([
                text(chat_id),
                chat.last_seq.into(),
                chat.last_position.into(),
                chat.version.into(),
                list(chat.entries),
            ])
        });
        Statement::new(statement)
            .with("chats", list(chats))
            .with("changes", list(self.changes))
            .with("marks", list(self.members.marked()))
    }

    fn insert(&mut self, record: &Record, address: &Address) {
        let optional = |id: Option<String>| Value::from(id);
        let [position, tag, kind, data] = columns(record);
        self.changes.push(list([
            position,
            tag,
            kind,
            data,
            optional(address.chat_id.map(|id| id.to_string())),
            optional(address.user_id.map(|id| id.to_string())),
            optional(address.about.map(|id| id.to_string())),
            optional(address.ends.map(|id| id.to_string())),
        ]));
    }

    fn of_chat(&mut self, record: &Record, chat_id: ChatId) {
        self.insert(record, &Address { chat_id: Some(chat_id), ..Address::default() });
        self.chats.entry(chat_id).or_default().last_position = Some(integer(record.place.position.0));
    }

    fn of_user(&mut self, record: &Record, user_id: UserId, about: Option<ChatId>) {
        self.insert(record, &Address { user_id: Some(user_id), about, ..Address::default() });
    }

    /// What others remember of the chat is wrong after this.
    fn outdates(&mut self, record: &Record, chat_id: ChatId) {
        self.chats.entry(chat_id).or_default().version = Some(integer(record.place.position.0));
    }

    fn message_created(&mut self, record: &Record, message: &Message) {
        let seq = integer(message.seq.get());
        let shown = message.content.media();
        self.media
            .extend(shown.into_iter().map(|shown| list([text(shown.media_id), text(message.chat_id), seq.into()])));
        let author = [text(message.sender.user_id), text(message.client_id), Value::from(None::<String>)];
        self.entry(record, message.chat_id, seq, author);
    }

    /// `author` is the sender, their id of the command, and what was created, as JSON.
    fn entry(&mut self, record: &Record, chat_id: ChatId, seq: i64, author: [Value; 3]) {
        let chat = self.chats.entry(chat_id).or_default();
        chat.last_seq = Some(seq);
        chat.last_position = Some(integer(record.place.position.0));
        chat.entries.push(list(columns(record).into_iter().chain([seq.into()]).chain(author)));
    }

    fn group_activity(
        &mut self,
        record: &Record,
        activity: &Activity,
        creation: Option<&GroupCreation>,
    ) -> Result<(), StoreError> {
        let (chat_id, seq) = (activity.chat_id, integer(activity.seq.get()));
        self.change_group(activity);
        self.outdates(record, chat_id);
        let mut picture_id = None;
        let mut author = [(); 3].map(|()| Value::from(None::<String>));
        if let Some(creation) = creation {
            // So a retry finds it. Being the first entry it is nobody's unread message.
            let json = serde_json::to_string(creation).map_err(corrupt)?;
            author = [text(activity.actor.user_id), text(creation.asked.client_id), json.into()];
            picture_id = creation.asked.picture_id.map(|picture_id| picture_id.to_string());
        }
        if activity.kind == ActivityKind::PictureChanged {
            picture_id.clone_from(&activity.to);
        }
        self.media.extend(picture_id.map(|picture_id| list([picture_id.into(), text(chat_id), seq.into()])));
        self.entry(record, chat_id, seq, author);
        Ok(())
    }

    /// What an activity does to the group itself. Who comes and goes is told by the changes to users beside it.
    fn change_group(&mut self, activity: &Activity) {
        let role = match activity.kind {
            ActivityKind::NameChanged => {
                self.groups.entry(activity.chat_id).or_default().name = Some(activity.to.clone().unwrap_or_default());
                return;
            }
            ActivityKind::DescriptionChanged => {
                let group = self.groups.entry(activity.chat_id).or_default();
                group.description = Some(activity.to.clone().unwrap_or_default());
                return;
            }
            ActivityKind::PictureChanged => {
                self.groups.entry(activity.chat_id).or_default().picture_id = Some(activity.to.clone().into());
                return;
            }
            ActivityKind::AdminAdded | ActivityKind::AdminSucceeded => Role::Admin,
            ActivityKind::AdminRemoved => Role::Member,
            _ => return,
        };
        for target in &activity.targets {
            self.members.has_role(target.user_id, activity.chat_id, role);
        }
    }

    fn reaction_changed(
        &mut self,
        record: &Record,
        chat_id: ChatId,
        changed: &ReactionChanged,
    ) -> Result<(), StoreError> {
        let seq = integer(changed.seq.get());
        self.own.insert((chat_id, seq, changed.user.user_id), changed.emoji.clone());
        let shown = (!changed.reactions.is_empty()).then(|| serde_json::to_string(&changed.reactions)).transpose();
        self.shown.insert((chat_id, seq), shown.map_err(corrupt)?);
        self.of_chat(record, chat_id);
        Ok(())
    }

    fn chat_added(&mut self, record: &Record, user: &User, order: u32, chat: &Chat) -> Result<(), StoreError> {
        let stretch = chat.visible.last().ok_or_else(|| corrupt("a chat was added that shows nothing"))?;
        if self.there.insert(chat.chat_id) {
            self.made.push(made(user, chat)?);
        }
        let role = chat.group.as_ref().and_then(|group| group.role).unwrap_or(Role::Member);
        let comes = ComesIn {
            at: record.place.position,
            opened_at: chat.opened_at.as_millis(),
            from_seq: integer(stretch.from.get()),
            order: i64::from(order),
            role,
            delivered: integer(chat.delivered.get()),
            read: integer(chat.read.get()),
        };
        self.members.comes_in(user.user_id, chat.chat_id, comes);
        if chat.group.is_some() {
            self.groups.entry(chat.chat_id).or_default().more += 1;
        }
        self.outdates(record, chat.chat_id);
        self.of_user(record, user.user_id, Some(chat.chat_id));
        Ok(())
    }

    fn membership_ended(
        &mut self,
        record: &Record,
        user_id: UserId,
        ended: &MembershipEnded,
        group: &GroupSummary,
    ) -> Result<(), StoreError> {
        let left_behind = serde_json::to_string(group).map_err(corrupt)?;
        // The entry that let them out stands directly before this change. (GRP-18)
        let to = (integer(ended.last_seq.get()), integer(record.place.position.0) - 1);
        self.members.goes((user_id, ended.chat_id), ended.membership, to, left_behind);
        self.groups.entry(ended.chat_id).or_default().more -= 1;
        self.outdates(record, ended.chat_id);
        self.of_user(record, user_id, Some(ended.chat_id));
        Ok(())
    }

    fn session_ended(&mut self, record: &Record, user_id: UserId, session_id: SessionId, at: Timestamp) {
        self.sessions.push(list([text(session_id), at.as_millis().into()]));
        self.insert(record, &Address { user_id: Some(user_id), ends: Some(session_id), ..Address::default() });
    }
}

/// The properties of a chat that somebody is the first to have.
fn made(user: &User, chat: &Chat) -> Result<Value, StoreError> {
    let chat_id = ("chat_id", text(chat.chat_id));
    match (&chat.partner, &chat.group) {
        (Some(partner), _) => {
            let pair = pair_text(Pair::of(user.user_id, partner.user.user_id));
            Ok(map([chat_id, ("kind", "direct".into()), ("pair", pair.into())]))
        }
        (None, Some(group)) => Ok(map([
            chat_id,
            ("kind", "group".into()),
            ("name", group.name.as_str().into()),
            ("description", group.description.as_str().into()),
            ("picture_id", group.picture_id.map(text).into()),
            ("created_at", chat.opened_at.as_millis().into()),
        ])),
        (None, None) => Err(corrupt("a chat of no kind")),
    }
}

/// `position, tag, kind, data`.
fn columns(record: &Record) -> [Value; 4] {
    [
        integer(record.place.position.0).into(),
        integer(record.place.tag).into(),
        record.event.into(),
        (&*record.data).into(),
    ]
}

impl GroupWrite {
    fn row(&self, chat_id: ChatId) -> Value {
        map([
            ("chat_id", text(chat_id)),
            ("name", self.name.clone().into()),
            ("description", self.description.clone().into()),
            ("has_picture", self.picture_id.is_some().into()),
            ("picture_id", self.picture_id.clone().into()),
            ("more", self.more.into()),
        ])
    }
}
