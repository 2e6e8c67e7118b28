//! What there is to ask: every endpoint and action of the profiles that the server claims, with an example of each part.

use i9chat_spec::{
    Access, Action, Endpoint, Profile,
    action::{ActionVisitor, visit_actions},
    api::{EndpointVisitor, visit_endpoints},
    endpoint::Part,
};
use serde_json::{Value, json};

use crate::{
    client::Request,
    world::{User, World},
};

/// An endpoint, by example.
#[derive(Debug, Clone)]
pub struct Operation {
    pub name: &'static str,
    pub method: &'static str,
    pub template: &'static str,
    pub signed_in: bool,
    /// The parameters of the path.
    pub path: Value,
    /// The parameters of the query.
    pub query: Value,
    /// The body, where there is one.
    pub body: Option<Value>,
    profile: Profile,
}

/// An action of the WebSocket, by example.
#[derive(Debug, Clone)]
pub struct Deed {
    pub name: &'static str,
    pub data: Value,
    profile: Profile,
}

/// The profile whose servers have an endpoint.
fn profile_of(name: &str, template: &str) -> Profile {
    let starts = |start: &str| template.starts_with(start);
    match name {
        "get_me" | "get_user" => Profile::Core,
        _ if template.contains("/reaction") => Profile::Reactions,
        _ if template.ends_with("/receipts") => Profile::Receipts,
        _ if starts("/v1/me") || starts("/v1/users") => Profile::Users,
        _ if starts("/v1/chats") || starts("/v1/direct") => Profile::Messages,
        _ if starts("/v1/groups") => Profile::Groups,
        _ if starts("/v1/media") || starts("/v1/uploads") => Profile::Media,
        _ if starts("/v1/events") => Profile::Resume,
        _ => Profile::Core,
    }
}

struct Operations(Vec<Operation>);

fn value_of<P: Part>() -> Value {
    serde_json::to_value(P::example()).unwrap_or_default()
}

impl EndpointVisitor for Operations {
    fn visit<E: Endpoint>(&mut self) {
        self.0.push(Operation {
            name: E::NAME,
            method: E::METHOD.as_str(),
            template: E::PATH,
            signed_in: E::Caller::SIGNED_IN,
            path: value_of::<E::Path>(),
            query: value_of::<E::Query>(),
            body: E::Body::is_present().then(value_of::<E::Body>),
            profile: profile_of(E::NAME, E::PATH),
        });
    }
}

/// Every endpoint that the server has by its profiles.
pub fn operations(world: &World) -> Vec<Operation> {
    let mut found = Operations(Vec::new());
    visit_endpoints(&mut found);
    found.0.retain(|operation| world.claims(operation.profile));
    found.0
}

struct Deeds(Vec<Deed>);

impl ActionVisitor for Deeds {
    fn visit<A: Action>(&mut self) {
        let profile = match A::NAME {
            "send_message" => Profile::Messages,
            "mark_receipts" => Profile::Receipts,
            "set_reaction" | "remove_reaction" => Profile::Reactions,
            _ => Profile::Presence,
        };
        self.0.push(Deed { name: A::NAME, data: value_of::<A::Data>(), profile });
    }
}

/// Every action that the server has by its profiles.
pub fn deeds(world: &World) -> Vec<Deed> {
    let mut found = Deeds(Vec::new());
    visit_actions(&mut found);
    found.0.retain(|deed| world.claims(deed.profile));
    found.0
}

impl Operation {
    /// The path with its parameters filled in, one of them with this text instead of its example.
    pub fn path_with(&self, instead: Option<(&str, &str)>) -> String {
        let mut path = self.template.to_owned();
        for (name, value) in self.path.as_object().into_iter().flatten() {
            let value = match instead {
                Some((other, value)) if other == name => value,
                _ => value.as_str().unwrap_or_default(),
            };
            path = path.replace(&format!("{{{name}}}"), value);
        }
        path
    }

