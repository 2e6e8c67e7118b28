use i9chat_spec::{User, Username, api::groups::NamesQuery};

use crate::store;

/// A page of a list that is ordered by name.
pub(in crate::app) struct Page<T> {
    pub(in crate::app) items: Vec<T>,
    pub(in crate::app) next: Option<Username>,
}

/// Which page of such a list is asked for.
pub(in crate::app) struct Asked(store::Names);

pub(in crate::app) fn names(query: &NamesQuery) -> Asked {
    Asked(store::Names { after: query.after.clone(), limit: query.limit.unwrap_or_default().get() })
}

impl Asked {
    /// One more than asked for tells whether more follow.
    pub(in crate::app) fn one_more(&self) -> store::Names {
        store::Names { limit: self.0.limit + 1, ..self.0.clone() }
    }

    /// The page, out of as many items and perhaps one more.
    pub(in crate::app) fn page<T>(&self, mut items: Vec<T>, user: impl Fn(&T) -> &User) -> Page<T> {
        let more = items.len() > self.0.limit;
        items.truncate(self.0.limit);
        let next = items.last().filter(|_| more).map(|last| user(last).username.clone());
        Page { items, next }
    }
}
