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
mod websocket;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use axum::Router;
use i9chat_spec::{UserId, for_each_endpoint};

use self::guard::{Allowed, Rates};
pub use self::{
    listener::{Listening, listen},
    metrics::install_metrics,
    problem::{problem_of, request_id_of},
};
use crate::{app::App, media::disk::DiskMedia};

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
    /// The bytes behind the local upload and download URLs.
    media: Arc<DiskMedia>,
    rates: Arc<Rates>,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RateKey {
    User(UserId),
    /// Those that URLs permit which were made for a user: whoever has such a URL must not use up what the user may ask.
    Media(UserId),
    Address(IpAddr),
}

/// The routes of the protocol, and those for operators.
pub fn routes(
    app: Arc<App>,
    router: Arc<crate::realtime::Router>,
    media: Arc<DiskMedia>,
    config: &HttpConfig,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> Router {
    let count = |number: u64| NonZeroU32::new(u32::try_from(number).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
    let rates = Arc::new(Rates::new(count(app.limits.requests_per_second), count(app.limits.requests_burst)));
    guard::forget_idle(&rates);
    let site = Site { app, router, allowed: Arc::new(Allowed::new(config)), media, rates, metrics };
    let mut protocol = Router::new();
    macro_rules! mount {
        ($($endpoint:path),* $(,)?) => { $(protocol = endpoint::mount::<$endpoint>(protocol);)* };
    }
    for_each_endpoint!(mount);
    protocol
        .merge(websocket::routes())
        .merge(operations::routes())
        .merge(media::routes())
        .fallback(endpoint::no_such_endpoint)
        .method_not_allowed_fallback(endpoint::method_not_allowed)
        .layer(guard::cors(config))
        .with_state(site)
}
