use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The first 100 characters of what a message says in words, as a reply quotes it. (MSG-16)
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snippet(String);

impl Snippet {
    /// The most characters (Unicode scalar values).
    pub const MAX: usize = 100;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn snippet(text: &str) -> Snippet {
    Snippet(text.chars().take(Snippet::MAX).collect())
}

/// Words of a message do not belong in logs.
impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snippet(…)")
    }
}

impl JsonSchema for Snippet {
    fn schema_name() -> Cow<'static, str> {
        "Snippet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": Self::MAX,
            "description": "The first 100 characters of what a message says in words, as a reply quotes it. (MSG-16)",
            "examples": ["Hello, Bob!"],
        })
    }
}

impl crate::Example for Snippet {
    fn example() -> Self {
        snippet("Hello, Bob!")
    }
}
