//! Resumable uploads, as Google Cloud Storage does them. (MED-8 to MED-12)

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{Site, permit, plain};
use crate::media::{
    ContentRange, MediaError, PermissionKind,
    disk::{Begun, DiskMedia, Held, Sending, UPLOADS},
};

/// How long the next bytes may take to arrive. What has arrived stays.
const SILENCE: Duration = Duration::from_secs(30);
/// So many bytes are written at once: enough to cost little each, and few enough for many uploads at a time.
const WRITE_BYTES: usize = 128 * 1024;
/// How much of a body that is not taken is read all the same, so that the caller gets to see the answer.
const DRAIN_BYTES: u64 = 1024 * 1024;
/// For how long at most.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Starts an upload: what was started goes on at another URL, which lives longer.
pub(super) async fn start(
    State(site): State<Site>,
    Extension(disk): Extension<Arc<DiskMedia>>,
    Path(permission): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let permission = match permit(&site, &disk, &headers, &permission).await {
        Ok(permission) if permission.kind == PermissionKind::Start => permission,
        Ok(_) => return plain(StatusCode::FORBIDDEN),
        Err(refusal) => return *refusal,
    };
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|given| given.as_bytes() == value.as_bytes());
    if !is("x-goog-resumable", "start") || !is("content-type", permission.part.content_type.as_str()) {
        return plain(StatusCode::BAD_REQUEST);
    }
    let location = format!("{UPLOADS}{}", disk.urls().send(permission, site.app.ids.tag()));
    let mut response = plain(StatusCode::CREATED);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Takes bytes of an upload that was started, or says how far it has got.
