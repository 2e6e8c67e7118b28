use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use url::{Host, Url};

use super::LoadError;

/// How many connections leave from one address of this machine. A connection takes a port, and a machine has about
/// 28,000 of them for one pair of addresses; Linux takes all of 127.0.0.0/8 as its own, so that more can be had.
const CONNECTIONS_PER_SOURCE: usize = 20_000;

/// The server under load: one node, or several that share their data.
#[derive(Debug, Clone)]
pub(super) struct Target {
    nodes: Arc<[Node]>,
    /// How many requests were sent: each goes to the next node.
    requests: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Node {
    url: Url,
    address: SocketAddr,
}

impl Target {
    /// Looks the server's nodes up, and refuses those that are not on this machine unless they may be elsewhere.
    pub(super) async fn new(urls: &[Url], allow_remote: bool) -> Result<Self, LoadError> {
        let mut nodes = Vec::new();
        for url in urls {
            nodes.push(Node::find(url.clone(), allow_remote).await?);
        }
        Ok(Self { nodes: nodes.into(), requests: Arc::default() })
    }

    /// The URL of a path of the server, at the next node.
    pub(super) fn http(&self, path: &str) -> String {
        self.node(self.requests.fetch_add(1, Ordering::Relaxed)).path(path)
    }

    /// The URL of its WebSockets, for the connection of that number.
    pub(super) fn websocket(&self, cursor: Option<&str>, connection: usize) -> String {
        let path = match cursor {
            Some(cursor) => format!("/v1/ws?cursor={cursor}"),
            None => "/v1/ws".to_owned(),
        };
        // `http…` becomes `ws…`, and `https…` `wss…`.
        self.node(connection).path(&path).replacen("http", "ws", 1)
    }

    /// Where the node listens that the connection of that number goes to.
    pub(super) fn address(&self, connection: usize) -> SocketAddr {
        self.node(connection).address
    }

    /// The address that the connection of that number leaves from; none where the system may choose.
    pub(super) fn source(&self, connection: usize) -> Option<SocketAddr> {
        let block = connection / CONNECTIONS_PER_SOURCE;
        let there = self.address(connection);
        if block == 0 || !there.is_ipv4() || !there.ip().is_loopback() {
            return None;
        }
        let last = u8::try_from(block + 1).unwrap_or(u8::MAX);
        Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))
    }

    #[expect(clippy::indexing_slicing, reason = "the command line asks for at least one")]
    fn node(&self, turn: usize) -> &Node {
        &self.nodes[turn % self.nodes.len()]
    }
}

impl Node {
    async fn find(url: Url, allow_remote: bool) -> Result<Self, LoadError> {
        let (Some(host), Some(port), "http" | "https") = (url.host(), url.port_or_known_default(), url.scheme()) else {
            return Err(LoadError::BadUrl(url));
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let Some(address) = found.ok().and_then(|mut addresses| addresses.next()) else {
            return Err(LoadError::BadUrl(url));
        };
        if !address.ip().is_loopback() && !allow_remote {
            return Err(LoadError::Remote(url));
        }
        Ok(Self { url, address })
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn target(url: &str, allow_remote: bool) -> Result<Target, LoadError> {
        Target::new(&[url.parse().unwrap()], allow_remote).await
    }

    #[tokio::test]
    async fn only_this_machine_is_a_target_unless_allowed() {
        assert!(target("http://127.0.0.1:1/", false).await.is_ok());
        assert!(target("http://[::1]:1/", false).await.is_ok());
        assert!(matches!(target("http://192.0.2.1:1/", false).await, Err(LoadError::Remote(_))));
        assert!(target("http://192.0.2.1:1/", true).await.is_ok());
        assert!(matches!(target("ftp://127.0.0.1/", true).await, Err(LoadError::BadUrl(_))));
    }

    #[tokio::test]
    async fn paths_are_put_behind_the_url() {
        let plain = target("http://127.0.0.1:8080/", false).await.unwrap();
        assert_eq!(plain.http("/v1/me"), "http://127.0.0.1:8080/v1/me");
        assert_eq!(plain.websocket(None, 0), "ws://127.0.0.1:8080/v1/ws");
        let tls = target("https://127.0.0.1/base", false).await.unwrap();
        assert_eq!(tls.websocket(Some("abc"), 1), "wss://127.0.0.1/base/v1/ws?cursor=abc");
    }

    #[tokio::test]
    async fn many_connections_leave_from_several_addresses() {
        let target = target("http://127.0.0.1:8080/", false).await.unwrap();
        assert_eq!(target.source(19_999), None);
        assert_eq!(target.source(20_000), Some("127.0.0.2:0".parse().unwrap()));
        assert_eq!(target.source(40_000), Some("127.0.0.3:0".parse().unwrap()));
    }

    #[tokio::test]
    async fn requests_and_connections_are_spread_over_the_nodes() {
        let urls = ["http://127.0.0.1:1/", "http://127.0.0.1:2/"].map(|url| url.parse().unwrap());
        let target = Target::new(&urls, false).await.unwrap();
        assert_eq!(
            [0, 1, 2].map(|_| target.http("/v1/me")),
            ["http://127.0.0.1:1/v1/me", "http://127.0.0.1:2/v1/me", "http://127.0.0.1:1/v1/me"]
        );
        assert_eq!([0, 1, 2, 3].map(|number| target.address(number).port()), [1, 2, 1, 2]);
        assert_eq!(target.websocket(None, 3), "ws://127.0.0.1:2/v1/ws");
    }
}
