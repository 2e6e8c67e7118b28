//! The schemas as the documents publish them.

use std::sync::LazyLock;

use i9chat_spec::documents;
use jsonschema::Validator;
use serde_json::{Value, json};

static OPEN_API: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&documents::open_api()).unwrap());
static ASYNC_API: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&documents::async_api()).unwrap());

/// The schema of a type, by its name in the OpenAPI document, or else in the AsyncAPI document.
pub fn schema(name: &str) -> Validator {
    let document =
        [&*OPEN_API, &*ASYNC_API].into_iter().find(|document| document["components"]["schemas"].get(name).is_some());
    let document = document.unwrap_or_else(|| panic!("no document has a schema {name}"));
    validator(&format!("#/components/schemas/{name}"), document)
}

/// The schema of a frame, by its name in the AsyncAPI document.
pub fn frame(name: &str) -> Validator {
    validator(&format!("#/components/messages/{name}/payload"), &ASYNC_API)
}

fn validator(reference: &str, document: &Value) -> Validator {
    let schema = json!({ "$ref": reference, "components": document["components"] });
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// The name of a type, as its schema has it.
pub fn name_of<T: schemars::JsonSchema>() -> String {
    T::schema_name().into_owned()
}

/// A parameter of an operation.
pub struct Parameter {
    pub name: String,
    /// `path` or `query`.
    pub place: String,
    pub is_required: bool,
    /// Whether its text stands for a number.
    pub is_number: bool,
    pub schema: Validator,
    example: Value,
}

impl Parameter {
    /// A right value, as it travels.
    pub fn schema_example(&self) -> String {
        self.example.as_str().map_or_else(|| self.example.to_string(), str::to_owned)
    }
}

/// A right value of a type: one that its schema shows, or the first of those that it lists.
fn example(schema: &Value) -> Value {
    let places = ["/examples/0", "/enum/0", "/oneOf/0/const"];
    places.iter().find_map(|place| schema.pointer(place)).cloned().unwrap_or_else(|| panic!("no example in {schema}"))
}

/// The parameters in the path and query of an operation.
pub fn parameters(path: &str, method: &str) -> Vec<Parameter> {
    let operation = &OPEN_API["paths"][path][method.to_ascii_lowercase()];
    let parameters = operation["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"].is_string());
    parameters
        .map(|parameter| {
            let reference = parameter["schema"]["$ref"].as_str().unwrap();
            let schema = OPEN_API.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            Parameter {
                name: parameter["name"].as_str().unwrap().to_owned(),
                place: parameter["in"].as_str().unwrap().to_owned(),
                is_required: parameter["required"] == true,
                is_number: schema["type"] == "integer",
                schema: validator(reference, &OPEN_API),
                example: example(schema),
            }
        })
        .collect()
}
