//! A value that is one of several, told apart by a field, has a schema of its own for each.

use serde_json::{Map, Value, json};

use super::Dialect;
use crate::documents::problems::pascal_case;

/// Gives the variants of every union names of their own, and says which field tells them apart: readers find each by its
/// name, and generators of code make a type of it.
pub(super) fn split(definitions: Map<String, Value>, dialect: Dialect) -> Map<String, Value> {
    let mut split = Map::new();
    for (name, mut schema) in definitions {
        if let Some((tag, variants)) = variants_of(&schema) {
            let mut references = Vec::new();
            let mut mapping = Map::new();
            for (value, variant) in variants {
                let variant_name = name_of_variant(&name, &value);
                let reference = format!("#/components/schemas/{variant_name}");
                references.push(json!({ "$ref": reference }));
                mapping.insert(value, reference.into());
                split.insert(variant_name, variant);
            }
            schema = json!({
                "description": schema.get("description"),
                "oneOf": references,
                "discriminator": match dialect {
                    Dialect::OpenApi => json!({ "propertyName": tag, "mapping": mapping }),
                    Dialect::AsyncApi => tag.into(),
                },
            });
        }
        split.insert(name, schema);
    }
    split
}

/// The field that tells the variants apart, and each variant with its value of it.
fn variants_of(schema: &Value) -> Option<(String, Vec<(String, Value)>)> {
    let choices = ["oneOf", "anyOf"].iter().find_map(|keyword| schema.get(keyword)?.as_array())?;
    let (tag, _) = constant_of(choices.first()?)?;
    let variants = choices.iter().map(|choice| {
        let (name, value) = constant_of(choice)?;
        (name == tag).then(|| (value, choice.clone()))
    });
    let variants = variants.collect::<Option<_>>()?;
    Some((tag, variants))
}

/// The field of a map that has only one value, and that value.
fn constant_of(schema: &Value) -> Option<(String, String)> {
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    std::iter::once(schema).chain(parts).find_map(|part| {
        let properties = part.get("properties")?.as_object()?;
        properties.iter().find_map(|(name, property)| Some((name.clone(), property.get("const")?.as_str()?.to_owned())))
    })
}

/// The variant `voice` of `Content` is a `VoiceContent`, that of `NewContent` a `NewVoiceContent`.
fn name_of_variant(union: &str, value: &str) -> String {
    let (prefix, rest) = union.strip_prefix("New").map_or(("", union), |rest| ("New", rest));
    format!("{prefix}{}{rest}", pascal_case(value))
}
