//! Requests that are answered before their body was read, such as one by nobody who is signed in.
//!
//! What a body leaves behind makes a connection useless for the next request. A proxy that is not told sends it that request,
//! perhaps of somebody else, and loses it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body as AnyBody};
use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body, Buf, Bytes, Frame, Incoming, SizeHint},
    header::{CONNECTION, EXPECT, HeaderValue},
};
use parking_lot::Mutex;
use tokio::time::timeout;
use tower::ServiceExt;

/// How much of what was not read is read all the same, to keep the connection.
const BYTES: usize = 1024 * 1024;
/// How long that may take.
const TIME: Duration = Duration::from_millis(100);

/// Answers a request. When its body is not read to the end by then, nor soon after, the answer says that the connection is closed.
pub(super) async fn answer(router: Router, request: Request<Incoming>) -> Result<Response<AnyBody>, Infallible> {
    if request.body().is_end_stream() {
        return router.oneshot(request.map(AnyBody::new)).await;
    }
    let (parts, body) = request.into_parts();
    // Who waits for leave to send the body has not sent it.
    let comes = !parts.headers.contains_key(EXPECT);
    let body = Shared(Arc::new(Mutex::new(Reading { body, is_over: false })));
    let request = Request::from_parts(parts, AnyBody::new(body.clone()));
    let mut response = router.oneshot(request).await?;
    let is_read = body.is_over() || comes && timeout(TIME, body.drained()).await == Ok(true);
    if !is_read {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// A body that is still there when whoever was to read it is not.
#[derive(Clone)]
struct Shared(Arc<Mutex<Reading>>);

struct Reading {
    body: Incoming,
    is_over: bool,
}

impl Shared {
    fn is_over(&self) -> bool {
        let reading = self.0.lock();
        reading.is_over || reading.body.is_end_stream()
    }

    /// Reads the rest; whether that was all.
    async fn drained(mut self) -> bool {
        let mut length = 0;
        while let Some(frame) = self.frame().await {
            let Ok(frame) = frame else { return false };
            length += frame.data_ref().map_or(0, Buf::remaining);
            if length > BYTES {
                return false;
            }
        }
        true
    }
}

impl Body for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut reading = self.0.lock();
        let polled = Pin::new(&mut reading.body).poll_frame(context);
        reading.is_over |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::StatusCode, routing::post};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::super::listener::{Listening, listen};
    use super::*;

    /// A server that reads what it is sent at `/read`, and refuses at once at `/refuse`.
    async fn server() -> (Listening, TcpStream) {
        let read = async |body: AnyBody| to_bytes(body, BYTES).await.map(drop).map_err(|_| StatusCode::BAD_REQUEST);
        let router = Router::new().route("/read", post(read)).route("/refuse", post(async || StatusCode::UNAUTHORIZED));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listen(listener, router, 10, 8192), TcpStream::connect(address).await.unwrap())
    }

    /// The head of the next answer, none of which has a body.
    async fn head(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    async fn asks(stream: &mut TcpStream, path: &str, more: &str) {
        let request = format!("POST {path} HTTP/1.1\r\nhost: here\r\n{more}");
        stream.write_all(request.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_before_the_body_has_come_says_that_the_connection_closes() {
        let (_listening, mut stream) = server().await;
        asks(&mut stream, "/refuse", "content-length: 5\r\n\r\n12").await;
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 401") && head.contains("connection: close"), "{head}");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "and it does");
    }

    #[tokio::test]
    async fn a_refusal_of_a_body_that_comes_keeps_the_connection() {
        let (_listening, mut stream) = server().await;
        for body in ["content-length: 5\r\n\r\n12345", "transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"] {
            for path in ["/refuse", "/read"] {
                asks(&mut stream, path, body).await;
                let head = head(&mut stream).await;
                assert!(!head.contains("connection:"), "{path} {body}: {head}");
            }
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_leave_to_send_is_not_waited_for() {
        let (_listening, mut stream) = server().await;
        asks(&mut stream, "/refuse", "content-length: 5\r\nexpect: 100-continue\r\n\r\n").await;
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 401") && head.contains("connection: close"), "{head}");
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_to_drain_costs_the_connection() {
        let (_listening, mut stream) = server().await;
        asks(&mut stream, "/refuse", &format!("content-length: {}\r\n\r\n", 4 * BYTES)).await;
        let (mut hears, mut says) = stream.split();
        let sending = async {
            // It may be refused in the middle of it.
            drop(says.write_all(&vec![b'x'; 4 * BYTES]).await);
        };
        let mut said = [0; 512];
        let (read, ()) = tokio::join!(hears.read(&mut said), sending);
        let head = String::from_utf8_lossy(&said[..read.unwrap()]);
        assert!(head.starts_with("HTTP/1.1 401") && head.contains("connection: close"), "{head}");
    }
}
