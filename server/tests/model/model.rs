//! The world as it ought to be: the rules of the server on a log in memory.

mod expected;
mod resolve;

pub use resolve::{no_chat, no_message};

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use i9chat_server::{
    domain::{
        self, Change, ChangeBody, ChangeReaction, Command, MarkReceipts, MessageState, OpenDirect, Position,
        ReactionsState, Reader, SendMessage, Stamp, State, Wanted,
        groups::{AddMembers, ChangeAdmin, CreateGroup, JoinGroup, LeaveGroup, RemoveMember, UpdateGroup},
    },
    ids::Ids,
};
use i9chat_spec::{ChatId, ErrorCode, Limits, Refusal, Timestamp, User, UserId};
use serde_json::{Value, json};

use crate::{
    act::{Act, Deed, content},
    views::{Standing, Views, addressed_chat, addressed_user, mark},
};

/// Numbers in place of random bytes, so that every run is the same.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Ids for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, digit) in bytes.iter_mut().zip(number.iter().rev().cycle()) {
            *byte = *digit;
        }
    }
}

pub struct Model {
    pub users: Vec<User>,
    limits: Limits,
    log: Vec<Change>,
    state: State,
    ids: Counter,
    /// What was done with a `client_id`, and what was answered.
    done: Vec<(Deed, Value)>,
    client_ids: Cell<u128>,
}

impl Model {
    pub fn new(users: Vec<User>, limits: Limits) -> Self {
        Self {
            users,
            limits,
            log: Vec::new(),
            state: State::default(),
            ids: Counter::default(),
            done: Vec::new(),
            client_ids: Cell::new(0),
        }
    }

