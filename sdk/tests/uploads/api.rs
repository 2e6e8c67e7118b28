//! The chat server's part: it authorises, completes, and gives links.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use i9chat_sdk::{Client, Credentials, connection::Backoff};
use i9chat_spec::{
    Endpoint, ErrorCode, Example, Format, MediaId, PartInfo, Problem, RequestId, SessionId, Timestamp, User,
    api::{
        media::{CompleteUpload, GetMedia, MediaInfo, MediaLink, NewUpload, PartTarget, StartUpload, UploadStarted},
        sessions::{SessionOpened, SignIn, TokenPair},
    },
};

use crate::storage::Storage;

pub const BACKOFF: Backoff = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(4) };
const TOKEN: &str = "a-token.that-nobody-else.may-see";

#[derive(Default)]
pub struct Uploads {
    pub media: HashMap<MediaId, NewUpload>,
    /// What the next calls of `complete_upload` are answered with, in place of the right answer.
    pub refusals: VecDeque<ErrorCode>,
    pub completions: usize,
    pub links: usize,
}

#[derive(Clone)]
pub struct Api {
    pub url: String,
    pub storage: Storage,
    uploads: Arc<Mutex<Uploads>>,
}

impl Api {
    pub async fn start() -> Self {
        let storage = Storage::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let api = Self { url, storage, uploads: Arc::default() };
        let router = Router::new().fallback(dispatch).with_state(api.clone()).into_make_service();
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    pub fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().expect("no test has panicked with it")
    }

    /// A client that is signed in; there is no WebSocket here, and it needs none.
    pub async fn client(&self) -> Client {
        let credentials = Credentials::password("alice", "correct horse battery staple");
        Client::builder(&self.url, credentials).start().await.expect("signs in")
    }

    /// Whether a host that is not the chat server's was told nothing of the user.
    pub fn kept_the_token(&self) -> bool {
        let held = self.storage.held();
        !held.heads.is_empty()
            && held
                .heads
                .iter()
                .all(|head| !head.contains(TOKEN) && !head.contains("\nauthorization:") && !head.contains("\ncookie:"))
    }

    fn start_upload(&self, body: &NewUpload) -> UploadStarted {
        let mut uploads = self.uploads();
        let number = uploads.media.len() as u64 + 1;
        let media_id = MediaId::from_uuid(uuid::Builder::from_unix_timestamp_millis(number, &[7; 10]).into_uuid());
        let parts = body.parts.iter().map(|plan| PartTarget {
            part: plan.part,
            upload_url: format!("{}/start/{media_id}-{}.{}", self.storage.url, plan.part, plan.size),
        });
        let started =
            UploadStarted { media_id, parts: parts.collect(), expires_at: Timestamp::from_millis(4_000_000_000_000) };
        uploads.media.insert(media_id, body.clone());
        started
    }

    fn complete(&self, media_id: MediaId) -> Result<MediaInfo, ErrorCode> {
        let mut uploads = self.uploads();
        uploads.completions += 1;
        if let Some(code) = uploads.refusals.pop_front() {
            return Err(code);
        }
        let media = uploads.media.get(&media_id).ok_or(ErrorCode::MediaNotFound)?;
        let is_whole = |plan: &i9chat_spec::api::media::PartPlan| {
            let blob = self.storage.blob(&format!("{media_id}-{}", plan.part));
            blob.is_some_and(|blob| blob.bytes.len() as u64 == plan.size)
        };
        if !media.parts.iter().all(is_whole) {
            return Err(ErrorCode::UploadIncomplete);
        }
        let parts = media.parts.iter().map(|plan| PartInfo {
            part: plan.part,
            content_type: plan.content_type.clone(),
            size: plan.size,
        });
        Ok(MediaInfo { media_id, purpose: media.purpose, kind: media.kind, parts: parts.collect() })
    }

    fn link(&self, media_id: &str, part: &str) -> Result<MediaLink, ErrorCode> {
        let name = format!("{media_id}-{part}");
        self.storage.blob(&name).ok_or(ErrorCode::MediaNotFound)?;
        let mut uploads = self.uploads();
        uploads.links += 1;
        let url = format!("{}/get/{name}/{}", self.storage.url, uploads.links);
        Ok(MediaLink { url, expires_at: Timestamp::example() })
    }
}

async fn dispatch(State(api): State<Api>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), 1 << 20).await.expect("a body");
    let path: Vec<&str> = parts.uri.path().trim_start_matches("/v1/").split('/').collect();
    let is_signed_in =
        parts.headers.get(header::AUTHORIZATION).is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    match (parts.method.as_str(), path.as_slice()) {
        ("POST", ["sessions"]) => answer::<SignIn>(Ok(SessionOpened {
            session_id: SessionId::example(),
            user: User::example(),
            tokens: Some(TokenPair {
                token: TOKEN.parse().expect("a token"),
                expires_at: Timestamp::from_millis(4_000_000_000_000),
                refresh_token: "refresh".parse().expect("a token"),
            }),
        })),
        ("POST", ["uploads"]) if is_signed_in => {
            let body = Format::Json.decode(&body).map_err(|_| ErrorCode::InvalidRequest);
            answer::<StartUpload>(body.map(|body| api.start_upload(&body)))
        }
        ("POST", ["uploads", media_id, "complete"]) if is_signed_in => {
            answer::<CompleteUpload>(api.complete(media_id.parse().expect("an id")))
        }
        ("GET", ["media", media_id, part]) if is_signed_in => answer::<GetMedia>(api.link(media_id, part)),
        _ => answer::<GetMedia>(Err(ErrorCode::NoSuchEndpoint)),
    }
}

fn answer<E: Endpoint>(answer: Result<E::Response, ErrorCode>) -> Response {
    let (status, body) = match answer {
        Ok(answer) => (E::STATUS, Format::Json.encode(&answer)),
        Err(code) => {
            let problem = Problem::new(code, "for the test", RequestId::example());
            (problem.status, Format::Json.encode(&problem))
        }
    };
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/json")], body.expect("encodes")).into_response()
}
