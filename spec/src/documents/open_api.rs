//! The OpenAPI 3.1 document: as much of it as is used here.

mod document;
mod operation;
mod responses;

use document::{Components, Info, License, OpenApi, SecurityScheme, Server, Tag, Variable};
use operation::Operations;
use serde_json::json;

use super::ordered::Ordered;
use crate::{PROTOCOL_VERSION, api::visit_endpoints};

const DESCRIPTION: &str = "\
What a client of i9chat asks over HTTP. The meaning of it all stands in [the protocol](protocol.md), whose sentences are cited by \
their ids, such as MSG-7; what travels over the WebSocket stands in [asyncapi.json](asyncapi.json).

Every body is JSON or, with the same names and values, MessagePack: `Content-Type` says what a request holds, `Accept` what \
the answer shall hold. Clients ignore fields that they do not know, show content of an unknown kind as a placeholder, and treat an unknown error code by \
its `status` and `retryable`. (CNV-2 to CNV-4, CNV-14)

Besides the errors that each operation lists, a path that is not here is answered with `no_such_endpoint` (404), and a method that \
its path does not have with `method_not_allowed` (405). (CNV-16)";

/// What stands in the modules of `api`, in the order of the sections of `docs/protocol.md`, so that a reader finds both alike.
const TAGS: &[(&str, &str)] = &[
    ("capabilities", "What the server can do, and where its limits are."),
    ("signup", "Signing up, in three steps tied together by tickets."),
    ("password_reset", "Setting a new password without the old one, in three steps tied together by tickets."),
    ("sessions", "Signing in, staying signed in, signing out."),
    ("users", "Oneself, others by name, and others around a place."),
    ("chats", "Opening chats, and reading what they are like now."),
    ("messages", "Sending, and reading the history."),
    ("groups", "Creating groups, finding and changing them, and who is in them."),
    ("receipts", "How far everyone in a chat has got and read it."),
    ("reactions", "One emoji for each user and message."),
    ("media", "Uploading and downloading."),
    ("events", "The event stream without a WebSocket."),
];

/// The whole document.
pub(super) fn document() -> OpenApi {
    let mut operations = Operations::new();
    visit_endpoints(&mut operations);
    OpenApi {
        openapi: "3.1.1",
        info: Info {
            title: "i9chat",
            version: format!("{PROTOCOL_VERSION}"),
            summary: "A chat API: accounts, sessions, chats, messages and one log of events.",
            description: DESCRIPTION,
            license: License { name: "MIT OR Apache-2.0", identifier: "MIT OR Apache-2.0" },
        },
        servers: [Server {
            url: "{origin}",
            description: "Any server that speaks i9chat.",
            variables: [(
                "origin".to_owned(),
                Variable {
                    default: "http://127.0.0.1:8080",
                    description: "Scheme, host and port, without a slash at the end.",
                },
            )]
            .into_iter()
            .collect(),
        }],
        tags: TAGS.iter().map(|(name, description)| Tag { name, description }).collect(),
        paths: operations.paths,
        components: Components {
            security_schemes: security_schemes(),
            parameters: [(responses::REQUEST_ID.to_owned(), responses::request_id_parameter())].into_iter().collect(),
            headers: responses::headers(),
            responses: operations.responses.sorted(),
            examples: responses::examples(&operations.codes),
            schemas: operations.schemas.definitions(),
        },
    }
}

fn security_schemes() -> Ordered<SecurityScheme> {
    let bearer = SecurityScheme(json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token that signing in answered. When a cookie is given too, the header counts. (CAL-1, CAL-2)",
    }));
    let cookie = SecurityScheme(json!({
        "type": "apiKey",
        "in": "cookie",
        "name": "i9chat_session",
        "description": "Set by signing in with `cookie: true`; for browsers. (CAL-5, SES-1)",
    }));
    [("bearerAuth".to_owned(), bearer), ("cookieAuth".to_owned(), cookie)].into_iter().collect()
}