    pub fn views(&self) -> Views<'_> {
        Views { log: &self.log, users: &self.users }
    }

    /// Does something, and gives what is answered, as the rules have it and as this test expects it.
    pub fn perform(&mut self, deed: &Deed, at: Timestamp) -> Result<Value, ErrorCode> {
        let expected = self.expected(deed);
        let before = self.views().head();
        let user = self.users[deed.by].clone();
        let successor = match &deed.act {
            Act::Leave { chat_id } => self.successor(user.user_id, *chat_id).cloned(),
            _ => None,
        };
        let outcome = self.decide(user, &deed.act, at);
        match &expected {
            Ok(Some(answer)) => assert_eq!(outcome.as_ref(), Ok(answer), "{deed:?}"),
            Ok(None) => assert!(outcome.is_ok(), "{deed:?} was refused: {outcome:?}"),
            Err(code) => assert_eq!(outcome, Err(*code), "{deed:?}"),
        }
        if outcome.is_err() || matches!(expected, Ok(Some(_))) && deed.client_id().is_some() {
            assert_eq!(self.views().head(), before, "{deed:?} is refused or was done before, and changes nothing");
        }
        self.check_changes(before);
        let last = self.log.last().map(|change| &change.body);
        if let (Ok(_), Act::Leave { .. }, Some(ChangeBody::GroupActivity { activity, .. })) =
            (&outcome, &deed.act, last)
        {
            assert_eq!(activity.targets.first(), successor.as_ref(), "the new admin");
        } else {
            assert!(outcome.is_err() || successor.is_none(), "nobody became admin after {deed:?}");
        }
        if let Ok(answer) = &outcome
            && let Some(client_id) = deed.client_id()
            && !self.done.iter().any(|(done, _)| done.by == deed.by && done.client_id() == Some(client_id))
        {
            self.done.push((deed.clone(), answer.clone()));
        }
        outcome
    }

    fn decide(&mut self, user: User, act: &Act, at: Timestamp) -> Result<Value, ErrorCode> {
        match act.clone() {
            Act::OpenDirect { with } => {
                let user_id = user.user_id;
                let chat_id = self.run(&OpenDirect { opener: user, partner: with }, at)?;
                Ok(json!({ "chat": self.views().chat(user_id, chat_id) }))
            }
            Act::Send { chat_id, client_id, text, reply_to } => {
                answer(self.run(&send(user, chat_id, client_id, &text, reply_to), at))
            }
            Act::React { chat_id, message_id, emoji } => {
                let max_different = self.limits.max_different_reactions;
                answer(self.run(&ChangeReaction { user, chat_id, message_id, emoji, max_different }, at))
            }
            Act::Mark { marks } => answer(self.run(&mark_receipts(user, marks, &self.limits), at)),
            Act::CreateGroup { asked, members } => {
                let max_members = self.limits.max_group_members;
                answer(self.run(&CreateGroup { creator: user, asked, members, max_members }, at))
            }
            Act::Join { chat_id } => {
                let user_id = user.user_id;
                let max_members = self.limits.max_group_members;
                self.run(&JoinGroup { user, chat_id, max_members }, at)?;
                Ok(json!({ "chat": self.views().chat(user_id, chat_id) }))
            }
            Act::Leave { chat_id } => done(self.run(&LeaveGroup { user, chat_id }, at)),
            Act::Add { chat_id, names } => {
                let max_members = self.limits.max_group_members;
                answer(self.run(&AddMembers { actor: user, chat_id, names, max_members }, at))
            }
            Act::Remove { chat_id, target } => done(self.run(&RemoveMember { actor: user, chat_id, target }, at)),
            Act::ChangeAdmin { chat_id, target, role } => {
                done(self.run(&ChangeAdmin { actor: user, chat_id, target, role }, at))
            }
            Act::Update { chat_id, asked } => {
                let user_id = user.user_id;
                self.run(&UpdateGroup { actor: user, chat_id, asked }, at)?;
                Ok(json!(self.views().group(user_id, chat_id)))
            }
        }
    }

    fn run<C: Command>(&mut self, command: &C, at: Timestamp) -> Result<C::Answer, ErrorCode> {
        let mut wanted = Wanted::default();
        command.wants(&mut wanted);
        self.find(&wanted);
        let stamp = Stamp { at, ids: &self.ids };
        let decision = command.decide(&self.state, &stamp).map_err(Refusal::code)?;
        for body in decision.changes {
            self.state.apply(&body);
            let position = Position(self.log.len() as u64 + 1);
            self.log.push(body.at(position, &self.ids).unwrap());
        }
        Ok(decision.answer)
    }

    /// Finds what a command wants to know. What it does to chats, the state knows; the rest is looked for in the log.
    fn find(&mut self, wanted: &Wanted) {
        let mut messages = Vec::new();
        let mut reactions = Vec::new();
        let mut readers = Vec::new();
        let views = self.views();
        for key @ (chat_id, message_id) in &wanted.messages {
            let found = views.messages().find(|sent| sent.chat_id == *chat_id && sent.message_id == *message_id);
            messages.extend(found.map(|message| (*key, MessageState::of(message))));
        }
        for (key @ (_, message_id), users) in &wanted.reactions {
            let counts = views.counts(*message_id).into_iter().map(|counted| (counted.emoji, counted.count)).collect();
            let own = |user_id: &UserId| Some((*user_id, views.own_reaction(*user_id, *message_id)?));
            reactions.push((*key, ReactionsState { counts, own: users.iter().filter_map(own).collect() }));
        }
        for (chat_id, user_id) in &wanted.reading {
            let (delivered, read) = views.marks(*user_id, *chat_id);
            let unread = views.unread(*user_id, *chat_id);
            readers.push((*chat_id, *user_id, Reader { delivered: mark(delivered), read: mark(read), unread }));
        }
        self.state.messages = messages.into_iter().collect();
        self.state.reactions = reactions.into_iter().collect();
        self.state.reading = domain::Reading::default();
        for (chat_id, user_id, reader) in readers {
            self.state.reading.insert(chat_id, user_id, reader);
        }
    }

    /// What holds of all changes, whatever they are.
    fn check_changes(&self, before: u64) {
        let views = self.views();
        for (position, change) in (1..).zip(&self.log).skip(usize::try_from(before).unwrap()) {
            let mut told: Vec<_> = change.body.audience().as_slice().to_vec();
            told.sort_unstable();
            let addressed = addressed_user(&change.body).filter(|_| addressed_chat(&change.body).is_none());
            let mut meant: Vec<_> = if let Some(user_id) = addressed {
                vec![user_id]
            } else {
                let users = self.users.iter().map(|user| user.user_id);
                users.filter(|user_id| views.is_for(*user_id, position, &change.body)).collect()
            };
            meant.sort_unstable();
            assert_eq!(told, meant, "whom {:?} is for", change.body);
            self.check_chat_added(position, &change.body);
            self.check_receipts_told(position, &change.body);
        }
        for chat_id in views.chats() {
            if views.is_group(chat_id) == Some(true) && !views.members(chat_id).is_empty() {
                assert!(!views.admins(chat_id).is_empty(), "a group has an admin");
            }
        }
    }

    /// The others hear how far somebody is where there are not too many of them. (RCP-11)
    fn check_receipts_told(&self, position: u64, body: &ChangeBody) {
        let ChangeBody::ReadStateChanged { user_id, state } = body else { return };
        let (views, chat_id) = (self.views().at(position), state.chat_id);
        let is_small = views.is_group(chat_id) == Some(false)
            || views.members(chat_id).len() as u64 <= self.limits.receipt_fanout_members;
        let next = self.log.get(usize::try_from(position).unwrap()).map(|change| &change.body);
        let is_told = matches!(next, Some(ChangeBody::ReceiptsUpdated { chat_id: told, .. }) if *told == chat_id);
        assert_eq!(is_told, is_small && views.is_in(*user_id, chat_id), "whether the others hear of {state:?}");
    }

    /// The chat in `chat_added` is the chat as it is with the entry that lets in. (LOG-7, GRP-17)
    fn check_chat_added(&self, position: u64, body: &ChangeBody) {
        let ChangeBody::ChatAdded { user, chat, .. } = body else { return };
        let mut last = position;
        if chat.group.is_some() {
            let entry = self.log.iter().skip(usize::try_from(position).unwrap());
            last += 1 + entry.take_while(|change| addressed_chat(&change.body).is_none()).count() as u64;
        }
        let expected = self.views().at(last).chat(user.user_id, chat.chat_id).unwrap();
        assert_eq!(**chat, i9chat_spec::Chat { last_entry: None, ..expected });
    }

    fn standing(&self, by: usize, chat_id: ChatId) -> Standing {
        self.views().standing(self.users[by].user_id, chat_id)
    }
}

