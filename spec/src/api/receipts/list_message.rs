use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Example, MessageStatus, SignedIn, User, Username,
    api::{groups::NamesQuery, messages::OneMessage},
    endpoint, refusals,
};

endpoint! {
    /// Lists who has got a message and who has read it, by name, and says how far it has come. (RCP-7, RCP-8)
    ListMessageReceipts("list_message_receipts"): GET "/v1/chats/{chat_id}/messages/{message_id}/receipts" => 200 {
        caller: SignedIn,
        path: OneMessage,
        query: NamesQuery,
        response: MessageReceiptPage,
        refusal: ListMessageReceiptsRefusal,
    }
}

refusals! {
    /// Why no receipts are answered.
    ListMessageReceiptsRefusal { ChatNotFound, NotMember, MessageNotFound }
}

/// A page of who has got a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageReceiptPage {
    /// How far the message has come, all members considered. (RCP-7)
    pub status: MessageStatus,
    /// By name, without regard to case.
    pub items: Vec<MessageReceipt>,
    /// For `after`; there when more follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Username>,
}

/// How far one member is with a message. (RCP-8)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageReceipt {
    /// Who.
    pub user: User,
    /// How far.
    pub status: MessageStatus,
}

impl Example for MessageReceiptPage {
    fn example() -> Self {
        Self { status: MessageStatus::Delivered, items: vec![MessageReceipt::example()], next: None }
    }
}

impl Example for MessageReceipt {
    fn example() -> Self {
        Self { user: User::example(), status: MessageStatus::Read }
    }
}
