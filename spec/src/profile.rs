//! What a server claims to keep, and the suite proves. (PRF-1)

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the protocol that a server claims as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Transport, errors, capabilities, accounts, sessions, users by name.
    Core,
    /// Profiles, pictures of users, location and finding users nearby.
    Users,
    /// Direct chats, sending, replies, history, idempotency, unread counts.
    Messages,
    /// Groups and their rules.
    Groups,
    /// Delivered and read watermarks.
    Receipts,
    /// Reactions to messages.
    Reactions,
    /// Who is there, and who is typing.
    Presence,
    /// Uploads, and messages and pictures that use them.
    Media,
    /// The log, its events, every answer to a resume.
    Resume,
    /// MessagePack over HTTP and WebSocket.
    Msgpack,
    /// Malformed and oversized input, floods, slow consumers.
    Robustness,
    /// A profile that this version does not know. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl Profile {
    /// Every profile.
    pub const ALL: &[Self] = &[
        Self::Core,
        Self::Users,
        Self::Messages,
        Self::Groups,
        Self::Receipts,
        Self::Reactions,
        Self::Presence,
        Self::Media,
        Self::Resume,
        Self::Msgpack,
        Self::Robustness,
    ];

    /// The name that travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Users => "users",
            Self::Messages => "messages",
            Self::Groups => "groups",
            Self::Receipts => "receipts",
            Self::Reactions => "reactions",
            Self::Presence => "presence",
            Self::Media => "media",
            Self::Resume => "resume",
            Self::Msgpack => "msgpack",
            Self::Robustness => "robustness",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|profile| profile.as_str() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|profile| profile.as_str()).collect();
            format!("there is no profile {text}; there are {}", names.join(", "))
        })
    }
}
