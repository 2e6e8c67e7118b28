use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, SessionId, SignedIn, Timestamp, endpoint};

endpoint! {
    /// Lists the caller's open sessions, newest first.
    ///
    /// Not paged: a user has at most `max_sessions_per_user`. (SES-8)
    ListSessions("list_sessions"): GET "/v1/sessions" => 200 {
        caller: SignedIn,
        response: SessionList,
    }
}

/// The caller's open sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// Newest first.
    pub items: Vec<SessionInfo>,
}

/// One open session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionInfo {
    /// Names the session.
    pub session_id: SessionId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to within a few minutes.
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The `User-Agent` of the sign-in, cut at 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

impl Example for SessionList {
    fn example() -> Self {
        Self {
            items: vec![SessionInfo {
                session_id: SessionId::example(),
                created_at: Timestamp::example(),
                last_used_at: Timestamp::example(),
                current: true,
                client: Some("i9chat-sdk/0.1".to_owned()),
            }],
        }
    }
}
