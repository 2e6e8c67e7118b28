//! A stand-in for Cloud Storage on this machine: the part of its XML interface that this server and its clients use, with the
//! same demands on who asks. Where Google leaves something open it takes the stricter way.

mod objects;
mod sessions;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, header, request::Parts},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use i9chat_server::clock::{Clock, SystemClock};
use i9chat_spec::Timestamp;
use parking_lot::Mutex;
use tokio::{net::TcpListener, task::JoinHandle};

use self::sessions::Session;
use crate::signature::{Account, Flaw, Request, check, decoded, unescaped};

pub const BUCKET: &str = "i9chat-tests";
/// The name that Google's signatures are for, wherever the stand-in is reached.
const HOST: &str = "storage.googleapis.com";

/// What is in the bucket under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub generation: u64,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered so, and nothing is done.
    Status(StatusCode),
    /// It is not answered.
    Silence,
}

type BeforeCopy = Box<dyn FnOnce(&mut BTreeMap<String, Object>) + Send>;

struct Google {
    account: Account,
    address: SocketAddr,
    objects: BTreeMap<String, Object>,
    sessions: Vec<Session>,
    generations: u64,
    ahead_s: u64,
    faults: VecDeque<(Method, Fault)>,
    before_copy: Option<BeforeCopy>,
}

impl Google {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(self.ahead_s)
    }
}

type Shared = Arc<Mutex<Google>>;

/// The stand-in, for as long as it is held.
pub struct StandIn {
    pub address: SocketAddr,
    google: Shared,
    serving: JoinHandle<()>,
}

impl StandIn {
    /// One that knows that account.
    pub async fn new(account: Account) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let google = Arc::new(Mutex::new(Google {
            account,
            address,
            objects: BTreeMap::new(),
            sessions: Vec::new(),
            generations: 0,
            ahead_s: 0,
            faults: VecDeque::new(),
            before_copy: None,
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&google));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, google, serving }
    }

    /// Lets time go by.
    pub fn wait(&self, seconds: u64) {
        self.google.lock().ahead_s += seconds;
    }

    /// What the next requests with these methods meet, in order. Requests with other methods are answered meanwhile.
    pub fn meets(&self, faults: impl IntoIterator<Item = (Method, Fault)>) {
        self.google.lock().faults.extend(faults);
    }

    /// Nothing goes wrong any more.
    pub fn forgives(&self) {
        self.google.lock().faults.clear();
    }

    /// Changes what is in the bucket behind everybody's back.
    pub fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Object>)) {
        change(&mut self.google.lock().objects);
    }

    /// What happens just before the next copy is made.
    pub fn before_copy(&self, change: impl FnOnce(&mut BTreeMap<String, Object>) + Send + 'static) {
        self.google.lock().before_copy = Some(Box::new(change));
    }

    /// What is in the bucket.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.google.lock().objects.clone()
    }

    /// The names in the bucket.
    pub fn names(&self) -> Vec<String> {
        self.google.lock().objects.keys().cloned().collect()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(google): State<Shared>, request: axum::extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let fault = {
        let mut google = google.lock();
        let is_next = google.faults.front().is_some_and(|(method, _)| *method == parts.method);
        if is_next { google.faults.pop_front() } else { None }
    };
    match fault {
        Some((_, Fault::Status(status))) => return plain(status),
        Some((_, Fault::Silence)) => std::future::pending::<()>().await,
        None => {}
    }
    let Ok(body) = to_bytes(body, 1 << 26).await else { return plain(StatusCode::BAD_REQUEST) };
    let mut google = google.lock();
    respond(&mut google, &parts, &body).unwrap_or_else(plain)
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A query and who asks with it.
struct Asked<'a> {
    parts: &'a Parts,
    /// Without the bucket.
    name: String,
    query: Vec<(String, String)>,
    /// Whether the URL carries the right, so that what it says about the answer counts.
    is_signed_url: bool,
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        text(&self.parts.headers, name)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn respond(google: &mut Google, parts: &Parts, body: &Bytes) -> Result<Response<Body>, StatusCode> {
    let path = unescaped(parts.uri.path()).ok_or(StatusCode::BAD_REQUEST)?;
    let name = path.strip_prefix(&format!("/{BUCKET}")).ok_or(StatusCode::NOT_FOUND)?;
    let name = name.strip_prefix('/').unwrap_or(name).to_owned();
    let query = decoded(parts.uri.query().unwrap_or_default()).ok_or(StatusCode::BAD_REQUEST)?;
    let is_signed_url = query.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-goog-signature"));
    let asked = Asked { parts, name, query, is_signed_url };
    // Whoever has a location needs nothing else.
    if let Some(id) = asked.parameter("upload_id").map(ToOwned::to_owned) {
        return match parts.method {
            Method::PUT => google.send(&id, &asked, body),
            _ => Err(StatusCode::METHOD_NOT_ALLOWED),
        };
    }
    authorize(google, &asked)?;
    match (&parts.method, asked.name.as_str()) {
        (&Method::GET, "") if asked.parameter("list-type") == Some("2") => Ok(google.list(&asked)),
        (_, "") => Err(StatusCode::BAD_REQUEST),
        (&Method::POST, _) => google.start(&asked, body),
        (&Method::GET | &Method::HEAD, _) => google.read(&asked),
        (&Method::PUT, _) if asked.header("x-goog-copy-source").is_some() => google.copy(&asked),
        (&Method::PUT, _) => google.store(&asked, body),
        (&Method::DELETE, _) => {
            google.objects.remove(&asked.name).map(|_| plain(StatusCode::NO_CONTENT)).ok_or(StatusCode::NOT_FOUND)
        }
        _ => Err(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn authorize(google: &Google, asked: &Asked<'_>) -> Result<(), StatusCode> {
    let Parts { method, uri, headers, .. } = asked.parts;
    if asked.is_signed_url {
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let request = Request { method, host: HOST, path, query, headers };
        return check(&request, &google.account, google.now()).map_err(|flaw| match flaw {
            Flaw::Malformed | Flaw::Expired => StatusCode::BAD_REQUEST,
            Flaw::OfAnother => StatusCode::FORBIDDEN,
        });
    }
    let token = text(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or(StatusCode::FORBIDDEN)?;
    if is_token_of(&google.account, token, google.now()) { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
}

/// A token that a service account has made for itself, and that has not run out.
fn is_token_of(account: &Account, token: &str, now: Timestamp) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let Some((_, claims)) = message.split_once('.') else { return false };
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    let claims: serde_json::Value = serde_json::from_slice(&decode(claims)).unwrap_or_default();
    account.has_signed(message.as_bytes(), &decode(signature))
        && claims["iss"].as_str() == Some(&account.email)
        && claims["exp"].as_i64().is_some_and(|end| now.as_millis() < end * 1000)
}
