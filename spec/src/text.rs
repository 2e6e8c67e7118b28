//! Text with rules: each type holds only what its rules allow, and shows them in its JSON Schema.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc, sync::LazyLock};

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::FieldCode;

/// Why a text was not taken: what kind of fault, and a sentence that says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct TextError {
    /// The kind of fault, as it is shown in `fields`. (ERR-4)
    pub code: FieldCode,
    /// What would be right, for a developer.
    pub message: String,
}

/// Lengths in Unicode scalar values, and a pattern where not every character is allowed. (CNV-9)
struct Rules {
    name: &'static str,
    min: usize,
    max: usize,
    pattern: Option<Pattern>,
}

/// Which characters may stand where: as a schema says it, and as code that is quick enough for every message. The properties in
/// `spec/tests/` hold the two against each other.
struct Pattern {
    regex: &'static str,
    accepts: fn(&str) -> bool,
}

impl Rules {
    fn check(&self, text: &str) -> Result<(), TextError> {
        let fault = |code, message| Err(TextError { code, message });
        // Bytes are never fewer than scalar values, so most texts are counted only once.
        let length = if text.len() < self.min { text.len() } else { text.chars().count() };
        if length < self.min {
            return fault(FieldCode::TooShort, format!("{} has at least {} characters", self.name, self.min));
        }
        if length > self.max {
            return fault(FieldCode::TooLong, format!("{} has at most {} characters", self.name, self.max));
        }
        if text.contains('\0') {
            return fault(FieldCode::BadFormat, format!("{} holds no NUL", self.name));
        }
        match &self.pattern {
            Some(pattern) if !(pattern.accepts)(text) => {
                fault(FieldCode::BadFormat, format!("{} matches {}", self.name, pattern.regex))
            }
            _ => Ok(()),
        }
    }

    fn schema(&self, description: &str, example: &str) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": self.min,
            "maxLength": self.max,
            "pattern": self.pattern.as_ref().map_or(r"^[^\u0000]*$", |pattern| pattern.regex),
            "description": description,
            "examples": [example],
        })
    }
}

