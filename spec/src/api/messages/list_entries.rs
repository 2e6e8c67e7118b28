use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Entry, Example, PageLimit, Seq, SignedIn, Watermark, api::chats::OneChat, endpoint, refusals};

endpoint! {
    /// Reads the history of a chat by `seq`.
    ///
    /// With `before`, or neither, newest first; with `after`, oldest first. The cost does not depend on the length of the chat. (MSG-10)
    ListEntries("list_entries"): GET "/v1/chats/{chat_id}/entries" => 200 {
        caller: SignedIn,
        path: OneChat,
        query: EntriesQuery,
        response: EntryPage,
        refusal: ListEntriesRefusal,
    }
}

refusals! {
    /// Why no history is answered.
    ListEntriesRefusal { ChatNotFound, NotMember }
}

/// Which page of history. `before` and `after` exclude each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntriesQuery {
    /// Entries with a smaller `seq`, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Entries with a greater `seq`, oldest first; 0 for all from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Watermark>,
    /// How many entries at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageLimit>,
}

/// A page of history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryPage {
    /// In the order that was asked for.
    pub items: Vec<Entry>,
    /// The `seq` for the same parameter; there when more entries follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Seq>,
}

impl Example for EntriesQuery {
    fn example() -> Self {
        Self { before: Some(Seq::example()), after: None, limit: Some(PageLimit::example()) }
    }
}

impl Example for EntryPage {
    fn example() -> Self {
        Self { items: vec![Entry::example()], next: None }
    }
}
