use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Emoji, Example, ReactionCount, SignedIn, api::messages::OneMessage, endpoint, refusals};

endpoint! {
    /// Sets the caller's reaction to a message, in place of the one before. (REA-1)
    SetReaction("set_reaction"): PUT "/v1/chats/{chat_id}/messages/{message_id}/reaction" => 200 {
        caller: SignedIn,
        path: OneMessage,
        body: NewReaction,
        response: ReactionsOf,
        refusal: SetReactionRefusal,
    }
}

refusals! {
    /// Why a reaction is not set.
    SetReactionRefusal { ChatNotFound, NotMember, MessageNotFound, TooManyReactions }
}

/// A reaction to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewReaction {
    /// One emoji.
    pub emoji: Emoji,
}

/// The reactions that a message has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionsOf {
    /// Which emojis, and how often: the most frequent first. (REA-4)
    pub reactions: Vec<ReactionCount>,
}

impl Example for NewReaction {
    fn example() -> Self {
        Self { emoji: Emoji::example() }
    }
}

impl Example for ReactionsOf {
    fn example() -> Self {
        Self { reactions: vec![ReactionCount::example()] }
    }
}
