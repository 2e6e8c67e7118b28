use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Bytes that travel as bytes: without more, serde would make a list of numbers of them.
#[derive(Debug, Clone)]
pub(super) struct Packed<'a>(Cow<'a, [u8]>);

impl Packed<'_> {
    /// Ids, one after the other.
    pub(super) fn of_ids<'i>(ids: impl Iterator<Item = &'i Uuid>) -> Packed<'static> {
        Packed(ids.flat_map(Uuid::as_bytes).copied().collect())
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, if they are so many.
    pub(super) fn array<const N: usize>(&self) -> Option<[u8; N]> {
        (*self.0).try_into().ok()
    }

    /// The ids, if it is as many bytes as some have.
    pub(super) fn ids(&self) -> Option<impl Iterator<Item = Uuid>> {
        let (ids, rest) = self.0.as_chunks();
        rest.is_empty().then(|| ids.iter().copied().map(Uuid::from_bytes))
    }
}

impl<'a> From<&'a [u8]> for Packed<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Packed<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Packed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> de::Visitor<'de> for Bytes {
            type Value = Packed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Packed(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Packed(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
