//! What a client asks for over a WebSocket. (WSK-4)

use crate::{ErrorCode, Example, Refusal, endpoint::Part};

mod send_message;

pub use send_message::{SendMessage, SendMessageData};

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
