//! Ids: UUIDs in lower-case text, in JSON and MessagePack alike. (CNV-7)

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{
    error::FieldCode,
    text::{Parsed, TextError},
};

fn parse(text: &str, version: Option<usize>) -> Result<Uuid, TextError> {
    let fault = || TextError {
        code: FieldCode::BadFormat,
        message: match version {
            Some(version) => format!("an id is a UUID of version {version} in lower-case text with hyphens"),
            None => "an id is a UUID in lower-case text with hyphens".to_owned(),
        },
    };
    // `Uuid` alone also takes capitals, braces and text without hyphens.
    let plain = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let id = Uuid::try_parse(text).ok().filter(|_| plain).ok_or_else(fault)?;
    match version {
        Some(version) if id.get_version_num() != version || id.get_variant() != uuid::Variant::RFC4122 => Err(fault()),
        _ => Ok(id),
    }
}

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident, $version:expr, $pattern:literal, $example:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as the plain UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Takes a UUID as it is: for ids that were made here, or parsed before.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                parse(text, $version).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parsed::<$name>::new())
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "description": concat!($($doc, "\n"),*).trim(),
                    "examples": [$example],
                })
            }
        }

        impl crate::Example for $name {
            fn example() -> Self {
                $example.parse().expect("the example keeps the rules")
            }
        }
    };
}

macro_rules! server_id {
    ($(#[doc = $doc:literal])* $name:ident, $example:literal) => {
        id! {
            $(#[doc = $doc])*
            $name, Some(7), "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", $example
        }
    };
}

server_id! {
    /// Names a user for ever.
    UserId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071"
}
server_id! {
    /// Names a session: one sign-in of a user.
    SessionId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6072"
}
server_id! {
    /// Names a chat.
    ChatId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6073"
}
server_id! {
    /// Names a message.
    MessageId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6074"
}
server_id! {
    /// Names a connection, for logs and questions to the operator.
    ConnectionId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6075"
}
server_id! {
    /// Names what was uploaded.
    MediaId, "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6076"
}
id! {
    /// Made by the client, unique per user: a retry with the same id does nothing twice. (MSG-6)
    ClientId, None, "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", "4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b"
}
