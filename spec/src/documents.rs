//! The OpenAPI and AsyncAPI documents, made from the lists of endpoints, actions and events.
//!
//! `cargo run -p i9chat-spec --bin generate-documents` writes them to `docs/`. They are the same bytes each time, so
//! that a test can tell whether the files are stale.

mod async_api;
mod open_api;
mod ordered;
mod problems;
mod prose;
mod schemas;

use serde::Serialize;

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The name of the file in `docs/`.
    pub file: &'static str,
    /// All of its text.
    pub text: String,
}

/// Every generated file.
pub fn all() -> [Document; 2] {
    [Document { file: "openapi.json", text: open_api() }, Document { file: "asyncapi.json", text: async_api() }]
}

/// The endpoints as an OpenAPI 3.1 document, in JSON.
pub fn open_api() -> String {
    text(&open_api::document())
}

/// The frames of the WebSocket as an AsyncAPI 3.0 document, in JSON.
pub fn async_api() -> String {
    text(&async_api::document())
}

fn text(document: &impl Serialize) -> String {
    // A document holds nothing that JSON cannot: names are text and no number is infinite.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
