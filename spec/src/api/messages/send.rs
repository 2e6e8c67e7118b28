use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ChatId, ClientId, Example, MessageId, NewContent, Seq, SignedIn, Timestamp, api::chats::OneChat, endpoint, refusals,
};

endpoint! {
    /// Sends a message to a chat. Durable before it is answered.
    ///
    /// A retry with the same `client_id` has the first answer again and makes nothing twice, for ever. (MSG-1 to MSG-9, MSG-13 to MSG-16)
    SendMessage("send_message"): POST "/v1/chats/{chat_id}/messages" => 201 {
        caller: SignedIn,
        path: OneChat,
        body: NewMessage,
        response: MessageSent,
        refusal: SendMessageRefusal,
    }
}

refusals! {
    /// Why a message is not sent.
    SendMessageRefusal { ChatNotFound, NotMember, IdempotencyConflict, ReplyNotFound, MediaNotUsable }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewMessage {
    /// Makes a retry harmless. (MSG-7)
    pub client_id: ClientId,
    /// What the message says.
    pub content: NewContent,
    /// The message of the same chat that this one replies to. (MSG-15)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

/// The acknowledgement of a message: it is durable. (MSG-2)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageSent {
    /// Names the message.
    pub message_id: MessageId,
    /// Where it stands.
    pub chat_id: ChatId,
    /// Its place in the chat.
    pub seq: Seq,
    /// When the server took it.
    pub created_at: Timestamp,
}

impl Example for NewMessage {
    fn example() -> Self {
        Self { client_id: ClientId::example(), content: NewContent::example(), reply_to: None }
    }
}

impl Example for MessageSent {
    fn example() -> Self {
        Self {
            message_id: MessageId::example(),
            chat_id: ChatId::example(),
            seq: Seq::example(),
            created_at: Timestamp::example(),
        }
    }
}
