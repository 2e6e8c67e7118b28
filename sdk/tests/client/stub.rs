//! A server for one user, small enough to read: it keeps the rules that the client relies on, and breaks them when told to.

use std::collections::{HashMap, VecDeque};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use i9chat_spec::{
    Chat, ChatId, ClientId, CloseCode, Content, Cursor, Endpoint, Entry, ErrorCode, Event, Example, Format, Message,
    MessageId, NewContent, Problem, RequestId, Seq, SessionId, Timestamp, User, Username,
    api::{
        capabilities::{Capabilities, GetCapabilities},
        chats::{ChatPage, ChatSnapshot, GetChat, ListChats, OpenDirect},
        messages::{EntryPage, ListEntries, MessageSent},
        sessions::{
            EndSession, ListSessions, RefreshSession, SessionInfo, SessionList, SessionOpened, SignIn, SpentToken,
            TokenPair,
        },
        signup::{CompleteSignup, NewAccount, NewSignup, RequestSignup, SignupCode, TicketIssued, VerifySignup},
        users::{GetMe, GetUser, OwnProfile, UserProfile},
    },
    event::MessageCreated,
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::socket;

/// The password of the one user.
pub const PASSWORD: &str = "correct horse battery staple";

/// What the server holds, and what happened to it.
pub struct World {
    /// The newest pair is `token.N` and `refresh-N`.
    pub pair: u64,
    /// Tokens of earlier pairs than this one have run out.
    pub good_from: u64,
    /// Whether a token of the newest pair was used, so that the refresh token before is worthless. (SES-6)
    pub pair_used: bool,
    pub session_over: bool,
    /// What `expires_at` says.
    pub expires_at: Timestamp,
    /// Every call, such as `GET /v1/me`.
    pub calls: Vec<String>,
    /// The answers to the next calls of a kind, in place of the right ones.
    pub answers: HashMap<&'static str, VecDeque<Fault>>,
    /// The cursor of every handshake that was let in, and its token.
    pub handshakes: Vec<(Option<Cursor>, String)>,
    /// Lines that are open now.
    pub lines: usize,
    /// The cursor `cN` stands after the first N.
    pub log: Vec<Event>,
    pub sent: HashMap<ClientId, MessageSent>,
    /// Every send that arrived, repeated ones too.
    pub arrivals: Vec<ClientId>,
    /// So many sends are stored, and then the line is cut in place of an answer.
    pub cuts_before_answer: usize,
    /// What all open lines are to do; counted, so that each does it once.
    pub order: (u64, Order),
    pub taken_names: Vec<&'static str>,
}

/// An answer that is not the right one.
#[derive(Clone)]
pub enum Fault {
    Problem(Problem),
    /// As from a proxy.
    Html(u16),
}

/// What happens to all open lines.
#[derive(Clone, Copy)]
pub enum Order {
    Nothing,
    Cut,
    Close(CloseCode),
}

#[derive(Clone)]
pub struct Stub {
    pub url: String,
    pub world: watch::Sender<World>,
}

pub fn problem(code: ErrorCode) -> Problem {
    Problem::new(code, "for the test", RequestId::example())
}

pub fn numbered(number: u64) -> uuid::Uuid {
    uuid::Builder::from_unix_timestamp_millis(number, &[7; 10]).into_uuid()
}

pub fn alice() -> User {
    User { username: "Alice".parse().expect("a name"), ..User::example() }
}

impl Stub {
    /// Listens on a port of its own, until the runtime of the test ends.
    pub async fn start() -> Self {
        let world = World {
            pair: 1,
            good_from: 1,
            pair_used: false,
            session_over: false,
            expires_at: Timestamp::from_millis(4_000_000_000_000),
            calls: Vec::new(),
            answers: HashMap::new(),
            handshakes: Vec::new(),
            lines: 0,
            log: Vec::new(),
            sent: HashMap::new(),
            arrivals: Vec::new(),
            cuts_before_answer: 0,
            order: (0, Order::Nothing),
            taken_names: vec!["taken"],
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stub = Self { url, world: watch::channel(world).0 };
        let router =
            Router::new().route("/v1/ws", any(upgrade)).fallback(answer).with_state(stub.clone()).into_make_service();
        tokio::spawn(async move { axum::serve(listener, router).await });
        stub
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut changed = None;
        self.world.send_modify(|world| changed = Some(change(world)));
        changed.expect("changed")
    }

    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.borrow())
    }

    /// Waits until it is so.
    pub async fn until(&self, so: impl FnMut(&World) -> bool) {
        self.world.subscribe().wait_for(so).await.expect("the server runs");
    }

    pub fn order(&self, order: Order) {
        self.change(|world| world.order = (world.order.0 + 1, order));
    }

    pub fn fail_next(&self, call: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.change(|world| world.answers.entry(call).or_default().extend(faults));
    }

    /// Somebody else sends messages to the chat.
    pub fn peer_sends(&self, count: u64) {
        self.change(|world| {
            for _ in 0..count {
                let client_id = ClientId::from_uuid(uuid::Uuid::new_v4());
                world.store(ChatId::example(), client_id, NewContent::example().into(), bob());
            }
        });
    }

    pub fn count(&self, call: &str) -> usize {
        self.look(|world| world.calls.iter().filter(|seen| *seen == call).count())
    }
}

