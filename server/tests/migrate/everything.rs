//! Everything that a user can read, as the server answers it.

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::{Value, json};

/// What changes by itself, or with each look at it.
const VOLATILE: [&str; 7] =
    ["presence", "last_seen", "online_members_count", "last_used_at", "request_id", "expires_at", "url"];

/// What was asked for, and what was answered.
pub type Answers = BTreeMap<String, Value>;

/// Somebody who asks a server over HTTP.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    url: String,
    token: String,
}

/// A session that was opened over HTTP.
pub struct Opened {
    pub caller: Caller,
    pub refresh_token: String,
}

/// Signs in.
pub async fn sign_in(url: &str, login: &str, password: &str) -> Opened {
    let http = Client::new();
    let body = json!({"login": login, "password": password});
    let (status, opened) = answered(with(http.post(format!("{url}/v1/sessions")), &body)).await;
    assert_eq!(status, StatusCode::CREATED, "{login} signs in");
    let text = |name: &str| opened.get(name).and_then(Value::as_str).unwrap().to_owned();
    let caller = Caller { http, url: url.to_owned(), token: text("token") };
    Opened { caller, refresh_token: text("refresh_token") }
}

/// The request with a body.
fn with(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_string())
}

/// Sends a request; an empty answer is null.
async fn answered(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

impl Caller {
    /// The same at another server.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answered(self.request(Method::GET, path).header(ACCEPT, "application/json")).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        answered(with(self.request(method, path), body)).await
    }

    /// Where the log is now.
    pub async fn cursor(&self) -> String {
        let (_, page) = self.get("/v1/chats?limit=1").await;
        page.get("cursor").and_then(Value::as_str).unwrap().to_owned()
    }

    /// Everything that the user can read, the users of those names and what came after those cursors included.
    pub async fn everything(&self, names: &[&str], cursors: &[String]) -> Answers {
        let mut answers = Answers::new();
        for path in ["/v1/me", "/v1/sessions", "/v1/users?near=41.33,19.82&radius_m=20000&limit=50"] {
            self.note(&mut answers, path).await;
        }
        for name in names {
            self.note(&mut answers, &format!("/v1/users/{name}")).await;
        }
        for chat in self.list(&mut answers, "/v1/chats?limit=3").await {
            let chat_id = chat.get("chat_id").and_then(Value::as_str).unwrap();
            self.chat(&mut answers, chat_id).await;
        }
        for (number, cursor) in cursors.iter().enumerate() {
            self.events(&mut answers, number, cursor).await;
        }
        answers
    }

    /// The chats of the user, and their entries.
    pub async fn chats(&self, names: &[&str]) -> Answers {
        let mut answers = Answers::new();
        for name in names {
            self.note(&mut answers, &format!("/v1/users/{name}")).await;
        }
        for chat in self.list(&mut answers, "/v1/chats?limit=3").await {
            let chat_id = chat.get("chat_id").and_then(Value::as_str).unwrap();
            self.list(&mut answers, &format!("/v1/chats/{chat_id}/entries?after=0&limit=100")).await;
        }
        answers
    }

    async fn chat(&self, answers: &mut Answers, chat_id: &str) {
        let chat = format!("/v1/chats/{chat_id}");
        self.note(answers, &chat).await;
        self.list(answers, &format!("{chat}/receipts?limit=2")).await;
        self.note(answers, &format!("/v1/groups/{chat_id}")).await;
        self.list(answers, &format!("/v1/groups/{chat_id}/members?limit=2")).await;
        for entry in self.list(answers, &format!("{chat}/entries?after=0&limit=100")).await {
            let mut media = Vec::new();
            media_in(&entry, &mut media);
            for media_id in media {
                self.bytes(answers, &format!("/v1/media/{media_id}/original")).await;
            }
            if let Some(message_id) = entry.get("message_id").and_then(Value::as_str) {
                let message = format!("{chat}/messages/{message_id}");
                self.note(answers, &message).await;
                self.list(answers, &format!("{message}/reactions?limit=2")).await;
                self.list(answers, &format!("{message}/receipts?limit=2")).await;
            }
        }
    }

    /// Everything that came after a cursor.
    async fn events(&self, answers: &mut Answers, number: usize, cursor: &str) {
        let mut next = cursor.to_owned();
        for page in 0.. {
            let (_, answer) = self.get(&format!("/v1/events?cursor={next}&limit=20")).await;
            assert_eq!(answer.get("resume"), Some(&json!("resumed")), "{answer}");
            cursor_of(&answer).clone_into(&mut next);
            let more = answer.get("more") == Some(&json!(true));
            answers.insert(format!("events {number}, page {page}"), steady(answer));
            if !more {
                return;
            }
        }
    }

    /// Asks for one thing.
    async fn note(&self, answers: &mut Answers, path: &str) -> Value {
        let (status, answer) = self.get(path).await;
        let answer = json!({"status": status.as_u16(), "body": steady(answer)});
        answers.insert(path.to_owned(), answer.clone());
        answer
    }

    /// Asks for a list, page by page, and answers what is in it.
    async fn list(&self, answers: &mut Answers, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let answer = self.note(answers, &page).await;
            let body = answer.get("body").unwrap();
            items.extend(body.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
            let next = match body.get("next") {
                Some(Value::String(next)) => next.clone(),
                Some(Value::Number(next)) => next.to_string(),
                _ => return items,
            };
            page = format!("{}&after={next}", path.replace("after=0&", ""));
        }
    }

    /// Fetches media by the link that it is answered with.
    async fn bytes(&self, answers: &mut Answers, path: &str) {
        let (status, answer) = self.get(path).await;
        let bytes = match answer.get("url").and_then(Value::as_str) {
            Some(link) => {
                let link = link.strip_prefix(&self.url).unwrap_or(link);
                let answer = self.request(Method::GET, link).send().await.unwrap();
                format!("{}: {:?}", answer.status(), answer.bytes().await.unwrap())
            }
            None => String::new(),
        };
        answers.insert(path.to_owned(), json!({"status": status.as_u16(), "bytes": bytes}));
    }
}

fn cursor_of(page: &Value) -> &str {
    page.get("cursor").and_then(Value::as_str).unwrap()
}

/// The ids of media that are named anywhere in it.
fn media_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("media_id").and_then(Value::as_str).map(ToOwned::to_owned));
            fields.values().for_each(|field| media_in(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| media_in(item, found)),
        _ => {}
    }
}

/// An answer without what changes by itself.
fn steady(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
            fields.values_mut().for_each(|field| *field = steady(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = steady(item.take())),
        _ => {}
    }
    answer
}

/// Panics where two differ, and says where.
pub fn assert_same(who: &str, before: &Answers, after: &Answers) {
    for (path, answer) in before {
        assert_eq!(after.get(path), Some(answer), "{who}: {path}");
    }
    let asked: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(asked.is_empty(), "{who}: there was more to ask for: {asked:?}");
}
