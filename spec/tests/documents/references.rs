use std::collections::BTreeSet;

use serde_json::Value;

use crate::{ASYNC_API, OPEN_API, maps, resolve};

#[test]
fn every_reference_names_something() {
    for document in [&*OPEN_API, &*ASYNC_API] {
        let mut everywhere = Vec::new();
        maps(document, "", &mut everywhere);
        for (_, map) in everywhere {
            resolve(document, &Value::Object(map.clone()));
        }
    }
}

#[test]
fn every_component_is_used() {
    for document in [&*OPEN_API, &*ASYNC_API] {
        let mut everywhere = Vec::new();
        maps(document, "", &mut everywhere);
        let used: BTreeSet<_> = everywhere.iter().filter_map(|(_, map)| map.get("$ref")?.as_str()).collect();
        for (kind, components) in document["components"].as_object().unwrap() {
            // OpenAPI names security schemes without a reference.
            if kind == "securitySchemes" {
                continue;
            }
            for name in components.as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(used.contains(reference.as_str()), "{reference} is never used");
            }
        }
    }
}

#[test]
fn every_schema_has_a_name_of_its_own_and_a_description() {
    for document in [&*OPEN_API, &*ASYNC_API] {
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            // schemars numbers types that share a name.
            assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name} is the name of two types");
            assert!(schema["description"].is_string(), "{name} has no description");
        }
    }
}

#[test]
fn a_type_has_the_same_schema_in_both_documents() {
    let (open, other) = (&OPEN_API["components"]["schemas"], &ASYNC_API["components"]["schemas"]);
    let mut shared = 0;
    for (name, schema) in open.as_object().unwrap() {
        let Some(other) = other.get(name) else { continue };
        shared += 1;
        assert_eq!(required(schema), required(other), "{name}");
        assert_eq!(properties(schema), properties(other), "{name}");
    }
    assert!(shared > 10);
}

fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn properties(schema: &Value) -> Vec<&String> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name).collect()
}
