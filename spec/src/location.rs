//! Places on the earth. (CNV-15, USR-6)

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Example,
    codec::Map,
    error::FieldCode,
    text::{Parsed, TextError},
};

/// A number that is no coordinate: beyond the bounds, infinite, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {name} is from -{bound} to {bound}", FieldCode::OutOfRange)]
pub struct CoordinateError {
    name: &'static str,
    bound: u8,
}

/// Reads any number, integers and shorter floats too.
struct Degrees;

impl de::Visitor<'_> for Degrees {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, degrees: f64) -> Result<f64, E> {
        Ok(degrees)
    }

    #[expect(clippy::cast_precision_loss, reason = "what does not fit exactly is far out of range")]
    fn visit_i64<E>(self, degrees: i64) -> Result<f64, E> {
        Ok(degrees as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "what does not fit exactly is far out of range")]
    fn visit_u64<E>(self, degrees: u64) -> Result<f64, E> {
        Ok(degrees as f64)
    }
}

macro_rules! coordinate {
    ($(#[doc = $doc:literal])* $name:ident { name: $text:literal, bound: $bound:literal, example: $example:literal }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
        #[serde(into = "f64")]
        pub struct $name(f64);

        // Never NaN, so every value equals itself.
        impl Eq for $name {}

        impl $name {
            /// The largest value; the smallest is its negative.
            pub const MAX: f64 = $bound as f64;

            /// The number, in degrees.
            pub const fn degrees(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = CoordinateError;

            fn try_from(degrees: f64) -> Result<Self, CoordinateError> {
                if (-Self::MAX..=Self::MAX).contains(&degrees) {
                    // A zero has no sign, so that equal values are the same bytes.
                    Ok(Self(degrees + 0.0))
                } else {
                    Err(CoordinateError { name: $text, bound: $bound })
                }
            }
        }

        impl From<$name> for f64 {
            fn from(coordinate: $name) -> Self {
                coordinate.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // By whatever stands there: asked for a float, MessagePack tells only of its markers what is none. (ERR-3)
                deserializer.deserialize_any(Degrees)?.try_into().map_err(de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "number", "minimum": -$name::MAX, "maximum": $name::MAX,
                    "description": concat!($($doc, "\n"),*).trim(),
                    "examples": [$example],
                })
            }
        }

        impl Example for $name {
            fn example() -> Self {
                Self($example)
            }
        }
    };
}

coordinate! {
    /// Degrees north of the equator, negative to the south: -90 to 90. (USR-6)
    Latitude { name: "a latitude", bound: 90, example: 41.3275 }
}

coordinate! {
    /// Degrees east of Greenwich, negative to the west: -180 to 180. (USR-6)
    Longitude { name: "a longitude", bound: 180, example: 19.8187 }
}

/// A place on the earth, in degrees. (USR-6)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Location {
    /// Degrees north.
    pub lat: Latitude,
    /// Degrees east.
    pub lon: Longitude,
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            lat: Latitude,
            lon: Longitude,
        }

        let Map(Raw { lat, lon }) = Deserialize::deserialize(deserializer)?;
        Ok(Self { lat, lon })
    }
}

impl Example for Location {
    fn example() -> Self {
        Self { lat: Latitude::example(), lon: Longitude::example() }
    }
}

/// A place as a query names it: `lat,lon`, each as plain decimal digits. (USR-7)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near(pub Location);

/// The form and the bounds of both numbers: at most 12 decimals, no exponent, no plus sign, no leading zeros. (USR-7)
const NEAR: &str =
    r"^-?(90(\.0{1,12})?|[1-8]?[0-9](\.[0-9]{1,12})?),-?(180(\.0{1,12})?|(1[0-7]|[1-9])?[0-9](\.[0-9]{1,12})?)$";

/// A sign, one to three digits without a zero before another, and one to twelve decimals where there is a point.
fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, has_decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) => (whole, digits(decimals, 12)),
        None => (unsigned, true),
    };
    let is_plain = has_decimals && digits(whole, 3) && !(whole.len() > 1 && whole.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

impl FromStr for Near {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let bad_format = || TextError {
            code: FieldCode::BadFormat,
            message: "a place is `lat,lon` in degrees, with at most 12 decimals".to_owned(),
        };
        let out_of_range = || TextError {
            code: FieldCode::OutOfRange,
            message: "a latitude is from -90 to 90, a longitude from -180 to 180".to_owned(),
        };
        let (lat, lon) = text.split_once(',').ok_or_else(bad_format)?;
        let (lat, lon) = (decimal(lat).ok_or_else(bad_format)?, decimal(lon).ok_or_else(bad_format)?);
        let lat = lat.try_into().map_err(|_| out_of_range())?;
        let lon = lon.try_into().map_err(|_| out_of_range())?;
        Ok(Self(Location { lat, lon }))
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shorten = |degrees: f64| {
            let text = format!("{degrees:.12}");
            match text.trim_end_matches('0').trim_end_matches('.') {
                "-0" => "0".to_owned(),
                short => short.to_owned(),
            }
        };
        write!(f, "{},{}", shorten(self.0.lat.degrees()), shorten(self.0.lon.degrees()))
    }
}

