//! A WebSocket that is read in bulk: one call of the system for all that has come, one buffer for all connections, and
//! frames that are looked at where they lie. A library that hands out each frame by itself takes longer for that than
//! the server takes to send it.

use std::io;

use i9chat_spec::{Format, Token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use url::Url;

use super::{
    LoadError,
    socket::{self, closed},
    target::Target,
    wire,
};

mod cut;

use cut::{Cut, Kind, cut};

/// The largest head of an answer to a handshake.
const MAX_HEAD: usize = 16 * 1024;
/// How much is read at a time: what a busy connection gathers while others have their turn.
pub(super) const BULK: usize = 256 * 1024;

/// A connection after its `hello`.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    /// The start of a frame whose rest is still to come.
    rest: Vec<u8>,
    /// What could not be written yet.
    outgoing: Vec<u8>,
}

impl Line {
    /// Opens a connection; waits where the server asks for that.
    pub(super) async fn open(target: &Target, token: &Token, number: usize) -> Result<Self, LoadError> {
        socket::patiently(async || Self::open_once(target, token, number).await).await
    }

    async fn open_once(target: &Target, token: &Token, number: usize) -> Result<Self, LoadError> {
        let url: Url = target.websocket(None, number).parse().map_err(|_| unexpected("the URL cannot be used"))?;
        if url.scheme() != "ws" {
            return Err(LoadError::DoesNotFit(
                "this load is for servers without TLS: it would measure that".to_owned(),
            ));
        }
        let mut stream = socket::connect(target, number).await.map_err(broken)?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            url.path(),
            target.address(number),
            generate_key(),
            Format::Json.subprotocol(),
            token.as_str(),
        );
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut line = Self { stream, rest: Vec::new(), outgoing: Vec::new() };
        line.read_head().await?;
        line.read_hello().await?;
        Ok(line)
    }

    /// Reads through the empty line; what follows it stays for the frames.
    async fn read_head(&mut self) -> Result<(), LoadError> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.rest, b"\r\n\r\n") {
                if !self.rest.starts_with(b"HTTP/1.1 101 ") {
                    return Err(unexpected("a handshake was not answered with 101"));
                }
                self.rest.drain(..end + 4);
                return Ok(());
            }
            if self.rest.len() > MAX_HEAD {
                return Err(unexpected("the head of the answer to a handshake does not end"));
            }
            self.read_more().await?;
        }
    }

    async fn read_hello(&mut self) -> Result<(), LoadError> {
        loop {
            if let Some(Cut { kind, from, to }) = cut(&self.rest)? {
                let payload = self.rest.get(from..to).unwrap_or_default();
                let hello = match kind {
                    Kind::Text => std::str::from_utf8(payload).ok().and_then(wire::read),
                    Kind::Close => return Err(closing(payload)),
                    Kind::Ping | Kind::Pong => None,
                };
                return match hello {
                    Some(wire::Frame::Hello { .. }) => {
                        self.rest.drain(..to);
                        Ok(())
                    }
                    _ => Err(unexpected("the first frame is no hello")),
                };
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<(), LoadError> {
        match self.stream.read_buf(&mut self.rest).await.map_err(broken)? {
            0 => Err(LoadError::Closed { code: None, retry_after: None }),
            _ => Ok(()),
        }
    }

    /// Waits until there is something to read, or room for what is to be written.
    pub(super) async fn ready(&self) -> Result<(), LoadError> {
        let interest =
            if self.outgoing.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        self.stream.ready(interest).await.map(drop).map_err(broken)
    }

    /// Hands over every whole frame of text that has come, and answers pings. Says whether more may be there already.
    pub(super) fn receive(
        &mut self,
        bulk: &mut [u8],
        mut take: impl FnMut(&[u8]) -> Result<(), LoadError>,
    ) -> Result<bool, LoadError> {
        let kept = self.rest.len();
        let (start, room) =
            bulk.split_at_mut_checked(kept).ok_or_else(|| unexpected("a frame is larger than the buffer"))?;
        let read = match self.stream.try_read(room) {
            Ok(0) => return Err(LoadError::Closed { code: None, retry_after: None }),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(broken(error)),
        };
        let full = read == room.len();
        start.copy_from_slice(&self.rest);
        self.rest.clear();
        let mut bytes = bulk.get(..kept + read).unwrap_or_default();
        while let Some(Cut { kind, from, to }) = cut(bytes)? {
            let payload = bytes.get(from..to).unwrap_or_default();
            match kind {
                Kind::Text => take(payload)?,
                Kind::Ping => self.queue(Kind::Pong, payload),
                Kind::Pong => {}
                Kind::Close => return Err(closing(payload)),
            }
            bytes = bytes.get(to..).unwrap_or_default();
        }
        self.rest.extend_from_slice(bytes);
        Ok(full)
    }

    /// Puts a frame of text behind what is to be written.
    pub(super) fn send(&mut self, text: &str) {
        self.queue(Kind::Text, text.as_bytes());
    }

    fn queue(&mut self, kind: Kind, payload: &[u8]) {
        cut::write(kind, payload, &mut self.outgoing);
    }

    /// Writes as much as there is room for.
    pub(super) fn flush(&mut self) -> Result<(), LoadError> {
        let mut written = 0;
        while let Some(left) = self.outgoing.get(written..).filter(|left| !left.is_empty()) {
            match self.stream.try_write(left) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(broken(error)),
            }
        }
        self.outgoing.drain(..written);
        Ok(())
    }
}

fn broken(error: io::Error) -> LoadError {
    tokio_tungstenite::tungstenite::Error::Io(error).into()
}

fn unexpected(what: &str) -> LoadError {
    LoadError::Unexpected(what.to_owned())
}

/// What the payload of a close says: two bytes for the code, and the reason.
fn closing(payload: &[u8]) -> LoadError {
    match payload.split_first_chunk() {
        Some((code, reason)) => closed(u16::from_be_bytes(*code), std::str::from_utf8(reason).unwrap_or_default()),
        None => LoadError::Closed { code: None, retry_after: None },
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::{SinkExt, StreamExt};
    use i9chat_spec::{CloseCode, Example, Hello, ServerFrame};
    use tokio::{net::TcpListener, task::LocalSet};
    use tokio_tungstenite::{
        WebSocketStream, accept_async,
        tungstenite::{Message, protocol::CloseFrame},
    };

    use super::*;

    fn hello() -> Message {
        let bytes = Format::Json.encode(&ServerFrame::Hello(Hello::example())).unwrap();
        Message::text(String::from_utf8(bytes).unwrap())
    }

    /// What becomes of a line to a server that does this with each connection: all that it says, and its end.
    async fn all_of(
        serve: impl AsyncFn(WebSocketStream<TcpStream>) + 'static,
        say: &[&str],
    ) -> Result<(Vec<String>, LoadError), LoadError> {
        let talk = async {
            let mut line = open(serve).await?;
            for text in say {
                line.send(text);
            }
            line.flush()?;
            Ok(listen(&mut line).await)
        };
        LocalSet::new().run_until(talk).await
    }

    async fn open(serve: impl AsyncFn(WebSocketStream<TcpStream>) + 'static) -> Result<Line, LoadError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(Box::pin(accept_async(stream)).await.unwrap()).await;
            }
        });
        let target = Target::new(&[url.parse().unwrap()], false).await.unwrap();
        Line::open(&target, &Token::example(), 0).await
    }

    /// Everything that comes until the server closes.
    async fn listen(line: &mut Line) -> (Vec<String>, LoadError) {
        let mut bulk = vec![0; BULK];
        let mut texts = Vec::new();
        loop {
            line.ready().await.unwrap();
            line.flush().unwrap();
            let took = line.receive(&mut bulk, |frame| {
                texts.push(String::from_utf8(frame.to_vec()).unwrap());
                Ok(())
            });
            if let Err(error) = took {
                return (texts, error);
            }
        }
    }

    #[tokio::test]
    async fn frames_of_every_length_come_whole_and_in_order() {
        let texts: Vec<String> =
            [0, 1, 125, 126, 127, 65_535, 65_536, 200_000, 3].iter().map(|length| "x".repeat(*length)).collect();
        let sent = texts.clone();
        let serve = async move |mut socket: WebSocketStream<TcpStream>| {
            socket.send(hello()).await.unwrap();
            for text in &sent {
                socket.send(Message::text(text.clone())).await.unwrap();
            }
            let reason = CloseFrame { code: 4005.into(), reason: "slow_consumer".into() };
            socket.close(Some(reason)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        };
        let (came, end) = all_of(serve, &[]).await.unwrap();
        assert!(came == texts, "{:?}", came.iter().map(String::len).collect::<Vec<_>>());
        assert!(matches!(end, LoadError::Closed { code: Some(CloseCode::SlowConsumer), .. }), "{end}");
    }

    #[tokio::test]
    async fn what_is_sent_is_what_arrives_and_pings_are_answered() {
        let serve = async |mut socket: WebSocketStream<TcpStream>| {
            socket.send(hello()).await.unwrap();
            socket.send(Message::Ping("are you there".into())).await.unwrap();
            for _ in 0..3 {
                let answer = match socket.next().await.unwrap().unwrap() {
                    Message::Pong(payload) => format!("pong {}", str::from_utf8(&payload).unwrap()),
                    Message::Text(text) => format!("text {}", text.len()),
                    other => panic!("{other:?}"),
                };
                socket.send(Message::text(answer)).await.unwrap();
            }
        };
        let (mut came, _) = all_of(serve, &["hi", &"x".repeat(70_000)]).await.unwrap();
        came.sort();
        assert_eq!(came, ["pong are you there", "text 2", "text 70000"]);
    }

    #[tokio::test]
    async fn a_refusal_is_told() {
        let serve = async |mut socket: WebSocketStream<TcpStream>| {
            let reason = CloseFrame { code: 4002.into(), reason: "session_ended".into() };
            socket.close(Some(reason)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        };
        let error = all_of(serve, &[]).await.unwrap_err();
        assert!(matches!(error, LoadError::Closed { code: Some(CloseCode::SessionEnded), .. }), "{error}");
    }
}
