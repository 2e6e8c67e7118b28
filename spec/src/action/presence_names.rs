use std::{borrow::Cow, collections::HashSet, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Example, Username, error::FieldCode};

/// Whose presence is meant: 1 to 500 different names, in any case. (PRS-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Username>", into = "Vec<Username>")]
pub struct PresenceNames(Vec<Username>);

impl PresenceNames {
    /// The most names, which are also the most subscriptions of a connection. (PRS-4)
    pub const MAX: usize = 500;
}

impl Deref for PresenceNames {
    type Target = [Username];

    fn deref(&self) -> &[Username] {
        &self.0
    }
}

/// Why a list of names was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresenceNamesError {
    /// The list is empty.
    #[error("{}: there is at least one name", FieldCode::TooShort)]
    Empty,
    /// The list has more than [`PresenceNames::MAX`] names.
    #[error("{}: there are at most {} names", FieldCode::TooLong, PresenceNames::MAX)]
    TooMany,
    /// A name stands there twice, perhaps in another case.
    #[error("{}: a name stands there twice", FieldCode::Conflicting)]
    Twice,
}

impl TryFrom<Vec<Username>> for PresenceNames {
    type Error = PresenceNamesError;

    fn try_from(names: Vec<Username>) -> Result<Self, PresenceNamesError> {
        if names.is_empty() {
            return Err(PresenceNamesError::Empty);
        }
        if names.len() > Self::MAX {
            return Err(PresenceNamesError::TooMany);
        }
        let mut seen = HashSet::with_capacity(names.len());
        if names.iter().all(|name| seen.insert(name.key())) { Ok(Self(names)) } else { Err(PresenceNamesError::Twice) }
    }
}

impl From<PresenceNames> for Vec<Username> {
    fn from(names: PresenceNames) -> Self {
        names.0
    }
}

impl JsonSchema for PresenceNames {
    fn schema_name() -> Cow<'static, str> {
        "PresenceNames".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = generator.subschema_for::<Username>();
        json_schema!({
            "type": "array", "items": name, "minItems": 1, "maxItems": Self::MAX, "uniqueItems": true,
            "description": "Whose presence is meant: 1 to 500 different names, in any case. (PRS-4)",
            "examples": [["alice", "bob"]],
        })
    }
}

impl Example for PresenceNames {
    fn example() -> Self {
        Self(vec![Username::example()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<Username> {
        (0..count).filter_map(|number| format!("user-{number}").parse().ok()).collect()
    }

    #[test]
    fn a_list_has_1_to_500_different_names() {
        assert_eq!(PresenceNames::try_from(names(0)), Err(PresenceNamesError::Empty));
        assert!(PresenceNames::try_from(names(1)).is_ok() && PresenceNames::try_from(names(500)).is_ok());
        assert_eq!(PresenceNames::try_from(names(501)), Err(PresenceNamesError::TooMany));
        let twice = ["Alice", "bob", "aLICE"].into_iter().filter_map(|name| name.parse().ok()).collect::<Vec<_>>();
        assert_eq!(PresenceNames::try_from(twice), Err(PresenceNamesError::Twice));
    }
}
