//! The closed lists of purposes, kinds and parts.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    Example, FieldCode,
    text::{Parsed, TextError},
};

macro_rules! names {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal { $($(#[doc = $variant_doc:literal])* $variant:ident $text:literal,)* } example: $example:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
            /// One that this version does not know; only in answers. (CNV-14)
            #[serde(other)]
            #[schemars(skip)]
            Unknown,
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name that travels.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown => "unknown",
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Takes the names of the list and no other.
        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(TextError {
                        code: FieldCode::UnknownValue,
                        message: concat!($what, " is one of", $(" `", $text, "`"),*).to_owned(),
                    }),
                }
            }
        }

        impl Example for $name {
            fn example() -> Self {
                Self::$example
            }
        }
    };
}

names! {
    /// What media is for. (MED-1)
    MediaPurpose, "a purpose" {
        /// The content of messages.
        Message "message",
        /// The picture of the uploader's profile.
        ProfilePicture "profile_picture",
        /// The picture of a group.
        GroupPicture "group_picture",
    } example: Message
}

names! {
    /// What media is. (MED-1)
    MediaKind, "a kind" {
        /// A still picture in a message.
        Image "image",
        /// Moving pictures.
        Video "video",
        /// A spoken message.
        Voice "voice",
        /// Music and other sound.
        Audio "audio",
        /// Anything; always offered for saving, never shown.
        File "file",
        /// The picture of a profile or a group, in three sizes.
        Picture "picture",
    } example: Image
}

names! {
    /// A part of media: each is bytes of their own. (MED-2)
    MediaPart, "a part" {
        /// What was attached; of every kind but `picture`.
        Original "original",
        /// A small still picture of an image or a video.
        Preview "preview",
        /// A picture for lists.
        Small "small",
        /// A picture for headings.
        Medium "medium",
        /// A picture to look at.
        Large "large",
    } example: Original
}

/// Takes only a name of the list, as requests must: one that is not known is refused. (ERR-4)
pub(crate) fn known<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err = TextError>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Parsed::<T>::new())
}
