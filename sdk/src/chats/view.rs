//! A user's chats as an application shows them, kept equal to what the server would answer now. No I/O.

mod events;
mod reads;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use i9chat_spec::{Chat, ChatId, Cursor, EventFrame, Limits, PageLimit, Timestamp, UserId, api::users::OwnProfile};

use super::{
    pass::{Pass, Rank, Ranks},
    read::{ReadKey, What},
    state::ChatState,
};

/// Events that are kept for answers under way; with more of them the answers are asked for again.
const MAX_RECENT: usize = 10_000;

/// The chats of one user: told of every [`Update`](crate::Update), it says what is to be read ([`next_read`](Self::next_read)), takes the answers, and
/// holds what a client reading now would read (LOG-9), in the order of the list (CHT-5).
///
/// Answers may come late and in any order: the events that came since a read was asked for are applied again on top of its answer, and
/// events that are older than an answer change nothing.
///
/// ```
/// use i9chat_sdk::{Update, chats::{Answer, View, What}, spec::{self, Example, Limits, api::{chats::ChatPage, users::OwnProfile}}};
///
/// let mut view = View::new(spec::UserId::example(), Limits::default(), spec::PageLimit::default());
/// while let Some(read) = view.next_read() {
///     let answer = match read.what {
///         What::Chats(_) => Answer::Chats(ChatPage::example()),
///         What::Profile => Answer::Profile(Box::new(OwnProfile::example())),
///         what => unreachable!("no chat is open: {what:?}"),
///     };
///     view.answered(read.key, answer);
/// }
/// assert!(view.is_ready());
/// assert_eq!(view.list().next().map(|chat| chat.chat().unread_count), Some(1));
/// ```
#[derive(Debug, Clone)]
pub struct View {
    viewer: UserId,
    limits: Limits,
    page: PageLimit,
    chats: HashMap<ChatId, Held>,
    order: BTreeMap<Rank, ChatId>,
    ranks: Ranks,
    profile: Option<Arc<OwnProfile>>,
    wants_profile: bool,
    /// The list as it is being read.
    pass: Option<Pass>,
    is_ready: bool,
    /// Where in the log the view is. (LOG-11)
    cursor: Option<Cursor>,
    /// The time of the last entry, or opening, that an event told of.
    heard_until: Option<Timestamp>,
    /// Chats to be read, with the place that an event gave those that are not held.
    wanted: BTreeMap<ChatId, Option<Rank>>,
    /// Chats that may have something to load.
    open: BTreeSet<ChatId>,
    flights: BTreeMap<ReadKey, Flight>,
    next_key: u64,
    recent: VecDeque<Arc<EventFrame>>,
    /// The number of the first of `recent`.
    recent_from: u64,
    changed: Changed,
}

#[derive(Debug, Clone)]
struct Held {
    state: Arc<ChatState>,
    rank: Rank,
}

/// A read without its answer.
#[derive(Debug, Clone)]
struct Flight {
    what: What,
    /// The number of the first event that came since.
    since: u64,
    epoch: u64,
}

/// What was changed since it was last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Chats that are another now, or gone.
    pub chats: BTreeSet<ChatId>,
    /// Whether the profile is another now.
    pub profile: bool,
    /// Whether the list as a whole was dropped, or is complete now.
    pub list: bool,
}