impl Deed {
    fn client_id(&self) -> Option<i9chat_spec::ClientId> {
        match &self.act {
            Act::Send { client_id, .. } => Some(*client_id),
            Act::CreateGroup { asked, .. } => Some(asked.client_id),
            _ => None,
        }
    }
}

fn answer<T: serde::Serialize>(outcome: Result<T, ErrorCode>) -> Result<Value, ErrorCode> {
    outcome.map(|answer| json!(answer))
}

fn done(outcome: Result<(), ErrorCode>) -> Result<Value, ErrorCode> {
    outcome.map(|()| Value::Null)
}

/// The command that sends a text.
pub fn send(
    sender: User,
    chat_id: ChatId,
    client_id: i9chat_spec::ClientId,
    text: &i9chat_spec::MessageText,
    reply_to: Option<i9chat_spec::MessageId>,
) -> SendMessage {
    SendMessage { sender, chat_id, client_id, content: content(text), reply_to }
}

/// The command that moves watermarks.
pub fn mark_receipts(user: User, marks: Vec<i9chat_spec::api::receipts::Mark>, limits: &Limits) -> MarkReceipts {
    MarkReceipts {
        user,
        marks,
        fanout_members: limits.receipt_fanout_members,
        max_unread_count: limits.max_unread_count,
    }
}
