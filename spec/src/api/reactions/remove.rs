use super::ReactionsOf;
use crate::{SignedIn, api::messages::OneMessage, endpoint, refusals};

endpoint! {
    /// Removes the caller's reaction from a message; without one it changes nothing. (REA-3)
    RemoveReaction("remove_reaction"): DELETE "/v1/chats/{chat_id}/messages/{message_id}/reaction" => 200 {
        caller: SignedIn,
        path: OneMessage,
        response: ReactionsOf,
        refusal: RemoveReactionRefusal,
    }
}

refusals! {
    /// Why a reaction is not removed.
    RemoveReactionRefusal { ChatNotFound, NotMember, MessageNotFound }
}
