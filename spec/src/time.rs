//! Times: RFC 3339 in UTC with exactly three decimals. (CNV-8)

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{SignedDuration, civil::DateTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    error::FieldCode,
    text::{Parsed, TextError},
};

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S.%3fZ";
/// Civil time, since `jiff::Timestamp` ends some hours before the year 9999 does.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const EARLIEST: i64 = 0;
/// The last millisecond of the year 9999, so that the text keeps its 24 characters.
const LATEST: i64 = 253_402_300_799_999;

/// A moment in UTC, in whole milliseconds, from 1970 to 9999. (CNV-8)
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many milliseconds after 1970-01-01T00:00:00Z; moments outside the range become its nearest end.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < EARLIEST {
            EARLIEST
        } else if millis > LATEST {
            LATEST
        } else {
            millis
        })
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment so many seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self::from_millis(self.0.saturating_add_unsigned(seconds.saturating_mul(1000)))
    }

    /// The moment so many seconds earlier.
    #[must_use]
    pub const fn minus_seconds(self, seconds: u64) -> Self {
        Self::from_millis(self.0.saturating_sub_unsigned(seconds.saturating_mul(1000)))
    }

    fn text(self) -> String {
        EPOCH.saturating_add(SignedDuration::from_millis(self.0)).strftime(FORMAT).to_string()
    }
}

impl FromStr for Timestamp {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        // Writing it again and comparing leaves one spelling of each moment, as the schema has it.
        text.strip_suffix('Z')
            .and_then(|civil| civil.parse::<DateTime>().ok())
            .and_then(|civil| i64::try_from(civil.duration_since(EPOCH).as_millis()).ok())
            .map(Self)
            .filter(|moment| (EARLIEST..=LATEST).contains(&moment.0) && moment.text() == text)
            .ok_or_else(|| TextError {
                code: FieldCode::BadFormat,
                message: "a time is written like 2026-11-22T20:44:13.123Z".to_owned(),
            })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new())
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{3}Z$",
            "description": "RFC 3339 in UTC with exactly three decimals, from 1970 to 9999. (CNV-8)",
            "examples": ["2026-11-22T20:44:13.123Z"],
        })
    }
}

impl crate::Example for Timestamp {
    fn example() -> Self {
        Self(1_795_380_253_123)
    }
}
