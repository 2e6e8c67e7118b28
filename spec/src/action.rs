//! What a client asks for over a WebSocket. (WSK-4)

use crate::{ErrorCode, Example, Refusal, endpoint::Part};

mod mark_receipts;
mod presence_names;
mod remove_reaction;
mod send_message;
mod set_reaction;
mod set_typing;
mod subscribe_presence;
mod unsubscribe_presence;

pub use mark_receipts::MarkReceipts;
pub use presence_names::{PresenceNames, PresenceNamesError};
pub use remove_reaction::RemoveReaction;
pub use send_message::{SendMessage, SendMessageData};
pub use set_reaction::{SetReaction, SetReactionData};
pub use set_typing::{SetTyping, SetTypingRefusal, TypingIn};
pub use subscribe_presence::{PresenceSubscription, Presences, SubscribePresence, SubscribePresenceRefusal};
pub use unsubscribe_presence::UnsubscribePresence;

/// One action of the protocol, listed in [`for_each_action!`](crate::for_each_action!).
pub trait Action: Send + 'static {
    /// The name in the frame.
    const NAME: &'static str;
    /// The lines of the documentation: the first is the summary.
    const DOCS: &'static [&'static str];

    /// The `data` of the client's frame.
    type Data: Part;
    /// The `data` of the reply.
    type Reply: Part + Example;
    /// What it refuses, beyond what every action does.
    type Refusal: Refusal;

    /// Every code that the action can answer with. (ERR-2)
    fn error_codes() -> Vec<ErrorCode> {
        let mut codes = vec![
            ErrorCode::InvalidRequest,
            ErrorCode::SessionEnded,
            ErrorCode::RateLimited,
            ErrorCode::Internal,
            ErrorCode::Unavailable,
            ErrorCode::Overloaded,
        ];
        codes.extend(Self::Refusal::ALL);
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

/// Calls a macro with the list of all actions, as [`for_each_endpoint!`](crate::for_each_endpoint!) does with endpoints.
#[macro_export]
macro_rules! for_each_action {
    ($callback:ident) => {
        $callback! {
            $crate::action::SendMessage,
            $crate::action::MarkReceipts,
            $crate::action::SetReaction,
            $crate::action::RemoveReaction,
            $crate::action::SetTyping,
            $crate::action::SubscribePresence,
            $crate::action::UnsubscribePresence,
        }
    };
}

/// Sees every action as a type.
pub trait ActionVisitor {
    /// Called once for each action, in the order of the list.
    fn visit<A: Action>(&mut self);
}

/// Shows a visitor every action.
pub fn visit_actions(visitor: &mut impl ActionVisitor) {
    macro_rules! visit {
        ($($action:path),* $(,)?) => { $(visitor.visit::<$action>();)* };
    }
    crate::for_each_action!(visit);
}
