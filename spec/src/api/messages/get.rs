use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChatId, Entry, Example, MessageId, SignedIn, endpoint, refusals};

endpoint! {
    /// Answers one message, as the entry that it is. (MSG-11)
    ///
    /// A message that the caller may not see is answered as one that does not exist. (ERR-6)
    GetMessage("get_message"): GET "/v1/chats/{chat_id}/messages/{message_id}" => 200 {
        caller: SignedIn,
        path: OneMessage,
        response: Entry,
        refusal: GetMessageRefusal,
    }
}

refusals! {
    /// Why no message is answered.
    GetMessageRefusal { ChatNotFound, NotMember, MessageNotFound }
}

/// Names a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneMessage {
    /// The chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
}

impl Example for OneMessage {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), message_id: MessageId::example() }
    }
}
