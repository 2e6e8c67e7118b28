use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Action, ChatId, Example, Nothing, refusals};

/// Tells the other members of a chat that one is typing. (PRS-10)
#[derive(Debug)]
pub enum SetTyping {}

impl Action for SetTyping {
    const NAME: &'static str = "set_typing";
    const DOCS: &'static [&'static str] = &[
        " Tells the other members of a chat that the caller is typing.",
        "",
        " Sent again while it goes on: what is told ends by itself. Nothing of it is kept. (PRS-10 to PRS-12)",
    ];
    type Data = TypingIn;
    type Reply = Nothing;
    type Refusal = SetTypingRefusal;
}

refusals! {
    /// Why nobody is told.
    SetTypingRefusal { ChatNotFound, NotMember }
}

/// Where one is typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypingIn {
    /// The chat.
    pub chat_id: ChatId,
}

impl Example for TypingIn {
    fn example() -> Self {
        Self { chat_id: ChatId::example() }
    }
}
