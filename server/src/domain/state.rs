mod chat;
mod group;
mod reading;
mod wanted;

use std::collections::HashMap;

use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatId, ClientId, Content, ContentKind, Emoji, MediaId, Message, MessageId, Partner,
    ReactionCount, Role, Seq, SessionId, Snippet, User, UserId, api::messages::MessageSent, event,
};

pub use self::{
    chat::{Belonging, ChatBody, ChatState, Side, whole},
    group::{GroupState, Standing},
    reading::{Reader, Reading},
    wanted::{Pair, Wanted},
};
use super::{ChangeBody, GroupCreation, MediaState};

/// What a batch of commands decides on: what was stored, and what the batch itself changed so far.
#[derive(Debug, Default)]
pub struct State {
    /// The chats that were wanted and are there.
    pub chats: HashMap<ChatId, ChatState>,
    /// The chats of the pairs that were wanted and have one.
    pub directs: HashMap<Pair, ChatId>,
    /// The wanted commands with a `client_id` that came before.
    pub done: HashMap<(UserId, ClientId), DoneBefore>,
    /// The wanted messages that are there.
    pub messages: HashMap<(ChatId, MessageId), MessageState>,
    /// The reactions of the wanted messages that are there.
    pub reactions: HashMap<(ChatId, MessageId), ReactionsState>,
    /// How far the wanted users are in the wanted chats.
    pub reading: Reading,
    /// The wanted media that is complete.
    pub media: HashMap<MediaId, MediaState>,
    /// The profiles of the wanted users.
    pub profiles: HashMap<UserId, event::ProfileChanged>,
    /// The wanted sessions that are there and open.
    pub sessions: HashMap<SessionId, SessionState>,
    /// The open sessions of the wanted users.
    pub sessions_of: HashMap<UserId, Vec<SessionId>>,
}

/// What was done before with the same `client_id`.
#[derive(Debug, Clone)]
pub enum DoneBefore {
    /// A message was sent.
    Message(SentBefore),
    /// A group was created.
    Group(Box<GroupCreation>),
}

/// A send that came before.
#[derive(Debug, Clone)]
pub struct SentBefore {
    /// What was sent.
    pub content: Content,
    /// What it replied to.
    pub reply_to: Option<MessageId>,
    /// What was answered.
    pub sent: MessageSent,
}

impl SentBefore {
    /// The send that made a message.
    pub fn of(message: &Message) -> Self {
        let reply_to = message.reply_to.as_ref().map(|quote| quote.message_id);
        Self { content: message.content.clone(), reply_to, sent: sent(message) }
    }
}

/// What a reply quotes of a message.
#[derive(Debug, Clone)]
pub struct MessageState {
    /// Its place in the chat.
    pub seq: Seq,
    /// Who sent it.
    pub sender: User,
    /// The kind of its content.
    pub kind: ContentKind,
    /// Its first words.
    pub snippet: Option<Snippet>,
}

impl MessageState {
    /// What of a message may be quoted.
    pub fn of(message: &Message) -> Self {
        Self {
            seq: message.seq,
            sender: message.sender.clone(),
            kind: message.content.kind(),
            snippet: message.content.snippet(),
        }
    }
}

/// The reactions of a message.
#[derive(Debug, Clone, Default)]
pub struct ReactionsState {
    /// How often each emoji was given; never 0.
    pub counts: HashMap<Emoji, u64>,
    /// The emojis of those users that were wanted and have one.
    pub own: HashMap<UserId, Emoji>,
}

impl ReactionsState {
    /// The reactions as they are shown: the most frequent first. (REA-4)
    pub fn list(&self) -> Vec<ReactionCount> {
        let mut list: Vec<_> =
            self.counts.iter().map(|(emoji, count)| ReactionCount { emoji: emoji.clone(), count: *count }).collect();
        list.sort_unstable_by(|one, other| other.count.cmp(&one.count).then_with(|| one.emoji.cmp(&other.emoji)));
        list
    }

    /// Gives a user another emoji, or none.
    pub fn set(&mut self, user_id: UserId, emoji: Option<&Emoji>) {
        if let Some(before) = self.own.remove(&user_id)
            && let Some(count) = self.counts.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&before);
            }
        }
        if let Some(emoji) = emoji {
            *self.counts.entry(emoji.clone()).or_default() += 1;
            self.own.insert(user_id, emoji.clone());
        }
    }
}

/// An open session.
#[derive(Debug, Clone, Copy)]
pub struct SessionState {
    /// Whose it is.
    pub user_id: UserId,
}

