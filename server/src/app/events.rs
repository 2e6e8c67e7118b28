//! The event stream without a socket. (RSM-9)

use i9chat_spec::{
    EventFrame, Resume, Timestamp,
    api::events::{EventPage, ListEvents},
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle, Start};
use crate::{
    domain::{Place, Record},
    store::{Missed, MissedQuery, StoreError},
};

impl Handle<ListEvents> for App {
    async fn handle(&self, call: Call<ListEvents>) -> Result<Answer<EventPage>, Failure<NoRefusal>> {
        let at = |resume, place: Place| EventPage {
            resume,
            events: Vec::new(),
            cursor: place.cursor(self.epoch),
            more: false,
        };
        let Some(cursor) = &call.query.cursor else {
            return Ok(at(Resume::Fresh, self.log.head().await?.place).into());
        };
        let place = match Start::of(Some(cursor), self.epoch, &*self.log).await? {
            Start::After(place) => place,
            Start::Forgotten => return Ok(at(Resume::Limited, self.log.head().await?.place).into()),
            Start::Fresh | Start::Reset => return Ok(at(Resume::Reset, self.log.head().await?.place).into()),
        };
        let query = MissedQuery {
            user_id: call.caller.user.user_id,
            after: place.position,
            up_to: None,
            most: usize::try_from(self.limits.max_resume_events).unwrap_or(usize::MAX),
            limit: call.query.limit.unwrap_or_default().get(),
        };
        Ok(match self.log.missed(query).await? {
            Missed::TooMuch { head } => at(Resume::Limited, head),
            Missed::Events { records, more, head } => {
                let last = records.last().filter(|_| more).map_or(head, |record| record.place);
                let events = records.iter().map(|record| self.event(record)).collect::<Result<_, _>>()?;
                EventPage { resume: Resume::Resumed, events, cursor: last.cursor(self.epoch), more }
            }
        }
        .into())
    }
}

impl App {
    /// Removes events that are older than they are kept. (RSM-12)
    pub async fn forget_old_events(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let kept_ms = i64::try_from(self.lifetimes.event_retention_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(now.as_millis().saturating_sub(kept_ms));
        self.log.forget_events(now, before).await
    }

    fn event<R>(&self, record: &Record) -> Result<EventFrame, Failure<R>> {
        let data: serde_json::Value = serde_json::from_str(&record.data).map_err(|_| Failure::Internal)?;
        let frame = serde_json::json!({
            "event": record.event,
            "cursor": record.place.cursor(self.epoch),
            "chat_id": record.chat_id,
            "data": data,
        });
        serde_json::from_value(frame).map_err(|_| Failure::Internal)
    }
}
