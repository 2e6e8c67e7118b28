use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Example, SignedIn, User, Username, Watermark,
    api::{chats::OneChat, groups::NamesQuery},
    endpoint, refusals,
};

endpoint! {
    /// Lists how far each member is in a chat, by name. (RCP-9)
    ListChatReceipts("list_chat_receipts"): GET "/v1/chats/{chat_id}/receipts" => 200 {
        caller: SignedIn,
        path: OneChat,
        query: NamesQuery,
        response: ChatReceiptPage,
        refusal: ListChatReceiptsRefusal,
    }
}

refusals! {
    /// Why no receipts are answered.
    ListChatReceiptsRefusal { ChatNotFound, NotMember }
}

/// A page of how far members are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatReceiptPage {
    /// By name, without regard to case.
    pub items: Vec<ChatReceipt>,
    /// For `after`; there when more follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Username>,
}

/// How far one member is in a chat. (RCP-9)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatReceipt {
    /// Who.
    pub user: User,
    /// How far their clients have got the chat.
    pub delivered: Watermark,
    /// How far they have read.
    pub read: Watermark,
}

impl Example for ChatReceiptPage {
    fn example() -> Self {
        Self { items: vec![ChatReceipt::example()], next: None }
    }
}

impl Example for ChatReceipt {
    fn example() -> Self {
        Self { user: User::example(), delivered: Watermark::example(), read: Watermark::example() }
    }
}
