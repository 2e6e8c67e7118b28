//! Every example keeps its schema.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::{ASYNC_API, OPEN_API, maps, resolve};

fn validator(document: &Value, schema: &Value) -> Validator {
    let mut whole = json!({ "components": document["components"] });
    whole["allOf"] = json!([schema]);
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
}

fn keeps(document: &Value, schema: &Value, example: &Value, at: &str) {
    let faults: Vec<_> = validator(document, schema).iter_errors(example).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{at}: {example}: {faults:?}");
}

#[test]
fn examples_of_schemas_keep_them() {
    let mut seen = 0;
    for document in [&*OPEN_API, &*ASYNC_API] {
        let mut everywhere = Vec::new();
        maps(&document["components"]["schemas"], "", &mut everywhere);
        for (at, schema) in everywhere {
            for example in schema.get("examples").and_then(Value::as_array).into_iter().flatten() {
                keeps(document, &Value::Object(schema.clone()), example, &at);
                seen += 1;
            }
        }
    }
    assert!(seen > 20);
}

#[test]
fn examples_of_bodies_keep_their_schemas() {
    let mut everywhere = Vec::new();
    maps(&OPEN_API, "", &mut everywhere);
    let media_types: Vec<_> = everywhere.iter().filter(|(at, _)| is_media_type(at)).collect();
    assert!(media_types.len() > 50);
    for (at, media_type) in media_types {
        let examples = examples(media_type);
        assert!(!examples.is_empty(), "{at} has no example");
        for example in examples {
            keeps(&OPEN_API, &media_type["schema"], example, at);
        }
    }
}

fn is_media_type(at: &str) -> bool {
    at.rsplit_once('/').is_some_and(|(parent, name)| parent.ends_with("/content") && name.starts_with("application~1"))
}

fn examples(media_type: &Map<String, Value>) -> Vec<&Value> {
    let named = media_type.get("examples").and_then(Value::as_object).into_iter().flatten();
    named.map(|(_, example)| &resolve(&OPEN_API, example)["value"]).chain(media_type.get("example")).collect()
}

#[test]
fn examples_of_frames_keep_their_schemas() {
    for (name, message) in ASYNC_API["components"]["messages"].as_object().unwrap() {
        let examples = message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            keeps(&ASYNC_API, &message["payload"], &example["payload"], name);
        }
    }
}

/// So that the tests above cannot pass by taking everything.
#[test]
fn another_code_or_status_is_no_example_of_a_refusal() {
    let refusal = &OPEN_API["components"]["responses"]["ChatNotFound"]["content"]["application/problem+json"];
    let right = examples(refusal.as_object().unwrap())[0].clone();
    let schema = validator(&OPEN_API, &refusal["schema"]);
    assert!(schema.is_valid(&right));
    for (field, wrong) in [("code", json!("user_not_found")), ("status", json!(410)), ("retryable", json!(true))] {
        let mut problem = right.clone();
        problem[field] = wrong;
        assert!(!schema.is_valid(&problem), "{problem}");
    }
}
