//! A WebSocket: frames in and out, each written down and held against the documents.

use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use i9chat_spec::{CloseCode, CloseReason, ErrorCode, Format};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{Role, WebSocketConfig, frame::coding::CloseCode as Number},
    },
};

use super::{Client, dial::Stream};
use crate::{
    contract::CONTRACT,
    expect::check,
    journal::{Journal, shown, shown_bytes},
    verdict::{Stop, Verdict},
};

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<Mutable>,
    silent: Arc<AtomicBool>,
    format: Format,
    patience: Duration,
    journal: Arc<Journal>,
    actions: HashMap<String, String>,
    events: Vec<Value>,
    /// The subprotocol that the server selected.
    pub selected: Option<String>,
    /// The first frame, once it was read. (WSK-3)
    pub hello: Value,
}

/// What comes over a WebSocket.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A frame of the protocol, from either encoding.
    Value(Value),
    /// What is no value of the encoding, or came in the other one.
    Unreadable(String),
    /// A ping of the server; it is answered unless the socket keeps silent.
    Ping,
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The end.
    Closed(Closed),
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.write_str(&shown(value)),
            Self::Unreadable(what) => write!(f, "an unreadable frame ({what})"),
            Self::Ping => f.write_str("a ping"),
            Self::Pong(bytes) => write!(f, "a pong of {} bytes", bytes.len()),
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

/// How a WebSocket was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close code; none when the connection just ended.
    pub code: Option<u16>,
    /// The reason. (WSK-13)
    pub reason: String,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "a close with {code} '{}'", self.reason),
            None => write!(f, "the end of the connection without a close frame ({})", self.reason),
        }
    }
}

impl Closed {
    /// The close has this code, and a reason that starts with its name. (WSK-13)
    pub fn is(&self, code: CloseCode) -> Verdict {
        let well_formed = self.reason.parse::<CloseReason>().is_ok_and(|reason| reason.code == code);
        check(self.code == Some(code.number()) && well_formed, || {
            (format!("a close with {} '{}'", code.number(), code.name()), self.to_string())
        })
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) async fn new(
        client: &Client,
        stream: Box<dyn Stream>,
        rest: Vec<u8>,
        format: Format,
        selected: Option<String>,
    ) -> Self {
        let silent = Arc::new(AtomicBool::new(false));
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let stream = Mutable { stream, silent: silent.clone() };
        Self {
            stream: WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await,
            silent,
            format,
            patience: client.patience,
            journal: client.journal.clone(),
            actions: HashMap::new(),
            events: Vec::new(),
            selected,
            hello: Value::Null,
        }
    }

    /// From now on sends nothing at all, not even answers to pings: the client hangs. (WSK-9)
    pub fn keep_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    /// Reads what comes next, within the client's patience.
    pub async fn next(&mut self) -> Verdict<Frame> {
        self.next_within(self.patience).await
    }

    /// Reads what comes next, within that time.
    pub async fn next_within(&mut self, patience: Duration) -> Verdict<Frame> {
        let frame = match tokio::time::timeout(patience, self.stream.next()).await {
            Err(_) => {
                self.journal.line(format!("⇠ nothing in {} s", patience.as_secs_f32()));
                return Err(Stop::failed("a frame", format!("none in {} s", patience.as_secs_f32())));
            }
            Ok(Some(Ok(message))) => self.read(message),
            Ok(Some(Err(error))) => Frame::Closed(Closed { code: None, reason: told(&error) }),
            Ok(None) => Frame::Closed(Closed { code: None, reason: "closed".to_owned() }),
        };
        self.journal.line(format!("⇠ {frame}"));
        match &frame {
            Frame::Value(value) => {
                for breach in CONTRACT.breaches_of_frame(value, |id| self.actions.get(id).cloned()) {
                    self.journal.breach(format!("frame {}: {breach}", value["type"]));
                }
                if value["type"] == "event" {
                    self.events.push(value.clone());
                }
            }
            Frame::Unreadable(what) => self.journal.breach(format!("a frame that cannot be read: {what}")),
            _ => {}
        }
        Ok(frame)
    }

