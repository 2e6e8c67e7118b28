use std::time::Duration;

use i9chat_spec::{
    Cursor, ErrorFrame, Event, EventFrame, Hello, PROTOCOL_VERSION, ReplyFrame, Resume, close::CloseCode,
};
use serde_json::{Map, Value};

use super::{Connection, LONGEST_HEARTBEAT, Live, Output, Phase, SHORTEST_HEARTBEAT, SendError, StopReason, Update};

/// What frames from the server come to.
impl Connection {
    pub(super) fn greeted(&mut self, now: Duration, hello: Hello) {
        if hello.protocol != PROTOCOL_VERSION {
            return self.end(StopReason::Closed(CloseCode::UnsupportedProtocol));
        }
        let update = match (&self.cursor, hello.resume) {
            // There is nothing yet that could be stale.
            (None, _) => None,
            (Some(cursor), Resume::Resumed) if *cursor == hello.cursor => None,
            (Some(_), Resume::Reset) => Some(Update::Reset { cursor: hello.cursor.clone() }),
            // `limited`; or an answer that promises no replay from where we stopped, which comes to the same.
            (Some(_), Resume::Limited | Resume::Fresh | Resume::Resumed) => {
                Some(Update::Limited { cursor: hello.cursor.clone() })
            }
        };
        match update {
            None => self.cursor = Some(hello.cursor.clone()),
            Some(update) => self.deliver(update, Some(hello.cursor.clone())),
        }
        let heartbeat = Duration::from_millis(hello.heartbeat_ms).clamp(SHORTEST_HEARTBEAT, LONGEST_HEARTBEAT);
        let patience = heartbeat * 2;
        let dead_at = now.saturating_add(patience);
        self.phase = Phase::Live(Live { hello: Box::new(hello), since: now, patience, dead_at });
        self.transmit(now);
    }

    pub(super) fn apply(&mut self, event: EventFrame) {
        let seen = event.cursor.is_some() && event.cursor == self.cursor;
        if self.behind || seen {
            return;
        }
        let cursor = event.cursor.clone();
        if matches!(event.event, Event::Unknown { .. }) {
            self.cursor = cursor.or_else(|| self.cursor.take());
        } else {
            self.deliver(Update::Event(Box::new(event)), cursor);
        }
    }

    /// A frame of an unknown type is ignored (CNV-14). One of a known type that cannot be read comes here too.
    pub(super) fn unknown(&mut self, now: Duration, fields: &Map<String, Value>) {
        let text = |name| fields.get(name).and_then(Value::as_str);
        match text("type") {
            // To pass over it in silence would leave a gap, to give up would get it again for ever: the application decides.
            Some("event") if matches!(self.phase, Phase::Live(_)) => {
                let cursor: Option<Cursor> = text("cursor").and_then(|cursor| cursor.parse().ok());
                let data = fields.get("data").cloned().unwrap_or_default();
                let event = Event::Unknown { name: text("event").unwrap_or_default().to_owned(), data };
                let chat_id = text("chat_id").and_then(|chat_id| chat_id.parse().ok());
                if !self.behind {
                    self.deliver(
                        Update::Event(Box::new(EventFrame { cursor: cursor.clone(), chat_id, event })),
                        cursor,
                    );
                }
            }
            Some("hello" | "reply" | "error" | "heartbeat" | "event") => self.give_up(now),
            _ => {}
        }
    }

    /// Hands an update to the application and moves the cursor with it, or neither.
    pub(super) fn deliver(&mut self, update: Update, cursor: Option<Cursor>) {
        if let Some(room) = self.room.checked_sub(1) {
            self.room = room;
            self.cursor = cursor.or_else(|| self.cursor.take());
            self.outputs.push_back(Output::Deliver(update));
        } else if cursor.is_some() {
            self.behind = true;
        }
    }

    pub(super) fn replied(&mut self, now: Duration, reply: ReplyFrame) {
        if let Some(ask) = self.asks.answered(&reply.id) {
            return self.outputs.push_back(Output::Answer { ask, outcome: Ok(reply.data) });
        }
        match self.outbox.acknowledged(&reply.id, reply.data) {
            Ok(Some((send, stored))) => self.outputs.push_back(Output::Complete { send, outcome: Ok(stored) }),
            // An answer to nothing that waits for one.
            Ok(None) => {}
            Err(_) => return self.give_up(now),
        }
        self.transmit(now);
    }

    pub(super) fn refused(&mut self, now: Duration, error: ErrorFrame) {
        let Some(id) = error.id else { return };
        if let Some(ask) = self.asks.answered(&id) {
            return self.outputs.push_back(Output::Answer { ask, outcome: Err(error.error.into()) });
        }
        let roll = self.retries.roll();
        if let Some((send, problem)) = self.outbox.refused(now, &id, error.error, roll) {
            self.outputs.push_back(Output::Complete { send, outcome: Err(SendError::Refused(Box::new(problem))) });
        }
        self.transmit(now);
    }
}
