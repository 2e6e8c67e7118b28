//! The local end of upload and download URLs. They are not endpoints of the protocol: a permission in the URL stands for the
//! caller, and errors are plain statuses. (MED-7 to MED-12, MED-23 to MED-27)

mod download;
mod upload;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    routing::{get, post},
};

use super::{Site, guard::Page};
use crate::{
    bus::RateKey,
    media::{
        Permission, PermissionKind,
        disk::{DOWNLOADS, DiskMedia, UPLOADS},
    },
};

/// The routes below [`UPLOADS`] and [`DOWNLOADS`].
pub(super) fn routes(disk: Arc<DiskMedia>) -> Router<Site> {
    Router::new()
        .route(&format!("{UPLOADS}{{permission}}"), post(upload::start).put(upload::send))
        .route(&format!("{DOWNLOADS}{{permission}}"), get(download::read))
        .layer(Extension(disk))
}

/// An answer without a body.
fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the URL permits, when it was made by this server and has not run out, for a caller who may use it and is not too
/// fast. (MED-7, MED-23)
async fn permit(
    site: &Site,
    disk: &DiskMedia,
    headers: &HeaderMap,
    text: &str,
) -> Result<Permission, Box<Response<Body>>> {
    let forbidden = || Box::new(plain(StatusCode::FORBIDDEN));
    let permission = disk.urls().open(text).ok_or_else(forbidden)?;
    let is_read = matches!(permission.kind, PermissionKind::Read { .. });
    // A page that shows a picture from elsewhere says so too, and changes nothing.
    if !is_read && site.allowed.page(headers) == Page::Foreign {
        return Err(forbidden());
    }
    if let Err(delay) = site.count(RateKey::Media(permission.user_id)).await {
        let mut response = plain(StatusCode::TOO_MANY_REQUESTS);
        let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Err(Box::new(response));
    }
    if site.app.clock.now() >= permission.until {
        return Err(forbidden());
    }
    Ok(permission)
}
