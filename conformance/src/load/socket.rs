use futures_util::StreamExt;
use i9chat_spec::{Format, Token};
use tokio::net::{TcpSocket, TcpStream};
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

/// Opens a WebSocket and reads its first frame, which says what became of the cursor. `number` says which connection of the run it is, to spread them over
/// the addresses of this machine.
pub(super) async fn open(
    target: &Target,
    token: &Token,
    cursor: Option<&str>,
    buffers: Buffers,
    number: usize,
) -> Result<(Socket, String), LoadError> {
    let unusable = |error: &dyn std::fmt::Display| LoadError::Unexpected(format!("cannot be a header: {error}"));
    let mut request = target.websocket(cursor).into_client_request()?;
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

async fn connect(target: &Target, number: usize) -> std::io::Result<TcpStream> {
    let address = target.address();
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
        Some(Message::Close(Some(close))) => {
            Err(LoadError::Closed(format!("{} {}", u16::from(close.code), close.reason.as_str())))
        }
        Some(Message::Close(None)) | None => Err(LoadError::Closed("without a reason".to_owned())),
    }
}
