use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Emoji, Example, SignedIn, User, Username,
    api::{groups::NamesQuery, messages::OneMessage},
    endpoint, refusals,
};

endpoint! {
    /// Lists who reacted to a message, by name. (REA-5)
    ListReactions("list_reactions"): GET "/v1/chats/{chat_id}/messages/{message_id}/reactions" => 200 {
        caller: SignedIn,
        path: OneMessage,
        query: NamesQuery,
        response: ReactionPage,
        refusal: ListReactionsRefusal,
    }
}

refusals! {
    /// Why no reactions are answered.
    ListReactionsRefusal { ChatNotFound, NotMember, MessageNotFound }
}

/// A page of reactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionPage {
    /// By name, without regard to case.
    pub items: Vec<Reaction>,
    /// For `after`; there when more reactions follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Username>,
}

/// Who reacted with what. (REA-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Who.
    pub user: User,
    /// With what.
    pub emoji: Emoji,
}

impl Example for ReactionPage {
    fn example() -> Self {
        Self { items: vec![Reaction::example()], next: None }
    }
}

impl Example for Reaction {
    fn example() -> Self {
        Self { user: User::example(), emoji: Emoji::example() }
    }
}
