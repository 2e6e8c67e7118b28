//! The entries of a chat that are loaded: a stretch of its history without holes, up to its end.

use std::{collections::BTreeMap, sync::Arc};

use i9chat_spec::{
    Entry, Message, PageLimit, Seq, UserId,
    api::messages::{EntriesQuery, EntryPage},
    event::ReactionChanged,
};

/// What is loaded of one chat's history, and what of it is to be read next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    entries: BTreeMap<Seq, Arc<Entry>>,
    /// Nothing older is visible.
    at_start: bool,
    /// What is to be read; pages go from the newest to the oldest.
    task: Option<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Task {
    /// The page ends before this entry; `None` for the end of the chat.
    before: Option<Seq>,
    /// Pages follow until this entry was read too; `None` for one page.
    until: Option<Seq>,
}

impl Window {
    /// Nothing is loaded; the newest page is to be read.
    pub(super) const fn new() -> Self {
        Self { entries: BTreeMap::new(), at_start: false, task: Some(Task { before: None, until: None }) }
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    pub(super) const fn at_start(&self) -> bool {
        self.at_start
    }

    /// Whether all that was asked for is there.
    pub(super) const fn is_settled(&self) -> bool {
        self.task.is_none()
    }

    pub(super) fn wanted(&self, limit: PageLimit) -> Option<EntriesQuery> {
        self.task.map(|task| EntriesQuery { before: task.before, after: None, limit: Some(limit) })
    }

    /// A page more of what is older, unless there is none or something else is under way.
    pub(super) fn want_older(&mut self) {
        if self.task.is_none() && !self.at_start {
            self.task = Some(Task { before: self.first(), until: None });
        }
    }

    /// All that is loaded is to be read again, and what is newer.
    pub(super) fn want_all_again(&mut self) {
        self.task = Some(Task { before: None, until: self.first() });
    }

    /// There is nothing to be had.
    pub(super) const fn refused(&mut self) {
        self.task = None;
    }

    /// A page that [`wanted`](Self::wanted) asked for. Events that came since it was asked for are to be applied after it.
    pub(super) fn insert(&mut self, page: EntryPage) {
        let Some(task) = self.task else { return };
        let oldest = page.items.iter().filter_map(Entry::seq).min();
        for entry in page.items {
            if let Some(seq) = entry.seq() {
                self.entries.insert(seq, Arc::new(entry));
            }
        }
        self.at_start = page.next.is_none();
        let reached = match (task.until, oldest) {
            (Some(until), Some(oldest)) => oldest <= until,
            _ => true,
        };
        self.task = match page.next {
            Some(before) if !reached => Some(Task { before: Some(before), ..task }),
            _ => None,
        };
    }

    /// An entry that was made: the chat's newest, or one that is held already, with what became of it since.
    pub(super) fn append(&mut self, entry: &Entry) {
        let Some(seq) = entry.seq() else { return };
        // The first page will show it, or the event is applied again after that page.
        let is_first_page_to_come = self.entries.is_empty() && self.task.is_some();
        if !is_first_page_to_come && self.entries.last_key_value().is_none_or(|(last, _)| *last < seq) {
            self.entries.insert(seq, Arc::new(entry.clone()));
        }
    }

    pub(super) fn react(&mut self, change: &ReactionChanged, viewer: UserId) {
        if let Some(entry) = self.entries.get_mut(&change.seq)
            && let Entry::Message(message) = Arc::make_mut(entry)
        {
            react(message, change, viewer);
        }
    }

    fn first(&self) -> Option<Seq> {
        self.entries.first_key_value().map(|(seq, _)| *seq)
    }
}

/// Gives a message the reactions that it has now, if it is the one meant. (REA-6)
pub(super) fn react(message: &mut Message, change: &ReactionChanged, viewer: UserId) {
    if message.message_id == change.message_id {
        message.reactions.clone_from(&change.reactions);
        if change.user.user_id == viewer {
            message.own_reaction.clone_from(&change.emoji);
        }
    }
}
