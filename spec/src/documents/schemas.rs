//! The schemas of everything that travels, each once, under the name of its type.

mod tidy;
mod unions;

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    transform::{RemoveRefSiblings, Transform},
};
use serde_json::{Map, Value};

use super::ordered::Ordered;
use tidy::{required, tidy, tidy_answer};

/// What a document can read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON Schema, draft 2020-12.
    OpenApi,
    /// JSON Schema, draft 07, in which nothing may stand beside a `$ref`.
    AsyncApi,
}

/// Collects the schemas that a document refers to. Requests and answers differ: in a request `null` means the same as
/// leaving a field out, in an answer it does not occur. (CNV-5)
pub(super) struct Schemas {
    dialect: Dialect,
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new(dialect: Dialect) -> Self {
        let generator = |contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.contract = contract;
            settings.into_generator()
        };
        Self { dialect, requests: generator(Contract::Deserialize), answers: generator(Contract::Serialize) }
    }

    /// A reference to the schema of what a client sends.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// A reference to the schema of what a server sends.
    pub(super) fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// A schema of what a server sends that refers to further ones.
    pub(super) fn answer_with(&mut self, make: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
        let mut schema = make(&mut self.answers);
        self.dialect.adapt(tidy_answer)(&mut schema);
        schema.into()
    }

    /// The properties of a type whose fields travel one by one, with their names and whether they are required.
    pub(super) fn parameters<T: JsonSchema>(&mut self) -> Vec<(String, bool, Schema)> {
        let mut schema = T::json_schema(&mut self.requests);
        // A parameter of a path or query has no `null`.
        tidy_answer(&mut schema);
        let required = required(&schema);
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties
            .into_iter()
            .filter_map(|(name, schema)| Some((name.clone(), required.contains(&name), Schema::try_from(schema).ok()?)))
            .collect()
    }

    /// The schemas that were referred to. A type that both sides send has one schema; the test below makes sure that no
    /// type needs two.
    pub(super) fn definitions(mut self) -> Ordered<Value> {
        let mut definitions = tidied(self.requests.take_definitions(false), self.dialect.adapt(tidy));
        definitions.extend(tidied(self.answers.take_definitions(false), self.dialect.adapt(tidy_answer)));
        unions::split(definitions, self.dialect).into_iter().collect::<Ordered<_>>().sorted()
    }
}

impl Dialect {
    fn adapt(self, tidy: fn(&mut Schema)) -> impl Fn(&mut Schema) {
        move |schema| {
            tidy(schema);
            if self == Self::AsyncApi {
                RemoveRefSiblings::default().transform(schema);
            }
        }
    }
}

fn tidied(definitions: Map<String, Value>, tidy: impl Fn(&mut Schema)) -> Map<String, Value> {
    definitions
        .into_iter()
        .filter_map(|(name, schema)| {
            let mut schema = Schema::try_from(schema).ok()?;
            tidy(&mut schema);
            Some((name, schema.into()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Action, Endpoint,
        action::{ActionVisitor, visit_actions},
        api::{EndpointVisitor, visit_endpoints},
    };

    struct Everything(Schemas);

    impl EndpointVisitor for Everything {
        fn visit<E: Endpoint>(&mut self) {
            self.0.parameters::<E::Path>();
            self.0.parameters::<E::Query>();
            self.0.request::<E::Body>();
            self.0.answer::<E::Response>();
        }
    }

    impl ActionVisitor for Everything {
        fn visit<A: Action>(&mut self) {
            self.0.request::<A::Data>();
            self.0.answer::<A::Reply>();
        }
    }

    #[test]
    fn a_type_that_both_sides_send_has_one_schema() {
        let mut everything = Everything(Schemas::new(Dialect::OpenApi));
        visit_endpoints(&mut everything);
        visit_actions(&mut everything);
        let requests = tidied(everything.0.requests.take_definitions(false), tidy);
        let answers = tidied(everything.0.answers.take_definitions(false), tidy_answer);
        let shared: Vec<_> = requests.iter().filter(|(name, _)| answers.contains_key(*name)).collect();
        assert!(!shared.is_empty());
        for (name, schema) in shared {
            assert_eq!(Some(schema), answers.get(name), "{name} needs a type of its own for requests");
        }
    }
}
