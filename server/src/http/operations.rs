//! For operators: health and metrics. Not part of the protocol's `/v1`. (CAP-4)

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use super::{Site, metrics::render};

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// Whether the server can serve: whether its store answers. A node that holds the log up makes no other node unready.
async fn ready(State(site): State<Site>) -> impl IntoResponse {
    match site.app.log.check().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}

async fn metrics(State(site): State<Site>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], render(&site.metrics))
}
