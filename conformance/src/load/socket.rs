use std::time::Duration;

use futures_util::StreamExt;
use i9chat_spec::{CloseCode, CloseReason, Format, Token};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::sleep,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Message, Utf8Bytes,
        client::IntoClientRequest,
        http::{
            HeaderValue,
            header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::WebSocketConfig,
    },
};

use super::{LoadError, target::Target, wire};

/// A WebSocket of the load.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How large the buffers of a connection are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Buffers {
    /// For connections that carry much.
    Busy,
    /// For very many connections that carry little.
    Quiet,
}

impl Buffers {
    // The library clears its read buffer on every read, so that more than is needed costs time too.
    fn config(self) -> WebSocketConfig {
        let bytes = match self {
            Self::Busy => 16 * 1024,
            Self::Quiet => 1024,
        };
        WebSocketConfig::default().read_buffer_size(bytes).write_buffer_size(bytes)
    }
}

/// How long the server may put a connection off before the load gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Opens a WebSocket and reads its first frame, which says what became of the cursor. `number` says which connection
/// of the run it is, to spread them over the addresses of this machine. Waits where the server asks for that. (WSK-13)
pub(super) async fn open(
    target: &Target,
    token: &Token,
    cursor: Option<&str>,
    buffers: Buffers,
    number: usize,
) -> Result<(Socket, String), LoadError> {
    patiently(async || open_once(target, token, cursor, buffers, number).await).await
}

/// Tries again where the server puts a connection off, for as long as it asks. (WSK-13)
pub(super) async fn patiently<T>(open: impl AsyncFn() -> Result<T, LoadError>) -> Result<T, LoadError> {
    let mut waited = Duration::ZERO;
    loop {
        match open().await {
            Err(LoadError::Closed { code: Some(CloseCode::RateLimited), retry_after: Some(wait) })
                if waited < PATIENCE =>
            {
                // At least a moment, lest a server that says 0 is asked without pause.
                let wait = wait.max(Duration::from_millis(1));
                sleep(wait).await;
                waited += wait;
            }
            opened => return opened,
        }
    }
}

async fn open_once(
    target: &Target,
    token: &Token,
    cursor: Option<&str>,
    buffers: Buffers,
    number: usize,
) -> Result<(Socket, String), LoadError> {
    let unusable = |error: &dyn std::fmt::Display| LoadError::Unexpected(format!("cannot be a header: {error}"));
    let mut request = target.websocket(cursor, number).into_client_request()?;
    let bearer = format!("Bearer {}", token.as_str());
    let bearer = HeaderValue::from_str(&bearer).map_err(|error| unusable(&error))?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let protocol = HeaderValue::from_static(Format::Json.subprotocol());
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    let stream = connect(target, number).await.map_err(tokio_tungstenite::tungstenite::Error::Io)?;
    // Boxed, as the handshake is large and short: the connections stay small.
    let handshake = Box::pin(client_async_tls_with_config(request, stream, Some(buffers.config()), None));
    let (mut socket, _) = handshake.await?;
    let first = next_text(&mut socket).await?;
    match wire::read(&first) {
        Some(wire::Frame::Hello { resume }) => Ok((socket, resume.to_owned())),
        _ => Err(LoadError::Unexpected("the first frame is no hello".to_owned())),
    }
}

pub(super) async fn connect(target: &Target, number: usize) -> std::io::Result<TcpStream> {
    let address = target.address(number);
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = target.source(number) {
        socket.bind(source)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The next frame that holds text. Pings are answered on the way.
pub(super) async fn next_text(socket: &mut Socket) -> Result<Utf8Bytes, LoadError> {
    loop {
        if let Some(text) = text_of(socket.next().await)? {
            return Ok(text);
        }
    }
}

/// The text of what a socket gave, none for a ping or pong.
pub(super) fn text_of(
    received: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
) -> Result<Option<Utf8Bytes>, LoadError> {
    match received.transpose()? {
        Some(Message::Text(text)) => Ok(Some(text)),
        Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(None),
        Some(Message::Binary(_)) => {
            Err(LoadError::Unexpected("a binary frame came on a connection for text".to_owned()))
        }
        Some(Message::Close(Some(close))) => Err(closed(close.code.into(), &close.reason)),
        Some(Message::Close(None)) | None => Err(LoadError::Closed { code: None, retry_after: None }),
    }
}

/// What a close says. (WSK-13)
pub(super) fn closed(code: u16, reason: &str) -> LoadError {
    let delay = reason.parse::<CloseReason>().ok().and_then(|reason| reason.retry_after_ms);
    LoadError::Closed { code: CloseCode::from_number(code), retry_after: delay.map(Duration::from_millis) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::SinkExt;
    use i9chat_spec::{Example, Hello, ServerFrame};
    use tokio::net::TcpListener;
    use tokio_tungstenite::{
        accept_hdr_async,
        tungstenite::{
            handshake::server::{ErrorResponse, Request, Response},
            protocol::CloseFrame,
        },
    };

    use super::*;

    #[expect(clippy::unnecessary_wraps, clippy::result_large_err, reason = "the type of the library's callback")]
    fn select(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        let protocol = HeaderValue::from_static(Format::Json.subprotocol());
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    }

    /// A server that answers one handshake after the other with these frames.
    async fn server(frames: Vec<Message>) -> Target {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for frame in frames {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = Box::pin(accept_hdr_async(stream, select)).await.unwrap();
                socket.send(frame).await.unwrap();
                // Until the client is gone.
                while let Some(Ok(_)) = socket.next().await {}
            }
        });
        Target::new(&[url.parse().unwrap()], false).await.unwrap()
    }

    fn close(code: CloseCode, retry_after_ms: Option<u64>) -> Message {
        let reason = CloseReason { code, retry_after_ms }.to_string().into();
        Message::Close(Some(CloseFrame { code: code.number().into(), reason }))
    }

    fn hello() -> Message {
        let bytes = Format::Json.encode(&ServerFrame::Hello(Hello::example())).unwrap();
        Message::text(String::from_utf8(bytes).unwrap())
    }

    async fn opened(frames: Vec<Message>) -> Result<String, LoadError> {
        let target = server(frames).await;
        open(&target, &Token::example(), None, Buffers::Quiet, 0).await.map(|(_, resume)| resume)
    }

    #[tokio::test]
    async fn a_connection_that_is_put_off_is_opened_later() {
        let put_off = || close(CloseCode::RateLimited, Some(1));
        assert_eq!(opened(vec![put_off(), put_off(), hello()]).await.unwrap(), "resumed");
    }

    #[tokio::test]
    async fn a_connection_that_is_refused_for_good_is_not_tried_again() {
        let error = opened(vec![close(CloseCode::SessionEnded, None), hello()]).await.unwrap_err();
        assert!(matches!(error, LoadError::Closed { code: Some(CloseCode::SessionEnded), .. }), "{error}");
    }
}
