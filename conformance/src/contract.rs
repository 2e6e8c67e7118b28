//! The documents as a judge: every body and frame that comes is held against the schemas that docs/openapi.json and
//! docs/asyncapi.json are made of.

use std::{collections::HashMap, sync::LazyLock};

use i9chat_spec::{
    Action, Endpoint, ErrorCode, ErrorFrame, Event, Heartbeat, Hello, Problem, Refusal,
    action::{ActionVisitor, visit_actions},
    api::{EndpointVisitor, visit_endpoints},
    event::{EventData, EventVisitor, visit_events},
    frame::event_schema,
};
use jsonschema::Validator;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

/// The contract of this version of the protocol, compiled once.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::compile);

/// Every schema of an answer or frame, ready to judge.
pub struct Contract {
    endpoints: Vec<EndpointContract>,
    replies: HashMap<&'static str, ActionContract>,
    events: HashMap<&'static str, Validator>,
    problem: Validator,
    hello: Validator,
    error: Validator,
    heartbeat: Validator,
}

/// What one endpoint may answer.
pub struct EndpointContract {
    /// Its name in the documents.
    pub name: &'static str,
    method: &'static str,
    path: &'static str,
    /// The status of success.
    pub status: u16,
    /// Whether it leads elsewhere, with 302, a caller who does not ask for a body by name. (MED-22)
    pub redirects: bool,
    /// Every code that it declares. (ERR-2)
    pub codes: Vec<ErrorCode>,
    /// Those of them that are its own: what it refuses beyond what every endpoint does.
    pub refusals: &'static [ErrorCode],
    /// The schema of the body; none where the answer has no body.
    response: Option<Validator>,
}

struct ActionContract {
    codes: Vec<ErrorCode>,
    reply: Validator,
}

impl Contract {
    fn compile() -> Self {
        let mut contract = Self {
            endpoints: Vec::new(),
            replies: HashMap::new(),
            events: HashMap::new(),
            problem: validator_of::<Problem>(),
            hello: validator_of::<Hello>(),
            error: validator_of::<ErrorFrame>(),
            heartbeat: validator_of::<Heartbeat>(),
        };
        visit_endpoints(&mut contract);
        visit_actions(&mut contract);
        visit_events(&mut contract);
        contract
    }

    /// The endpoint of a method and path (without its query), if the protocol has it.
    pub fn endpoint(&self, method: &str, path: &str) -> Option<&EndpointContract> {
        self.endpoints.iter().find(|endpoint| endpoint.method == method && is_path_of(endpoint.path, path))
    }