pub(super) async fn send(
    State(site): State<Site>,
    Extension(disk): Extension<Arc<DiskMedia>>,
    Path(permission): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let mut body = Incoming::new(body);
    let outcome = take(&site, &disk, &permission, &headers, &mut body).await;
    // An answer that comes before the end of the body is often not seen. Who waits to be asked for the body sees it.
    if body.has_begun || !headers.contains_key(header::EXPECT) {
        body.drain().await;
    }
    match outcome {
        Ok(held) => how_far(held),
        Err(Refused::Plainly(response)) => *response,
        Err(Refused::Failed(error)) => {
            tracing::warn!(%error, "an upload was not stored");
            plain(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

enum Refused {
    Plainly(Box<Response<Body>>),
    Failed(MediaError),
}

impl Refused {
    fn with(status: StatusCode) -> Self {
        Self::Plainly(Box::new(plain(status)))
    }
}

impl From<MediaError> for Refused {
    fn from(error: MediaError) -> Self {
        Self::Failed(error)
    }
}

async fn take(
    site: &Site,
    disk: &DiskMedia,
    permission: &str,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Held, Refused> {
    let permission = permit(site, disk, headers, permission).await.map_err(Refused::Plainly)?;
    let PermissionKind::Send { session } = permission.kind else {
        return Err(Refused::with(StatusCode::FORBIDDEN));
    };
    let part = permission.part;
    let (first, last) = match content_range(headers, part.size)? {
        ContentRange::Asks { .. } => return Ok(disk.held(&part, session).await?),
        ContentRange::Brings { first, last, .. } => (first, last),
    };
    if last >= part.size {
        return Err(Refused::with(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length != last - first + 1) {
        return Err(Refused::with(StatusCode::BAD_REQUEST));
    }
    let mut sending = match disk.begin(&part, session).await? {
        Begun::Whole => return Ok(Held::Whole),
        Begun::Open(sending) => sending,
    };
    let held = sending.held();
    if first > held {
        // They would leave a gap: the caller is told from where to go on. (MED-11)
        return Ok(Held::Bytes(held));
    }
    let ended = receive(&mut sending, body, held - first, (last + 1).saturating_sub(held)).await?;
    let held = sending.finish().await?;
    match ended {
        Ended::Here => Ok(held),
        Ended::TooLate => Err(Refused::with(StatusCode::REQUEST_TIMEOUT)),
        Ended::TooLong => Err(Refused::with(StatusCode::BAD_REQUEST)),
    }
}

/// What the request brings. Without the header, everything. (MED-9)
fn content_range(headers: &HeaderMap, size: u64) -> Result<ContentRange, Refused> {
    let wrong = || Refused::with(StatusCode::BAD_REQUEST);
    let Some(header) = headers.get(header::CONTENT_RANGE) else {
        return Ok(ContentRange::Brings { first: 0, last: size.saturating_sub(1), total: None });
    };
    let range = header.to_str().ok().and_then(ContentRange::parse).ok_or_else(wrong)?;
    let (ContentRange::Asks { total } | ContentRange::Brings { total, .. }) = range;
    if total.is_some_and(|total| total != size) { Err(wrong()) } else { Ok(range) }
}

/// How the bytes of a request ended.
enum Ended {
    /// No more came, or somebody else sends them now.
    Here,
    /// They did not come in time.
    TooLate,
    /// More came than were announced; they were not taken.
    TooLong,
}

/// Writes what comes, without the bytes that are held already, and no more than are wanted.
async fn receive(
    sending: &mut Sending,
    body: &mut Incoming,
    mut to_skip: u64,
    mut wanted: u64,
) -> Result<Ended, MediaError> {
    let before = sending.held();
    let mut pieces = Vec::new();
    let mut gathered = 0;
    let ended = loop {
        let mut piece = match body.next().await {
            Next::Piece(piece) => piece,
            Next::End => break Ended::Here,
            Next::TooLate => break Ended::TooLate,
        };
        let skipped = usize::try_from(to_skip).unwrap_or(usize::MAX).min(piece.len());
        to_skip -= skipped as u64;
        let mut piece = piece.split_off(skipped);
        let is_too_long = piece.len() as u64 > wanted;
        if is_too_long {
            piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        }
        wanted -= piece.len() as u64;
        gathered += piece.len();
        pieces.push(piece);
        if is_too_long {
            break Ended::TooLong;
        }
        if gathered >= WRITE_BYTES {
            gathered = 0;
            if !sending.write(std::mem::take(&mut pieces)).await? {
                return Ok(Ended::Here);
            }
        }
    };
    sending.write(pieces).await?;
    metrics::counter!("i9chat_media_received_bytes_total").increment(sending.held() - before);
    Ok(ended)
}

/// A body as it arrives.
struct Incoming {
    stream: axum::body::BodyDataStream,
    has_begun: bool,
    has_ended: bool,
}

enum Next {
    Piece(Bytes),
    /// It has ended, or has broken off.
    End,
    TooLate,
}

impl Incoming {
    fn new(body: Body) -> Self {
        Self { stream: body.into_data_stream(), has_begun: false, has_ended: false }
    }

    async fn next(&mut self) -> Next {
        self.has_begun = true;
        let next = if self.has_ended { Next::End } else { self.arriving().await };
        self.has_ended = !matches!(next, Next::Piece(_));
        next
    }

    async fn arriving(&mut self) -> Next {
        match timeout(SILENCE, self.stream.next()).await {
            Ok(Some(Ok(piece))) => Next::Piece(piece),
            Ok(Some(Err(_)) | None) => Next::End,
            Err(_) => Next::TooLate,
        }
    }

    /// Reads some more, for nothing.
    async fn drain(&mut self) {
        let drained = timeout(DRAIN_TIME, async {
            let mut length = 0;
            while length <= DRAIN_BYTES
                && let Next::Piece(piece) = self.next().await
            {
                length += piece.len() as u64;
            }
        });
        if drained.await.is_err() {
            tracing::trace!("a body that is not taken came too slowly");
        }
    }
}

/// The answer to bytes that came, and to the question how many did. (MED-9, MED-10)
fn how_far(held: Held) -> Response<Body> {
    match held {
        Held::Whole => plain(StatusCode::OK),
        Held::Bytes(held) => {
            let mut response = plain(StatusCode::PERMANENT_REDIRECT);
            if let Some(last) = held.checked_sub(1)
                && let Ok(range) = HeaderValue::from_str(&format!("bytes=0-{last}"))
            {
                response.headers_mut().insert(header::RANGE, range);
            }
            response
        }
    }
}
