use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use i9chat_spec::{Cursor, Epoch};

/// The place of a change in the log: 1, 2, 3 … in the order in which changes became durable. 0 is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub u64);

impl Position {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which log a cursor belongs to. (RSM-1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEpoch(pub [u8; 8]);

impl LogEpoch {
    /// The epoch as `hello` shows it.
    pub fn text(self) -> Epoch {
        wire(&self.0)
    }
}

/// A position and the tag of the change that stands there: what a cursor holds.
///
/// The tag is random and never shown but in cursors, so a cursor proves that its holder was given it, and points at
/// nothing when another change came to stand at its position. (RSM-7)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub position: Position,
    /// Which change; 0 before the first.
    pub tag: u64,
}

impl Place {
    /// The cursor of the place. (LOG-2)
    pub fn cursor(self, epoch: LogEpoch) -> Cursor {
        let mut bytes = [0; 24];
        let (head, tail) = bytes.split_at_mut(8);
        head.copy_from_slice(&epoch.0);
        let (position, tag) = tail.split_at_mut(8);
        position.copy_from_slice(&self.position.0.to_be_bytes());
        tag.copy_from_slice(&self.tag.to_be_bytes());
        wire(&bytes)
    }

    /// What a cursor points at; `None` when it is not of this epoch, or not a cursor of ours at all. (RSM-6)
    pub fn of_cursor(cursor: &Cursor, epoch: LogEpoch) -> Option<Self> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?.try_into().ok()?;
        let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        (bytes.get(..8)? == epoch.0).then_some(())?;
        Some(Self { position: Position(number(8)?), tag: number(16)? })
    }
}

fn wire<T: std::str::FromStr<Err: fmt::Debug>>(bytes: &[u8]) -> T {
    #[expect(
        clippy::expect_used,
        reason = "base64url of a few bytes keeps the rules of both types; a test tries the extremes"
    )]
    URL_SAFE_NO_PAD.encode(bytes).parse().expect("base64url has the right characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: LogEpoch = LogEpoch([7; 8]);

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_epoch_only() {
        for place in [
            Place::default(),
            Place { position: Position(42), tag: 99 },
            Place { position: Position(u64::MAX), tag: u64::MAX },
        ] {
            let cursor = place.cursor(EPOCH);
            assert_eq!(Place::of_cursor(&cursor, EPOCH), Some(place));
            assert_eq!(Place::of_cursor(&cursor, LogEpoch([8; 8])), None);
        }
        assert_eq!(EPOCH.text().as_str().len(), 11);
    }

    #[test]
    fn rubbish_of_the_right_form_leads_nowhere() {
        for text in ["x", "AAAA", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "-_-_"] {
            assert_eq!(Place::of_cursor(&text.parse().unwrap(), EPOCH), None);
        }
    }
}
