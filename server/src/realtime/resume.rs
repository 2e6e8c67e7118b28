use std::sync::Arc;

use i9chat_spec::{Resume, UserId};

use super::{EncodedEvent, Router, recent};
use crate::{
    app::Start,
    domain::Place,
    store::{LogStore, Missed, MissedQuery, StoreError},
};

/// How a connection goes on. (RSM-2)
#[derive(Debug)]
pub(super) struct Resumed {
    /// One of the four answers.
    pub(super) answer: Resume,
    /// Where the connection is in the log before the events.
    pub(super) from: Place,
    /// What was missed, when all of it can be told.
    pub(super) events: Vec<Arc<EncodedEvent>>,
}

/// Finds what a user missed from a start up to a place that the router has reached: with the router after a short break, in
/// the store after a longer one.
///
/// The caller has registered with the router before, so that what comes after `up_to` is in its outbox: nothing is left
/// out between the two, and nothing comes twice.
pub(super) async fn resume(
    store: &dyn LogStore,
    router: &Router,
    user_id: UserId,
    start: Start,
    up_to: Place,
    most: usize,
) -> Result<Resumed, StoreError> {
    let at_head = |answer| Resumed { answer, from: up_to, events: Vec::new() };
    let place = match start {
        Start::Fresh => return Ok(at_head(Resume::Fresh)),
        Start::Reset => return Ok(at_head(Resume::Reset)),
        Start::Forgotten => return Ok(at_head(Resume::Limited)),
        Start::After(place) if place == up_to => return Ok(at_head(Resume::Resumed)),
        Start::After(place) => place,
    };
    let resumed = |events| Resumed { answer: Resume::Resumed, from: place, events };
    match router.recently_missed(user_id, place.position, up_to, most) {
        recent::Missed::Events(events) => return Ok(resumed(events)),
        recent::Missed::TooMuch => return Ok(at_head(Resume::Limited)),
        recent::Missed::Older => {}
    }
    let query = MissedQuery { user_id, after: place.position, up_to: Some(up_to.position), most, limit: most };
    Ok(match store.missed(query).await? {
        Missed::TooMuch { .. } => at_head(Resume::Limited),
        Missed::Events { records, .. } => {
            let encoded = |record| Arc::new(EncodedEvent::new(record, router.epoch()));
            resumed(records.into_iter().map(encoded).collect())
        }
    })
}

/// Waits until the router has reached where the connection starts: a cursor from a read may be a moment ahead of it, and
/// what the read has shown already must not come again.
pub(super) async fn caught_up(router: &Router, start: Start) {
    if let Start::After(place) = start {
        router.reached(place.position).await;
    }
}