fn bob() -> User {
    User { username: "bob".parse().expect("a name"), user_id: i9chat_spec::UserId::from_uuid(numbered(2)) }
}

impl World {
    pub fn head(&self) -> Cursor {
        Self::cursor(self.log.len())
    }

    pub fn cursor(position: usize) -> Cursor {
        format!("c{position}").parse().expect("a cursor")
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.log.iter().filter_map(|event| match event {
            Event::MessageCreated(created) => Some(&created.message),
            _ => None,
        })
    }

    pub fn store(&mut self, chat_id: ChatId, client_id: ClientId, content: Content, sender: User) -> MessageSent {
        if let Some(sent) = self.sent.get(&client_id) {
            return sent.clone();
        }
        let number = self.messages().count() as u64 + 1;
        let sent = MessageSent {
            message_id: MessageId::from_uuid(numbered(number)),
            chat_id,
            seq: Seq::try_from(number).expect("a seq"),
            created_at: Timestamp::example(),
        };
        let (message_id, seq, created_at) = (sent.message_id, sent.seq, sent.created_at);
        let message = Message { seq, message_id, chat_id, sender, client_id, created_at, content };
        self.log.push(MessageCreated { message }.into());
        self.sent.insert(client_id, sent.clone());
        sent
    }

    /// Takes a token, or says why not. (CAL-3)
    pub fn admit(&mut self, token: Option<&str>) -> Result<(), ErrorCode> {
        let token = token.ok_or(ErrorCode::Unauthenticated)?;
        let number: u64 =
            token.strip_prefix("token.").and_then(|number| number.parse().ok()).ok_or(ErrorCode::TokenInvalid)?;
        if self.session_over {
            return Err(ErrorCode::SessionEnded);
        }
        if number < self.good_from {
            return Err(ErrorCode::TokenExpired);
        }
        self.pair_used |= number == self.pair;
        Ok(())
    }

    fn tokens(&self) -> TokenPair {
        TokenPair {
            token: format!("token.{}", self.pair).parse().expect("a token"),
            expires_at: self.expires_at,
            refresh_token: format!("refresh-{}", self.pair).parse().expect("a token"),
        }
    }

    /// SES-5 to SES-7.
    fn refresh(&mut self, spent: &str) -> Result<TokenPair, ErrorCode> {
        let before = !self.pair_used && spent == format!("refresh-{}", self.pair - 1);
        if self.session_over || !(before || spent == format!("refresh-{}", self.pair)) {
            self.session_over = true;
            return Err(ErrorCode::RefreshTokenInvalid);
        }
        self.pair += 1;
        self.pair_used = false;
        Ok(self.tokens())
    }

    fn opened(&self, user: User) -> SessionOpened {
        SessionOpened { session_id: SessionId::example(), user, tokens: Some(self.tokens()) }
    }

    fn chat(&self, partner: User) -> Chat {
        let last_entry = self.messages().next_back().cloned().map(Entry::Message);
        Chat { partner, last_entry, ..Chat::example() }
    }
}

