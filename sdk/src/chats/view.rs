//! A user's chats as an application shows them, kept equal to what the server would answer now. No I/O.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use i9chat_spec::{
    Chat, ChatId, Cursor, Event, EventFrame, Limits, PageLimit, Timestamp, UserId,
    api::{chats::ChatPage, users::OwnProfile},
    event::{EventData, ProfileChanged},
};

use super::{
    pass::{Pass, Rank, Ranks},
    read::{Answer, Read, ReadKey, What},
    state::{ChatState, Effect, active_at, moves_to_front},
};
use crate::Update;

/// Events that are kept for answers under way; with more of them the answers are asked for again.
const MAX_RECENT: usize = 10_000;

/// The chats of one user: told of every [`Update`], it says what is to be read ([`next_read`](Self::next_read)), takes the answers, and
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

    /// Something happened. Updates are applied in the order in which they come, each once.
    pub fn apply(&mut self, update: &Update) {
        match update {
            Update::Event(frame) => self.apply_event(frame),
            Update::Limited { cursor } => self.limited(cursor.clone()),
            Update::Reset { cursor } => self.reset(cursor.clone()),
        }
    }

    /// The next thing to read that is not being read yet. Several may be under way at once.
    pub fn next_read(&mut self) -> Option<Read> {
        let what = self.needs()?;
        let key = ReadKey(self.next_key);
        self.next_key += 1;
        let epoch = match &what {
            What::Entries(chat_id, _) | What::Receipts(chat_id, _) => self.epoch(*chat_id),
            What::Chats(_) | What::Chat(_) | What::Profile => 0,
        };
        self.flights.insert(key, Flight { what: what.clone(), since: self.now(), epoch });
        Some(Read { key, what })
    }

    /// A read failed: [`next_read`](Self::next_read) gives it out again, if it is still needed.
    pub fn failed(&mut self, key: ReadKey) {
        self.flights.remove(&key);
        self.forget_recent();
    }

    /// The answer to a read. One that is of no use any more is put aside.
    pub fn answered(&mut self, key: ReadKey, answer: Answer) {
        let Some(Flight { what, since, epoch }) = self.flights.remove(&key) else { return };
        match (what, answer) {
            (What::Chats(_), Answer::Chats(page)) => self.list_page(page, since),
            // The place is too old for a list of what changed: all of it is read.
            (What::Chats(_), Answer::CursorReset) => {
                let pass = Pass::all(&mut self.ranks);
                self.begin_pass(pass);
            }
            (What::Chat(chat_id), Answer::Chat(snapshot)) => {
                let given = self.wanted.remove(&chat_id).flatten();
                let held = self.chats.get(&chat_id).map(|held| held.rank);
                let rank = held.or(given).unwrap_or_else(|| self.ranks.front());
                self.hold(snapshot.chat, rank, since);
            }
            (What::Chat(chat_id), Answer::Refused) => self.drop_chat(chat_id),
            (What::Entries(chat_id, _), Answer::Entries(page)) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, |state| state.insert_entries(page));
            }
            (What::Receipts(chat_id, _), Answer::Receipts(page)) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, |state| state.insert_receipts(page));
            }
            // As when the membership ends meanwhile, which an event tells.
            (What::Entries(chat_id, _), Answer::Refused) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, ChatState::refuse_entries);
            }
            (What::Receipts(chat_id, _), Answer::Refused) if epoch == self.epoch(chat_id) => {
                self.loaded(chat_id, since, ChatState::refuse_receipts);
            }
            (What::Profile, Answer::Profile(profile)) => {
                self.profile = Some(Arc::from(profile));
                self.wants_profile = false;
                self.changed.profile = true;
                for frame in self.recent_of(since, |_| true) {
                    self.profile_event(&frame.event);
                }
            }
            _ => {}
        }
        self.forget_recent();
    }

    /// What is needed and not asked for yet.
    fn needs(&self) -> Option<What> {
        let is_asked =
            |what: &What| self.flights.values().any(|flight| flight.what == *what && self.is_current(flight));
        if let Some(pass) = &self.pass {
            let list = What::Chats(pass.query(self.page));
            if !is_asked(&list) {
                return Some(list);
            }
        }
        if self.wants_profile && !is_asked(&What::Profile) {
            return Some(What::Profile);
        }
        if self.pass.is_none() {
            let chat = self.wanted.keys().map(|chat_id| What::Chat(*chat_id)).find(|chat| !is_asked(chat));
            if chat.is_some() {
                return chat;
            }
        }
        self.open.iter().filter_map(|chat_id| Some((*chat_id, &self.chats.get(chat_id)?.state))).find_map(
            |(chat_id, state)| {
                let entries = state.wanted_entries(self.page).map(|query| What::Entries(chat_id, query));
                let receipts = state.wanted_receipts(self.page).map(|query| What::Receipts(chat_id, query));
                [entries, receipts].into_iter().flatten().find(|what| !is_asked(what))
            },
        )
    }

    fn is_current(&self, flight: &Flight) -> bool {
        match &flight.what {
            What::Entries(chat_id, _) | What::Receipts(chat_id, _) => flight.epoch == self.epoch(*chat_id),
            What::Chats(_) | What::Chat(_) | What::Profile => true,
        }
    }

    fn epoch(&self, chat_id: ChatId) -> u64 {
        self.chats.get(&chat_id).map_or(0, |held| held.state.epoch())
    }

    fn apply_event(&mut self, frame: &EventFrame) {
        if !self.flights.is_empty() {
            if self.recent.len() == MAX_RECENT {
                self.flights.clear();
                self.forget_recent();
            } else {
                self.recent.push_back(Arc::new(frame.clone()));
            }
        }
        if frame.cursor.is_some() {
            self.cursor.clone_from(&frame.cursor);
        }
        self.heard_until = match &frame.event {
            Event::MessageCreated(created) => Some(created.message.created_at),
            Event::GroupActivity(happened) => Some(happened.activity.created_at),
            Event::ChatAdded(added) => Some(added.chat.opened_at),
            _ => self.heard_until,
        };
        self.profile_event(&frame.event);
        if let Some(effect) = self.chat_event(frame)
            && effect.to_front
        {
            self.move_to_front(frame);
        }
    }

    fn profile_event(&mut self, event: &Event) {
        match event {
            Event::ProfileChanged(changed) => {
                if let Some(profile) = &mut self.profile {
                    let profile = Arc::make_mut(profile);
                    profile.bio = changed.bio.clone();
                    profile.picture_id = changed.picture_id;
                    profile.location = changed.location;
                    self.changed.profile = true;
                }
            }
            Event::Unknown { name, .. } if name == ProfileChanged::NAME => self.wants_profile = true,
            _ => {}
        }
    }

    /// The front is the chat's when an event comes, not when it is applied again.
    fn move_to_front(&mut self, frame: &EventFrame) {
        if let Some(chat_id) = chat_of(frame)
            && let Some(held) = self.chats.get_mut(&chat_id)
        {
            self.order.remove(&held.rank);
            held.rank = self.ranks.front();
            self.order.insert(held.rank, chat_id);
        }
    }

    fn chat_event(&mut self, frame: &EventFrame) -> Option<Effect> {
        let chat_id = chat_of(frame)?;
        let Some(held) = self.chats.get_mut(&chat_id) else {
            self.event_of_unknown(chat_id, frame);
            return None;
        };
        let effect = Arc::make_mut(&mut held.state).apply(&frame.event, &self.limits);
        self.changed.chats.insert(chat_id);
        if effect.needs_read {
            self.want_again(chat_id);
        }
        Some(effect)
    }

    fn event_of_unknown(&mut self, chat_id: ChatId, frame: &EventFrame) {
        if let Event::ChatAdded(added) = &frame.event {
            self.wanted.remove(&chat_id);
            let rank = self.ranks.front();
            let since = self.now();
            return self.hold(added.chat.clone(), rank, since);
        }
        let wanted = self.wanted.entry(chat_id).or_default();
        if moves_to_front(frame.event.name()) {
            *wanted = Some(self.ranks.front());
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

    fn loaded(&mut self, chat_id: ChatId, since: u64, load: impl FnOnce(&mut ChatState)) {
        if let Some(held) = self.chats.get_mut(&chat_id) {
            load(Arc::make_mut(&mut held.state));
            self.changed.chats.insert(chat_id);
            self.chat_events_again(chat_id, since);
        }
    }

    fn drop_chat(&mut self, chat_id: ChatId) {
        self.wanted.remove(&chat_id);
        if let Some(held) = self.chats.remove(&chat_id) {
            self.order.remove(&held.rank);
        }
        self.changed.chats.insert(chat_id);
    }

    fn list_page(&mut self, page: ChatPage, since: u64) {
        // The flight was of this pass: a new pass begins without flights.
        let Some(mut pass) = self.pass.take() else { return };
        for chat in page.items {
            let chat_id = chat.chat_id;
            let held = self.chats.get(&chat_id);
            let held_at = held.map(|held| held.rank).or_else(|| self.wanted.get(&chat_id).copied().flatten());
            // What is to be read may miss an entry whose event came, but could not be read: only its time tells.
            let is_unread = self.wanted.contains_key(&chat_id);
            let has_news = held.is_none_or(|held| !is_unread && held.state.is_older_than(&chat));
            let rank = pass.place(held_at, has_news, active_at(&chat));
            pass.seen.insert(chat_id);
            self.wanted.remove(&chat_id);
            self.hold(chat, rank, since);
        }
        if pass.page(page.cursor, page.next) { self.end_pass(pass) } else { self.pass = Some(pass) }
    }

    /// Begins to read the list; what was asked for before is of no use any more.
    fn begin_pass(&mut self, pass: Pass) {
        self.flights.clear();
        self.forget_recent();
        self.pass = Some(pass);
    }

    fn end_pass(&mut self, pass: Pass) {
        for (chat_id, held) in &mut self.chats {
            if held.state.is_stale() && !pass.seen.contains(chat_id) {
                if pass.may_have_missed(held.rank) {
                    self.wanted.insert(*chat_id, None);
                } else if !self.wanted.contains_key(chat_id) {
                    // Nothing was missed of it: the list is of those of which there was something to miss. (CHT-8)
                    Arc::make_mut(&mut held.state).set_stale(false);
                }
                self.changed.chats.insert(*chat_id);
            }
        }
        if self.cursor.is_none() {
            self.cursor = pass.first_cursor();
        }
        if !self.is_ready {
            self.is_ready = true;
            for chat_id in self.open.iter().filter(|chat_id| !self.chats.contains_key(chat_id)) {
                self.wanted.entry(*chat_id).or_default();
            }
        }
        self.changed.list = true;
    }

    /// Events were missed: what is held may be stale, and what was asked for too. (RSM-5)
    fn limited(&mut self, cursor: Cursor) {
        for held in self.chats.values_mut() {
            Arc::make_mut(&mut held.state).set_stale(true);
        }
        let since = self.cursor.replace(cursor);
        let pass = match &self.pass {
            Some(pass) => pass.again(&mut self.ranks),
            None => Pass::changed(since, self.heard_until, &mut self.ranks),
        };
        self.begin_pass(pass);
        self.wants_profile = true;
        self.changed.list = true;
    }

    /// The log is another one: nothing that is held counts. (RSM-6)
    fn reset(&mut self, cursor: Cursor) {
        self.chats.clear();
        self.order.clear();
        self.wanted.clear();
        self.profile = None;
        self.wants_profile = true;
        self.is_ready = false;
        self.cursor = Some(cursor);
        let pass = Pass::all(&mut self.ranks);
        self.begin_pass(pass);
        self.changed = Changed { profile: true, list: true, ..Changed::default() };
    }

    /// The number of the next event.
    fn now(&self) -> u64 {
        self.recent_from + self.recent.len() as u64
    }

    /// Events that no answer under way is older than are not needed any more.
    fn forget_recent(&mut self) {
        let needed_from = self.flights.values().map(|flight| flight.since).min().unwrap_or_else(|| self.now());
        while self.recent_from < needed_from {
            self.recent.pop_front();
            self.recent_from += 1;
        }
    }

    /// Applies the events that came since a read was asked for on top of its answer.
    fn chat_events_again(&mut self, chat_id: ChatId, since: u64) {
        for frame in self.recent_of(since, |frame| chat_of(frame) == Some(chat_id)) {
            self.chat_event(&frame);
        }
    }

    fn recent_of(&self, since: u64, of: impl Fn(&EventFrame) -> bool) -> Vec<Arc<EventFrame>> {
        let skipped = usize::try_from(since.saturating_sub(self.recent_from)).unwrap_or(usize::MAX);
        self.recent.iter().skip(skipped).filter(|frame| of(frame)).cloned().collect()
    }
}

/// The chat that an event is of: the one that it is addressed to, or that it names.
fn chat_of(frame: &EventFrame) -> Option<ChatId> {
    match &frame.event {
        Event::ChatAdded(added) => Some(added.chat.chat_id),
        Event::MembershipEnded(ended) => Some(ended.chat_id),
        Event::ReadStateChanged(changed) => Some(changed.chat_id),
        Event::SessionEnded(_) | Event::ProfileChanged(_) | Event::PresenceChanged(_) | Event::Typing(_) => None,
        Event::Unknown { data, .. } => frame.chat_id.or_else(|| {
            let chat_id = data.get("chat_id").or_else(|| data.get("chat")?.get("chat_id"))?;
            chat_id.as_str()?.parse().ok()
        }),
        Event::MessageCreated(_) | Event::GroupActivity(_) | Event::ReactionChanged(_) | Event::ReceiptsUpdated(_) => {
            frame.chat_id
        }
    }
}
