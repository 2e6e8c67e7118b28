//! What a `PATCH` does with a field. (CNV-5)

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of a `PATCH`: left out it stays as it is, `null` takes its value away, anything else is the new value. (CNV-5)
///
/// Used with `#[serde(default, skip_serializing_if = "Patch::is_keep")]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is left out: it stays as it is.
    #[default]
    Keep,
    /// The field is `null`: its value is taken away.
    Clear,
    /// The field has this value from now on.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field stays as it is.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value after the patch, of a field that may have none.
    pub fn apply(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Keep => present,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Reads a field that may be left out, but not be `null`: what it names always has a value.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("PatchOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [value, { "type": "null" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bio, Format};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Fields {
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        bio: Patch<Bio>,
    }

    #[test]
    fn left_out_null_and_a_value_are_three_things_in_both_encodings() {
        let bio = || "Hi".parse::<Bio>().map(Patch::Set).unwrap_or_default();
        for (json, bio) in [("{}", Patch::Keep), (r#"{"bio":null}"#, Patch::Clear), (r#"{"bio":"Hi"}"#, bio())] {
            let fields = Fields { bio };
            assert_eq!(Format::Json.encode(&fields).ok(), Some(json.as_bytes().to_vec()));
            for format in Format::ALL {
                let bytes = format.encode(&fields).unwrap_or_default();
                assert_eq!(format.decode::<Fields>(&bytes).ok().as_ref(), Some(&fields), "{json}");
            }
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_place() {
        let long = format!(r#"{{"bio":"{}"}}"#, "x".repeat(151));
        let fault = Format::Json.decode::<Fields>(long.as_bytes()).err().map(|fault| fault.to_string());
        assert_eq!(fault.as_deref(), Some("bio: Bio has at most 150 characters"));
    }

    #[test]
    fn a_patch_applies_to_what_is_there() {
        assert_eq!(Patch::Keep.apply(Some(1)), Some(1));
        assert_eq!(Patch::Clear.apply(Some(1)), None);
        assert_eq!(Patch::Set(2).apply(Some(1)), Some(2));
    }
}