    fn read(&self, message: Message) -> Frame {
        let decoded = match (self.format, message) {
            (_, Message::Ping(_)) => return Frame::Ping,
            (_, Message::Pong(bytes)) => return Frame::Pong(bytes.to_vec()),
            (_, Message::Close(frame)) => {
                return Frame::Closed(match frame {
                    Some(frame) => Closed { code: Some(frame.code.into()), reason: frame.reason.to_string() },
                    None => Closed { code: Some(Number::Status.into()), reason: String::new() },
                });
            }
            (Format::Json, Message::Text(text)) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            (Format::MessagePack, Message::Binary(bytes)) => {
                rmp_serde::from_slice(&bytes).map_err(|error| error.to_string())
            }
            (_, Message::Text(_)) => Err("text on a binary subprotocol".to_owned()),
            (_, Message::Binary(_) | Message::Frame(_)) => Err("binary on a text subprotocol".to_owned()),
        };
        decoded.map_or_else(Frame::Unreadable, Frame::Value)
    }

    /// Reads on until a frame is one that is wanted; others are kept where they are events. An end is a failure.
    pub async fn until(&mut self, wanted: &str, is_wanted: impl Fn(&Value) -> bool) -> Verdict<Value> {
        loop {
            match self.next().await {
                Ok(Frame::Value(value)) if is_wanted(&value) => return Ok(value),
                Ok(Frame::Closed(closed)) => return Err(Stop::failed(wanted, closed.to_string())),
                Ok(_) => {}
                Err(_) => {
                    return Err(Stop::failed(wanted, format!("nothing like it in {} s", self.patience.as_secs_f32())));
                }
            }
        }
    }

    /// Reads on until an event of that name, and answers its frame.
    pub async fn event(&mut self, name: &str) -> Verdict<Value> {
        self.until(&format!("the event {name}"), |frame| frame["type"] == "event" && frame["event"] == name).await
    }

    /// Reads on until the end, and answers it.
    pub async fn closed(&mut self) -> Verdict<Closed> {
        loop {
            match self.next().await {
                Ok(Frame::Closed(closed)) => return Ok(closed),
                Ok(_) => {}
                Err(_) => return Err(Stop::failed("a close", "the connection goes on")),
            }
        }
    }

    /// Reads whatever comes, answering pings, until that time is over; an end is a failure.
    pub async fn goes_on_for(&mut self, time: Duration) -> Verdict {
        let listening = async {
            loop {
                if let Frame::Closed(closed) = self.next_within(time * 2).await? {
                    return Err(Stop::failed("a connection that goes on", closed.to_string()));
                }
            }
        };
        tokio::time::timeout(time, listening).await.unwrap_or(Ok(()))
    }

    /// Reads on until the server closes with this code. (WSK-13)
    pub async fn closed_with(&mut self, code: CloseCode) -> Verdict<Closed> {
        let closed = self.closed().await?;
        closed.is(code)?;
        Ok(closed)
    }

    /// Every event that was read so far, in order.
    pub fn events(&self) -> &[Value] {
        &self.events
    }

    /// Drops events that are of no interest to a case, such as those of a barrier.
    pub(crate) fn forgets(&mut self, is_of_no_interest: impl Fn(&Value) -> bool) {
        self.events.retain(|event| !is_of_no_interest(event));
    }

    /// Sends any value as a frame.
    pub async fn sends(&mut self, frame: &Value) -> Verdict {
        match self.format {
            Format::Json => self.sends_text(frame.to_string()).await,
            Format::MessagePack => self.sends_binary(Format::MessagePack.encode(frame).unwrap_or_default()).await,
        }
    }

    /// Sends any text.
    pub async fn sends_text(&mut self, text: impl Into<String>) -> Verdict {
        self.sends_message(Message::text(text.into())).await
    }