/// One call.
struct Call {
    /// Method and path.
    what: String,
    query: HashMap<String, String>,
    token: Option<String>,
    format: Format,
    body: Vec<u8>,
}

impl Call {
    fn body<T: DeserializeOwned>(&self) -> Result<T, ErrorCode> {
        self.format.decode(&self.body).map_err(|_| ErrorCode::InvalidRequest)
    }

    fn right<E: Endpoint>(&self, answer: Result<E::Response, ErrorCode>) -> Response {
        let answer = match answer {
            Ok(answer) if E::STATUS == 204 => return drop_body(&answer),
            Ok(answer) => self.format.encode(&answer).expect("encodes"),
            Err(code) => return self.wrong(&problem(code)),
        };
        let status = StatusCode::from_u16(E::STATUS).expect("a status");
        (status, [(header::CONTENT_TYPE, self.format.media_type())], answer).into_response()
    }

    fn wrong(&self, problem: &Problem) -> Response {
        let status = StatusCode::from_u16(problem.status).expect("a status");
        let body = self.format.encode(problem).expect("encodes");
        (status, [(header::CONTENT_TYPE, self.format.problem_type())], body).into_response()
    }
}

fn drop_body<T>(_: &T) -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn read(request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let accept = text(header::ACCEPT).expect("the client says what it takes");
    assert!(text(header::HeaderName::from_static("x-request-id")).is_some(), "the client names its requests");
    let query = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    Call {
        what: format!("{} {}", parts.method, parts.uri.path()),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        token: text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
        format: Format::ALL.iter().copied().find(|format| accept == format.media_type()).expect("an encoding"),
        body: to_bytes(Body::new(body), 1 << 20).await.expect("a body").to_vec(),
    }
}

async fn answer(State(stub): State<Stub>, request: Request) -> Response {
    let call = read(request).await;
    let fault = stub.change(|world| {
        world.calls.push(call.what.clone());
        world.answers.get_mut(call.what.as_str()).and_then(VecDeque::pop_front)
    });
    match fault {
        Some(Fault::Problem(problem)) => call.wrong(&problem),
        Some(Fault::Html(status)) => {
            (StatusCode::from_u16(status).expect("a status"), [(header::CONTENT_TYPE, "text/html")], "<h1>no</h1>")
                .into_response()
        }
        None => stub.change(|world| dispatch(world, &call)),
    }
}

