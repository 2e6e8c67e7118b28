//! The bytes of media. (MED-23 to MED-26)

use std::{io::SeekFrom, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use super::{Site, permit, plain};
use crate::media::{ByteRange, MediaError, PartialRequest, Permission, PermissionKind, disk::DiskMedia};

/// So many bytes are read at once, and wait in memory for a slow reader.
const READ_BYTES: usize = 64 * 1024;
/// A page of this server's origin that is smuggled in as media must neither run nor load anything. (MED-26)
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// Answers the bytes of a part, or a piece of them.
pub(super) async fn read(
    State(site): State<Site>,
    Extension(disk): Extension<Arc<DiskMedia>>,
    Path(permission): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let permission = match permit(&site, &disk, &headers, &permission).await {
        Ok(permission) => permission,
        Err(refusal) => return *refusal,
    };
    let PermissionKind::Read { is_attachment } = permission.kind else { return plain(StatusCode::FORBIDDEN) };
    let name = permission.part.name;
    match disk.whole(name).await {
        Ok(Some((file, length))) => {
            let now = site.app.clock.now();
            let left = permission.until.as_millis().saturating_sub(now.as_millis()) / 1000;
            answer(&permission, &headers, is_attachment, File::from_std(file), length, left)
                .await
                .unwrap_or_else(|error| failed(&error))
        }
        Ok(None) => plain(StatusCode::NOT_FOUND),
        Err(error) => failed(&error),
    }
}

fn failed(error: &MediaError) -> Response<Body> {
    tracing::warn!(%error, "media was not read");
    plain(StatusCode::SERVICE_UNAVAILABLE)
}

async fn answer(
    permission: &Permission,
    asked: &HeaderMap,
    is_attachment: bool,
    mut file: File,
    size: u64,
    seconds_left: i64,
) -> Result<Response<Body>, MediaError> {
    let name = permission.part.name;
    // What has a name never changes.
    let tag = format!("\"{}-{}\"", name.media_id, name.part);
    let given = |name: &HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let is_known = given(&header::IF_NONE_MATCH)
        .is_some_and(|known| known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    let is_same = given(&header::IF_RANGE).is_none_or(|known| known == tag);
    let range = PartialRequest::of(given(&header::RANGE).filter(|_| is_same), size);
    let (status, piece) = match range {
        _ if is_known => (StatusCode::NOT_MODIFIED, None),
        PartialRequest::Whole => (StatusCode::OK, Some(ByteRange { first: 0, last: size.saturating_sub(1) })),
        PartialRequest::Piece(piece) => (StatusCode::PARTIAL_CONTENT, Some(piece)),
        PartialRequest::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, None),
    };
    let mut response = plain(status);
    let mut insert = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    insert(header::ETAG, tag);
    insert(header::CACHE_CONTROL, format!("private, max-age={seconds_left}, immutable"));
    insert(header::ACCEPT_RANGES, "bytes".to_owned());
    match (status, piece) {
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => insert(header::CONTENT_RANGE, format!("bytes */{size}")),
        (StatusCode::PARTIAL_CONTENT, Some(piece)) => {
            insert(header::CONTENT_RANGE, format!("bytes {}-{}/{size}", piece.first, piece.last));
        }
        _ => {}
    }
    if let Some(piece) = piece {
        insert(header::CONTENT_TYPE, permission.part.content_type.as_str().to_owned());
        insert(header::CONTENT_LENGTH, piece.length().to_string());
        file.seek(SeekFrom::Start(piece.first)).await?;
        *response.body_mut() = Body::from_stream(ReaderStream::with_capacity(file.take(piece.length()), READ_BYTES));
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_attachment {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    metrics::counter!("i9chat_downloads_total", "status" => status.as_u16().to_string()).increment(1);
    Ok(response)
}
