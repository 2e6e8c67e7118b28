//! How the documents show errors.

use serde_json::{Value, json};

use super::schemas::Schemas;
use crate::{ErrorCode, Example, Problem, RequestId};

/// The schema of a problem whose code is one of those, with the status and retryability of each. (ERR-2)
pub(super) fn schema(codes: &[ErrorCode], schemas: &mut Schemas) -> Value {
    let one = |code: &ErrorCode| {
        let mut required = vec!["code", "status", "retryable"];
        match code {
            ErrorCode::RateLimited => required.push("retry_after_ms"),
            ErrorCode::InvalidRequest => required.push("fields"),
            _ => {}
        }
        json!({
            "title": code.as_str(),
            "description": code.description(),
            "type": "object",
            "properties": {
                "code": { "const": code.as_str() },
                "status": { "const": code.status() },
                "retryable": { "const": code.retryable() },
            },
            "required": required,
        })
    };
    let restriction = match codes {
        [only] => one(only),
        several => json!({ "oneOf": several.iter().map(one).collect::<Vec<_>>() }),
    };
    json!({ "allOf": [schemas.answer::<Problem>(), restriction] })
}

/// A problem of that code, as a server may answer it.
pub(super) fn example(code: ErrorCode) -> Problem {
    let problem = Problem::new(code, code.description(), RequestId::example());
    match code {
        ErrorCode::InvalidRequest => Problem::example(),
        ErrorCode::RateLimited => Problem { retry_after_ms: Some(1500), ..problem },
        _ => problem,
    }
}

/// `chat_not_found` as `ChatNotFound`.
pub(super) fn pascal_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}
