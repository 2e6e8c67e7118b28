//! Every endpoint stands in the OpenAPI document, with all that a client needs to know.

use std::collections::BTreeSet;

use i9chat_spec::{
    Endpoint, Format,
    api::{EndpointVisitor, visit_endpoints},
    endpoint::{Access, Part},
};
use serde_json::Value;

use crate::{OPEN_API, page::PAGE, reads_well, resolve};

/// Runs a check on each endpoint and its operation.
fn each_operation(check: fn(&Facts, &Value)) {
    struct Check(fn(&Facts, &Value), usize);

    impl EndpointVisitor for Check {
        fn visit<E: Endpoint>(&mut self) {
            let operation = &OPEN_API["paths"][E::PATH][E::METHOD.as_str().to_ascii_lowercase()];
            assert_eq!(operation["operationId"], E::NAME);
            (self.0)(&Facts::of::<E>(), operation);
            self.1 += 1;
        }
    }

    let mut checked = Check(check, 0);
    visit_endpoints(&mut checked);
    let operations: usize =
        OPEN_API["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(checked.1, operations, "the document has as many operations as there are endpoints");
}

/// What the endpoint itself says.
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
struct Facts {
    name: &'static str,
    path: &'static str,
    status: String,
    signed_in: bool,
    has_body: bool,
    has_answer: bool,
    redirects: bool,
    /// The query parameters without which the query is refused.
    needs: BTreeSet<String>,
    codes: BTreeSet<(String, String)>,
}

impl Facts {
    fn of<E: Endpoint>() -> Self {
        Self {
            name: E::NAME,
            path: E::PATH,
            status: E::STATUS.to_string(),
            signed_in: E::Caller::SIGNED_IN,
            has_body: E::Body::is_present(),
            has_answer: E::Response::is_present(),
            redirects: E::REDIRECTS,
            needs: needs::<E::Query>(),
            codes: E::error_codes().iter().map(|code| (code.status().to_string(), code.to_string())).collect(),
        }
    }
}

fn needs<Q: Part>() -> BTreeSet<String> {
    let right = serde_json::to_value(Q::example()).unwrap();
    let is_needed = |name: &str| {
        let mut without = right.clone();
        without.as_object_mut().unwrap().remove(name);
        serde_json::from_value::<Q>(without).is_err()
    };
    right.as_object().unwrap().keys().filter(|name| is_needed(name)).cloned().collect()
}

fn in_both_encodings(content: &Value) -> bool {
    Format::ALL.iter().all(|format| content.get(format.media_type()).is_some())
}

#[test]
fn an_operation_reads_well() {
    each_operation(|facts, operation| {
        assert!(reads_well(&operation["summary"]), "{} has no summary", facts.name);
        assert!(
            !operation["summary"].as_str().unwrap().contains('('),
            "{}: clauses stand in the description",
            facts.name
        );
        assert!(reads_well(&operation["description"]), "{} has no description", facts.name);
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(
            OPEN_API["tags"].as_array().unwrap().iter().any(|known| known["name"] == tag),
            "{tag} is not described"
        );
    });
}

#[test]
fn every_tag_has_an_operation() {
    for tag in OPEN_API["tags"].as_array().unwrap() {
        let operations =
            OPEN_API["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        assert!(operations.into_iter().any(|operation| operation["tags"][0] == tag["name"]), "{tag} has no operation");
    }
}

/// The sections of the page, each with its sentences.
fn section_of(clause: &str) -> usize {
    PAGE.split("\n## ").position(|section| section.contains(&format!("\n**{clause}.**"))).unwrap()
}

#[test]
fn tags_stand_in_the_order_of_the_sections() {
    let sections: Vec<_> = OPEN_API["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| {
            let of_tag = |operation: &&Value| operation["tags"][0] == tag["name"];
            let operations =
                OPEN_API["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
            let operations = operations.filter(of_tag);
            let cited = operations.filter_map(|operation| {
                let (_, clauses) = operation["description"].as_str()?.rsplit_once("(protocol.md): ")?;
                clauses.split([',', ' ', '.']).next()
            });
            (tag["name"].as_str().unwrap(), cited.map(section_of).min().unwrap())
        })
        .collect();
    // Where a client starts, though the page has it near its end.
    let [(first, _), rest @ ..] = sections.as_slice() else { panic!("there are tags") };
    assert_eq!(*first, "capabilities");
    assert!(rest.is_sorted_by_key(|(_, section)| section), "{rest:?}");
}

#[test]
fn parameters_are_described_and_those_of_the_path_are_all_there() {
    each_operation(|facts, operation| {
        let parameters: Vec<_> =
            operation["parameters"].as_array().unwrap().iter().map(|parameter| resolve(&OPEN_API, parameter)).collect();
        for parameter in &parameters {
            assert!(reads_well(&parameter["description"]), "{}: {parameter}", facts.name);
            let needed = parameter["in"] == "path" || facts.needs.contains(parameter["name"].as_str().unwrap());
            assert_eq!(parameter["required"], needed, "{}: {parameter}", facts.name);
        }
        let in_path: BTreeSet<_> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let named: BTreeSet<_> =
            facts.path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(in_path, named, "{}", facts.name);
        assert!(parameters.iter().any(|parameter| parameter["name"] == "X-Request-Id"), "{}", facts.name);
    });
}

#[test]
fn bodies_and_answers_come_in_both_encodings() {
    each_operation(|facts, operation| {
        assert_eq!(operation.get("requestBody").is_some(), facts.has_body, "{}", facts.name);
        if facts.has_body {
            assert_eq!(operation["requestBody"]["required"], true);
            assert!(in_both_encodings(&operation["requestBody"]["content"]), "{}", facts.name);
        }
        let answer = &operation["responses"][&facts.status];
        assert!(reads_well(&answer["description"]), "{}", facts.name);
        assert_eq!(in_both_encodings(&answer["content"]), facts.has_answer, "{}", facts.name);
    });
}

#[test]
fn an_endpoint_that_leads_elsewhere_says_where() {
    each_operation(|facts, operation| {
        let redirect = operation["responses"].get("302");
        assert_eq!(redirect.is_some(), facts.redirects, "{}", facts.name);
        if let Some(redirect) = redirect {
            assert!(redirect["headers"].get("Location").is_some(), "{}", facts.name);
            assert!(redirect.get("content").is_none(), "{}", facts.name);
        }
    });
}

#[test]
fn every_error_code_is_declared_with_its_status() {
    each_operation(|facts, operation| {
        let declared: BTreeSet<_> = operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| **status != facts.status && !(facts.redirects && *status == "302"))
            .flat_map(|(status, response)| {
                let response = resolve(&OPEN_API, response);
                let content = response["content"].as_object().unwrap();
                assert_eq!(content.keys().collect::<Vec<_>>(), ["application/problem+json", "application/vnd.msgpack"]);
                let examples = content.values().flat_map(|media_type| media_type["examples"].as_object().unwrap());
                examples.map(|(code, _)| (status.clone(), code.clone())).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(declared, facts.codes, "{}", facts.name);
    });
}

#[test]
fn headers_are_declared_where_they_apply() {
    each_operation(|facts, operation| {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let headers = &resolve(&OPEN_API, response)["headers"];
            assert!(headers.get("X-Request-Id").is_some(), "{} {status}", facts.name);
            assert_eq!(headers.get("WWW-Authenticate").is_some(), status == "401", "{} {status}", facts.name);
            assert_eq!(headers.get("Retry-After").is_some(), status == "429", "{} {status}", facts.name);
        }
        let sets_cookie = operation["responses"][&facts.status]["headers"].get("Set-Cookie").is_some();
        assert_eq!(sets_cookie, ["sign_in", "complete_signup"].contains(&facts.name), "{}", facts.name);
    });
}

#[test]
fn callers_are_asked_for_a_token_or_cookie_or_nothing() {
    each_operation(|facts, operation| {
        let schemes: Vec<_> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|scheme| scheme.as_object().unwrap().keys())
            .collect();
        let expected: &[&str] = if facts.signed_in { &["bearerAuth", "cookieAuth"] } else { &[] };
        assert_eq!(schemes, expected, "{}", facts.name);
    });
}
