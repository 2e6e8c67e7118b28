use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cursor, Example, PageLimit, Resume, SignedIn, endpoint, frame::EventFrame};

endpoint! {
    /// Reads the caller's events after a cursor.
    ///
    /// The same events as on a WebSocket, for clients that poll. Without `cursor` the answer holds no events, but the cursor to go on from. (RSM-2 to RSM-9)
    ListEvents("list_events"): GET "/v1/events" => 200 {
        caller: SignedIn,
        query: EventsQuery,
        response: EventPage,
    }
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsQuery {
    /// Events after this place in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// How many events at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageLimit>,
}

/// Events after a cursor, in log order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// What became of the cursor. (RSM-2)
    pub resume: Resume,
    /// The events, oldest first.
    pub events: Vec<EventFrame>,
    /// What to ask with next.
    pub cursor: Cursor,
    /// Whether further events are there now.
    pub more: bool,
}

impl Example for EventsQuery {
    fn example() -> Self {
        Self { cursor: Some(Cursor::example()), limit: Some(PageLimit::example()) }
    }
}

impl Example for EventPage {
    fn example() -> Self {
        Self { resume: Resume::Resumed, events: vec![EventFrame::example()], cursor: Cursor::example(), more: false }
    }
}
