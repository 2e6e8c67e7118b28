//! The objects of AsyncAPI 3.0 that the document uses, named as the specification names them.

use serde::Serialize;
use serde_json::Value;

use crate::documents::ordered::Ordered;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::documents) struct AsyncApi {
    pub(super) asyncapi: &'static str,
    pub(super) info: Info,
    pub(super) default_content_type: &'static str,
    pub(super) servers: Ordered<Server>,
    pub(super) channels: Ordered<Channel>,
    pub(super) operations: Ordered<Operation>,
    pub(super) components: Components,
}

#[derive(Serialize)]
pub(super) struct Info {
    pub(super) title: &'static str,
    pub(super) version: String,
    pub(super) description: &'static str,
    pub(super) license: License,
}

#[derive(Serialize)]
pub(super) struct License {
    pub(super) name: &'static str,
}

#[derive(Serialize)]
pub(super) struct Server {
    pub(super) host: &'static str,
    pub(super) protocol: &'static str,
    pub(super) description: &'static str,
    pub(super) security: [Reference; 3],
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) variables: Value,
}

#[derive(Serialize)]
pub(super) struct Channel {
    pub(super) address: &'static str,
    pub(super) title: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: String,
    pub(super) messages: Ordered<Reference>,
    pub(super) bindings: Value,
    #[serde(rename = "x-close-codes")]
    pub(super) close_codes: Vec<Value>,
}

/// Whether the server receives or sends.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Receive,
    Send,
}

#[derive(Serialize)]
pub(super) struct Operation {
    pub(super) action: Direction,
    pub(super) channel: Reference,
    pub(super) title: String,
    pub(super) summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) messages: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<Reply>,
    /// Every code that an `error` frame may answer the action with.
    #[serde(rename = "x-error-codes", skip_serializing_if = "Vec::is_empty")]
    pub(super) error_codes: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Reply {
    pub(super) channel: Reference,
    pub(super) messages: Vec<Reference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correlation_id: Option<CorrelationId>,
    pub(super) payload: Value,
    pub(super) examples: Vec<NamedExample>,
}

#[derive(Serialize)]
pub(super) struct CorrelationId {
    pub(super) location: &'static str,
    pub(super) description: &'static str,
}

#[derive(Serialize)]
pub(super) struct NamedExample {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) payload: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) security_schemes: Ordered<Value>,
    pub(super) messages: Ordered<Message>,
    pub(super) schemas: Ordered<Value>,
}

#[derive(Serialize)]
pub(super) struct Reference {
    #[serde(rename = "$ref")]
    target: String,
}

impl Reference {
    /// A reference to a place in the document: `to(&["components", "messages", "hello"])`.
    pub(super) fn to(place: &[&str]) -> Self {
        Self { target: format!("#/{}", place.join("/")) }
    }
}
