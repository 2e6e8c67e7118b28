//! From the schemas that are derived to those that the protocol means.

use schemars::{
    Schema, json_schema,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Value, json};

use crate::Seq;

pub(super) fn tidy(schema: &mut Schema) {
    bound_integer(schema);
    merge_only_choice(schema);
    keep_reference_apart(schema);
    transform_subschemas(&mut tidy, schema);
}

/// Bounds an integer as the protocol does instead of naming a format of Rust's. (CNV-15)
fn bound_integer(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.remove("format");
        if schema.get("maximum").is_none() {
            schema.insert("maximum".to_owned(), json!(Seq::MAX.get()));
        }
    }
}

/// A choice of one is none.
fn merge_only_choice(schema: &mut Schema) {
    for keyword in ["oneOf", "anyOf"] {
        let only = schema.get_mut(keyword).and_then(Value::as_array_mut).filter(|choices| choices.len() == 1);
        if let Some(Value::Object(only)) = only.and_then(Vec::pop) {
            schema.remove(keyword);
            for (key, value) in only {
                // What stands at the choice says more than what stands at its part.
                schema.ensure_object().entry(key).or_insert(value);
            }
        }
    }
}

/// Many readers overlook what stands beside a `$ref`.
fn keep_reference_apart(schema: &mut Schema) {
    if schema.get("$ref").is_some() && schema.get("properties").is_some() {
        let description = schema.remove("description");
        let mut rest = schema.clone();
        let reference = rest.remove("$ref");
        let parts = json!([{ "$ref": reference }, rest]);
        *schema = json_schema!({ "allOf": parts });
        if let Some(description) = description {
            schema.insert("description".to_owned(), description);
        }
    }
}

pub(super) fn tidy_answer(schema: &mut Schema) {
    tidy(schema);
    LeaveOutNull.transform(schema);
}

/// Takes `null` out of optional fields.
struct LeaveOutNull;

impl Transform for LeaveOutNull {
    fn transform(&mut self, schema: &mut Schema) {
        let required = required(schema);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
                leave_out_null(property);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn leave_out_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        match (choices.pop(), choices.is_empty()) {
            (Some(Value::Object(only)), true) => {
                // What stands at the field says more than what stands at its type.
                for (key, value) in only {
                    schema.entry(key).or_insert(value);
                }
            }
            (last, _) => {
                choices.extend(last);
                schema.insert("anyOf".to_owned(), choices.into());
            }
        }
    }
}

pub(super) fn required(schema: &Schema) -> Vec<String> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
