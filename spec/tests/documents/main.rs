//! The generated documents, and the page that they go with, say what the code says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod async_api;
mod examples;
mod fresh;
mod open_api;
mod page;
mod references;
mod unions;

use std::sync::LazyLock;

use i9chat_spec::documents;
use serde_json::Value;

static OPEN_API: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&documents::open_api()).unwrap());
static ASYNC_API: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&documents::async_api()).unwrap());

/// What a reference of a document names; anything else is itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref") {
        Some(Value::String(reference)) => resolve(
            document,
            document
                .pointer(reference.strip_prefix('#').unwrap())
                .unwrap_or_else(|| panic!("{reference} names nothing")),
        ),
        _ => value,
    }
}

/// Every map in a value, at every depth, with where it stands.
fn maps<'a>(value: &'a Value, at: &str, into: &mut Vec<(String, &'a serde_json::Map<String, Value>)>) {
    match value {
        Value::Object(map) => {
            into.push((at.to_owned(), map));
            for (name, inner) in map {
                maps(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                maps(inner, &format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
}

/// A sentence that a reader can use: not empty, and without what only the code's reader needs.
fn reads_well(text: &Value) -> bool {
    text.as_str().is_some_and(|text| {
        let text = text.trim();
        text.len() > 3
            && text.starts_with(|first: char| first.is_uppercase() || !first.is_alphabetic())
            && !text.contains("[`")
    })
}
