use i9chat_spec::Cursor;

use crate::{
    domain::{LogEpoch, Place},
    store::{LogStore, PlaceAt, StoreError},
};

/// Where a caller wants to go on in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// No cursor was given.
    Fresh,
    /// The cursor points at nothing in this log. (RSM-6)
    Reset,
    /// The cursor points at something that is not kept any more. (RSM-12)
    Forgotten,
    /// After this change.
    After(Place),
}

impl Start {
    /// What a cursor points at.
    pub async fn of(cursor: Option<&Cursor>, epoch: LogEpoch, store: &dyn LogStore) -> Result<Self, StoreError> {
        let Some(cursor) = cursor else { return Ok(Self::Fresh) };
        let Some(place) = Place::of_cursor(cursor, epoch) else { return Ok(Self::Reset) };
        Ok(match store.place_at(place.position).await?.check(place) {
            PlaceAt::There(place) => Self::After(place),
            PlaceAt::Old(_) | PlaceAt::Forgotten => Self::Forgotten,
            PlaceAt::Nothing => Self::Reset,
        })
    }
}
