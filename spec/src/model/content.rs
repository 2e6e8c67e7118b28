use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::{
    Example, FieldCode, MessageText,
    codec::Map,
    text::{Parsed, TextError},
};

/// What a new message says. A kind that the server does not know is refused. (MSG-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NewContent {
    /// Plain text.
    Text {
        /// 1 to 4,096 characters.
        text: MessageText,
    },
}

/// All fields of all kinds, so that an error can name the one that is wrong: serde's own way with tagged enums loses it.
#[derive(Deserialize)]
struct NewContentFields {
    kind: ContentKind,
    #[serde(default)]
    text: Option<MessageText>,
}

enum ContentKind {
    Text,
}

impl FromStr for ContentKind {
    type Err = TextError;

    fn from_str(name: &str) -> Result<Self, TextError> {
        match name {
            "text" => Ok(Self::Text),
            _ => {
                Err(TextError { code: FieldCode::UnknownValue, message: "the server knows the kind `text`".to_owned() })
            }
        }
    }
}

/// By its name alone: derived, it could be named by its number too in MessagePack.
impl<'de> Deserialize<'de> for ContentKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new())
    }
}

impl<'de> Deserialize<'de> for NewContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Map(fields) = Map::<NewContentFields>::deserialize(deserializer)?;
        match fields.kind {
            ContentKind::Text => Ok(Self::Text { text: need(fields.text, "text")? }),
        }
    }
}

fn need<T, E: de::Error>(field: Option<T>, name: &str) -> Result<T, E> {
    field.ok_or_else(|| E::custom(format_args!("{}({name}): must be there", FieldCode::Missing)))
}

/// What a message says. (MSG-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// 1 to 4,096 characters.
        text: MessageText,
    },
    /// Content of a kind that this version does not know, kept as it came; shown as a placeholder. (CNV-14)
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(serde_json::Map<String, Value>),
}

impl Content {
    /// The text, if the message is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text.as_str()),
            Self::Unknown(_) => None,
        }
    }
}

impl From<NewContent> for Content {
    fn from(content: NewContent) -> Self {
        match content {
            NewContent::Text { text } => Self::Text { text },
        }
    }
}

impl Example for NewContent {
    fn example() -> Self {
        Self::Text { text: MessageText::example() }
    }
}

impl Example for Content {
    fn example() -> Self {
        NewContent::example().into()
    }
}
