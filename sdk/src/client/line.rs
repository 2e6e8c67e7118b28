use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Sink, Stream};
use i9chat_spec::{ClientFrame, Cursor, Format, ServerFrame};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        http::{HeaderValue, StatusCode, header},
        protocol::WebSocketConfig,
    },
};

use crate::{
    connection::Lost,
    http::{Transport, USER_AGENT, bearer},
};

/// Small, since the library's own 128 KiB are cleared at each read.
const BUFFER_BYTES: usize = 8 * 1024;
/// Twice the largest frame that a client may send, with room for what the library adds.
const MAX_UNWRITTEN_BYTES: usize = 1024 * 1024;
/// The largest event is a chat with its last entry, well below.
const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// An open WebSocket, read and written by one task.
pub(super) struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    format: Format,
    /// Encoded frames that the socket has not taken yet: at most what may be under way.
    unwritten: VecDeque<Message>,
    unflushed: bool,
}

/// What a line brings.
pub(super) enum Heard {
    /// A frame.
    Frame(Box<ServerFrame>),
    /// A frame that cannot be read.
    Unreadable,
    /// A ping or such: a sign of life.
    Life,
    /// The end.
    Lost(Lost),
}

impl Line {
    /// Connects, and returns when the handshake is done; the hello is yet to come.
    pub(super) async fn open(
        transport: &Transport,
        token: &i9chat_spec::Token,
        cursor: Option<Cursor>,
    ) -> Result<Self, Lost> {
        let format = transport.format();
        // `http` becomes `ws`, `https` becomes `wss`.
        let mut url = format!("ws{}/v1/ws", transport.server().trim_start_matches("http"));
        if let Some(cursor) = cursor {
            // A cursor is of characters that need no escape. (LOG-2)
            url = format!("{url}?cursor={}", cursor.as_str());
        }
        let broken = |error: &dyn std::fmt::Display| {
            tracing::debug!(%error, "the handshake failed");
            Lost::Broken
        };
        let mut request = url.into_client_request().map_err(|error| broken(&error))?;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, bearer(token).map_err(|error| broken(&error))?);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(format.subprotocol()));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(MAX_UNWRITTEN_BYTES)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let connector = Connector::Rustls(Arc::clone(&transport.tls()));
        match connect_async_tls_with_config(request, Some(config), true, Some(connector)).await {
            Ok((socket, _)) => Ok(Self { socket, format, unwritten: VecDeque::new(), unflushed: false }),
            Err(WsError::Http(answer)) if answer.status() == StatusCode::UNAUTHORIZED => Err(Lost::TokenRefused),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Queues a frame, which goes out while [`heard`](Self::heard) is awaited.
    pub(super) fn transmit(&mut self, frame: &ClientFrame<impl Serialize>) {
        match self.format.encode(frame) {
            Ok(bytes) => self.unwritten.extend(message(self.format, bytes)),
            Err(error) => tracing::error!(%error, "a frame cannot be encoded"),
        }
    }

    /// Writes what is queued and waits for what comes. A call that is dropped has lost nothing.
    pub(super) async fn heard(&mut self) -> Heard {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Says goodbye and waits for the other side to say so too.
    pub(super) async fn close(mut self) {
        if let Err(error) = self.socket.close(None).await {
            tracing::debug!(%error, "the line broke while it was closed");
            return;
        }
        while !matches!(self.heard().await, Heard::Lost(_)) {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if let Err(error) = self.poll_write(cx) {
            return Poll::Ready(lost(&error));
        }
        match Pin::new(&mut self.socket).poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Heard::Lost(Lost::Broken)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(lost(&error)),
            Poll::Ready(Some(Ok(message))) => Poll::Ready(self.read(&message)),
        }
    }

    /// All that the socket takes now, and then one flush.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), WsError> {
        let mut socket = Pin::new(&mut self.socket);
        while !self.unwritten.is_empty() {
            match socket.as_mut().poll_ready(cx)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) => {
                    if let Some(message) = self.unwritten.pop_front() {
                        socket.as_mut().start_send(message)?;
                        self.unflushed = true;
                    }
                }
            }
        }
        if self.unflushed {
            self.unflushed = socket.poll_flush(cx)?.is_pending();
        }
        Ok(())
    }

    fn read(&self, message: &Message) -> Heard {
        let bytes = match (message, self.format) {
            (Message::Text(text), Format::Json) => text.as_bytes(),
            (Message::Binary(bytes), Format::MessagePack) => bytes,
            (Message::Ping(_) | Message::Pong(_), _) => return Heard::Life,
            (Message::Close(frame), _) => {
                let lost = frame.as_ref().map_or(Lost::Broken, |frame| {
                    tracing::debug!(code = u16::from(frame.code), reason = %frame.reason, "closed by the server");
                    Lost::from_close(frame.code.into(), &frame.reason)
                });
                return Heard::Lost(lost);
            }
            (Message::Text(_) | Message::Binary(_) | Message::Frame(_), _) => return Heard::Unreadable,
        };
        match self.format.decode(bytes) {
            Ok(frame) => Heard::Frame(Box::new(frame)),
            Err(_) => Heard::Unreadable,
        }
    }
}

fn lost(error: &WsError) -> Heard {
    tracing::debug!(%error, "the line broke");
    Heard::Lost(Lost::Broken)
}

/// The encoded frame as a message: JSON as text, MessagePack as binary. (WSK-1)
fn message(format: Format, bytes: Vec<u8>) -> Option<Message> {
    match format {
        // JSON is UTF-8, so this always holds.
        Format::Json => String::from_utf8(bytes).ok().map(Message::text),
        Format::MessagePack => Some(Message::binary(bytes)),
    }
}
