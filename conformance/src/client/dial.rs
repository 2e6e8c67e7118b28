//! Opening connections: plain or TLS, from a client address of one's own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, lookup_host},
};
use tokio_rustls::TlsConnector;
use url::Url;

/// Anything that bytes go through.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken there.
    pub tls: bool,
}

/// A URL that no server can be reached at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the URL of a server: write it like http://127.0.0.1:8080")]
pub struct NotAnOrigin(String);

impl TryFrom<&str> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: &str) -> Result<Self, NotAnOrigin> {
        let fault = || NotAnOrigin(text.to_owned());
        let url = Url::parse(text).map_err(|_| fault())?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(fault()),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(fault());
        }
        Ok(Self {
            host: url.host_str().ok_or_else(fault)?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().ok_or_else(fault)?,
            tls,
        })
    }
}

impl Origin {
    /// The value of the header `Host`.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }

    /// The origin as a browser names it in the header `Origin`.
    pub fn as_header(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }

    /// Whether it is on this machine, so that nobody else can listen.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Opens a connection; `source` is the client address to come from, where the server is on the same machine.
    pub async fn dial(&self, source: Option<Ipv4Addr>) -> std::io::Result<Box<dyn Stream>> {
        let mut last = std::io::Error::other(format!("{} has no address", self.host));
        for address in lookup_host((self.host.as_str(), self.port)).await? {
            match connect(address, source).await {
                Ok(stream) if self.tls => {
                    let name =
                        rustls::pki_types::ServerName::try_from(self.host.clone()).map_err(std::io::Error::other)?;
                    let connector = TlsConnector::from(TLS.clone().map_err(std::io::Error::other)?);
                    return Ok(Box::new(connector.connect(name, stream).await?));
                }
                Ok(stream) => return Ok(Box::new(stream)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

async fn connect(address: SocketAddr, source: Option<Ipv4Addr>) -> std::io::Result<tokio::net::TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let (SocketAddr::V4(to), Some(source)) = (address, source)
        && to.ip().is_loopback()
    {
        socket.bind((source, 0).into())?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

static TLS: LazyLock<Result<Arc<rustls::ClientConfig>, String>> = LazyLock::new(|| {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_from_its_url() {
        let origin = Origin::try_from("http://127.0.0.1:8080").unwrap();
        assert_eq!((origin.authority().as_str(), origin.is_loopback()), ("127.0.0.1:8080", true));
        let origin = Origin::try_from("https://chat.example/").unwrap();
        assert_eq!((origin.as_header().as_str(), origin.port), ("https://chat.example", 443));
        let origin = Origin::try_from("http://[::1]:1").unwrap();
        assert_eq!((origin.authority().as_str(), origin.is_loopback()), ("[::1]:1", true));
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for text in ["127.0.0.1:8080", "ftp://a.example", "http://a.example/v1", "http://a.example?x=1", ""] {
            assert!(Origin::try_from(text).is_err(), "{text}");
        }
    }
}
