use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, Timestamp, User};

/// Whether a user is there. (PRS-1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// At least one connection of the user is open.
    Online,
    /// None is.
    Offline,
    /// Something that this version does not know. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A user and whether they are there. (PRS-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserPresence {
    /// Who.
    pub user: User,
    /// Whether they are there.
    pub presence: PresenceState,
    /// When they were last there; left out while they are, and when they never were. (PRS-2)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

impl Example for PresenceState {
    fn example() -> Self {
        Self::Online
    }
}

impl Example for UserPresence {
    fn example() -> Self {
        Self { user: User::example(), presence: PresenceState::Offline, last_seen: Some(Timestamp::example()) }
    }
}
