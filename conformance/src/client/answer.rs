//! What came back over HTTP, and what a case may expect of it.

use std::fmt;

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::Value;

use super::http1::Head;
use crate::{
    expect::check,
    journal::{shown, shown_bytes},
    verdict::{Stop, Verdict},
};

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, as `METHOD path`.
    pub request: String,
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The body as a value, where it is JSON or MessagePack by its `Content-Type`.
    pub value: Option<Value>,
}

impl Answer {
    pub(super) fn new(request: String, head: Head, body: Vec<u8>) -> Self {
        let kind = head.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        let value = match kind.trim() {
            "application/json" | "application/problem+json" => serde_json::from_slice(&body).ok(),
            "application/vnd.msgpack" => rmp_serde::from_slice(&body).ok(),
            _ => None,
        };
        Self { request, status: head.status, headers: head.headers, body, value }
    }

    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// Every header of that name (in lower case).
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The header of that name must be there.
    pub fn needs_header(&self, name: &str) -> Verdict<&str> {
        self.header(name).ok_or_else(|| self.other_than(format!("the header {name}")))
    }

    /// The status is this one.
    pub fn has_status(&self, status: u16) -> Verdict {
        check(self.status == status, || (status.to_string(), self.to_string()))
    }

    /// Success with this status and a body, which is answered.
    pub fn succeeded(&self, status: u16) -> Verdict<Value> {
        self.has_status(status)?;
        self.value.clone().ok_or_else(|| self.other_than(format!("{status} with a body that can be read")))
    }

    /// Success without a body: 204.
    pub fn succeeded_without_body(&self) -> Verdict {
        check(self.status == 204 && self.body.is_empty(), || ("204 without a body", self.to_string()))
    }

    /// A refusal with this code, whose problem is answered. (ERR-2)
    pub fn refused_with(&self, code: ErrorCode) -> Verdict<Value> {
        let expected = || format!("{} {code}", code.status());
        match &self.value {
            Some(problem) if self.status == code.status() && problem["code"] == code.as_str() => Ok(problem.clone()),
            _ => Err(self.other_than(expected())),
        }
    }

    /// `invalid_request` for this field, with this code. (ERR-4)
    pub fn refused_field(&self, field: &str, code: FieldCode) -> Verdict {
        let problem = self.refused_with(ErrorCode::InvalidRequest)?;
        let listed = problem["fields"]
            .as_array()
            .is_some_and(|fields| fields.iter().any(|entry| entry["field"] == field && entry["code"] == code.as_str()));
        check(listed, || (format!("invalid_request with {{field: \"{field}\", code: {code}}}"), self.to_string()))
    }

    /// That something else came than was expected.
    pub fn other_than(&self, expected: impl Into<String>) -> Stop {
        Stop::failed(format!("{} for {}", expected.into(), self.request), self.to_string())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.status)?;
        match &self.value {
            Some(value) => f.write_str(&shown(value)),
            None if self.body.is_empty() => f.write_str("without a body"),
            None => write!(f, "{} {}", self.header("content-type").unwrap_or("untyped"), shown_bytes(&self.body)),
        }
    }
}
