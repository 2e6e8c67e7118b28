//! Expectations, which say what was expected and what came when they are not met.

use serde::Serialize;
use serde_json::Value;

use crate::verdict::{Stop, Verdict};

/// Something that came from the server, about to be compared.
#[must_use = "nothing is compared yet"]
pub struct Expect {
    came: Value,
}

/// Starts an expectation: `expect(&answer["bio"]).to_equal("")?`.
pub fn expect(came: impl Serialize) -> Expect {
    Expect { came: serde_json::to_value(came).unwrap_or_default() }
}

impl Expect {
    /// The value is this one.
    pub fn to_equal(self, wanted: impl Serialize) -> Verdict {
        let wanted = serde_json::to_value(wanted).unwrap_or_default();
        check(self.came == wanted, || (wanted.to_string(), self.came.to_string()))
    }

    /// The value is another one.
    pub fn to_differ_from(self, other: impl Serialize) -> Verdict {
        let other = serde_json::to_value(other).unwrap_or_default();
        check(self.came != other, || (format!("anything but {other}"), self.came.to_string()))
    }

    /// The number is within these bounds, both included.
    pub fn to_be_within(self, least: i64, most: i64) -> Verdict {
        let inside = self.came.as_i64().is_some_and(|number| (least..=most).contains(&number));
        check(inside, || (format!("a number from {least} to {most}"), self.came.to_string()))
    }
}

/// The condition holds; `told` gives what was expected and what came when it does not.
pub fn check<E: Into<String>, C: Into<String>>(holds: bool, told: impl FnOnce() -> (E, C)) -> Verdict {
    if holds {
        return Ok(());
    }
    let (expected, came) = told();
    Err(Stop::failed(expected, came))
}

/// The value at a path such as `user.username` or `items.0.seq`, which must be there.
pub fn at<'v>(value: &'v Value, path: &str) -> Verdict<&'v Value> {
    let pointer: String = path.split('.').flat_map(|part| ["/", part]).collect();
    value.pointer(&pointer).ok_or_else(|| Stop::failed(format!("a value at {path}"), value.to_string()))
}

/// The text at a path, which must be there.
pub fn text_at(value: &Value, path: &str) -> Verdict<String> {
    let found = at(value, path)?;
    found.as_str().map(str::to_owned).ok_or_else(|| Stop::failed(format!("text at {path}"), found.to_string()))
}

/// The list at a path, which must be there.
pub fn list_at<'v>(value: &'v Value, path: &str) -> Verdict<&'v Vec<Value>> {
    let found = at(value, path)?;
    found.as_array().ok_or_else(|| Stop::failed(format!("a list at {path}"), found.to_string()))
}