    /// The names of the parameters of its path.
    pub fn parameters(&self) -> Vec<&str> {
        self.path.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// A request for it, without a body; by this user where it needs one.
    pub fn request(&self, user: &User, path: impl Into<String>) -> Request {
        let client = if self.signed_in { (**user).clone() } else { user.anonymous() };
        client.request(self.method, path)
    }

    /// A request for it with its example and this body.
    pub fn with_body(&self, user: &User, body: &Value) -> Request {
        self.request(user, self.path_with(None)).json(body)
    }
}

/// A place inside an example.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where it is, as a JSON pointer.
    pub pointer: String,
    /// What stands there.
    pub value: Value,
}

impl Field {
    /// The field of the whole in which it is.
    pub fn outermost(&self) -> &str {
        self.pointer.split('/').nth(1).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// Values of every other type. A coordinate is the one number that may have a fraction. (CNV-15)
    pub fn of_other_types(&self) -> Vec<Value> {
        let whole = Some(json!(7)).filter(|_| !self.value.is_number());
        let fraction = Some(json!(1.5)).filter(|_| !matches!(self.name(), "lat" | "lon"));
        let truth = Some(json!(true)).filter(|_| !self.value.is_boolean());
        let text = Some(json!("7")).filter(|_| !self.value.is_string());
        let list = Some(json!([])).filter(|_| !self.value.is_array());
        let map = Some(json!({})).filter(|_| !self.value.is_object());
        [whole, fraction, truth, text, list, map].into_iter().flatten().collect()
    }

    /// The whole with another value in this place.
    pub fn replaced(&self, whole: &Value, value: Value) -> Value {
        let mut whole = whole.clone();
        if let Some(place) = whole.pointer_mut(&self.pointer) {
            *place = value;
        }
        whole
    }
}

/// Every place inside a value, but not the value itself.
pub fn fields(value: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    gather(value, String::new(), &mut found);
    found
}

fn gather(value: &Value, pointer: String, found: &mut Vec<Field>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                gather(value, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                gather(value, format!("{pointer}/{number}"), found);
            }
        }
        _ => {}
    }
    // What null stands for is no value of a type that could be another one.
    if !pointer.is_empty() && !value.is_null() {
        found.push(Field { pointer, value: value.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_value_is_found() {
        let value = json!({ "a": [{ "lat": 1.5 }], "b": "x", "c": null });
        let found = fields(&value);
        let pointers: Vec<_> = found.iter().map(|field| (field.pointer.as_str(), field.outermost())).collect();
        assert_eq!(pointers, [("/a/0/lat", "a"), ("/a/0", "a"), ("/a", "a"), ("/b", "b")]);
        assert_eq!(found[0].of_other_types(), [json!(true), json!("7"), json!([]), json!({})]);
        assert_eq!(found[3].of_other_types(), [json!(7), json!(1.5), json!(true), json!([]), json!({})]);
        assert_eq!(found[0].replaced(&value, json!(7)), json!({ "a": [{ "lat": 7 }], "b": "x", "c": null }));
    }

    #[test]
    fn every_endpoint_belongs_to_a_profile() {
        let mut found = Operations(Vec::new());
        visit_endpoints(&mut found);
        let of = |wanted: Profile| found.0.iter().filter(|operation| operation.profile == wanted).count();
        let named = Profile::ALL.iter().map(|profile| of(*profile)).sum::<usize>();
        assert_eq!(named, found.0.len());
        for (profile, path) in [
            (Profile::Users, "/v1/users"),
            (Profile::Receipts, "/v1/receipts"),
            (Profile::Reactions, "/v1/chats/{chat_id}/messages/{message_id}/reactions"),
            (Profile::Media, "/v1/uploads"),
            (Profile::Core, "/v1/users/{username}"),
            (Profile::Core, "/v1/password-reset"),
        ] {
            let operation = found.0.iter().find(|operation| operation.template == path);
            assert_eq!(operation.map(|operation| operation.profile), Some(profile), "{path}");
        }
    }
}
