//! A user of the server: asks over HTTP or a WebSocket, in the encoding of their own.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use i9chat_server::domain::groups::Named;
use i9chat_spec::{
    Cursor, Endpoint, ErrorCode, Format, Nothing, Refusal, Token, User,
    action::{self, Action},
    api::{
        chats::{self, OneChat},
        groups::{self, OneMember},
        messages::{self, NewMessage, OneMessage},
        reactions::{self, NewReaction},
        receipts,
        users::OneUser,
    },
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use crate::act::{Act, content, usernames};

/// How long anything may take before the test gives up. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Caller {
    pub user: User,
    pub format: Format,
    token: Token,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Caller {
    pub fn new(user: User, format: Format, token: Token, address: SocketAddr) -> Self {
        Self { user, format, token, address, http: reqwest::Client::new() }
    }

    /// Asks an endpoint; gives the answer, or the code of a refusal that the endpoint declares.
    pub async fn ask<E: Endpoint>(
        &self,
        path: E::Path,
        query: E::Query,
        body: Option<E::Body>,
    ) -> Result<Value, ErrorCode> {
        let method = E::METHOD.as_str().parse().unwrap();
        let url = format!("http://{}{}", self.address, E::url(&path, &query));
        let mut request = self
            .http
            .request(method, &url)
            .bearer_auth(self.token.as_str())
            .header(header::ACCEPT, self.format.media_type());
        if let Some(body) = body {
            request =
                request.header(header::CONTENT_TYPE, self.format.media_type()).body(self.format.encode(&body).unwrap());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        if status == E::STATUS {
            return Ok(if bytes.is_empty() { Value::Null } else { self.format.decode(&bytes).unwrap() });
        }
        let problem: Value = self.format.decode(&bytes).unwrap();
        let code = E::error_codes().into_iter().find(|code| problem["code"] == code.as_str());
        let code = code.unwrap_or_else(|| panic!("{} answered {url} with {problem}", self.user.username));
        assert_eq!(u64::from(status), problem["status"]);
        Err(code)
    }

    /// Reads something.
    pub async fn get<E: Endpoint<Body = Nothing>>(&self, path: E::Path, query: E::Query) -> Result<Value, ErrorCode> {
        self.ask::<E>(path, query, None).await
    }

    async fn put<E: Endpoint<Body = Nothing, Query = Nothing>>(&self, path: E::Path) -> Result<Value, ErrorCode> {
        self.ask::<E>(path, Nothing {}, None).await
    }

    /// Asks for something over HTTP, in the server's ids.
    pub async fn act(&self, act: Act) -> Result<Value, ErrorCode> {
        let one = |target: Named, chat_id| OneMember { chat_id, username: target.username };
        match act {
            Act::OpenDirect { with } => self.put::<chats::OpenDirect>(OneUser { username: with.username }).await,
            Act::Send { chat_id, client_id, text, reply_to } => {
                let body = NewMessage { client_id, content: content(&text), reply_to };
                self.ask::<messages::SendMessage>(OneChat { chat_id }, Nothing {}, Some(body)).await
            }
            Act::React { chat_id, message_id, emoji: Some(emoji) } => {
                let path = OneMessage { chat_id, message_id };
                self.ask::<reactions::SetReaction>(path, Nothing {}, Some(NewReaction { emoji })).await
            }
            Act::React { chat_id, message_id, emoji: None } => {
                self.put::<reactions::RemoveReaction>(OneMessage { chat_id, message_id }).await
            }
            Act::Mark { marks } => {
                let body = receipts::Marks { marks: marks.try_into().unwrap() };
                self.ask::<receipts::MarkReceipts>(Nothing {}, Nothing {}, Some(body)).await
            }
            Act::CreateGroup { asked, .. } => {
                self.ask::<groups::CreateGroup>(Nothing {}, Nothing {}, Some(asked)).await
            }
            Act::Join { chat_id } => self.put::<groups::JoinGroup>(OneChat { chat_id }).await,
            Act::Leave { chat_id } => self.put::<groups::LeaveGroup>(OneChat { chat_id }).await,
            Act::Add { chat_id, names } => {
                let body = groups::MembersToAdd { usernames: usernames(&names).try_into().unwrap() };
                self.ask::<groups::AddMembers>(OneChat { chat_id }, Nothing {}, Some(body)).await
            }
            Act::Remove { chat_id, target } => self.put::<groups::RemoveMember>(one(target, chat_id)).await,
            Act::ChangeAdmin { chat_id, target, role: i9chat_spec::Role::Admin } => {
                self.put::<groups::MakeAdmin>(one(target, chat_id)).await
            }
            Act::ChangeAdmin { chat_id, target, .. } => self.put::<groups::RemoveAdmin>(one(target, chat_id)).await,
            Act::Update { chat_id, asked } => {
                self.ask::<groups::UpdateGroup>(OneChat { chat_id }, Nothing {}, Some(asked)).await
            }
        }
    }

    /// Opens a WebSocket from a place in the log; gives it and its `hello`.
    pub async fn connect(&self, cursor: &Cursor) -> (Line, Value) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let url = format!("ws://{}/v1/ws?cursor={cursor}", self.address);
        let mut request = tungstenite::client::IntoClientRequest::into_client_request(url).unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.as_str())).unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let protocol = HeaderValue::from_static(self.format.subprotocol());
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        let (socket, _) = client_async(request, stream).await.unwrap();
        let mut line = Line { socket, format: self.format, heard: VecDeque::new(), asked: 0 };
        let hello = line.frame().await;
        assert_eq!(hello["type"], "hello");
        (line, hello)
    }
}

