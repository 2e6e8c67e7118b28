//! From an endpoint to its operation.

use std::{any::TypeId, collections::BTreeSet};

use serde_json::{Value, json};

use super::{
    document::{MediaType, Operation, OrReference, Parameter, PathItem, Reference, RequestBody, Response},
    responses,
};
use crate::{
    Endpoint, ErrorCode, Example, Format,
    api::{EndpointVisitor, sessions::SessionOpened},
    documents::{
        ordered::Ordered,
        prose::Prose,
        schemas::{Dialect, Schemas},
    },
    endpoint::{Access, Part},
};

/// Collects an operation for each endpoint, and what they refer to.
pub(super) struct Operations {
    pub(super) paths: Ordered<PathItem>,
    pub(super) responses: Ordered<Response>,
    /// Every code that one of them can answer with.
    pub(super) codes: BTreeSet<ErrorCode>,
    pub(super) schemas: Schemas,
}

impl Operations {
    pub(super) fn new() -> Self {
        Self {
            paths: Ordered::default(),
            responses: Ordered::default(),
            codes: BTreeSet::new(),
            schemas: Schemas::new(Dialect::OpenApi),
        }
    }

    fn parameters<E: Endpoint>(&mut self) -> Vec<OrReference<Parameter>> {
        let mut parameters = Vec::new();
        for (place, fields) in
            [("path", self.schemas.parameters::<E::Path>()), ("query", self.schemas.parameters::<E::Query>())]
        {
            for (name, required, mut schema) in fields {
                let description = schema.remove("description").and_then(|text| text.as_str().map(str::to_owned));
                parameters.push(OrReference::Here(Parameter {
                    name,
                    place,
                    required,
                    description: description.unwrap_or_default(),
                    schema: schema.into(),
                }));
            }
        }
        parameters.push(OrReference::There(Reference::to("parameters", responses::REQUEST_ID)));
        parameters
    }

    fn body<E: Endpoint>(&mut self) -> Option<RequestBody> {
        E::Body::is_present().then(|| RequestBody {
            description: describe::<E::Body>(),
            required: true,
            content: content::<E::Body>(&self.schemas.request::<E::Body>()),
        })
    }

    fn success<E: Endpoint>(&mut self) -> Response {
        let may_set_cookie = TypeId::of::<E::Response>() == TypeId::of::<SessionOpened>();
        let headers = responses::success_headers(may_set_cookie);
        if E::Response::is_present() {
            let content = content::<E::Response>(&self.schemas.answer::<E::Response>());
            Response { description: describe::<E::Response>(), headers, content }
        } else {
            Response { description: "Done; there is no body.".to_owned(), headers, content: Ordered::default() }
        }
    }

    fn responses<E: Endpoint>(&mut self) -> Ordered<OrReference<Response>> {
        let mut answers = Ordered::default();
        answers.insert(E::STATUS.to_string(), OrReference::Here(self.success::<E>()));
        if E::REDIRECTS {
            answers.insert("302", OrReference::Here(responses::redirect()));
        }
        let codes = E::error_codes();
        self.codes.extend(&codes);
        for (status, name, response) in responses::refusals(&codes, &mut self.schemas) {
            answers.insert(status.to_string(), OrReference::There(Reference::to("responses", &name)));
            self.responses.insert_once(name, response);
        }
        answers
    }
}

impl EndpointVisitor for Operations {
    fn visit<E: Endpoint>(&mut self) {
        let prose = Prose::of(E::DOCS);
        let operation = Operation {
            tags: [noun(E::MODULE).to_owned()],
            id: E::NAME,
            summary: prose.summary,
            description: prose.description,
            security: if E::Caller::SIGNED_IN { either_scheme() } else { Vec::new() },
            parameters: self.parameters::<E>(),
            request_body: self.body::<E>(),
            responses: self.responses::<E>(),
        };
        self.paths.update(E::PATH, |path| path.insert(E::METHOD.as_str().to_ascii_lowercase(), operation));
    }
}

/// `i9chat_spec::api::messages::send` is about `messages`.
fn noun(module: &str) -> &str {
    module.split("::").skip_while(|name| *name != "api").nth(1).unwrap_or_default()
}

fn either_scheme() -> Vec<Ordered<[String; 0]>> {
    ["bearerAuth", "cookieAuth"].map(|scheme| [(scheme.to_owned(), [])].into_iter().collect()).into()
}

fn content<T: Part>(schema: &Value) -> Ordered<MediaType> {
    Format::ALL
        .iter()
        .map(|format| {
            let example = Some(json!(<T as Example>::example()));
            (
                format.media_type().to_owned(),
                MediaType { schema: schema.clone(), example, examples: Ordered::default() },
            )
        })
        .collect()
}

fn describe<T: Part>() -> String {
    let schema = schemars::schema_for!(T);
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}
