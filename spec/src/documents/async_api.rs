//! The AsyncAPI 3.0 document: as much of it as is used here.

mod document;
mod messages;
mod operations;

use document::{AsyncApi, Channel, Components, Info, License, Reference, Server};
use serde_json::{Value, json};

use super::{
    ordered::Ordered,
    schemas::{Dialect, Schemas},
};
use crate::{CloseCode, Cursor, Format, PROTOCOL_VERSION, Reconnect};

const DESCRIPTION: &str = "\
What travels over the WebSocket of i9chat, as its server sees it: the server *receives* actions and *sends* replies, errors and events. The meaning of \
it all stands in [the protocol](protocol.md), whose sentences are cited by their ids, such as WSK-4; what is asked over HTTP stands in \
[openapi.json](openapi.json).

A frame is one message: text holding JSON under the subprotocol `i9chat.v1.json`, binary holding MessagePack with the same names and values under \
`i9chat.v1.msgpack`. Clients ignore fields, frames and events that they do not know, show content of an unknown kind as a placeholder, and treat an unknown \
error code by its `status` and `retryable`. (CNV-4, CNV-14, WSK-1)";

const CHANNEL_DESCRIPTION: &str = "\
Opened by `GET /v1/ws` with a token or cookie, and closed with one of these codes; the reason of a close starts with the name, and may say \
`retry_after_ms=N`. (WSK-13)

";

/// The name of the only channel.
const CHANNEL: &str = "connection";

/// The whole document.
pub(super) fn document() -> AsyncApi {
    let mut schemas = Schemas::new(Dialect::AsyncApi);
    let (messages, operations) = operations::collect(&mut schemas);
    let channel = Channel {
        address: "/v1/ws",
        title: "Connection",
        summary: "One WebSocket of a signed-in user.",
        description: format!("{CHANNEL_DESCRIPTION}{}", close_code_table()),
        messages: messages
            .names()
            .map(|name| (name.to_owned(), Reference::to(&["components", "messages", name])))
            .collect(),
        bindings: json!({ "ws": { "method": "GET", "query": query(&mut schemas), "headers": headers(), "bindingVersion": "0.1.0" } }),
        close_codes: close_codes(),
    };
    AsyncApi {
        asyncapi: "3.0.0",
        info: Info {
            title: "i9chat",
            version: format!("{PROTOCOL_VERSION}"),
            description: DESCRIPTION,
            license: License { name: "MIT OR Apache-2.0" },
        },
        default_content_type: Format::Json.media_type(),
        servers: servers(),
        channels: [(CHANNEL.to_owned(), channel)].into_iter().collect(),
        operations,
        components: Components { security_schemes: security_schemes(), messages, schemas: schemas.definitions() },
    }
}

fn servers() -> Ordered<Server> {
    let server = |host, protocol, description| Server {
        host,
        protocol,
        description,
        security: ["bearerAuth", "cookieAuth", "subprotocolAuth"]
            .map(|scheme| Reference::to(&["components", "securitySchemes", scheme])),
        variables: Value::Null,
    };
    let public = Server {
        variables: json!({ "host": { "default": "chat.example", "description": "The name that the server is reached by." } }),
        ..server("{host}", "wss", "Any server that speaks i9chat.")
    };
    let local = server("127.0.0.1:8080", "ws", "A server on the same machine, for trying out.");
    [("public".to_owned(), public), ("local".to_owned(), local)].into_iter().collect()
}

fn security_schemes() -> Ordered<Value> {
    let scheme = |name: &str, scheme| (name.to_owned(), scheme);
    [
        scheme(
            "bearerAuth",
            json!({
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The token that signing in answered. (CAL-1)",
            }),
        ),
        scheme(
            "cookieAuth",
            json!({
                "type": "httpApiKey",
                "in": "cookie",
                "name": "i9chat_session",
                "description": "Set by signing in with `cookie: true`; needs an `Origin` that is allowed. (CAL-5, CAL-9)",
            }),
        ),
        scheme(
            "subprotocolAuth",
            json!({
                "type": "httpApiKey",
                "in": "header",
                "name": "Sec-WebSocket-Protocol",
                "description": "`bearer.<token>`, offered besides the subprotocol that is wanted; never selected. (CAL-8)",
            }),
        ),
    ]
    .into_iter()
    .collect()
}

fn query(schemas: &mut Schemas) -> Value {
    json!({
        "type": "object",
        "properties": {
            "cursor": {
                "allOf": [schemas.request::<Cursor>()],
                "description": "The cursor of the last event or heartbeat that the client has applied; left out to start afresh. (RSM-2, LOG-11)",
            },
        },
    })
}

fn headers() -> Value {
    let offered: Vec<_> = Format::ALL.iter().map(|format| format.subprotocol()).collect();
    json!({
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {
                "type": "string",
                "description": "The subprotocols that the client offers, with commas between them; the server selects the first that it knows. (WSK-1)",
                "examples": [offered.join(", "), format!("{}, bearer.<token>", Format::Json.subprotocol())],
            },
        },
        "required": ["Sec-WebSocket-Protocol"],
    })
}

fn reconnect(code: CloseCode) -> &'static str {
    match code.reconnect() {
        Reconnect::No => "no",
        Reconnect::AfterRefresh => "after a refresh",
        Reconnect::Yes => "yes",
    }
}

fn close_codes() -> Vec<Value> {
    CloseCode::ALL
        .iter()
        .map(|code| {
            json!({
                "code": code.number(),
                "name": code.name(),
                "reconnect": reconnect(*code),
                "description": code.description(),
            })
        })
        .collect()
}

fn close_code_table() -> String {
    let rows = CloseCode::ALL.iter().map(|code| {
        format!("| {} | `{}` | {} | {} |", code.number(), code.name(), reconnect(*code), code.description())
    });
    ["| Close code | Name | Reconnect | When |".to_owned(), "|---|---|---|---|".to_owned()]
        .into_iter()
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}
