//! Where two values differ.

use serde::Serialize;
use serde_json::{Value, json};

/// Fails with the places where what was found is not what was expected.
pub fn assert_same(found: &impl Serialize, expected: &impl Serialize, what: impl FnOnce() -> String) {
    let (found, expected) = (json!(found), json!(expected));
    if found != expected {
        let mut places = Vec::new();
        differ(&mut places, "", &found, &expected);
        panic!("{}:\n{}", what(), places.join("\n"));
    }
}

fn differ(places: &mut Vec<String>, place: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            for name in names {
                let side = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                differ(places, &format!("{place}/{name}"), &side(one), &side(other));
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (found, expected)) in one.iter().zip(other).enumerate() {
                differ(places, &format!("{place}/{index}"), found, expected);
            }
        }
        (found, expected) if found != expected => {
            places.push(format!("  {place}\n    found    {found}\n    expected {expected}"));
        }
        _ => {}
    }
}
