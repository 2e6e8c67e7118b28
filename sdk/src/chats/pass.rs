//! Reading the list of chats, page by page, and where chats stand in it.

use std::collections::HashSet;

use i9chat_spec::{ChatId, Cursor, PageLimit, Timestamp, api::chats::ChatsQuery};

/// A place in the list: the greater, the nearer to its front.
pub(super) type Rank = u64;

/// More than any list has chats.
const BLOCK: Rank = 1 << 32;

/// Hands out places.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranks(Rank);

impl Ranks {
    /// In front of everything.
    pub(super) const fn front(&mut self) -> Rank {
        self.0 += 1;
        self.0
    }

    /// Room for a list, in front of everything that there is, behind everything that will come to the front.
    const fn block(&mut self) -> Rank {
        self.0 += BLOCK;
        self.0
    }
}

/// A list that is being read.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// Only what changed after this; all when `None`.
    since: Option<Cursor>,
    after: Option<Cursor>,
    /// The `cursor` of the first page, once that is there. (CHT-7)
    first_cursor: Option<Cursor>,
    /// The place for the next chat of a page; a chat that stands before `first_place` came to the front meanwhile.
    place: Rank,
    first_place: Rank,
    /// Chats behind this one had their place before `since`.
    base: Rank,
    /// The time of the last entry that was heard of before `since`.
    heard_until: Option<Timestamp>,
    pub(super) seen: HashSet<ChatId>,
}

impl Pass {
    /// All chats.
    pub(super) fn all(ranks: &mut Ranks) -> Self {
        let place = ranks.block();
        Self {
            since: None,
            after: None,
            first_cursor: None,
            place,
            first_place: place,
            base: place,
            heard_until: None,
            seen: HashSet::new(),
        }
    }

    /// The chats that changed after a place; after none, all.
    pub(super) fn changed(since: Option<Cursor>, heard_until: Option<Timestamp>, ranks: &mut Ranks) -> Self {
        Self { since, heard_until, ..Self::all(ranks) }
    }

    /// The same list from its start.
    pub(super) fn again(&self, ranks: &mut Ranks) -> Self {
        Self { base: self.base, ..Self::changed(self.since.clone(), self.heard_until, ranks) }
    }

    pub(super) fn query(&self, limit: PageLimit) -> ChatsQuery {
        ChatsQuery { after: self.after.clone(), changed_since: self.since.clone(), limit: Some(limit) }
    }

    /// Notes a page; whether it was the last.
    pub(super) fn page(&mut self, cursor: Cursor, next: Option<Cursor>) -> bool {
        self.first_cursor.get_or_insert(cursor);
        self.after = next;
        self.after.is_none()
    }

    /// The place of the next chat of a page. One that came to the front since the list was asked for stays there, and one without an
    /// entry after `since` stays where it is. An entry that was read before its event came may be one: then its time says so.
    pub(super) fn place(&mut self, held: Option<Rank>, has_news: bool, active_at: Timestamp) -> Rank {
        let has_news = has_news || self.heard_until.is_some_and(|heard| active_at > heard);
        self.place -= 1;
        match held {
            Some(rank) if rank > self.first_place => rank,
            Some(rank) if !has_news && rank < self.base && self.since.is_some() => rank,
            _ => self.place,
        }
    }

    /// Whether a chat that no page showed may have changed all the same: it came to the front meanwhile, so that it may have moved
    /// from a page that was not yet read to one that was (CHT-5); or all were to be shown.
    pub(super) const fn may_have_missed(&self, rank: Rank) -> bool {
        self.since.is_none() || rank > self.first_place
    }

    pub(super) fn first_cursor(self) -> Option<Cursor> {
        self.first_cursor
    }
}
