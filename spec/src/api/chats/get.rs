use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Chat, ChatId, Cursor, Example, SignedIn, endpoint, refusals};

endpoint! {
    /// Answers one of the caller's chats. (CHT-6)
    ///
    /// A chat of others is answered as one that does not exist. (ERR-6)
    GetChat("get_chat"): GET "/v1/chats/{chat_id}" => 200 {
        caller: SignedIn,
        path: OneChat,
        response: ChatSnapshot,
        refusal: GetChatRefusal,
    }
}

refusals! {
    /// Why no chat is answered.
    GetChatRefusal { ChatNotFound, NotMember }
}

/// Names a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneChat {
    /// The chat.
    pub chat_id: ChatId,
}

/// A chat as it was at a place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatSnapshot {
    /// The chat.
    pub chat: Chat,
    /// Events after this one bring the chat up to date. (CHT-7)
    pub cursor: Cursor,
}

impl Example for OneChat {
    fn example() -> Self {
        Self { chat_id: ChatId::example() }
    }
}

impl Example for ChatSnapshot {
    fn example() -> Self {
        Self { chat: Chat::example(), cursor: Cursor::example() }
    }
}
