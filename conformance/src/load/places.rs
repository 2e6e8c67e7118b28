//! Which of a chat's entries somebody got.

use std::collections::BTreeSet;

/// What a delivery was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first of its entry, with nothing later before it.
    InOrder,
    /// The first of its entry, after one of a later entry.
    OutOfOrder,
    /// Not the first of its entry.
    Again,
}

/// The places of entries that somebody got, counted from some first one on. Places are dense, so one after the other
/// takes no more than a comparison; only a hole takes memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// How many from the first on, without a hole.
    through: u64,
    /// What came beyond the first hole.
    beyond: BTreeSet<u64>,
}

impl Places {
    /// Everything up to a place, which is not counted as missing.
    pub(super) fn from(first: u64) -> Self {
        Self { through: first, beyond: BTreeSet::new() }
    }

    /// Notes that the entry of a place came.
    pub(super) fn take(&mut self, place: u64) -> Arrival {
        if place == self.through {
            self.through += 1;
            if self.beyond.is_empty() {
                return Arrival::InOrder;
            }
            while self.beyond.remove(&self.through) {
                self.through += 1;
            }
            return Arrival::OutOfOrder;
        }
        if place < self.through || !self.beyond.insert(place) {
            return Arrival::Again;
        }
        if self.beyond.last() == Some(&place) { Arrival::InOrder } else { Arrival::OutOfOrder }
    }

    /// How many places below that one are missing.
    pub(super) fn missing_below(&self, end: u64) -> u64 {
        let came = self.beyond.range(..end).count() as u64;
        end.saturating_sub(self.through) - came
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(places: &[u64]) -> (Vec<Arrival>, Places) {
        let mut had = Places::from(10);
        (places.iter().map(|place| had.take(*place)).collect(), had)
    }

    #[test]
    fn what_comes_late_and_what_comes_again_are_told_apart() {
        use Arrival::{Again, InOrder, OutOfOrder};
        assert_eq!(arrivals(&[10, 11, 12]).0, [InOrder, InOrder, InOrder]);
        assert_eq!(arrivals(&[10, 12, 11]).0, [InOrder, InOrder, OutOfOrder]);
        assert_eq!(arrivals(&[12, 11, 10]).0, [InOrder, OutOfOrder, OutOfOrder]);
        assert_eq!(arrivals(&[10, 10, 12, 12, 11, 11]).0, [InOrder, Again, InOrder, Again, OutOfOrder, Again]);
        assert_eq!(arrivals(&[9]).0, [Again]);
    }

    #[test]
    fn what_is_missing_is_counted() {
        let missing = |places: &[u64], end| arrivals(places).1.missing_below(end);
        assert_eq!(missing(&[10, 11, 12], 13), 0);
        assert_eq!(missing(&[10, 11, 12], 15), 2);
        assert_eq!(missing(&[10, 12, 14], 15), 2);
        assert_eq!(missing(&[10, 12, 14], 13), 1);
        assert_eq!(missing(&[], 10), 0);
        assert_eq!(missing(&[], 5), 0);
    }
}
