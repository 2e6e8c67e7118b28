//! A server for one user, small enough to read: it keeps the rules that the client relies on, and breaks them when told to.

mod endpoints;
mod groups;
mod socket;

use std::collections::{BTreeSet, HashMap, VecDeque};

use axum::{
    Router,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use i9chat_spec::{
    Attachment, Chat, ChatId, ClientId, CloseCode, Content, Cursor, Entry, ErrorCode, Event, Example, Format, MediaId,
    Message, MessageId, NewContent, NewVisual, NewVisuals, Partner, Problem, Quote, ReadState, RequestId, Seq,
    SessionId, Timestamp, User, Visual, Watermark,
    action::SendMessageData,
    api::{
        messages::MessageSent,
        receipts::{MarkResult, Marks, MarksMade},
        sessions::{SessionOpened, TokenPair},
    },
    event::MessageCreated,
};
use tokio::sync::watch;

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
    /// Whether the server has no WebSocket now.
    pub lines_refused: bool,
    /// Lines that are open now.
    pub lines: usize,
    /// The cursor `cN` stands after the first N.
    pub log: Vec<Event>,
    /// What goes out to the lines that are open, and is not kept.
    pub live: Vec<Event>,
    pub sent: HashMap<ClientId, MessageSent>,
    /// Every send that arrived, repeated ones too.
    pub arrivals: Vec<ClientId>,
    /// So many sends are stored, and then the line is cut in place of an answer.
    pub cuts_before_answer: usize,
    /// What all open lines are to do; counted, so that each does it once.
    pub order: (u64, Order),
    pub taken_names: Vec<&'static str>,
    /// Every action that came over a line, but sends.
    pub actions: Vec<(String, serde_json::Value)>,
    /// The answers to the next actions, in place of the right ones.
    pub action_faults: VecDeque<Problem>,
    /// The watermarks of the one user in the one chat.
    pub delivered: Watermark,
    pub read: Watermark,
    /// Who is online, in lower case.
    pub online: BTreeSet<String>,
    /// The query of every call, in the order of `calls`.
    pub queries: Vec<HashMap<String, String>>,
    /// Every call that had a body, and the body.
    pub bodies: Vec<(String, serde_json::Value)>,
}

/// An answer that is not the right one.
#[derive(Clone)]
pub enum Fault {
    Problem(Problem),
    /// As from a newer server: a problem with more in it.
    Newer(Problem, serde_json::Value),
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
            lines_refused: false,
            lines: 0,
            log: Vec::new(),
            live: Vec::new(),
            sent: HashMap::new(),
            arrivals: Vec::new(),
            cuts_before_answer: 0,
            order: (0, Order::Nothing),
            taken_names: vec!["taken"],
            actions: Vec::new(),
            action_faults: VecDeque::new(),
            delivered: Watermark::ZERO,
            read: Watermark::ZERO,
            online: BTreeSet::new(),
            queries: Vec::new(),
            bodies: Vec::new(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stub = Self { url, world: watch::channel(world).0 };
        let router = Router::new()
            .route("/v1/ws", any(upgrade))
            .fallback(endpoints::answer)
            .with_state(stub.clone())
            .into_make_service();
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
                let (chat_id, content) = (ChatId::example(), NewContent::example());
                world.store(&SendMessageData { chat_id, client_id, content, reply_to: None }, bob());
            }
        });
    }

    pub fn count(&self, call: &str) -> usize {
        self.look(|world| world.calls.iter().filter(|seen| *seen == call).count())
    }
}

pub fn bob() -> User {
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

    pub fn store(&mut self, new: &SendMessageData, sender: User) -> MessageSent {
        let SendMessageData { chat_id, client_id, ref content, reply_to } = *new;
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
        let message = Message {
            seq: sent.seq,
            message_id: sent.message_id,
            chat_id,
            sender,
            client_id,
            created_at: sent.created_at,
            content: kept(content),
            reply_to: reply_to.map(|message_id| Quote { message_id, ..Quote::example() }),
            ..Message::example()
        };
        self.log.push(MessageCreated { message }.into());
        self.sent.insert(client_id, sent.clone());
        sent
    }

    /// RCP-3 to RCP-5, for the one chat.
    pub fn mark(&mut self, marks: &Marks) -> MarksMade {
        let last = self.messages().count() as u64;
        let results = marks.marks.iter().map(|mark| {
            let furthest = mark.delivered.max(mark.read).map_or(0, Watermark::get);
            if mark.chat_id != ChatId::example() {
                return MarkResult::refused(mark.chat_id, ErrorCode::ChatNotFound);
            }
            if furthest > last {
                return MarkResult::refused(mark.chat_id, ErrorCode::BeyondLastEntry);
            }
            self.read = self.read.max(mark.read.unwrap_or(Watermark::ZERO));
            self.delivered = self.delivered.max(self.read).max(mark.delivered.unwrap_or(Watermark::ZERO));
            let unread_count = last - self.read.get();
            MarkResult::moved(mark.chat_id, ReadState { delivered: self.delivered, read: self.read, unread_count })
        });
        MarksMade { results: results.collect() }
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
        let partner = Some(Partner { user: partner, ..Partner::example() });
        let (last, read) = (self.messages().count() as u64, self.read);
        let unread_count = last.saturating_sub(read.get());
        Chat { partner, last_entry, unread_count, delivered: self.delivered, read, ..Chat::example() }
    }
}

/// What becomes of new content: media as the example has it. (MSG-14)
fn kept(new: &NewContent) -> Content {
    let media = |media_id: &MediaId| Attachment { media_id: *media_id, ..Attachment::example() };
    let visuals = |items: &NewVisuals| {
        let visual = |item: &NewVisual| Visual { media: media(&item.media_id), width: item.width, height: item.height };
        items.iter().map(visual).collect()
    };
    match new.clone() {
        NewContent::Text { text } => Content::Text { text },
        NewContent::Voice { media_id, duration_ms } => Content::Voice { media: media(&media_id), duration_ms },
        NewContent::Image { items, caption } => Content::Image { items: visuals(&items), caption },
        NewContent::Video { items, caption } => Content::Video { items: visuals(&items), caption },
        NewContent::Audio { media_id, title } => Content::Audio { media: media(&media_id), title },
        NewContent::File { media_id, name } => Content::File { media: media(&media_id), name },
    }
}

async fn upgrade(State(stub): State<Stub>, request: Request) -> Response {
    if stub.look(|world| world.lines_refused) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
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
