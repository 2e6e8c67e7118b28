use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use i9chat_spec::RequestId;

use super::problem::REQUEST_ID;
use crate::{
    app::{App, Credential, Origin},
    ids::Ids,
};

/// The name of the session cookie. (CAL-5)
pub(super) const COOKIE: &str = "i9chat_session";

/// The token or cookie of a request; the header counts when both are given. (CAL-1)
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential> {
    bearer(headers).or_else(|| cookie(headers))
}

fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let value = headers.get(header::AUTHORIZATION)?;
    // What cannot be a token is one that this server did not make. (CAL-2)
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    Some(Credential::Bearer(token.unwrap_or_default()))
}

fn cookie(headers: &HeaderMap) -> Option<Credential> {
    let secret = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    Some(Credential::Cookie(secret.to_owned()))
}

/// The request's id: the caller's, or a new one. (CNV-13)
pub(super) fn request_id(app: &App, headers: &HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()?.parse().ok());
    given.unwrap_or_else(|| new_request_id(&*app.ids))
}

fn new_request_id(ids: &dyn Ids) -> RequestId {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    let text = format!("{:016x}", u64::from_be_bytes(bytes));
    text.parse().unwrap_or_else(|_| i9chat_spec::Example::example())
}

/// Where a request came from: the peer, or whom a trusted proxy names.
pub(super) fn origin(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpAddr]) -> Origin {
    let mut address = peer.ip().to_canonical();
    if trusted.contains(&address) {
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<IpAddr> =
            forwarded.flat_map(|value| value.split(',')).filter_map(|part| part.trim().parse().ok()).collect();
        // From the right: each proxy adds the peer that it saw, and only trusted ones are believed.
        for hop in named.into_iter().rev() {
            address = hop.to_canonical();
            if !trusted.contains(&address) {
                break;
            }
        }
    }
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    Origin { address, user_agent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let peer: SocketAddr = "127.0.0.1:5000".parse().unwrap();
        let proxy = peer.ip();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7, 127.0.0.1".parse().unwrap());
        assert_eq!(origin(&headers, peer, &[]).address, proxy);
        assert_eq!(origin(&headers, peer, &[proxy]).address, "198.51.100.7".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn the_cookie_is_found_among_others_and_the_header_counts_first() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "theme=dark; i9chat_session=abc; i9chat_sessions=no".parse().unwrap());
        assert!(matches!(credential(&headers), Some(Credential::Cookie(secret)) if secret == "abc"));
        headers.insert(header::AUTHORIZATION, "bearer xyz".parse().unwrap());
        assert!(matches!(credential(&headers), Some(Credential::Bearer(token)) if token == "xyz"));
    }
}