impl State {
    /// Takes over what a command of the batch changed, for the commands after it.
    pub fn apply(&mut self, body: &ChangeBody) {
        match body {
            ChangeBody::MessageCreated { message, .. } => self.message_created(message),
            ChangeBody::GroupActivity { activity, creation, .. } => self.group_activity(activity, creation.as_deref()),
            ChangeBody::ReactionChanged { chat_id, changed, .. } => {
                if let Some(reactions) = self.reactions.get_mut(&(*chat_id, changed.message_id)) {
                    reactions.set(changed.user.user_id, changed.emoji.as_ref());
                }
            }
            ChangeBody::ReceiptsUpdated { .. } => {}
            ChangeBody::ChatAdded { user, order, chat } => self.chat_added(user, *order, chat),
            ChangeBody::MembershipEnded { user_id, ended, .. } => {
                if let Some(chat) = self.chats.get_mut(&ended.chat_id) {
                    chat.change_group(|group| group.let_out(*user_id, ended.membership, ended.last_seq));
                }
            }
            ChangeBody::ReadStateChanged { user_id, state } => {
                self.reading.moved(state.chat_id, *user_id, state.delivered, state.read);
            }
            ChangeBody::ProfileChanged { user_id, profile } => {
                self.profiles.insert(*user_id, (**profile).clone());
            }
            ChangeBody::SessionEnded { user_id, session_id, .. } => {
                self.sessions.remove(session_id);
                if let Some(sessions) = self.sessions_of.get_mut(user_id) {
                    sessions.retain(|open| open != session_id);
                }
            }
        }
    }

    fn chat_added(&mut self, user: &User, order: u32, chat: &Chat) {
        match (&chat.partner, &chat.group) {
            (Some(Partner { user: partner, .. }), _) => {
                self.directs.insert(Pair::of(user.user_id, partner.user_id), chat.chat_id);
                self.chats
                    .entry(chat.chat_id)
                    .or_insert_with(|| ChatState::direct(chat.chat_id, user.clone(), partner.clone()))
                    .add(user.user_id, chat.opened_at);
            }
            (None, Some(summary)) => {
                let Some(stretch) = chat.visible.last() else { return };
                let made = || ChatState::group(chat.chat_id, GroupState::of(summary, chat.opened_at));
                let role = summary.role.unwrap_or(Role::Member);
                self.chats
                    .entry(chat.chat_id)
                    .or_insert_with(made)
                    .change_group(|group| group.let_in(user, role, (stretch.from, order)));
                self.reading.start(chat.chat_id, user.user_id, chat.read);
            }
            (None, None) => {}
        }
    }

    fn message_created(&mut self, message: &Message) {
        if let Some(chat) = self.chats.get_mut(&message.chat_id) {
            chat.last_seq = message.seq.get();
        }
        self.reading.written(message);
        let key = (message.sender.user_id, message.client_id);
        self.done.insert(key, DoneBefore::Message(SentBefore::of(message)));
    }

    fn group_activity(&mut self, activity: &Activity, creation: Option<&GroupCreation>) {
        if let (Some(creation), Some(client_id)) = (creation, activity.client_id) {
            self.done.insert((activity.actor.user_id, client_id), DoneBefore::Group(Box::new(creation.clone())));
        }
        let Some(chat) = self.chats.get_mut(&activity.chat_id) else { return };
        chat.last_seq = activity.seq.get();
        let role = match activity.kind {
            ActivityKind::AdminAdded | ActivityKind::AdminSucceeded => Some(Role::Admin),
            ActivityKind::AdminRemoved => Some(Role::Member),
            _ => None,
        };
        if let Some(role) = role {
            chat.change_group(|group| {
                for target in &activity.targets {
                    group.set_role(target.user_id, role);
                }
            });
        }
        let to = activity.to.as_deref();
        match activity.kind {
            ActivityKind::NameChanged => {
                if let Some(name) = to.and_then(|to| to.parse().ok()) {
                    chat.change_group(|group| group.name = name);
                }
            }
            ActivityKind::DescriptionChanged => {
                if let Some(description) = to.and_then(|to| to.parse().ok()) {
                    chat.change_group(|group| group.description = description);
                }
            }
            ActivityKind::PictureChanged => {
                let picture_id = to.and_then(|to| to.parse().ok());
                chat.change_group(|group| group.picture_id = picture_id);
            }
            _ => {}
        }
    }
}

/// The acknowledgement of a message. (MSG-1)
pub fn sent(message: &Message) -> MessageSent {
    MessageSent {
        message_id: message.message_id,
        chat_id: message.chat_id,
        seq: message.seq,
        created_at: message.created_at,
    }
}
