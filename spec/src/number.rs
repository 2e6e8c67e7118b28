//! Numbers with bounds. (CNV-15)

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::FieldCode;

/// The place of an entry in its chat: 1, 2, 3 … without holes. (MSG-4)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Seq(u64);

impl Seq {
    /// The first entry of a chat.
    pub const FIRST: Self = Self(1);
    /// 2^53 - 1, so that every JSON parser reads it exactly.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The number, from 1.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl TryFrom<u64> for Seq {
    type Error = NumberError;

    fn try_from(number: u64) -> Result<Self, NumberError> {
        in_range(number, Self::FIRST.0, Self::MAX.0, "seq").map(Self)
    }
}

impl From<Seq> for u64 {
    fn from(seq: Seq) -> Self {
        seq.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many items a page may hold: 1 to [`PageLimit::MAX`], 50 when the caller does not say. (CNV-12)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PageLimit(u16);

impl PageLimit {
    /// The largest page.
    pub const MAX: u16 = 200;

    /// The number of items.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u64> for PageLimit {
    type Error = NumberError;

    fn try_from(number: u64) -> Result<Self, NumberError> {
        let number = in_range(number, 1, Self::MAX.into(), "limit")?;
        Ok(Self(u16::try_from(number).unwrap_or(Self::MAX)))
    }
}

impl From<PageLimit> for u64 {
    fn from(limit: PageLimit) -> Self {
        limit.0.into()
    }
}

/// A number outside its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {name} is from {min} to {max}", FieldCode::OutOfRange)]
pub struct NumberError {
    name: &'static str,
    min: u64,
    max: u64,
}

fn in_range(number: u64, min: u64, max: u64, name: &'static str) -> Result<u64, NumberError> {
    if (min..=max).contains(&number) { Ok(number) } else { Err(NumberError { name, min, max }) }
}

/// Takes a number that every JSON parser reads exactly, and no larger one. (CNV-15)
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    in_range(u64::deserialize(deserializer)?, 0, Seq::MAX.0, "a number").map_err(de::Error::custom)
}

impl JsonSchema for Seq {
    fn schema_name() -> Cow<'static, str> {
        "Seq".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": Self::MAX.0,
            "description": "The place of an entry in its chat: 1, 2, 3 … without holes. (MSG-4)",
            "examples": [42],
        })
    }
}

impl JsonSchema for PageLimit {
    fn schema_name() -> Cow<'static, str> {
        "PageLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": Self::MAX, "default": 50,
            "description": "How many items the page may hold. (CNV-12)",
            "examples": [50],
        })
    }
}

impl crate::Example for Seq {
    fn example() -> Self {
        Self(42)
    }
}

impl crate::Example for PageLimit {
    fn example() -> Self {
        Self::default()
    }
}

/// How far one has got in a chat: the `seq` of an entry, or 0 for before the first. (RCP-1)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Watermark(u64);

impl Watermark {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The number, from 0.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Watermark {
    type Error = NumberError;

    fn try_from(number: u64) -> Result<Self, NumberError> {
        in_range(number, 0, Seq::MAX.0, "a watermark").map(Self)
    }
}

impl From<Watermark> for u64 {
    fn from(watermark: Watermark) -> Self {
        watermark.0
    }
}

impl From<Seq> for Watermark {
    fn from(seq: Seq) -> Self {
        Self(seq.0)
    }
}

impl JsonSchema for Watermark {
    fn schema_name() -> Cow<'static, str> {
        "Watermark".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 0, "maximum": Seq::MAX.0,
            "description": "The `seq` of an entry, or 0 for before the first. (RCP-1)",
            "examples": [41],
        })
    }
}

impl crate::Example for Watermark {
    fn example() -> Self {
        Self(41)
    }
}

macro_rules! number {
    ($(#[doc = $doc:literal])* $name:ident { range: $min:literal..=$max:literal, what: $what:literal, example: $example:literal }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u32);

        impl $name {
            /// The smallest one.
            pub const MIN: u32 = $min;
            /// The largest one.
            pub const MAX: u32 = $max;

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = NumberError;

            fn try_from(number: u64) -> Result<Self, NumberError> {
                let number = in_range(number, $min, $max, $what)?;
                Ok(Self(u32::try_from(number).unwrap_or($max)))
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0.into()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "integer", "minimum": $min, "maximum": $max,
                    "description": concat!($($doc, "\n"),*).trim(),
                    "examples": [$example],
                })
            }
        }

        impl crate::Example for $name {
            fn example() -> Self {
                Self($example)
            }
        }
    };
}

number! {
    /// A duration in milliseconds, at most a day. (MSG-14)
    DurationMs { range: 1..=86_400_000, what: "a duration", example: 4200 }
}

number! {
    /// How far around a place is looked for users, in metres: 1,000 to 200,000. (USR-10)
    RadiusM { range: 1000..=200_000, what: "a radius", example: 5000 }
}

impl Default for RadiusM {
    fn default() -> Self {
        Self(10_000)
    }
}

number! {
    /// How many users around a place are answered: 1 to 100. (USR-8)
    NearbyLimit { range: 1..=100, what: "limit", example: 50 }
}

impl Default for NearbyLimit {
    fn default() -> Self {
        Self(50)
    }
}

number! {
    /// The width or height of a picture in pixels. (MSG-14)
    Pixels { range: 1..=65_535, what: "a side", example: 1080 }
}
