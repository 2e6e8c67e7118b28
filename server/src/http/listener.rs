//! The accept loop: time-outs, sizes and a cap on connections, which `axum::serve` does not have.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use i9chat_spec::{ErrorCode, Format, Problem};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{problem::detail, unread};

/// How long a request's head may take, and how long a connection may wait for its next request.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long to wait after the machine refused a connection, out of files for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until it is told to stop.
#[derive(Debug)]
pub struct Listening {
    /// Tells the loop to take no more connections, and the open ones to end after their request.
    pub stop: CancellationToken,
    /// The connections, upgraded ones not included.
    pub tasks: TaskTracker,
}

/// Serves a listener, as a task.
pub fn listen(listener: TcpListener, router: Router, max_connections: usize, max_head_bytes: usize) -> Listening {
    let listening = Listening { stop: CancellationToken::new(), tasks: TaskTracker::new() };
    let (stop, tasks) = (listening.stop.clone(), listening.tasks.clone());
    tokio::spawn(async move {
        let permits = Arc::new(Semaphore::new(max_connections));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                let permit = ConnectionPermit(Arc::new(permit));
                tasks.spawn(serve(stream, peer, router.clone(), max_head_bytes, permit, stop.clone()));
            } else {
                metrics::counter!("i9chat_connections_refused_total").increment(1);
                tasks.spawn(refuse(stream));
            }
        }
    });
    listening
}

/// A connection counts until the last of these is gone: a WebSocket takes one along when it leaves HTTP.
#[derive(Debug, Clone)]
pub(super) struct ConnectionPermit(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    max_head_bytes: usize,
    permit: ConnectionPermit,
    stop: CancellationToken,
) {
    // Frames are small and must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone at once");
        return;
    }
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(permit.clone());
        unread::answer(router.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(max_head_bytes.max(8192))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// Says why before the connection is closed: more are open than may be. (WSK-14 for one user; this is for all.)
async fn refuse(mut stream: TcpStream) {
    let Ok(request_id) = "connection".parse() else { return };
    let problem = Problem::new(ErrorCode::Overloaded, detail(ErrorCode::Overloaded), request_id);
    let body = Format::Json.encode(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        Format::Json.problem_type(),
        body.len(),
    );
    let answer = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.shutdown().await
    };
    let answered: Result<io::Result<()>, _> = tokio::time::timeout(Duration::from_secs(1), answer).await;
    if !matches!(answered, Ok(Ok(()))) {
        tracing::trace!("a refused connection was gone");
    }
}
