//! The dialogue with the place where the bytes are, which may be at another host than the chat server. (MED-8 to MED-11, MED-23, MED-24)
//!
//! Nothing that names the user goes there: no token, no cookie.

use std::time::Duration;

use bytes::Bytes;
use i9chat_spec::ContentType;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION, RANGE},
    redirect,
};
use url::Url;

use super::error::Fault;
use crate::{
    Error,
    http::{Transport, USER_AGENT},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For an answer, and for a chunk to go there: a connection that carries less than 17 KiB a second counts as broken, and what has
/// arrived is kept.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub(super) struct Storage {
    client: reqwest::Client,
}

/// How much of a part the storage holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// So many bytes from the first on.
    Bytes(u64),
    All,
}

impl Storage {
    pub(super) fn new(transport: &Transport) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*transport.tls()).clone())
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            // 308 means something else here.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Error::Tls(error.into()))?;
        Ok(Self { client })
    }

    /// Begins the upload of a part, and answers where its bytes go. (MED-8)
    pub(super) async fn start(&self, url: &Url, content_type: &ContentType) -> Result<Url, Fault> {
        let request = self.client.post(url.clone()).header("x-goog-resumable", "start");
        let request = request.header(CONTENT_TYPE, content_type.as_str()).body(Bytes::new()).timeout(PATIENCE);
        let answer = request.send().await.map_err(passing)?;
        let answer = judged(answer)?;
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        location
            .and_then(|location| url.join(location).ok())
            .ok_or_else(|| Fault::Unexpected("an upload that has begun nowhere".to_owned()))
    }

    /// How far the upload of a part has got. (MED-10)
    pub(super) async fn held(&self, location: &Url, size: u64) -> Result<Held, Fault> {
        self.put(location, format!("bytes */{size}"), Bytes::new()).await
    }

    /// Sends bytes of a part, which begin at `from`. (MED-9)
    pub(super) async fn send(&self, location: &Url, from: u64, size: u64, chunk: Bytes) -> Result<Held, Fault> {
        let last = from + chunk.len() as u64 - 1;
        self.put(location, format!("bytes {from}-{last}/{size}"), chunk).await
    }

    async fn put(&self, location: &Url, range: String, bytes: Bytes) -> Result<Held, Fault> {
        let request = self.client.put(location.clone()).header(CONTENT_RANGE, range).body(bytes).timeout(PATIENCE);
        let answer = request.send().await.map_err(passing)?;
        if answer.status() != StatusCode::PERMANENT_REDIRECT {
            return judged(answer).map(|_| Held::All);
        }
        match answer.headers().get(RANGE) {
            None => Ok(Held::Bytes(0)),
            Some(range) => held(range)
                .map(Held::Bytes)
                .ok_or_else(|| Fault::Unexpected("a range that does not begin with the first byte".to_owned())),
        }
    }

    /// Asks for the bytes of a part from one on, up to the end or to another, which is not asked for. (MED-24)
    pub(super) async fn get(&self, url: &Url, from: u64, end: Option<u64>) -> Result<Response, Fault> {
        let mut request = self.client.get(url.clone());
        match end {
            Some(end) => request = request.header(RANGE, format!("bytes={from}-{}", end.saturating_sub(1))),
            None if from > 0 => request = request.header(RANGE, format!("bytes={from}-")),
            None => {}
        }
        let answer =
            tokio::time::timeout(PATIENCE, request.send()).await.map_err(|late| Fault::Passing(late.into()))?;
        judged(answer.map_err(passing)?)
    }

    /// The next bytes of an answer; `None` after the last.
    pub(super) async fn next(answer: &mut Response) -> Result<Option<Bytes>, Fault> {
        let next = tokio::time::timeout(PATIENCE, answer.chunk()).await.map_err(|late| Fault::Passing(late.into()))?;
        next.map_err(passing)
    }
}

/// The number of bytes of `bytes=0-<last>`.
fn held(range: &HeaderValue) -> Option<u64> {
    let last: u64 = range.to_str().ok()?.trim().strip_prefix("bytes=0-")?.parse().ok()?;
    last.checked_add(1)
}

fn judged(answer: Response) -> Result<Response, Fault> {
    let status = answer.status();
    if status.is_success() {
        Ok(answer)
    } else if status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
    {
        Err(Fault::Passing(format!("HTTP status {status}").into()))
    } else if status.is_client_error() {
        Err(Fault::Refused(status.as_u16()))
    } else {
        Err(Fault::Unexpected(format!("HTTP status {status}")))
    }
}

/// Without the URL: whoever knows it may write or read what it names.
fn passing(error: reqwest::Error) -> Fault {
    Fault::Passing(error.without_url().into())
}
