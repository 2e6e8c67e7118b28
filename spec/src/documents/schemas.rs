//! The schemas of everything that travels, each once, under the name of its type.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    json_schema,
    transform::{RemoveRefSiblings, Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

use super::ordered::Ordered;
use crate::Seq;

/// What a document can read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON Schema, draft 2020-12.
    OpenApi,
    /// JSON Schema, draft 07, in which nothing may stand beside a `$ref`.
    AsyncApi,
}

/// Collects the schemas that a document refers to. Requests and answers differ: in a request `null` means the same as
/// leaving a field out, in an answer it does not occur. (CNV-5)
pub(super) struct Schemas {
    dialect: Dialect,
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new(dialect: Dialect) -> Self {
        let generator = |contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.contract = contract;
            settings.into_generator()
        };
        Self { dialect, requests: generator(Contract::Deserialize), answers: generator(Contract::Serialize) }
    }

    /// A reference to the schema of what a client sends.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// A reference to the schema of what a server sends.
    pub(super) fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// A schema of what a server sends that refers to further ones.
    pub(super) fn answer_with(&mut self, make: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
        let mut schema = make(&mut self.answers);
        self.dialect.adapt(tidy_answer)(&mut schema);
        schema.into()
    }

    /// The properties of a type whose fields travel one by one, with their names and whether they are required.
    pub(super) fn parameters<T: JsonSchema>(&mut self) -> Vec<(String, bool, Schema)> {
        let mut schema = T::json_schema(&mut self.requests);
        // A parameter of a path or query has no `null`.
        tidy_answer(&mut schema);
        let required = required(&schema);
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties
            .into_iter()
            .filter_map(|(name, schema)| Some((name.clone(), required.contains(&name), Schema::try_from(schema).ok()?)))
            .collect()
    }

    /// The schemas that were referred to. A type that both sides send has one schema; `spec/tests/documents.rs` makes
    /// sure that no type needs two.
    pub(super) fn definitions(mut self) -> Ordered<Value> {
        let mut definitions = tidied(self.requests.take_definitions(false), self.dialect.adapt(tidy));
        definitions.extend(tidied(self.answers.take_definitions(false), self.dialect.adapt(tidy_answer)));
        definitions.into_iter().collect::<Ordered<_>>().sorted()
    }
}

impl Dialect {
    fn adapt(self, tidy: fn(&mut Schema)) -> impl Fn(&mut Schema) {
        move |schema| {
            tidy(schema);
            if self == Self::AsyncApi {
                RemoveRefSiblings::default().transform(schema);
            }
        }
    }
}

fn tidied(definitions: Map<String, Value>, tidy: impl Fn(&mut Schema)) -> Map<String, Value> {
    definitions
        .into_iter()
        .filter_map(|(name, schema)| {
            let mut schema = Schema::try_from(schema).ok()?;
            tidy(&mut schema);
            Some((name, schema.into()))
        })
        .collect()
}

fn tidy(schema: &mut Schema) {
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

fn tidy_answer(schema: &mut Schema) {
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

fn required(schema: &Schema) -> Vec<String> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