macro_rules! text {
    (
        $(#[doc = $doc:literal])*
        $name:ident { length: $min:literal..=$max:literal, $(pattern: $regex:literal, accepts: $accepts:expr,)? example: $example:literal, debug: $debug:ident }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The fewest characters (Unicode scalar values).
            pub const MIN: usize = $min;
            /// The most characters (Unicode scalar values).
            pub const MAX: usize = $max;

            const RULES: Rules = Rules {
                name: stringify!($name),
                min: $min,
                max: $max,
                pattern: text!(@pattern $($regex, $accepts)?),
            };

            /// The text as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                $name::RULES.check(text)?;
                Ok(Self(Arc::from(text)))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = TextError;

            fn try_from(text: &str) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        text!(@debug $debug $name);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
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
                Self::RULES.schema(concat!($($doc, "\n"),*).trim(), $example)
            }
        }

        impl crate::Example for $name {
            fn example() -> Self {
                $example.parse().expect("the example keeps the rules")
            }
        }
    };
    (@pattern) => { None };
    (@pattern $regex:literal, $accepts:expr) => { Some(Pattern { regex: $regex, accepts: $accepts }) };
    (@debug shown $name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    // What must not reach a log has no `Display`, and a `Debug` that hides it.
    (@debug hidden $name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

/// A serde visitor for whatever is parsed from text.
pub(crate) struct Parsed<T>(std::marker::PhantomData<T>);

impl<T> Parsed<T> {
    pub(crate) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: FromStr<Err = TextError>> de::Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

fn is_url_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn is_url_safe_with_dots(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&^_.+-".contains(&byte))
    };
    text.split_once('/').is_some_and(|(main, sub)| is_name(main) && is_name(sub))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_username(text: &str) -> bool {
    let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    alphanumeric(text.bytes().next()) && alphanumeric(text.bytes().next_back()) && is_url_safe_with_dots(text)
}

fn is_name_of_file(text: &str) -> bool {
    text.chars().all(|character| !matches!(character, '/' | '\\' | '\0'..='\u{1f}' | '\u{7f}'))
}

/// Whether text has something to see, and nothing that breaks a line.
fn is_one_line(text: &str) -> bool {
    let plain = |character: char| !matches!(character, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
    text.chars().all(plain) && text.chars().any(|character| !character.is_whitespace())
}

/// Too rare and too intricate for code of its own.
fn is_email(text: &str) -> bool {
    static REGEX: LazyLock<Option<Regex>> =
        LazyLock::new(|| EmailAddress::RULES.pattern.and_then(|pattern| Regex::new(pattern.regex).ok()));
    REGEX.as_ref().is_some_and(|regex| regex.is_match(text))
}

text! {
    /// A user's name: 3 to 30 of `a-z A-Z 0-9 _ - .`, the first and last alphanumeric; unique without regard to case. (ACC-8)
    Username { length: 3..=30, pattern: r"^[A-Za-z0-9][A-Za-z0-9_.-]*[A-Za-z0-9]$", accepts: is_username, example: "alice", debug: shown }
}

impl Username {
    /// The name as it is compared: in lower case. (ACC-8)
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

text! {
    /// A mail address, compared without regard to case. (ACC-10)
    EmailAddress {
        length: 6..=254,
        pattern: r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$",
        accepts: is_email,
        example: "alice@example.com",
        debug: hidden
    }
}

impl EmailAddress {
    /// The address as it is compared: in lower case. (ACC-10)
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

text! {
    /// What a user signs in with: their username or mail address, in any case. (SES-1)
    Login { length: 1..=254, example: "alice", debug: hidden }
}

text! {
    /// A password: 8 to 128 characters, any but NUL. (ACC-9)
    Password { length: 8..=128, example: "correct horse battery staple", debug: hidden }
}

text! {
    /// What a user says about themselves: at most 150 characters. (ACC-11)
    Bio { length: 0..=150, example: "Mostly harmless.", debug: shown }
}

text! {
    /// The text of a message: 1 to 4,096 characters, kept exactly as sent. (MSG-3, CNV-9)
    MessageText { length: 1..=4096, example: "Hello, Bob!", debug: hidden }
}

text! {
    /// What is written below an image or a video: 1 to 1,024 characters. (MSG-14)
    Caption { length: 1..=1024, example: "From the top.", debug: hidden }
}

text! {
    /// The title of a piece of audio: 1 to 200 characters. (MSG-14)
    MediaTitle { length: 1..=200, example: "Clair de lune", debug: hidden }
}

text! {
    /// The name of a file, as it is shown and offered for saving: 1 to 255 characters, without `/`, `\\` and control characters. (MSG-14)
    FileName { length: 1..=255, pattern: r"^[^/\\\u0000-\u001f\u007f]+$", accepts: is_name_of_file, example: "minutes.pdf", debug: hidden }
}

text! {
    /// The name of a group: 1 to 100 characters on one line, at least one of them visible. (GRP-2)
    GroupName {
        length: 1..=100,
        pattern: r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^ \u0000-\u001f\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$",
        accepts: is_one_line,
        example: "Mountain club",
        debug: shown
    }
}

text! {
    /// What a group says about itself: at most 500 characters. (GRP-2)
    GroupDescription { length: 0..=500, example: "Every second Sunday.", debug: shown }
}

text! {
    /// A media type, `type/subtype` in lower case without parameters: at most 127 characters. (MED-3)
    ContentType {
        length: 3..=127,
        pattern: r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
        accepts: is_media_type,
        example: "image/jpeg",
        debug: shown
    }
}

impl Default for GroupDescription {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

text! {
    /// The six digits that came by mail. (ACC-2)
    Code { length: 6..=6, pattern: "^[0-9]{6}$", accepts: is_digits, example: "274615", debug: hidden }
}

text! {
    /// Ties the steps of signing up together; opaque. (ACC-4)
    Ticket { length: 1..=128, pattern: "^[A-Za-z0-9_-]+$", accepts: is_url_safe, example: "Zt8oJm2Yk0e4Vw", debug: hidden }
}

text! {
    /// A JWT that names a session. (CAL-2)
    Token { length: 1..=2048, pattern: "^[A-Za-z0-9._-]+$", accepts: is_url_safe_with_dots, example: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2ln", debug: hidden }
}

text! {
    /// Good for one new token; opaque. (SES-5)
    RefreshToken { length: 1..=256, pattern: "^[A-Za-z0-9_-]+$", accepts: is_url_safe, example: "b0pq7Yx3Q1", debug: hidden }
}

text! {
    /// A place in the log; opaque, comparable only for equality. (LOG-2)
    Cursor { length: 1..=128, pattern: "^[A-Za-z0-9_-]+$", accepts: is_url_safe, example: "mJ4Xk2cAAAAAAAAAKgAAAABd1sg", debug: shown }
}

text! {
    /// The epoch of a log: another one means that the log may have lost changes. (RSM-1)
    Epoch { length: 1..=64, pattern: "^[A-Za-z0-9_-]+$", accepts: is_url_safe, example: "mJ4Xk2c", debug: shown }
}

text! {
    /// Names a request in answers and logs. (CNV-13)
    RequestId { length: 1..=64, pattern: "^[A-Za-z0-9_.-]+$", accepts: is_url_safe_with_dots, example: "req-7f3a", debug: shown }
}

text! {
    /// The id that a client gives an action of its own, to know the answer by. (WSK-4)
    FrameId { length: 1..=64, example: "1", debug: shown }
}
