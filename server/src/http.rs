//! HTTP: the one room that knows axum and [`Endpoint`](i9chat_spec::Endpoint) together.

mod accept;
mod caller;
mod endpoint;
mod guard;
mod listener;
mod media;
mod metrics;
mod operations;
mod problem;
mod unread;
mod websocket;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use i9chat_spec::{Limits, for_each_endpoint};

use self::guard::Allowed;
pub use self::{
    listener::{Listening, listen},
    metrics::install_metrics,
    problem::{problem_of, request_id_of},
};
use crate::{
    app::App,
    bus::{Quota, RateKey},
    media::disk::DiskMedia,
};

/// What HTTP needs to know beyond the application.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Origins of web pages that may use the server, besides its own. (CAL-6)
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether browsers reach the server by HTTPS, through a proxy; `None` when it is not known. (CAL-5)
    pub public_url: Option<url::Url>,
    /// The most connections at once.
    pub max_connections: usize,
}

/// Everything that a request may need.
#[derive(Clone)]
struct Site {
    app: Arc<App>,
    /// Who is here.
    router: Arc<crate::realtime::Router>,
    allowed: Arc<Allowed>,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
}

impl Site {
    /// Counts a request, or says how long to wait. (ERR-7)
    async fn count(&self, whose: RateKey) -> Result<(), Duration> {
        let Limits { requests_per_second, requests_burst, .. } = self.app.limits;
        self.app.rates.take(whose, Quota::new(requests_per_second, Duration::from_secs(1), requests_burst)).await
    }
}

/// The routes of the protocol, those of the local upload and download URLs where media is on the disk, and those for operators.
pub fn routes(
    app: Arc<App>,
    router: Arc<crate::realtime::Router>,
    media: Option<Arc<DiskMedia>>,
    config: &HttpConfig,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> Router {
    let media_routes = media.map(media::routes);
    let site = Site { app, router, allowed: Arc::new(Allowed::new(config)), metrics };
    let mut protocol = Router::new();
    macro_rules! mount {
        ($($endpoint:path),* $(,)?) => { $(protocol = endpoint::mount::<$endpoint>(protocol);)* };
    }
    for_each_endpoint!(mount);
    protocol
        .merge(websocket::routes())
        .merge(operations::routes())
        .merge(media_routes.unwrap_or_default())
        .fallback(endpoint::no_such_endpoint)
        .method_not_allowed_fallback(endpoint::method_not_allowed)
        .layer(guard::cors(config))
        .with_state(site)
}
