//! A map that is written in the order in which it was filled.

use serde::{Serialize, Serializer};

/// Names with values, each name once.
#[derive(Debug)]
pub(super) struct Ordered<V>(Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Ordered<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Changes the value of a name, which starts as the default.
    pub(super) fn update(&mut self, name: &str, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        if let Some((_, value)) = self.0.iter_mut().find(|(known, _)| known == name) {
            change(value);
        } else {
            let mut value = V::default();
            change(&mut value);
            self.insert(name, value);
        }
    }

    /// Adds a value, unless the name has one.
    pub(super) fn insert_once(&mut self, name: String, value: V) {
        if self.names().all(|known| known != name) {
            self.insert(name, value);
        }
    }

    pub(super) fn insert(&mut self, name: impl Into<String>, value: V) {
        self.0.push((name.into(), value));
    }

    /// In the order of the names, for maps in which a reader looks a name up.
    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        self
    }
}

impl<V> FromIterator<(String, V)> for Ordered<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
