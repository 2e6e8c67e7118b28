//! What stands before every endpoint: origins.

use std::{net::IpAddr, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{HttpConfig, problem::REQUEST_ID};

/// Which web pages may use the server. (CAL-6)
#[derive(Debug)]
pub(super) struct Allowed {
    origins: Vec<String>,
    public_url: Option<url::Url>,
    /// Proxies whose headers are believed.
    pub(super) proxies: Vec<IpAddr>,
}

/// Where a request says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// No page of a browser, or one that does not say.
    None,
    /// A page that may use the server.
    Allowed,
    /// Any other page.
    Foreign,
}

impl Allowed {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            origins: config.allowed_origins.clone(),
            public_url: config.public_url.clone(),
            proxies: config.trusted_proxies.clone(),
        }
    }

    /// What the `Origin` of a request is to this server.
    pub(super) fn page(&self, headers: &HeaderMap) -> Page {
        let Some(origin) = headers.get(header::ORIGIN) else { return Page::None };
        let Ok(origin) = origin.to_str() else { return Page::Foreign };
        let own = match &self.public_url {
            Some(url) => url.origin().ascii_serialization() == origin,
            None => same_host(origin, headers),
        };
        if own || self.origins.iter().any(|allowed| allowed == origin) { Page::Allowed } else { Page::Foreign }
    }

    /// Whether the cookie may travel without TLS: only by plain HTTP to a loopback address. (CAL-5)
    pub(super) fn cookie_is_secure(&self, headers: &HeaderMap) -> bool {
        if let Some(url) = &self.public_url {
            return url.scheme() == "https" || !url.host_str().is_some_and(is_loopback);
        }
        !host(headers).is_some_and(is_loopback)
    }
}

fn same_host(origin: &str, headers: &HeaderMap) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

/// The host that a request was sent to, without the port.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    })
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// CORS for the configured origins. (CAL-7)
pub(super) fn cors(config: &HttpConfig) -> CorsLayer {
    let origins = config.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            REQUEST_ID,
            header::CONTENT_RANGE,
            header::RANGE,
            HeaderName::from_static("x-goog-resumable"),
        ])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, header::LOCATION, header::RANGE, header::CONTENT_RANGE])
        .max_age(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(public_url: Option<&str>) -> HttpConfig {
        HttpConfig {
            allowed_origins: vec!["https://app.example".to_owned()],
            trusted_proxies: Vec::new(),
            public_url: public_url.map(|url| url.parse().unwrap()),
            max_connections: 10,
        }
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn pages_are_told_apart_by_their_origin() {
        let from = |origin: &str| headers(&[(header::HOST, "127.0.0.1:8080"), (header::ORIGIN, origin)]);
        let allowed = Allowed::new(&config(None));
        assert_eq!(allowed.page(&headers(&[(header::HOST, "127.0.0.1:8080")])), Page::None);
        for origin in ["http://127.0.0.1:8080", "https://app.example"] {
            assert_eq!(allowed.page(&from(origin)), Page::Allowed, "{origin}");
        }
        for origin in ["http://127.0.0.1:9090", "https://evil.example", "null", "https://app.example.evil"] {
            assert_eq!(allowed.page(&from(origin)), Page::Foreign, "{origin}");
        }
        let public = Allowed::new(&config(Some("https://chat.example")));
        assert_eq!(public.page(&from("https://chat.example")), Page::Allowed);
        assert_eq!(public.page(&from("http://127.0.0.1:8080")), Page::Foreign, "Host proves nothing behind a proxy");
    }

    #[test]
    fn the_cookie_travels_without_tls_on_loopback_alone() {
        let to = |host: &str| headers(&[(header::HOST, host)]);
        let local = Allowed::new(&config(None));
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(!local.cookie_is_secure(&to(host)), "{host}");
        }
        assert!(local.cookie_is_secure(&to("chat.example")));
        assert!(Allowed::new(&config(Some("https://localhost"))).cookie_is_secure(&to("localhost")));
    }
}
