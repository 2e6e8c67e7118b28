use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, Emoji, Example, Lifetimes, Limits, MediaRule, PROTOCOL_VERSION, Profile, endpoint};

endpoint! {
    /// Says what the server can do, and where its limits are. (CAP-1, CAP-2)
    ///
    /// Needs no token, and does not change while the server runs.
    GetCapabilities("get_capabilities"): GET "/v1/capabilities" => 200 {
        caller: Anyone,
        response: Capabilities,
    }
}

/// What a server can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// The version of the protocol: 1.
    pub protocol: u32,
    /// Which server this is.
    pub server: ServerInfo,
    /// What it claims to keep. (PRF-1)
    pub profiles: Vec<Profile>,
    /// Where its limits are.
    pub limits: Limits,
    /// What may be uploaded. (MED-3)
    pub media: Vec<MediaRule>,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// The version of Unicode by whose tables emojis are told. (REA-2)
    pub unicode_version: String,
}

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerInfo {
    /// The name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Example for Capabilities {
    fn example() -> Self {
        Self {
            protocol: PROTOCOL_VERSION,
            server: ServerInfo { name: "i9chat-server".to_owned(), version: "0.1.0".to_owned() },
            profiles: Profile::ALL.to_vec(),
            limits: Limits::example(),
            media: MediaRule::all(),
            lifetimes: Lifetimes::example(),
            unicode_version: Emoji::unicode_version(),
        }
    }
}
