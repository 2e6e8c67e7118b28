//! What is one of several says by which field it is told apart, and names each.

use std::collections::BTreeSet;

use i9chat_spec::{ContentKind, Event};
use serde_json::{Value, json};

use crate::{ASYNC_API, OPEN_API, resolve};

/// The values of the field that tells the variants of a union apart, each checked to be that of its variant.
fn variants(name: &str, tag: &str) -> BTreeSet<String> {
    let union = &OPEN_API["components"]["schemas"][name];
    assert_eq!(union["discriminator"]["propertyName"], tag, "{name}");
    let mapping = union["discriminator"]["mapping"].as_object().unwrap();
    let listed: BTreeSet<_> =
        union["oneOf"].as_array().unwrap().iter().map(|one| one["$ref"].as_str().unwrap()).collect();
    assert_eq!(listed, mapping.values().map(|reference| reference.as_str().unwrap()).collect(), "{name}");
    for (value, reference) in mapping {
        let variant = resolve(&OPEN_API, &json!({ "$ref": reference })).clone();
        let parts = variant["allOf"].as_array().cloned().unwrap_or_else(|| vec![variant.clone()]);
        let tagged = parts.iter().find(|part| part["properties"][tag]["const"] == *value).unwrap();
        assert!(tagged["required"].as_array().unwrap().contains(&json!(tag)), "{name} {value}");
        assert!(variant["description"].is_string());
    }
    mapping.keys().cloned().collect()
}

#[test]
fn contents_entries_and_events_are_told_apart_by_a_field() {
    let kinds: BTreeSet<_> = ContentKind::ALL.iter().map(|kind| json!(kind).as_str().unwrap().to_owned()).collect();
    assert_eq!(variants("NewContent", "kind"), kinds);
    assert_eq!(variants("Content", "kind"), kinds);
    assert_eq!(variants("Entry", "type"), ["message", "activity"].map(str::to_owned).into());
    let live = ["presence_changed", "typing"];
    let in_log = Event::NAMES.iter().filter(|name| !live.contains(name)).map(|name| (*name).to_owned());
    assert_eq!(variants("EventFrame", "event"), in_log.collect());
}

#[test]
fn the_other_document_names_the_field_alone() {
    for (name, tag) in [("NewContent", "kind"), ("Content", "kind"), ("Entry", "type")] {
        assert_eq!(ASYNC_API["components"]["schemas"][name]["discriminator"], tag, "{name}");
    }
}

#[test]
fn no_union_is_left_without_names() {
    for document in [&*OPEN_API, &*ASYNC_API] {
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let choices = ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
            for choice in choices {
                assert!(choice.get("properties").is_none(), "{name}: {choice}");
            }
        }
    }
    // So that this test sees what it looks for.
    let text = &OPEN_API["components"]["schemas"]["TextContent"];
    assert!(text.get("properties").is_some_and(Value::is_object));
}