    /// Every refusal of an endpoint's own, with the name of the endpoint.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, ErrorCode)> {
        self.endpoints.iter().flat_map(|endpoint| endpoint.refusals.iter().map(|code| (endpoint.name, *code)))
    }

    /// What is wrong with a body that an endpoint answered with success.
    pub fn breaches_of_response(&self, endpoint: &EndpointContract, body: Option<&Value>) -> Vec<String> {
        match (&endpoint.response, body) {
            (Some(schema), Some(body)) => [breaches(schema, body), plainness(body)].concat(),
            (None, None) => Vec::new(),
            (Some(_), None) => vec!["no body".to_owned()],
            (None, Some(_)) => vec!["a body where none belongs".to_owned()],
        }
    }

    /// What is wrong with a problem, whoever answered it. (ERR-1, ERR-2, ERR-4, ERR-7)
    pub fn breaches_of_problem(&self, problem: &Value) -> Vec<String> {
        let mut found = [breaches(&self.problem, problem), plainness(problem)].concat();
        let Some(code) = problem["code"].as_str().and_then(ErrorCode::from_text) else { return found };
        if problem["status"] != code.status() {
            found.push(format!("the status of {code} is {}, not {}", code.status(), problem["status"]));
        }
        if problem["retryable"] != code.retryable() {
            found.push(format!("retryable of {code} is {}, not {}", code.retryable(), problem["retryable"]));
        }
        if code == ErrorCode::RateLimited && problem["retry_after_ms"].as_u64().is_none() {
            found.push("rate_limited without retry_after_ms (ERR-7)".to_owned());
        }
        if code == ErrorCode::InvalidRequest && problem["fields"].as_array().is_none_or(Vec::is_empty) {
            found.push("invalid_request without fields (ERR-4)".to_owned());
        }
        if let Some(kind) = problem.get("type")
            && kind != "about:blank"
        {
            found.push(format!("the type of a problem is about:blank, not {kind} (ERR-1)"));
        }
        found
    }

    /// What is wrong with a frame. `action_of` tells which action the client gave an id to.
    pub fn breaches_of_frame(&self, frame: &Value, action_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut found = plainness(frame);
        let action = frame["id"].as_str().and_then(action_of);
        match frame["type"].as_str() {
            Some("hello") => found.extend(breaches(&self.hello, frame)),
            Some("heartbeat") => found.extend(breaches(&self.heartbeat, frame)),
            Some("event") => {
                // An event that this version does not know is no breach. (CNV-14)
                match frame["event"].as_str() {
                    Some(name) => {
                        found.extend(self.events.get(name).into_iter().flat_map(|schema| breaches(schema, frame)));
                    }
                    None => found.push("an event without a name".to_owned()),
                }
            }
            Some("reply") => match action.as_deref().map(|action| self.replies.get(action)) {
                Some(Some(contract)) => found.extend(breaches(&contract.reply, &frame["data"])),
                Some(None) => found.push("a reply to an action that the protocol does not have".to_owned()),
                None => found.push("a reply to an id that was not sent (WSK-4)".to_owned()),
            },
            Some("error") => {
                found.extend(breaches(&self.error, frame));
                found.extend(self.breaches_of_problem(&frame["error"]));
                match action {
                    Some(action) => found.extend(self.undeclared(&action, &frame["error"])),
                    None => found.push("an error to an id that was not sent (WSK-4)".to_owned()),
                }
            }
            // A frame of another type is to be ignored, but it has one. (CNV-14)
            Some(_) => {}
            None => found.push("a frame without a type".to_owned()),
        }
        found
    }

    fn undeclared(&self, action: &str, problem: &Value) -> Option<String> {
        let code = problem["code"].as_str()?;
        let declared = match self.replies.get(action) {
            Some(contract) => contract.codes.iter().any(|declared| declared.as_str() == code),
            // Of an action that there is not, what every action may answer.
            None => {
                matches!(code, "unknown_action" | "invalid_request" | "rate_limited" | "session_ended" | "overloaded")
            }
        };
        (!declared).then(|| format!("{code} is not declared by the action {action} (ERR-2)"))
    }
}