fn dispatch(world: &mut World, call: &Call) -> Response {
    let (method, path) = call.what.split_once(' ').expect("method and path");
    let path: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let chat = ChatId::example().to_string();
    match (method, path.as_slice()) {
        ("GET", ["capabilities"]) => call.right::<GetCapabilities>(Ok(Capabilities::example())),
        ("POST", ["signup"]) => call.right::<RequestSignup>(call.body::<NewSignup>().map(|_| ticket("verify"))),
        ("POST", ["signup", "verify"]) => call.right::<VerifySignup>(call.body::<SignupCode>().and_then(|body| {
            if body.code.as_str() == "274615" { Ok(ticket("complete")) } else { Err(ErrorCode::WrongCode) }
        })),
        ("POST", ["signup", "complete"]) => call.right::<CompleteSignup>(call.body::<NewAccount>().and_then(|body| {
            let taken = world.taken_names.contains(&body.username.as_str());
            let user = User { username: body.username, ..User::example() };
            if taken { Err(ErrorCode::UsernameTaken) } else { Ok(world.opened(user)) }
        })),
        ("POST", ["sessions"]) => {
            let body = call.body::<i9chat_spec::api::sessions::Credentials>();
            call.right::<SignIn>(body.and_then(|body| {
                let right = body.password.as_str() == PASSWORD;
                if right { Ok(world.opened(alice())) } else { Err(ErrorCode::WrongCredentials) }
            }))
        }
        ("POST", ["sessions", "refresh"]) => {
            let body = call.body::<SpentToken>();
            call.right::<RefreshSession>(body.and_then(|body| world.refresh(body.refresh_token.as_str())))
        }
        (method, path) => match world.admit(call.token.as_deref()) {
            Err(code) => call.wrong(&problem(code)),
            Ok(()) => match (method, path) {
                ("GET", ["me"]) => call.right::<GetMe>(Ok(OwnProfile::example())),
                ("GET", ["users", name]) => call.right::<GetUser>(user(name).map(|user| UserProfile {
                    user_id: user.user_id,
                    username: user.username,
                    ..UserProfile::example()
                })),
                ("GET", ["sessions"]) => call.right::<ListSessions>(Ok(SessionList {
                    items: vec![SessionInfo { client: None, ..SessionList::example().items.remove(0) }],
                })),
                ("DELETE", ["sessions", "current"]) => {
                    world.session_over = true;
                    world.order = (world.order.0 + 1, Order::Close(CloseCode::SessionEnded));
                    call.right::<EndSession>(Ok(i9chat_spec::Nothing {}))
                }
                ("PUT", ["direct", name]) => call.right::<OpenDirect>(
                    user(name).map(|partner| ChatSnapshot { chat: world.chat(partner), cursor: world.head() }),
                ),
                ("GET", ["chats"]) => call.right::<ListChats>(Ok(chats(world, call))),
                ("GET", ["chats", id]) if *id == chat => {
                    call.right::<GetChat>(Ok(ChatSnapshot { chat: world.chat(bob()), cursor: world.head() }))
                }
                ("GET", ["chats", id, "entries"]) if *id == chat => call.right::<ListEntries>(Ok(entries(world, call))),
                ("GET" | "POST", ["chats", ..]) => call.wrong(&problem(ErrorCode::ChatNotFound)),
                _ => call.wrong(&problem(ErrorCode::NoSuchEndpoint)),
            },
        },
    }
}

fn ticket(step: &str) -> TicketIssued {
    TicketIssued { ticket: step.parse().expect("a ticket"), ..TicketIssued::example() }
}

fn user(name: &str) -> Result<User, ErrorCode> {
    if name.eq_ignore_ascii_case("bob") { Ok(bob()) } else { Err(ErrorCode::UserNotFound) }
}

/// Three chats, one to a page.
fn chats(world: &World, call: &Call) -> ChatPage {
    let page = call.query.get("after").map_or(0, |after| after.trim_start_matches('c').parse().expect("a place"));
    let partner = User { username: format!("friend-{page}").parse::<Username>().expect("a name"), ..bob() };
    let next = (page < 2).then(|| World::cursor(page + 1));
    ChatPage { items: vec![world.chat(partner)], next, cursor: world.head() }
}

/// MSG-10, with two entries to a page.
fn entries(world: &World, call: &Call) -> EntryPage {
    let number = |name: &str| call.query.get(name).map(|value| value.parse::<u64>().expect("a seq"));
    let entry = |message: &Message| Entry::Message(message.clone());
    let mut items: Vec<Entry> = match (number("after"), number("before")) {
        (Some(after), None) => world.messages().filter(|message| message.seq.get() > after).map(entry).collect(),
        (None, before) => {
            let before = before.unwrap_or(u64::MAX);
            world.messages().rev().filter(|message| message.seq.get() < before).map(entry).collect()
        }
        (Some(_), Some(_)) => panic!("both at once"),
    };
    let more = items.len() > 2;
    items.truncate(2);
    let next = items.last().and_then(Entry::seq).filter(|_| more);
    EntryPage { items, next }
}

async fn upgrade(State(stub): State<Stub>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.expect("an upgrade");
    let upgrade = upgrade.protocols(Format::ALL.iter().map(|format| format.subprotocol()));
    let offered = upgrade.selected_protocol().and_then(|name| name.to_str().ok()).map(str::to_owned);
    let format = Format::ALL.iter().copied().find(|format| Some(format.subprotocol()) == offered.as_deref());
    let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = token.map(str::to_owned);
    let cursor = parts
        .uri
        .query()
        .and_then(|query| query.strip_prefix("cursor="))
        .map(|cursor| cursor.parse().expect("a cursor"));
    upgrade.on_upgrade(move |socket| socket::serve(stub, socket, format.expect("a subprotocol"), token, cursor))
}
