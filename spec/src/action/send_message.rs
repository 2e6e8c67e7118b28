use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Action, ChatId, ClientId, Example, MessageId, NewContent,
    api::messages::{MessageSent, SendMessageRefusal},
};

/// Sends a message to a chat, as the endpoint of the same name does. (MSG-1)
#[derive(Debug)]
pub enum SendMessage {}

impl Action for SendMessage {
    const NAME: &'static str = "send_message";
    const DOCS: &'static [&'static str] = &[
        " Sends a message to a chat. Durable before it is answered.",
        "",
        " A retry with the same `client_id` has the first answer again and makes nothing twice, for ever. (MSG-1 to MSG-9, MSG-13 to MSG-16)",
    ];
    type Data = SendMessageData;
    type Reply = MessageSent;
    type Refusal = SendMessageRefusal;
}

/// A message to send, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SendMessageData {
    /// The chat.
    pub chat_id: ChatId,
    /// Makes a retry harmless. (MSG-7)
    pub client_id: ClientId,
    /// What the message says.
    pub content: NewContent,
    /// The message of the same chat that this one replies to. (MSG-15)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

impl Example for SendMessageData {
    fn example() -> Self {
        Self {
            chat_id: ChatId::example(),
            client_id: ClientId::example(),
            content: NewContent::example(),
            reply_to: None,
        }
    }
}