/// Whether an answer of a kind holds only what JSON of this protocol may: no `null` (CNV-5), no fraction but in coordinates (CNV-15).
fn plainness(value: &Value) -> Vec<String> {
    match value {
        Value::Null => vec!["null where a field is to be left out (CNV-5)".to_owned()],
        Value::Number(number) if number.is_f64() => vec![format!("{number} is no integer (CNV-15)")],
        Value::Array(items) => items.iter().flat_map(plainness).collect(),
        Value::Object(fields) => {
            let coordinate = |name: &str, value: &Value| matches!(name, "lat" | "lon") && value.is_number();
            fields
                .iter()
                .filter(|(name, value)| !coordinate(name, value))
                .flat_map(|(_, value)| plainness(value))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn breaches(schema: &Validator, value: &Value) -> Vec<String> {
    schema.iter_errors(value).map(|error| format!("{} at '{}'", error.masked(), error.instance_path())).collect()
}

fn validator_of<T: JsonSchema>() -> Validator {
    let mut generator = generator();
    let schema = generator.root_schema_for::<T>();
    compiled(schema.as_value())
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

fn compiled(schema: &Value) -> Validator {
    #[expect(
        clippy::expect_used,
        reason = "the schemas are generated from the types of the spec crate and compiled by a test"
    )]
    jsonschema::validator_for(schema).expect("a generated schema compiles")
}

/// Whether a path is of a template such as `/v1/chats/{chat_id}`. A literal part wins where both would fit, as the list of endpoints has it.
fn is_path_of(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let fits = template
        .split('/')
        .all(|wanted| parts.next().is_some_and(|part| wanted == part || (wanted.starts_with('{') && !part.is_empty())));
    fits && parts.next().is_none()
}

impl EndpointVisitor for Contract {
    fn visit<E: Endpoint>(&mut self) {
        use i9chat_spec::endpoint::Part;
        self.endpoints.push(EndpointContract {
            name: E::NAME,
            method: E::METHOD.as_str(),
            path: E::PATH,
            status: E::STATUS,
            redirects: E::REDIRECTS,
            codes: E::error_codes(),
            refusals: E::Refusal::ALL,
            response: E::Response::is_present().then(validator_of::<E::Response>),
        });
    }
}

impl ActionVisitor for Contract {
    fn visit<A: Action>(&mut self) {
        self.replies.insert(A::NAME, ActionContract { codes: A::error_codes(), reply: validator_of::<A::Reply>() });
    }
}

impl EventVisitor for Contract {
    fn visit<E: EventData>(&mut self) {
        let mut generator = generator();
        let mut schema = event_schema::<E>(&mut generator);
        schema.insert("$defs".to_owned(), Value::Object(generator.take_definitions(true)));
        self.events.insert(E::NAME, compiled(schema.as_value()));
    }
}

/// The names of all events, which a reader of frames may meet.
pub const EVENTS: &[&str] = Event::NAMES;

#[cfg(test)]
mod tests {
    use i9chat_spec::{Example, ServerFrame, frame::ReplyFrame};
    use serde_json::json;

    use super::*;

    fn frame(frame: &ServerFrame) -> Vec<String> {
        let frame = serde_json::to_value(frame).unwrap();
        CONTRACT.breaches_of_frame(&frame, |_| Some("send_message".to_owned()))
    }

    #[test]
    fn examples_keep_the_contract() {
        assert_eq!(frame(&ServerFrame::Hello(Hello::example())), Vec::<String>::new());
        assert_eq!(frame(&ServerFrame::Heartbeat(Heartbeat::example())), Vec::<String>::new());
        assert_eq!(frame(&ServerFrame::Error(ErrorFrame::example())), Vec::<String>::new());
        assert_eq!(frame(&ServerFrame::Event(i9chat_spec::EventFrame::example())), Vec::<String>::new());
        let reply = i9chat_spec::api::messages::MessageSent::example();
        let reply = ReplyFrame { id: "1".parse().unwrap(), data: serde_json::to_value(reply).unwrap() };
        assert_eq!(frame(&ServerFrame::Reply(reply)), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_body_is_told_by_its_place() {
        let endpoint = CONTRACT.endpoint("GET", "/v1/me").unwrap();
        let found = CONTRACT.breaches_of_response(endpoint, Some(&json!({ "user_id": 7 })));
        assert!(found.iter().any(|breach| breach.contains("/user_id")), "{found:?}");
        assert!(!CONTRACT.breaches_of_response(endpoint, None).is_empty());
    }

    #[test]
    fn unknown_fields_and_events_are_no_breach() {
        let mut hello = serde_json::to_value(ServerFrame::Hello(Hello::example())).unwrap();
        hello["mood"] = json!("fine");
        assert_eq!(CONTRACT.breaches_of_frame(&hello, |_| None), Vec::<String>::new());
        let event = json!({ "type": "event", "event": "moon_rose", "cursor": "x", "data": {} });
        assert_eq!(CONTRACT.breaches_of_frame(&event, |_| None), Vec::<String>::new());
    }

    #[test]
    fn a_problem_is_held_against_its_row() {
        let mut problem = serde_json::to_value(Problem::example()).unwrap();
        assert_eq!(CONTRACT.breaches_of_problem(&problem), Vec::<String>::new());
        problem["status"] = json!(422);
        problem["retryable"] = json!(true);
        problem["fields"] = json!([]);
        assert_eq!(CONTRACT.breaches_of_problem(&problem).len(), 3);
        problem["code"] = json!("out_of_luck");
        assert!(!CONTRACT.breaches_of_problem(&problem).is_empty());
    }

    #[test]
    fn answers_to_nothing_are_breaches() {
        let reply = json!({ "type": "reply", "id": "9", "data": {} });
        assert_eq!(CONTRACT.breaches_of_frame(&reply, |_| None).len(), 1);
        assert_eq!(CONTRACT.breaches_of_frame(&json!({}), |_| None).len(), 1);
    }

    #[test]
    fn nulls_and_fractions_are_breaches() {
        assert_eq!(plainness(&json!({ "a": [null, 1.5, 1, "x", { "b": null }] })).len(), 3);
        assert_eq!(plainness(&json!({ "location": { "lat": 1.5, "lon": null }, "radius": 1.5 })).len(), 2);
    }

    #[test]
    fn paths_are_told_from_each_other() {
        assert!(is_path_of("/v1/chats/{chat_id}", "/v1/chats/x"));
        assert!(!is_path_of("/v1/chats/{chat_id}", "/v1/chats/"));
        assert!(!is_path_of("/v1/chats/{chat_id}", "/v1/chats"));
        assert!(!is_path_of("/v1/chats", "/v1/chats/x"));
    }
}
