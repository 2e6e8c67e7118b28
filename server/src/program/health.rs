//! Asking a running server whether it is ready, where there is no other program to ask with: in a container.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// The most of an answer that is read, in bytes: its status stands in the first line.
const READ: u64 = 256;

/// Why a server does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Nobody answers there, or not in time.
    #[error("no server answers at {address}")]
    Silent {
        /// Where it was asked.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A server answers that it cannot serve.
    #[error("the server at {address} is not ready: {answer:?}")]
    NotReady {
        /// Where it was asked.
        address: SocketAddr,
        /// The first line of what it answered.
        answer: String,
    },
}

/// Asks the server that listens on this address of this machine whether it is ready. (CAP-4)
pub async fn ask(listen: SocketAddr) -> Result<(), HealthError> {
    let address = super::reachable(listen);
    let answer = timeout(PATIENCE, first_line(address)).await.unwrap_or_else(|late| Err(late.into()));
    let answer = answer.map_err(|source| HealthError::Silent { address, source })?;
    if answer.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(HealthError::NotReady { address, answer }) }
}

async fn first_line(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(READ).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of asking a server that answers this to one connection, after it has read the request.
    async fn asked(answer: &'static str) -> Result<(), HealthError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let wildcard = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), address.port());
        tokio::join!(ask(wildcard), answering).0
    }

    #[tokio::test]
    async fn a_server_that_is_ready_is_healthy() {
        assert!(asked("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n").await.is_ok());
    }

    #[tokio::test]
    async fn a_server_that_is_not_ready_is_not_healthy_and_says_so() {
        let error = asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").await.unwrap_err();
        assert!(error.to_string().contains("503 Service Unavailable"), "{error}");
        assert!(matches!(asked("200").await, Err(HealthError::NotReady { .. })));
        assert!(matches!(asked("").await, Err(HealthError::NotReady { .. })));
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_is_healthy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(ask(address).await, Err(HealthError::Silent { .. })));
    }
}