    /// Sends any bytes as a binary frame.
    pub async fn sends_binary(&mut self, bytes: Vec<u8>) -> Verdict {
        self.sends_message(Message::binary(bytes)).await
    }

    /// Sends a ping.
    pub async fn pings(&mut self, payload: &[u8]) -> Verdict {
        self.sends_message(Message::Ping(payload.to_vec().into())).await
    }

    /// Closes from this side.
    pub async fn closes(&mut self) -> Verdict {
        self.sends_message(Message::Close(None)).await
    }

    async fn sends_message(&mut self, message: Message) -> Verdict {
        let value: Option<Value> = match &message {
            Message::Text(text) => serde_json::from_str(text).ok(),
            Message::Binary(bytes) => rmp_serde::from_slice(bytes).ok(),
            _ => None,
        };
        let line = match (&value, &message) {
            (Some(value), _) => shown(value),
            (None, Message::Text(text)) => shown_bytes(text.as_bytes()),
            (None, Message::Ping(_)) => "a ping".to_owned(),
            (None, Message::Close(_)) => "a close".to_owned(),
            (None, message) => format!("{} bytes", message.len()),
        };
        self.journal.line(format!("⇢ {line}"));
        // Whatever names an id and an action may be answered. (WSK-4)
        if let Some(frame) = value
            && let (Some(id), Some(action)) = (frame["id"].as_str(), frame["action"].as_str())
        {
            self.actions.insert(id.to_owned(), action.to_owned());
        }
        match tokio::time::timeout(self.patience, self.stream.send(message)).await {
            // Why a connection that ended did so is told by reading it.
            Ok(Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_) | Error::Protocol(_))) => {
                Ok(())
            }
            Ok(Err(error)) => Err(Stop::failed("a connection that takes frames", told(&error))),
            Err(_) => Err(Stop::failed("a connection that takes frames", "it took none")),
        }
    }

    /// Asks for an action, and answers the frame with its id: a reply or an error. (WSK-4)
    pub async fn asks(&mut self, id: &str, action: &str, data: &Value) -> Verdict<Value> {
        self.sends(&json!({ "id": id, "action": action, "data": data })).await?;
        self.answered(id).await
    }

    /// Reads on until the answer to that id.
    pub async fn answered(&mut self, id: &str) -> Verdict<Value> {
        let is_answer = |frame: &Value| matches!(frame["type"].as_str(), Some("reply" | "error")) && frame["id"] == id;
        self.until(&format!("the answer to {id}"), is_answer).await
    }

    /// An answer to that id, which named that action, is no surprise: it was in a frame that the suite cannot read itself. (WSK-4)
    pub fn expects_answer(&mut self, id: &str, action: &str) {
        self.actions.insert(id.to_owned(), action.to_owned());
    }

    /// A barrier for answers: asks for an action that there is not, and reads on until its error. What the server sent before it has been read then.
    pub async fn catches_up(&mut self) -> Verdict {
        let id = format!("barrier-{}", rand::random::<u64>());
        let answer = self.asks(&id, "no_such_action", &json!({})).await?;
        error_code(&answer, ErrorCode::UnknownAction)
    }
}

/// The frame is an error with this code. (WSK-4)
pub fn error_code(frame: &Value, code: ErrorCode) -> Verdict {
    let is_it = frame["type"] == "error" && frame["error"]["code"] == code.as_str();
    check(is_it, || (format!("an error frame {code}"), shown(frame)))
}

/// The data of a frame that must be a reply. (WSK-4)
pub fn reply_data(frame: &Value) -> Verdict<Value> {
    check(frame["type"] == "reply" && frame["data"].is_object(), || ("a reply", shown(frame)))?;
    Ok(frame["data"].clone())
}

fn told(error: &Error) -> String {
    error.to_string()
}

/// A stream that can fall silent: what is written then is taken and thrown away.
struct Mutable {
    stream: Box<dyn Stream>,
    silent: Arc<AtomicBool>,
}

impl AsyncRead for Mutable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Mutable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.silent.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
