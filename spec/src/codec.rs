//! JSON and MessagePack over the same types. (CNV-2 to CNV-4)

mod fields;
mod map;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::error::{FieldCode, FieldError};

pub(crate) use fields::Fields;
pub(crate) use map::Map;

/// How deeply a value may be nested.
const MAX_DEPTH: usize = 64;

/// An encoding of bodies and frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`; text frames.
    Json,
    /// `application/vnd.msgpack`; binary frames.
    MessagePack,
}

/// Why bytes were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They are not a value of the encoding at all.
    #[error("{0}")]
    Malformed(String),
    /// They are a value, but not of the right form.
    #[error("{}: {}", .0.field, .0.message)]
    Invalid(FieldError),
}

/// A value that cannot be encoded, which no type of this crate is.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode: {0}")]
pub struct EncodeError(String);

impl Format {
    /// Both encodings.
    pub const ALL: &[Self] = &[Self::Json, Self::MessagePack];

    /// The type as it stands in `Content-Type` and `Accept`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MessagePack => "application/vnd.msgpack",
        }
    }

    /// The type of a [`Problem`](crate::Problem) over HTTP. (ERR-1)
    pub const fn problem_type(self) -> &'static str {
        match self {
            Self::Json => "application/problem+json",
            Self::MessagePack => "application/vnd.msgpack",
        }
    }

    /// The WebSocket subprotocol. (WSK-1)
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "i9chat.v1.json",
            Self::MessagePack => "i9chat.v1.msgpack",
        }
    }

    /// The bytes of a value.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Json => serde_json::to_vec(value).map_err(|error| EncodeError(error.to_string())),
            Self::MessagePack => rmp_serde::to_vec_named(value).map_err(|error| EncodeError(error.to_string())),
        }
    }

    /// The value of bytes, or what is wrong with them and where. Never panics, whatever the bytes.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::Json => decode_json(bytes),
            Self::MessagePack => decode_messagepack(bytes),
        }
    }
}

fn decode_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // All of it, what will be ignored included: JSON is UTF-8.
    let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::Malformed(format!("not JSON: {error}")))?;
    // The quick way first: tracking the path costs, and most values are right.
    if let Ok(Map(value)) = serde_json::from_str(text) {
        return Ok(value);
    }
    // What is no JSON is malformed, even where an earlier part of it is invalid too. (ERR-8)
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(DecodeError::Malformed(format!("not JSON: {error}")));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map(|Map(value)| value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // serde_json appends where it stopped, which says nothing about a value.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        DecodeError::Invalid(field_error(&path, message))
    })
}

fn decode_messagepack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let malformed = |what: &str| DecodeError::Malformed(format!("not MessagePack: {what}"));
    let mut reader = messagepack_reader(bytes);
    let whole: Result<IgnoredAny, _> = Deserialize::deserialize(&mut reader);
    if let Err(error) = whole {
        return Err(malformed(&error.to_string()));
    }
    if reader.position() != bytes.len() as u64 {
        return Err(malformed("something follows the value"));
    }
    let mut reader = messagepack_reader(bytes);
    serde_path_to_error::deserialize(&mut reader).map(|Map(value)| value).map_err(|error| {
        let path = error.path().to_string();
        DecodeError::Invalid(field_error(&path, &error.inner().to_string()))
    })
}

fn messagepack_reader(bytes: &[u8]) -> rmp_serde::Deserializer<rmp_serde::decode::ReadReader<std::io::Cursor<&[u8]>>> {
    let mut reader = rmp_serde::Deserializer::new(std::io::Cursor::new(bytes));
    reader.set_max_depth(MAX_DEPTH);
    reader
}

/// Reads path, code and sentence out of what serde says. The crate's own types start their messages with the
/// code (`too_long: …`), and with the field where the path ends above it (`missing(text): …`).
pub fn field_error(path: &str, message: &str) -> FieldError {
    let path = if path == "." { "" } else { path };
    let join = |field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    for code in FieldCode::ALL.iter().copied() {
        let Some(rest) = message.strip_prefix(code.as_str()) else { continue };
        if let Some(sentence) = rest.strip_prefix(": ") {
            return FieldError { field: path.to_owned(), code, message: sentence.to_owned() };
        }
        if let Some((field, sentence)) = rest.strip_prefix('(').and_then(|rest| rest.split_once("): ")) {
            return FieldError { field: join(field), code, message: sentence.to_owned() };
        }
    }
    let named = |prefix: &str| Some(message.strip_prefix(prefix)?.split_once('`')?.0);
    if let Some(field) = named("missing field `") {
        return FieldError { field: join(field), code: FieldCode::Missing, message: "must be there".to_owned() };
    }
    if let Some(field) = named("duplicate field `") {
        return FieldError { field: join(field), code: FieldCode::Conflicting, message: "is given twice".to_owned() };
    }
    // `null` means the same as leaving out, where there is something that could be left out. (CNV-5)
    let is_null = message.starts_with("invalid type: null") || message.starts_with("invalid type: unit value");
    if is_null && !path.is_empty() && !path.ends_with(']') {
        return FieldError { field: path.to_owned(), code: FieldCode::Missing, message: "must be there".to_owned() };
    }
    // What MessagePack's reader says when it is asked for a number and finds something else.
    if message.starts_with("wrong msgpack marker") {
        let message = "a value of another type is needed".to_owned();
        return FieldError { field: path.to_owned(), code: FieldCode::WrongType, message };
    }
    let code = if message.starts_with("unknown variant") {
        FieldCode::UnknownValue
    } else if message.starts_with("invalid type") {
        FieldCode::WrongType
    } else if ["invalid value", "invalid length", "number out of range"].iter().any(|way| message.starts_with(way)) {
        FieldCode::OutOfRange
    } else {
        FieldCode::BadFormat
    };
    FieldError { field: path.to_owned(), code, message: message.to_owned() }
}
