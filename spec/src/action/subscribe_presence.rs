use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PresenceNames;
use crate::{Action, Example, UserPresence, Username, refusals};

/// Asks whether users are there, and to be told when that changes. (PRS-4)
#[derive(Debug)]
pub enum SubscribePresence {}

impl Action for SubscribePresence {
    const NAME: &'static str = "subscribe_presence";
    const DOCS: &'static [&'static str] = &[
        " Answers who is online, and sends `presence_changed` when that changes.",
        "",
        " The connection is subscribed until it asks to be no longer, or closes. (PRS-4 to PRS-7)",
    ];
    type Data = PresenceSubscription;
    type Reply = Presences;
    type Refusal = SubscribePresenceRefusal;
}

refusals! {
    /// Why nothing is subscribed to.
    SubscribePresenceRefusal { TooManySubscriptions }
}

/// Whom to subscribe to. (PRS-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresenceSubscription {
    /// Their names, in any case.
    pub usernames: PresenceNames,
}

/// Who is there now. (PRS-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presences {
    /// Those whom the connection is subscribed to now, in the order in which they were named.
    pub presences: Vec<UserPresence>,
    /// The names that no user has.
    pub not_found: Vec<Username>,
}

impl Example for PresenceSubscription {
    fn example() -> Self {
        Self { usernames: PresenceNames::example() }
    }
}

impl Example for Presences {
    fn example() -> Self {
        Self { presences: vec![UserPresence::example()], not_found: Vec::new() }
    }
}
