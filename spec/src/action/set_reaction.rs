use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Action, ChatId, Emoji, Example, MessageId,
    api::reactions::{ReactionsOf, SetReactionRefusal},
};

/// Sets the caller's reaction to a message, as the endpoint of the same name does. (REA-1)
#[derive(Debug)]
pub enum SetReaction {}

impl Action for SetReaction {
    const NAME: &'static str = "set_reaction";
    const DOCS: &'static [&'static str] =
        &[" Sets the caller's reaction to a message, in place of the one before. (REA-1)"];
    type Data = SetReactionData;
    type Reply = ReactionsOf;
    type Refusal = SetReactionRefusal;
}

/// A reaction, and what to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetReactionData {
    /// The chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// One emoji.
    pub emoji: Emoji,
}

impl Example for SetReactionData {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), message_id: MessageId::example(), emoji: Emoji::example() }
    }
}