impl Serialize for Near {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Near {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new())
    }
}

impl JsonSchema for Near {
    fn schema_name() -> Cow<'static, str> {
        "Near".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": NEAR, "maxLength": 40,
            "description": "A place: `lat,lon` in degrees, with at most 12 decimals each. (USR-7)",
            "examples": ["41.3275,19.8187"],
        })
    }
}

impl Example for Near {
    fn example() -> Self {
        Self(Location::example())
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;
    use crate::Format;

    #[test]
    fn coordinates_end_at_their_bounds() {
        for right in [0.0, -0.0, 90.0, -90.0, 89.999_999_999] {
            assert!(Latitude::try_from(right).is_ok(), "{right}");
        }
        for wrong in [90.000_000_001, -91.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Latitude::try_from(wrong).is_err(), "{wrong}");
        }
        assert!(Longitude::try_from(180.0).is_ok() && Longitude::try_from(-180.0).is_ok());
        assert!(Longitude::try_from(180.000_000_1).is_err());
    }

    #[test]
    fn a_zero_has_no_sign() {
        let zero = Latitude::try_from(-0.0).map(Latitude::degrees);
        assert_eq!(zero.map(f64::to_bits), Ok(0.0_f64.to_bits()));
    }

    #[test]
    fn a_location_may_be_written_as_integers_and_names_what_is_wrong() {
        let read = |text: &str| Format::Json.decode::<Location>(text.as_bytes());
        assert!(read(r#"{"lat":41,"lon":-19}"#).is_ok());
        assert!(read(r#"{"lat":4.1e1,"lon":19.5}"#).is_ok());
        for (text, code, field) in [
            (r#"{"lat":91,"lon":0}"#, "out_of_range", "lat"),
            (r#"{"lat":1e400,"lon":0}"#, "out_of_range", "lat"),
            (r#"{"lat":0,"lon":"0"}"#, "wrong_type", "lon"),
            (r#"{"lat":0}"#, "missing", "lon"),
        ] {
            match read(text) {
                Err(crate::DecodeError::Invalid(fault)) => {
                    assert_eq!((fault.code.as_str(), fault.field.as_str()), (code, field), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for not_a_number in ["\"0\"", "true", "[0]", "{}"] {
            let location: serde_json::Value =
                serde_json::from_str(&format!(r#"{{"lat":{not_a_number},"lon":0}}"#)).unwrap_or_default();
            for format in Format::ALL {
                match format.decode::<Location>(&format.encode(&location).unwrap_or_default()) {
                    Err(crate::DecodeError::Invalid(fault)) => {
                        assert_eq!((fault.code.as_str(), fault.field.as_str()), ("wrong_type", "lat"), "{location}");
                        assert!(!fault.message.contains("marker"), "{}", fault.message);
                    }
                    other => panic!("{location}: {other:?}"),
                }
            }
        }
        let nan = rmp_serde::to_vec_named(&std::collections::BTreeMap::from([("lat", f64::NAN), ("lon", 0.0)]));
        assert!(Format::MessagePack.decode::<Location>(&nan.unwrap_or_default()).is_err());
    }

    #[test]
    fn the_pattern_of_a_place_takes_what_the_parser_takes() {
        let pattern = Regex::new(NEAR).ok();
        let numbers = "0 -0 00 000 9 09 90 090 90.0 90.1 -90 91 99 180 180.000 180.5 -180 181 \
            179.999999999999 179.9999999999999 180.000000000001 90.000000000001 1. .5 +1 1e1 NaN 100 0100 019 - --1 1.-1";
        let numbers = numbers.split(' ').chain(["", " 1"]).collect::<Vec<_>>();
        for lat in &numbers {
            for lon in &numbers {
                let text = format!("{lat},{lon}");
                let taken = pattern.as_ref().map(|pattern| pattern.is_match(&text));
                assert_eq!(Some(text.parse::<Near>().is_ok()), taken, "{text}");
            }
        }
        assert!("1,2,3".parse::<Near>().is_err() && "1".parse::<Near>().is_err());
    }

    #[test]
    fn a_place_is_written_as_it_is_read() {
        for text in ["0,0", "41.3275,19.8187", "-90,180", "0.000000000001,-0.5"] {
            assert_eq!(text.parse::<Near>().map(|near| near.to_string()), Ok(text.to_owned()));
        }
    }
}
