//! The WebSocket handshake, written out, so that a case decides about each part of it. (WSK-1 to WSK-3, CAL-8, CAL-9)

use base64::{Engine, engine::general_purpose::STANDARD};
use i9chat_spec::{CloseCode, Format};
use tokio::io::AsyncWriteExt;

use super::{Answer, Client, Closed, Credentials, Frame, Socket, http1};
use crate::{
    expect::check,
    journal::shortened_secret,
    verdict::{Stop, Verdict},
};

/// A handshake that is being put together.
#[derive(Debug, Clone)]
#[must_use = "a handshake is made by `connect`, `upgrade` or `refused`"]
pub struct Handshake {
    client: Client,
    path: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
}

/// What came of a handshake.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time, and it is taken apart at once")]
pub enum Upgrade {
    /// The connection is a WebSocket now. Nothing has been read from it.
    Done(Socket),
    /// It is not.
    Refused(Refused),
}

/// A handshake that was answered without an upgrade.
#[derive(Debug)]
pub struct Refused(pub Answer);

impl Handshake {
    pub(super) fn new(client: Client) -> Self {
        let headers = match &client.credentials {
            Some(Credentials::Token(token)) => vec![("Authorization".to_owned(), format!("Bearer {token}"))],
            Some(Credentials::Cookie(secret)) => vec![("Cookie".to_owned(), format!("i9chat_session={secret}"))],
            None => Vec::new(),
        };
        let protocols = vec![Format::Json.subprotocol().to_owned()];
        Self { client, path: "/v1/ws".to_owned(), protocols, headers }
    }

    /// Resumes from a cursor. (RSM-2)
    pub fn cursor(mut self, cursor: &str) -> Self {
        self.path = format!("/v1/ws?cursor={cursor}");
        self
    }

    /// Asks for another path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Offers these subprotocols instead of `i9chat.v1.json`.
    pub fn protocols<P: Into<String>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Offers the subprotocol of that encoding.
    pub fn format(self, format: Format) -> Self {
        self.protocols([format.subprotocol()])
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Comes from a web page of that origin.
    pub fn origin(self, origin: impl Into<String>) -> Self {
        self.header("Origin", origin)
    }

    /// Connects, and reads `hello`, which must be the first frame. (WSK-3)
    pub async fn connect(self) -> Verdict<Socket> {
        let mut socket = self.upgrade().await?;
        match socket.next().await? {
            Frame::Value(hello) if hello["type"] == "hello" => {
                socket.hello = hello;
                Ok(socket)
            }
            other => Err(Stop::failed("hello as the first frame", other.to_string())),
        }
    }

    /// Connects, and reads nothing yet.
    pub async fn upgrade(self) -> Verdict<Socket> {
        match self.attempt().await? {
            Upgrade::Done(socket) => Ok(socket),
            Upgrade::Refused(Refused(answer)) => Err(answer.other_than("an upgrade to a WebSocket")),
        }
    }

    /// The connection must be upgraded and then closed with this code, before any other frame. (WSK-2)
    pub async fn refused_with(self, code: CloseCode) -> Verdict<Closed> {
        let mut socket = self.upgrade().await?;
        match socket.next().await? {
            Frame::Closed(closed) => {
                closed.is(code)?;
                Ok(closed)
            }
            other => Err(Stop::failed(format!("a close with {} {}", code.number(), code.name()), other.to_string())),
        }
    }

    /// Sends the handshake and reads its answer.
    pub async fn attempt(self) -> Verdict<Upgrade> {
        let key = STANDARD.encode(rand::random::<[u8; 16]>());
        let bytes = self.bytes(&key);
        self.client.journal.line(self.shown());
        let exchange = async {
            let mut stream = self.client.origin.dial(self.client.source).await?;
            stream.write_all(&bytes).await?;
            let (head, rest) = http1::read_head(&mut stream, Vec::new()).await?;
            Ok::<_, http1::ReadError>((stream, head, rest))
        };
        let (mut stream, head, rest) = match tokio::time::timeout(self.client.patience, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Stop::failed("an answer to a WebSocket handshake", error.to_string())),
            Err(_) => return Err(Stop::failed("an answer to a WebSocket handshake", "none in time")),
        };
        if head.status != 101 {
            let answer = Answer::new("the WebSocket handshake".to_owned(), head, Vec::new());
            self.client.journal.line(format!("← {answer}"));
            stream.shutdown().await.ok();
            return Ok(Upgrade::Refused(Refused(answer)));
        }
        let accepted = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        check(head.header("sec-websocket-accept") == Some(&accepted), || {
            ("Sec-WebSocket-Accept as RFC 6455 derives it", format!("{:?}", head.headers))
        })?;
        let selected = head.header("sec-websocket-protocol").map(str::to_owned);
        self.client.journal.line(format!("← 101 {}", selected.as_deref().unwrap_or("without a subprotocol")));
        let format = match selected.as_deref() {
            Some(name) if name == Format::MessagePack.subprotocol() => Format::MessagePack,
            _ => Format::Json,
        };
        Ok(Upgrade::Done(Socket::new(&self.client, stream, rest, format, selected).await))
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n",
            self.path,
            self.client.origin.authority(),
        );
        if !self.protocols.is_empty() {
            head.extend(["Sec-WebSocket-Protocol: ", &self.protocols.join(", "), "\r\n"]);
        }
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn shown(&self) -> String {
        let protocols: Vec<_> = self
            .protocols
            .iter()
            .map(|protocol| match protocol.strip_prefix("bearer.") {
                Some(token) => format!("bearer.{}", shortened_secret(token)),
                None => protocol.clone(),
            })
            .collect();
        let mut line = format!("→ GET {} (WebSocket) | offers {}", self.path, protocols.join(", "));
        for (name, value) in &self.headers {
            let value = match name.as_str() {
                "Authorization" | "Cookie" => "…",
                _ => value,
            };
            line.extend([" | ", name, ": ", value]);
        }
        line
    }
}
