//! The emoji of a reaction. (REA-2)

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    Example,
    error::FieldCode,
    text::{Parsed, TextError},
};

/// One emoji: a single extended grapheme cluster of at most 16 characters, kept as it was sent. (REA-2)
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Emoji(Arc<str>);

impl Emoji {
    /// The most characters (Unicode scalar values).
    pub const MAX: usize = 16;

    /// The emoji as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version of Unicode by whose tables emojis are told, as the capabilities publish it. (REA-2)
    pub fn unicode_version() -> String {
        let (major, minor, update) = unicode_properties::UNICODE_VERSION;
        format!("{major}.{minor}.{update}")
    }
}

impl FromStr for Emoji {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let fault = |code, message: &str| Err(TextError { code, message: message.to_owned() });
        if text.is_empty() {
            return fault(FieldCode::TooShort, "Emoji has at least 1 character");
        }
        // Four bytes hold any character, so what is longer need not be counted.
        if text.len() > 4 * Self::MAX || text.chars().count() > Self::MAX {
            return fault(FieldCode::TooLong, "Emoji has at most 16 characters");
        }
        if text.graphemes(true).count() != 1 || !is_emoji(text) {
            return fault(FieldCode::BadFormat, "Emoji is one emoji");
        }
        Ok(Self(Arc::from(text)))
    }
}

/// Whether one grapheme cluster is an emoji. (REA-2)
fn is_emoji(cluster: &str) -> bool {
    const KEYCAP: char = '\u{20e3}';
    let Some(first) = cluster.chars().next() else { return false };
    let begins = match first {
        '0'..='9' | '#' | '*' => cluster.ends_with(KEYCAP),
        '\u{1f1e6}'..='\u{1f1ff}' => cluster.chars().count() == 2,
        '\u{1f3fb}'..='\u{1f3ff}' => false,
        first => first.is_emoji_char(),
    };
    begins
        && cluster.chars().skip(1).all(|character| {
            character.is_emoji_char()
                || matches!(character, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}' | KEYCAP | '\u{e0020}'..='\u{e007f}')
        })
}

impl AsRef<str> for Emoji {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Emoji {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Emoji {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new())
    }
}

impl JsonSchema for Emoji {
    fn schema_name() -> Cow<'static, str> {
        "Emoji".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": Self::MAX,
            "description": "One emoji: a single extended grapheme cluster of at most 16 characters, kept as it was sent. What counts as an emoji is more than a pattern can say. (REA-2)",
            "examples": ["👍"],
        })
    }
}

impl Example for Emoji {
    fn example() -> Self {
        Self(Arc::from("👍"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_taken_however_it_is_composed() {
        for emoji in ["👍", "👍🏽", "❤", "❤️", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "1️⃣", "#⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🧑🏽‍❤️‍💋‍🧑🏻"]
        {
            assert!(emoji.parse::<Emoji>().is_ok(), "{emoji}");
        }
    }

    #[test]
    fn what_is_not_one_emoji_is_not() {
        for text in [
            "",
            "a",
            "1",
            "#",
            "👍👍",
            "👍a",
            "👍\u{301}",
            "🇩",
            "🇩🇪🇫🇷",
            "🏽",
            "\u{fe0f}",
            "\u{200d}",
            " ",
            "\0",
            "é",
            "👍 ",
        ] {
            assert!(text.parse::<Emoji>().is_err(), "{text:?}");
        }
        let long = format!("👩{}", "\u{200d}👩".repeat(8));
        assert_eq!(long.parse::<Emoji>().unwrap_err().code, FieldCode::TooLong);
    }
}
