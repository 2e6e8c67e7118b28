use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use i9chat_spec::{
    Chat, ChatId, ClientId, Content, Message, SessionId, Timestamp, User, UserId, api::messages::MessageSent,
};

use super::ChangeBody;

/// What of the state a batch of commands needs.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Chats by id.
    pub chats: HashSet<ChatId>,
    /// Direct chats by their two users.
    pub directs: HashSet<Pair>,
    /// Sends that may have come before.
    pub sent: HashSet<(UserId, ClientId)>,
    /// Sessions.
    pub sessions: HashSet<SessionId>,
}

/// Two users, in one order whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The one with the smaller id.
    pub low: UserId,
    /// The other.
    pub high: UserId,
}

impl Pair {
    /// The pair of two users, or of one with themselves.
    pub fn of(one: UserId, other: UserId) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }
}

/// What a batch of commands decides on: what was stored, and what the batch itself changed so far.
#[derive(Debug, Default)]
pub struct State {
    /// The chats that were wanted and are there.
    pub chats: HashMap<ChatId, ChatState>,
    /// The chats of the pairs that were wanted and have one.
    pub directs: HashMap<Pair, ChatId>,
    /// The wanted sends that came before.
    pub sent: HashMap<(UserId, ClientId), SentBefore>,
    /// The wanted sessions that are there and open.
    pub sessions: HashMap<SessionId, SessionState>,
}

/// A direct chat.
#[derive(Debug, Clone)]
pub struct ChatState {
    /// Names the chat.
    pub chat_id: ChatId,
    /// Its two users.
    pub sides: [Side; 2],
    /// The `seq` of its last entry; 0 when it is empty.
    pub last_seq: u64,
    /// Everybody who may see what is written to it now.
    pub audience: Arc<[UserId]>,
}

/// One of the two users of a direct chat.
#[derive(Debug, Clone)]
pub struct Side {
    /// Who.
    pub user: User,
    /// When the chat was added for them; until then they do not see it. (CHT-2)
    pub added_at: Option<Timestamp>,
}

impl ChatState {
    /// The chat of two users, as yet added for neither.
    pub fn new(chat_id: ChatId, one: User, other: User) -> Self {
        Self {
            chat_id,
            sides: [one, other].map(|user| Side { user, added_at: None }),
            last_seq: 0,
            audience: Arc::default(),
        }
    }

    /// A user's own side and the other one, if the user is one of the two and has the chat.
    pub fn seen_by(&self, user_id: UserId) -> Option<(&Side, &Side)> {
        let [one, other] = &self.sides;
        let (own, partner) = if one.user.user_id == user_id { (one, other) } else { (other, one) };
        (own.user.user_id == user_id && own.added_at.is_some()).then_some((own, partner))
    }

    /// Adds the chat for one of its users.
    pub fn add(&mut self, user_id: UserId, at: Timestamp) {
        for side in &mut self.sides {
            if side.user.user_id == user_id {
                side.added_at = Some(at);
            }
        }
        self.audience =
            self.sides.iter().filter(|side| side.added_at.is_some()).map(|side| side.user.user_id).collect();
    }
}

/// A send that came before with the same `client_id`.
#[derive(Debug, Clone)]
pub struct SentBefore {
    /// What was sent.
    pub content: Content,
    /// What was answered.
    pub sent: MessageSent,
}

impl SentBefore {
    /// The send that made a message.
    pub fn of(message: &Message) -> Self {
        Self { content: message.content.clone(), sent: sent(message) }
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
            ChangeBody::ChatAdded { user, chat } => self.chat_added(user, chat),
            ChangeBody::SessionEnded { session_id, .. } => {
                self.sessions.remove(session_id);
            }
        }
    }

    fn chat_added(&mut self, user: &User, chat: &Chat) {
        self.directs.insert(Pair::of(user.user_id, chat.partner.user_id), chat.chat_id);
        self.chats
            .entry(chat.chat_id)
            .or_insert_with(|| ChatState::new(chat.chat_id, user.clone(), chat.partner.clone()))
            .add(user.user_id, chat.opened_at);
    }

    fn message_created(&mut self, message: &Message) {
        if let Some(chat) = self.chats.get_mut(&message.chat_id) {
            chat.last_seq = message.seq.get();
        }
        self.sent.insert((message.sender.user_id, message.client_id), SentBefore::of(message));
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