impl Changed {
    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl View {
    /// A view that holds nothing yet. `limits` are those of the capabilities; `page` is how much one read asks for.
    pub fn new(viewer: UserId, limits: Limits, page: PageLimit) -> Self {
        let mut ranks = Ranks::default();
        let pass = Some(Pass::all(&mut ranks));
        Self {
            viewer,
            limits,
            page,
            chats: HashMap::new(),
            order: BTreeMap::new(),
            ranks,
            profile: None,
            wants_profile: true,
            pass,
            is_ready: false,
            cursor: None,
            heard_until: None,
            wanted: BTreeMap::new(),
            open: BTreeSet::new(),
            flights: BTreeMap::new(),
            next_key: 0,
            recent: VecDeque::new(),
            recent_from: 0,
            changed: Changed::default(),
        }
    }

    /// Whether the whole list was read: from then on it is kept up to date. After a `reset` it is read again from the start.
    pub const fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The chats in the order of the list, the one with the latest entry first. (CHT-5)
    pub fn list(&self) -> impl DoubleEndedIterator<Item = &Arc<ChatState>> {
        self.order.values().rev().filter_map(|chat_id| Some(&self.chats.get(chat_id)?.state))
    }

    /// One chat, if it is held.
    pub fn chat(&self, chat_id: ChatId) -> Option<&Arc<ChatState>> {
        self.chats.get(&chat_id).map(|held| &held.state)
    }

    /// The user's own profile, once it was read. (USR-1)
    pub const fn profile(&self) -> Option<&Arc<OwnProfile>> {
        self.profile.as_ref()
    }

    /// What was changed since this was last asked.
    pub fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// Opens a chat: its newest entries are read and kept up to date, with their reactions, and the receipts of a small group.
    pub fn open(&mut self, chat_id: ChatId) {
        self.open.insert(chat_id);
        let limits = &self.limits;
        if let Some(held) = self.chats.get_mut(&chat_id) {
            Arc::make_mut(&mut held.state).open(limits);
        } else if self.is_ready {
            self.wanted.entry(chat_id).or_default();
        }
    }

    /// Closes a chat: only what the list shows of it is kept.
    pub fn close(&mut self, chat_id: ChatId) {
        self.open.remove(&chat_id);
        if let Some(held) = self.chats.get_mut(&chat_id) {
            Arc::make_mut(&mut held.state).close();
        }
    }

    /// One page more of older entries of an open chat, if there is one.
    pub fn load_older(&mut self, chat_id: ChatId) {
        if let Some(held) = self.chats.get_mut(&chat_id) {
            Arc::make_mut(&mut held.state).want_older();
        }
    }

    /// Whether all that was asked for of an open chat is there, or the chat is none of the user's.
    pub fn is_settled(&self, chat_id: ChatId) -> bool {
        match self.chats.get(&chat_id) {
            Some(held) => !held.state.is_open() || held.state.is_loaded(),
            None => self.is_ready && !self.wanted.contains_key(&chat_id),
        }
    }

    /// The chat is to be read, and what is loaded of it.
    fn want_again(&mut self, chat_id: ChatId) {
        if let Some(held) = self.chats.get_mut(&chat_id) {
            Arc::make_mut(&mut held.state).set_stale(true);
            self.wanted.insert(chat_id, None);
            self.changed.chats.insert(chat_id);
            // An answer that is under way may be older than the reason.
            self.flights.retain(|_, flight| flight.what != What::Chat(chat_id));
        }
    }

    /// Holds a chat as an answer or a `chat_added` shows it, and brings it up to date.
    fn hold(&mut self, chat: Chat, rank: Rank, since: u64) {
        let chat_id = chat.chat_id;
        if let Some(held) = self.chats.get_mut(&chat_id) {
            Arc::make_mut(&mut held.state).replace(chat, &self.limits);
            self.order.remove(&held.rank);
            held.rank = rank;
        } else {
            let mut state = ChatState::new(chat, self.viewer);
            if self.open.contains(&chat_id) {
                state.open(&self.limits);
            }
            self.chats.insert(chat_id, Held { state: Arc::new(state), rank });
        }
        self.order.insert(rank, chat_id);
        self.changed.chats.insert(chat_id);
        self.chat_events_again(chat_id, since);
    }

    fn drop_chat(&mut self, chat_id: ChatId) {
        self.wanted.remove(&chat_id);
        if let Some(held) = self.chats.remove(&chat_id) {
            self.order.remove(&held.rank);
        }
        self.changed.chats.insert(chat_id);
    }

    /// Begins to read the list; what was asked for before is of no use any more.
    fn begin_pass(&mut self, pass: Pass) {
        self.flights.clear();
        self.forget_recent();
        self.pass = Some(pass);
    }
}