/// A WebSocket.
pub struct Line {
    socket: WebSocketStream<TcpStream>,
    format: Format,
    /// Events that came while a reply was awaited.
    pub heard: VecDeque<Value>,
    asked: u64,
}

impl Line {
    /// The next frame but heartbeats.
    async fn frame(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a frame was due").unwrap().unwrap();
            let bytes = match (message, self.format) {
                (tungstenite::Message::Text(text), Format::Json) => text.as_bytes().to_vec(),
                (tungstenite::Message::Binary(bytes), Format::MessagePack) => bytes.to_vec(),
                (tungstenite::Message::Ping(_), _) => continue,
                (other, format) => panic!("{other:?} came in {format:?}"),
            };
            let frame: Value = self.format.decode(&bytes).unwrap();
            if frame["type"] != "heartbeat" {
                return frame;
            }
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        if let Some(event) = self.heard.pop_front() {
            return event;
        }
        let frame = self.frame().await;
        assert_eq!(frame["type"], "event", "an event was due: {frame}");
        frame
    }

    /// Sends an action; gives the number of the frame.
    pub async fn send(&mut self, act: Act) -> u64 {
        let (name, data) = match act {
            Act::Send { chat_id, client_id, text, reply_to } => {
                let data = action::SendMessageData { chat_id, client_id, content: content(&text), reply_to };
                (action::SendMessage::NAME, json!(data))
            }
            Act::React { chat_id, message_id, emoji: Some(emoji) } => {
                let data = action::SetReactionData { chat_id, message_id, emoji };
                (action::SetReaction::NAME, json!(data))
            }
            Act::React { chat_id, message_id, emoji: None } => {
                (action::RemoveReaction::NAME, json!(OneMessage { chat_id, message_id }))
            }
            Act::Mark { marks } => {
                (action::MarkReceipts::NAME, json!(receipts::Marks { marks: marks.try_into().unwrap() }))
            }
            other => panic!("{other:?} is no action"),
        };
        self.asked += 1;
        let frame = json!({ "id": self.asked.to_string(), "action": name, "data": data });
        let bytes = self.format.encode(&frame).unwrap();
        let message = match self.format {
            Format::Json => tungstenite::Message::text(String::from_utf8(bytes).unwrap()),
            Format::MessagePack => tungstenite::Message::binary(bytes),
        };
        self.socket.send(message).await.unwrap();
        self.asked
    }

    /// The answer to that frame: those of one connection come in the order in which they were asked for.
    pub async fn answer(&mut self, id: u64) -> Result<Value, ErrorCode> {
        loop {
            let mut frame = self.frame().await;
            if frame["type"] == "event" {
                self.heard.push_back(frame);
                continue;
            }
            assert_eq!(frame["id"], id.to_string(), "{frame}");
            if frame["type"] == "reply" {
                return Ok(frame["data"].take());
            }
            let codes = messages::SendMessageRefusal::ALL.iter().chain(reactions::SetReactionRefusal::ALL);
            let code = codes.copied().find(|code| frame["error"]["code"] == code.as_str());
            return Err(code.unwrap_or_else(|| panic!("{frame}")));
        }
    }
}
