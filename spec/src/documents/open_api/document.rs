//! The objects of OpenAPI 3.1 that the document uses, named as the specification names them.

use serde::Serialize;
use serde_json::Value;

use crate::documents::ordered::Ordered;

#[derive(Serialize)]
pub(in crate::documents) struct OpenApi {
    pub(super) openapi: &'static str,
    pub(super) info: Info,
    pub(super) servers: [Server; 1],
    pub(super) tags: Vec<Tag>,
    pub(super) paths: Ordered<PathItem>,
    pub(super) components: Components,
}

#[derive(Serialize)]
pub(super) struct Info {
    pub(super) title: &'static str,
    pub(super) version: String,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) license: License,
}

#[derive(Serialize)]
pub(super) struct License {
    pub(super) name: &'static str,
    pub(super) identifier: &'static str,
}

#[derive(Serialize)]
pub(super) struct Server {
    pub(super) url: &'static str,
    pub(super) description: &'static str,
    pub(super) variables: Ordered<Variable>,
}

#[derive(Serialize)]
pub(super) struct Variable {
    pub(super) default: &'static str,
    pub(super) description: &'static str,
}

#[derive(Serialize)]
pub(super) struct Tag {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// Operations by method, in lower case.
pub(super) type PathItem = Ordered<Operation>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) tags: [String; 1],
    #[serde(rename = "operationId")]
    pub(super) id: &'static str,
    pub(super) summary: String,
    pub(super) description: String,
    /// Each is enough; none is needed when there is none.
    pub(super) security: Vec<Ordered<[String; 0]>>,
    pub(super) parameters: Vec<OrReference<Parameter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_body: Option<RequestBody>,
    pub(super) responses: Ordered<OrReference<Response>>,
}

#[derive(Serialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) description: String,
    pub(super) schema: Value,
}

#[derive(Serialize)]
pub(super) struct RequestBody {
    pub(super) description: String,
    pub(super) required: bool,
    pub(super) content: Ordered<MediaType>,
}

#[derive(Serialize)]
pub(super) struct Response {
    pub(super) description: String,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) headers: Ordered<OrReference<Header>>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) content: Ordered<MediaType>,
}

#[derive(Serialize)]
pub(super) struct MediaType {
    pub(super) schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Value>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) examples: Ordered<Reference>,
}

#[derive(Serialize)]
pub(super) struct Header {
    pub(super) description: &'static str,
    pub(super) required: bool,
    pub(super) schema: Value,
}

#[derive(Serialize)]
pub(super) struct NamedExample {
    pub(super) summary: &'static str,
    pub(super) value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) security_schemes: Ordered<SecurityScheme>,
    pub(super) parameters: Ordered<Parameter>,
    pub(super) headers: Ordered<Header>,
    pub(super) responses: Ordered<Response>,
    pub(super) examples: Ordered<NamedExample>,
    pub(super) schemas: Ordered<Value>,
}

#[derive(Serialize)]
pub(super) struct SecurityScheme(pub(super) Value);

#[derive(Serialize)]
pub(super) struct Reference {
    #[serde(rename = "$ref")]
    target: String,
}

impl Reference {
    /// A reference to a component: `to("headers", "X-Request-Id")`.
    pub(super) fn to(kind: &str, name: &str) -> Self {
        Self { target: format!("#/components/{kind}/{name}") }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum OrReference<T> {
    Here(T),
    There(Reference),
}
