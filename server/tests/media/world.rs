//! A server on a port of its own, and somebody who uploads.

use std::sync::{Arc, Mutex};

use i9chat_server::{
    app::{App, Call, Handle, Origin},
    auth::passwords::PasswordCost,
    clock::Clock,
    config::MediaConfig,
    http::{self, HttpConfig, Listening},
    ids::SystemIds,
    node::{Ground, Stack},
    store::mails::MailMatter,
};
use i9chat_spec::{
    ContentType, Endpoint, Lifetimes, Limits, MediaId, MediaKind, MediaPart, MediaPurpose, Nothing, Timestamp,
    api::{
        media::{MediaInfo, MediaLink, NewUpload, PartPlan, UploadStarted},
        sessions::{Credentials, SessionOpened, SignIn},
        signup::{CompleteSignup, NewAccount, NewSignup, RequestSignup, SignupCode, VerifySignup},
    },
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The smallest image, by its first bytes and its size.
pub const SMALLEST: usize = 1024;
/// The origin of a page that may use the server.
pub const PAGE: &str = "https://app.example";

/// A clock that stands still until it is set.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub struct World {
    pub app: Arc<App>,
    pub client: Client,
    pub folder: TempDir,
    clock: Arc<HandClock>,
    limits: Limits,
    url: String,
    listening: Listening,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(Mutex::new(Timestamp::from_millis(1_795_380_000_000))));
        let (app, url, listening) = serve(&folder, &clock, &limits).await;
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { app, client, folder, clock, limits, url, listening }
    }

    /// Stops the server, and starts it again on what it left behind.
    pub async fn restart(&mut self) {
        self.listening.stop.cancel();
        self.listening.tasks.close();
        self.listening.tasks.wait().await;
        (self.app, self.url, self.listening) = serve(&self.folder, &self.clock, &self.limits).await;
    }

    /// Lets so many seconds pass.
    pub fn wait(&self, seconds: u64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }

    pub fn lifetimes(&self) -> &Lifetimes {
        &self.app.lifetimes
    }

    async fn call<E: Endpoint<Path = Nothing, Query = Nothing>>(&self, body: E::Body) -> E::Response
    where
        App: Handle<E>,
        E::Caller: i9chat_server::app::Admitted<Who = ()>,
    {
        let origin = Origin { address: "192.0.2.1".parse().unwrap(), user_agent: None };
        let call = Call { caller: (), path: Nothing {}, query: Nothing {}, body, origin };
        self.app.handle(call).await.unwrap().body
    }

    /// Signs up, and gives the token.
    pub async fn signs_up(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let asked = self.call::<RequestSignup>(NewSignup { email: email.parse().unwrap() }).await;
        let due = self.app.accounts.mails().due_mails(self.clock.now(), 1000).await.unwrap();
        let mail = due.mails.into_iter().find(|queued| queued.mail.to.as_str() == email).unwrap().mail;
        let MailMatter::SignupCode { ticket } = mail.matter else { panic!("no code was mailed but {mail:?}") };
        let code = self.app.accounts.secrets().code(&ticket).unwrap();
        let verified = self.call::<VerifySignup>(SignupCode { ticket: asked.ticket, code }).await;
        let account = NewAccount {
            ticket: verified.ticket,
            username: name.parse().unwrap(),
            password: "correct horse".parse().unwrap(),
            bio: None,
            cookie: None,
        };
        let opened: SessionOpened = self.call::<CompleteSignup>(account).await;
        opened.tokens.unwrap().token.as_str().to_owned()
    }

    /// Signs in again, when the token has run out, and gives the new one.
    pub async fn signs_in(&self, name: &str) -> String {
        let credentials =
            Credentials { login: name.parse().unwrap(), password: "correct horse".parse().unwrap(), cookie: None };
        self.call::<SignIn>(credentials).await.tokens.unwrap().token.as_str().to_owned()
    }

    /// A request to a URL that the server gave, or to a path.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{url}", self.url))
    }

    pub async fn post(&self, token: &str, path: &str, body: &impl serde::Serialize) -> Response {
        self.request(Method::POST, path)
            .bearer_auth(token)
            .header(header::CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(body).unwrap())
            .send()
            .await
            .unwrap()
    }

    /// Asks for an upload, and gets it.
    pub async fn starts(
        &self,
        token: &str,
        purpose: MediaPurpose,
        kind: MediaKind,
        parts: Vec<PartPlan>,
    ) -> UploadStarted {
        let upload = NewUpload { purpose, kind, parts: parts.try_into().unwrap() };
        let answer = self.post(token, "/v1/uploads", &upload).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Asks for an upload of one part of that size, for messages.
    pub async fn starts_one(&self, token: &str, kind: MediaKind, content_type: &str, size: usize) -> UploadStarted {
        self.starts(token, MediaPurpose::Message, kind, vec![plan(MediaPart::Original, content_type, size)]).await
    }

    /// Starts the upload at that URL, and gives where it goes on.
    pub async fn opens(&self, upload_url: &str, content_type: &str) -> String {
        let answer = self
            .request(Method::POST, upload_url)
            .header("x-goog-resumable", "start")
            .header(header::CONTENT_TYPE, content_type)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// Sends bytes with that `Content-Range`.
    pub async fn puts(&self, location: &str, range: &str, bytes: &[u8]) -> Put {
        let request = self.request(Method::PUT, location).header(header::CONTENT_RANGE, range).body(bytes.to_vec());
        Put::of(&request.send().await.unwrap())
    }

    /// Sends everything at once.
    pub async fn sends(&self, upload_url: &str, content_type: &str, bytes: &[u8]) {
        let location = self.opens(upload_url, content_type).await;
        let answer = self.request(Method::PUT, &location).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    pub async fn completes(&self, token: &str, media_id: MediaId) -> Result<MediaInfo, String> {
        let path = format!("/v1/uploads/{media_id}/complete");
        let answer = self.request(Method::POST, &path).bearer_auth(token).send().await.unwrap();
        let is_done = answer.status() == StatusCode::OK;
        let bytes = answer.bytes().await.unwrap();
        if is_done { Ok(serde_json::from_slice(&bytes).unwrap()) } else { Err(code(&bytes)) }
    }

    /// Asks for something in JSON, and gives its status and what came.
    pub async fn asks(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method, path).bearer_auth(token);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    /// Sends a message, and gives its place or the code of why not.
    pub async fn says(&self, token: &str, chat_id: &str, content: Value) -> Result<u64, String> {
        let body = json!({"client_id": self.app.ids.uuid(self.clock.now()).to_string(), "content": content});
        let (status, answer) =
            self.asks(token, Method::POST, &format!("/v1/chats/{chat_id}/messages"), Some(body)).await;
        match status {
            201 => Ok(answer["seq"].as_u64().unwrap()),
            _ => Err(answer["code"].as_str().unwrap().to_owned()),
        }
    }

    /// Opens the direct chat with that user.
    pub async fn opens_chat(&self, token: &str, with: &str) -> String {
        let (status, answer) = self.asks(token, Method::PUT, &format!("/v1/direct/{with}"), None).await;
        assert_eq!(status, 200, "{answer}");
        answer["chat"]["chat_id"].as_str().unwrap().to_owned()
    }

    /// Uploads a picture for that purpose.
    pub async fn uploads_picture(&self, token: &str, purpose: MediaPurpose) -> MediaId {
        let parts = [MediaPart::Small, MediaPart::Medium, MediaPart::Large].map(|part| plan(part, "image/png", 100));
        let started = self.starts(token, purpose, MediaKind::Picture, parts.to_vec()).await;
        for target in &started.parts {
            self.sends(&target.upload_url, "image/png", &png(100)).await;
        }
        self.completes(token, started.media_id).await.unwrap();
        started.media_id
    }

    /// Uploads one part whole, for messages.
    pub async fn uploads(&self, token: &str, kind: MediaKind, content_type: &str, bytes: &[u8]) -> MediaId {
        let started = self.starts_one(token, kind, content_type, bytes.len()).await;
        self.sends(&started.parts[0].upload_url, content_type, bytes).await;
        self.completes(token, started.media_id).await.unwrap();
        started.media_id
    }

    /// Where the bytes of the part are, or the code of why not.
    pub async fn link(&self, token: &str, media_id: MediaId, part: &str) -> Result<MediaLink, String> {
        let request = self.request(Method::GET, &format!("/v1/media/{media_id}/{part}"));
        let answer = request.bearer_auth(token).header(header::ACCEPT, "application/json").send().await.unwrap();
        let is_done = answer.status() == StatusCode::OK;
        let bytes = answer.bytes().await.unwrap();
        if is_done { Ok(serde_json::from_slice(&bytes).unwrap()) } else { Err(code(&bytes)) }
    }

    pub async fn get(&self, url: &str, headers: &[(header::HeaderName, &str)]) -> Response {
        let request =
            headers.iter().fold(self.request(Method::GET, url), |request, (name, value)| request.header(name, *value));
        request.send().await.unwrap()
    }
}

/// The answer to a `PUT`.
#[derive(Debug, PartialEq, Eq)]
pub struct Put {
    pub status: u16,
    pub range: Option<String>,
}

impl Put {
    fn of(answer: &Response) -> Self {
        let range = answer.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
        Self { status: answer.status().as_u16(), range }
    }

    /// 308: so many bytes are held.
    pub fn holds(bytes: usize) -> Self {
        Self { status: 308, range: bytes.checked_sub(1).map(|last| format!("bytes=0-{last}")) }
    }

    /// Another status.
    pub fn is(status: u16) -> Self {
        Self { status, range: None }
    }
}

async fn serve(folder: &TempDir, clock: &Arc<HandClock>, limits: &Limits) -> (Arc<App>, String, Listening) {
    let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
    let password_cost = PasswordCost { params, at_once: 2, waiting: 100 };
    let (limits, lifetimes) = (limits.clone(), Lifetimes::default());
    let ground = Ground { clock: Arc::clone(clock) as _, ids: Arc::new(SystemIds), limits, lifetimes, password_cost };
    let stack = Stack::embedded(folder.path(), &MediaConfig::Disk, &ground).await.unwrap();
    let app = stack.app(ground).unwrap();
    let config = HttpConfig {
        allowed_origins: vec![PAGE.to_owned()],
        trusted_proxies: Vec::new(),
        public_url: None,
        max_connections: 100,
    };
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    let service = http::routes(Arc::clone(&app), stack.router, stack.disk, &config, metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (app, url, http::listen(listener, service, 100, 16 * 1024))
}

pub fn plan(part: MediaPart, content_type: &str, size: usize) -> PartPlan {
    let content_type: ContentType = content_type.parse().unwrap();
    PartPlan { part, content_type, size: size as u64 }
}

/// Bytes that begin like a PNG, no two pieces of them alike.
pub fn png(size: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend((0_u32..).flat_map(u32::to_be_bytes).take(size - bytes.len()));
    bytes
}

/// The code in a problem.
pub fn code(problem: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(problem).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}
