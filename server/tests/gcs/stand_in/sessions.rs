//! Resumable uploads.

use axum::{
    body::{Body, Bytes},
    http::{Response, StatusCode, header},
};
use i9chat_server::media::ContentRange;
use i9chat_spec::Timestamp;

use super::{Asked, BUCKET, Google, Object, plain};

/// What is held of a chunk that is not the last one is a multiple of this.
const GRAIN: usize = 256 * 1024;
/// How long a session may go on.
const SESSION_S: u64 = 604_800;

/// An upload that was started.
pub(super) struct Session {
    id: String,
    name: String,
    until: Timestamp,
    object: Object,
    /// How many bytes there will be, as soon as a client has said so.
    total: Option<u64>,
    is_whole: bool,
}

impl Google {
    pub(super) fn start(&mut self, asked: &Asked<'_>, body: &Bytes) -> Result<Response<Body>, StatusCode> {
        if asked.header("x-goog-resumable") != Some("start") || !body.is_empty() {
            return Err(StatusCode::BAD_REQUEST);
        }
        let said = |name: &str| asked.header(name).map(ToOwned::to_owned);
        let object = Object {
            bytes: Vec::new(),
            content_type: said("content-type"),
            content_encoding: said("content-encoding"),
            content_disposition: said("content-disposition"),
            generation: 0,
        };
        let id = format!("upload-{}", self.sessions.len());
        let (name, until) = (asked.name.clone(), self.now().plus_seconds(SESSION_S));
        let location = format!("http://{}/{BUCKET}/{name}?upload_id={id}", self.address);
        self.sessions.push(Session { id, name, until, object, total: None, is_whole: false });
        let mut response = plain(StatusCode::CREATED);
        response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
        Ok(response)
    }

    pub(super) fn send(&mut self, id: &str, asked: &Asked<'_>, body: &Bytes) -> Result<Response<Body>, StatusCode> {
        let now = self.now();
        let session = self.sessions.iter_mut().find(|session| session.id == id && session.name == asked.name);
        let session = session.ok_or(StatusCode::NOT_FOUND)?;
        if now >= session.until {
            return Err(StatusCode::GONE);
        }
        if session.is_whole {
            return Ok(plain(StatusCode::OK));
        }
        let range = match asked.header("content-range") {
            Some(range) => ContentRange::parse(range).ok_or(StatusCode::BAD_REQUEST)?,
            None => whole(body),
        };
        session.take(range, body)?;
        if session.total != Some(session.object.bytes.len() as u64) {
            return Ok(session.how_far());
        }
        session.is_whole = true;
        let (name, object) = (session.name.clone(), session.object.clone());
        self.put(&name, object, false)?;
        Ok(plain(StatusCode::OK))
    }
}

fn whole(body: &Bytes) -> ContentRange {
    let total = body.len() as u64;
    match total.checked_sub(1) {
        Some(last) => ContentRange::Brings { first: 0, last, total: Some(total) },
        None => ContentRange::Asks { total: Some(0) },
    }
}

impl Session {
    fn take(&mut self, range: ContentRange, body: &Bytes) -> Result<(), StatusCode> {
        let (ContentRange::Asks { total } | ContentRange::Brings { total, .. }) = range;
        if let Some(known) = self.total
            && total.is_some_and(|total| total != known)
        {
            return Err(StatusCode::BAD_REQUEST);
        }
        let held = self.object.bytes.len();
        let ContentRange::Brings { first, last, .. } = range else {
            self.total = total.or(self.total);
            return Ok(());
        };
        if body.len() as u64 != last - first + 1 || total.is_some_and(|total| last >= total) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let Some(skipped) = held.checked_sub(usize::try_from(first).unwrap()) else {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        self.total = total.or(self.total);
        self.object.bytes.extend(body.get(skipped..).unwrap_or_default());
        let now_held = self.object.bytes.len();
        if self.total != Some(now_held as u64) {
            self.object.bytes.truncate(held.max(now_held / GRAIN * GRAIN));
        }
        Ok(())
    }

    fn how_far(&self) -> Response<Body> {
        let mut response = plain(StatusCode::PERMANENT_REDIRECT);
        if let Some(last) = self.object.bytes.len().checked_sub(1) {
            response.headers_mut().insert(header::RANGE, format!("bytes=0-{last}").parse().unwrap());
        }
        response
    }
}
