use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Chat, Cursor, Example, PageLimit, SignedIn, endpoint, refusals};

endpoint! {
    /// Lists the caller's chats, the one with the latest entry first.
    ///
    /// A chat that gets an entry moves to the front; its event comes after the `cursor` of the first page. (CHT-5, CHT-7, CHT-8)
    ListChats("list_chats"): GET "/v1/chats" => 200 {
        caller: SignedIn,
        query: ChatsQuery,
        response: ChatPage,
        refusal: ListChatsRefusal,
    }
}

refusals! {
    /// Why no chats are answered.
    ListChatsRefusal { CursorReset }
}

/// Which page of chats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatsQuery {
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
    /// Only chats of which the caller would have heard something after this place of the log. (CHT-8)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<Cursor>,
    /// How many chats at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageLimit>,
}

/// A page of chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatPage {
    /// The one with the latest entry first.
    pub items: Vec<Chat>,
    /// For `after`; there when more chats follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    /// Events after the one of the first page bring the list up to date. (CHT-7)
    pub cursor: Cursor,
}

impl Example for ChatsQuery {
    fn example() -> Self {
        Self { after: None, changed_since: None, limit: Some(PageLimit::example()) }
    }
}

impl Example for ChatPage {
    fn example() -> Self {
        Self { items: vec![Chat::example()], next: None, cursor: Cursor::example() }
    }
}
