//! What operations have in common: headers, and the answers that refuse.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Header, MediaType, NamedExample, OrReference, Parameter, Reference, Response};
use crate::{
    ErrorCode, Example, Format, RequestId,
    documents::{
        ordered::Ordered,
        problems::{self, pascal_case},
        schemas::Schemas,
    },
};

/// The name of the header that names a request. (CNV-13)
pub(super) const REQUEST_ID: &str = "X-Request-Id";
const RETRY_AFTER: &str = "Retry-After";
const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
const SET_COOKIE: &str = "Set-Cookie";
const LOCATION: &str = "Location";

/// Every header of an answer that means something here.
pub(super) fn headers() -> Ordered<Header> {
    let header =
        |name: &str, required, description, schema| (name.to_owned(), Header { description, required, schema });
    [
        header(
            REQUEST_ID,
            true,
            "Names the request: the value that the client sent, or one that the server made. (CNV-13)",
            request_id_schema(),
        ),
        header(
            RETRY_AFTER,
            true,
            "`retry_after_ms` in whole seconds, rounded up. (ERR-7)",
            json!({ "type": "integer", "minimum": 0, "examples": [2] }),
        ),
        header(
            WWW_AUTHENTICATE,
            true,
            "Asks for a token. (CAL-4)",
            json!({ "type": "string", "pattern": "^Bearer", "examples": ["Bearer"] }),
        ),
        header(
            SET_COOKIE,
            false,
            "The cookie `i9chat_session`, when `cookie` is `true`. (CAL-5)",
            json!({
                "type": "string",
                "pattern": "^i9chat_session=",
                "examples": ["i9chat_session=Zt8oJm2Yk0e4Vw; HttpOnly; SameSite=Lax; Path=/; Secure"],
            }),
        ),
        header(
            LOCATION,
            true,
            "Where it is; may be relative to the URL that was asked. (MED-22)",
            json!({ "type": "string", "format": "uri-reference", "examples": ["/media/files/Zt8oJm2Yk0e4Vw"] }),
        ),
    ]
    .into_iter()
    .collect()
}

/// The header with which a client names its request.
pub(super) fn request_id_parameter() -> Parameter {
    Parameter {
        name: REQUEST_ID.to_owned(),
        place: "header",
        required: false,
        description:
            "Names the request in the answer and in the server's logs. One of another form is replaced. (CNV-13)"
                .to_owned(),
        schema: request_id_schema(),
    }
}

fn request_id_schema() -> Value {
    json!({ "type": "string", "examples": [RequestId::example()] })
}

/// An example for each of the codes.
pub(super) fn examples(codes: &BTreeSet<ErrorCode>) -> Ordered<NamedExample> {
    codes
        .iter()
        .map(|code| {
            (code.as_str().to_owned(), NamedExample { summary: code.title(), value: json!(problems::example(*code)) })
        })
        .collect()
}

/// References to the headers of a successful answer.
pub(super) fn success_headers(may_set_cookie: bool) -> Ordered<OrReference<Header>> {
    references(std::iter::once(REQUEST_ID).chain(may_set_cookie.then_some(SET_COOKIE)))
}

/// The answer that leads elsewhere. (MED-22)
pub(super) fn redirect() -> Response {
    Response {
        description: "For callers who do not ask for JSON or MessagePack by name; there is no body.".to_owned(),
        headers: references([REQUEST_ID, LOCATION].into_iter()),
        content: Ordered::default(),
    }
}

/// The answers with those codes, one for each status, each with a name that says which codes they are.
pub(super) fn refusals(codes: &[ErrorCode], schemas: &mut Schemas) -> Vec<(u16, String, Response)> {
    let mut codes = codes.to_vec();
    codes.sort_by_key(|code| code.status());
    codes
        .chunk_by(|one, other| one.status() == other.status())
        .filter_map(|codes| {
            let name = codes.iter().map(|code| pascal_case(code.as_str())).collect::<Vec<_>>().join("Or");
            Some((codes.first()?.status(), name, refusal(codes, schemas)))
        })
        .collect()
}

fn refusal(codes: &[ErrorCode], schemas: &mut Schemas) -> Response {
    let lines: Vec<_> = codes.iter().map(|code| format!("- `{code}`: {}", code.description())).collect();
    let status = codes.first().map(|code| code.status());
    let schema = problems::schema(codes, schemas);
    let media_type = || MediaType {
        schema: schema.clone(),
        example: None,
        examples: codes
            .iter()
            .map(|code| (code.as_str().to_owned(), Reference::to("examples", code.as_str())))
            .collect(),
    };
    Response {
        description: lines.join("\n"),
        headers: references(
            std::iter::once(REQUEST_ID)
                .chain((status == Some(401)).then_some(WWW_AUTHENTICATE))
                .chain((status == Some(429)).then_some(RETRY_AFTER)),
        ),
        content: Format::ALL.iter().map(|format| (format.problem_type().to_owned(), media_type())).collect(),
    }
}

fn references<'a>(names: impl Iterator<Item = &'a str>) -> Ordered<OrReference<Header>> {
    names.map(|name| (name.to_owned(), OrReference::There(Reference::to("headers", name)))).collect()
}
