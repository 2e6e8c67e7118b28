use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Example, SessionId, SignedIn, endpoint, refusals,
    text::{Parsed, TextError},
};

endpoint! {
    /// Ends one of the caller's sessions; `current` names the one that asks.
    ///
    /// Once this is answered, the session's tokens are refused everywhere and its connections are closed. (SES-9, SES-10)
    EndSession("end_session"): DELETE "/v1/sessions/{session_id}" => 204 {
        caller: SignedIn,
        path: OneSession,
        refusal: EndSessionRefusal,
    }
}

refusals! {
    /// Why no session is ended.
    EndSessionRefusal { SessionNotFound }
}

/// Names the session to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneSession {
    /// The id, or `current`.
    pub session_id: SessionRef,
}

/// A session of the caller: by id, or the one that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionRef {
    /// The session that asks: `current`.
    Current,
    /// The session of that id.
    Id(SessionId),
}

impl FromStr for SessionRef {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text == "current" { Ok(Self::Current) } else { text.parse().map(Self::Id) }
    }
}

impl fmt::Display for SessionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl Serialize for SessionRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new())
    }
}

impl JsonSchema for SessionRef {
    fn schema_name() -> Cow<'static, str> {
        "SessionRef".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A session of the caller: its id, or `current` for the one that asks. (SES-9)",
            "anyOf": [{ "const": "current" }, generator.subschema_for::<SessionId>()],
            "examples": ["current"],
        })
    }
}

impl Example for OneSession {
    fn example() -> Self {
        Self { session_id: SessionRef::Current }
    }
}
