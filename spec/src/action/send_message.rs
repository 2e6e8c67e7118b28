use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Action, ChatId, ClientId, Example, NewContent,
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
        " A retry with the same `client_id` has the first answer again and makes nothing twice, for ever. (MSG-1 to MSG-9)",
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
}

impl Example for SendMessageData {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), client_id: ClientId::example(), content: NewContent::example() }
    }
}
