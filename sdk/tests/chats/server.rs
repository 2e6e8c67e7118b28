//! The model as a server: over HTTP and WebSocket, for one user, as small as can be.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::{
    Router,
    extract::{
        FromRequestParts, Request, State, WebSocketUpgrade,
        ws::{Message as Frame, WebSocket},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use i9chat_sdk::{
    Client, Credentials,
    chats::{Answer, What},
    connection::Backoff,
};
use i9chat_spec::{
    ChatId, Endpoint, ErrorCode, Example, Format, Hello, Limits, Problem, RequestId, Resume, ServerFrame, SessionId,
    Timestamp, User,
    api::{
        capabilities::{Capabilities, GetCapabilities},
        chats::{ChatsQuery, GetChat, ListChats},
        groups::NamesQuery,
        messages::{EntriesQuery, ListEntries},
        receipts::ListChatReceipts,
        sessions::{SessionOpened, SignIn, TokenPair},
        users::GetMe,
    },
};
use tokio::sync::watch;

use crate::world::{World, cursor, limits};

pub struct Host {
    pub world: World,
    /// Events before this place are not sent again.
    pub replays_from: u64,
    /// What has changed since a place before this one is not known any more.
    pub known_from: u64,
    /// Lines of an earlier number are cut.
    pub line: u64,
    /// The next reads fail so.
    pub faults: VecDeque<ErrorCode>,
    /// Paths that were asked for.
    pub asked: Vec<String>,
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    host: Arc<watch::Sender<Host>>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let host = Host {
            world: World::new(),
            replays_from: 0,
            known_from: 0,
            line: 0,
            faults: VecDeque::new(),
            asked: Vec::new(),
        };
        let server = Self { url, host: Arc::new(watch::Sender::new(host)) };
        let router = Router::new().fallback(dispatch).with_state(server.clone()).into_make_service();
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub async fn client(&self) -> Client {
        let credentials = Credentials::password("user-0", "correct horse battery staple");
        let backoff =
            Backoff { first: std::time::Duration::from_millis(2), longest: std::time::Duration::from_millis(20) };
        Client::builder(&self.url, credentials).backoff(backoff).connect().await.expect("connects")
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Host) -> T) -> T {
        let mut changed = None;
        self.host.send_modify(|host| changed = Some(change(host)));
        changed.expect("changed")
    }

    fn answer(&self, what: &What) -> Result<Answer, ErrorCode> {
        self.change(|host| match host.faults.pop_front() {
            Some(code) => Err(code),
            None => Ok(host.world.answer(what, host.known_from)),
        })
    }
}

async fn dispatch(State(server): State<Server>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/v1/").to_owned();
    let query: HashMap<&str, &str> =
        parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect();
    server.change(|host| host.asked.push(path.clone()));
    let chat = |id: &str| id.parse::<ChatId>().expect("an id");
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["ws"] => {
            let since = query.get("cursor").map(|cursor| cursor[1..].parse().expect("a place"));
            let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.expect("an upgrade");
            let upgrade = upgrade.protocols([Format::Json.subprotocol()]);
            upgrade.on_upgrade(move |socket| async move { drop(serve(server, socket, since).await) })
        }
        ["sessions"] => encoded::<SignIn>(Ok(session())),
        ["capabilities"] => {
            let limits = Limits { max_page_items: 2, ..limits() };
            encoded::<GetCapabilities>(Ok(Capabilities { limits, ..Capabilities::example() }))
        }
        ["me"] => match server.answer(&What::Profile) {
            Ok(Answer::Profile(profile)) => encoded::<GetMe>(Ok(*profile)),
            other => refused(other),
        },
        ["chats"] => {
            let place = |name: &str| query.get(name).map(|place| place.parse().expect("a cursor"));
            let query =
                ChatsQuery { after: place("after"), changed_since: place("changed_since"), limit: limit(&query) };
            match server.answer(&What::Chats(query)) {
                Ok(Answer::Chats(page)) => encoded::<ListChats>(Ok(page)),
                other => refused(other),
            }
        }
        ["chats", id] => match server.answer(&What::Chat(chat(id))) {
            Ok(Answer::Chat(snapshot)) => encoded::<GetChat>(Ok(*snapshot)),
            other => refused(other),
        },
        ["chats", id, "entries"] => {
            let before =
                query.get("before").map(|seq| seq.parse::<u64>().expect("a number").try_into().expect("a seq"));
            let query = EntriesQuery { before, after: None, limit: limit(&query) };
            match server.answer(&What::Entries(chat(id), query)) {
                Ok(Answer::Entries(page)) => encoded::<ListEntries>(Ok(page)),
                other => refused(other),
            }
        }
        ["chats", id, "receipts"] => {
            let after = query.get("after").map(|name| name.parse().expect("a name"));
            match server.answer(&What::Receipts(chat(id), NamesQuery { after, limit: limit(&query) })) {
                Ok(Answer::Receipts(page)) => encoded::<ListChatReceipts>(Ok(page)),
                other => refused(other),
            }
        }
        other => panic!("nobody asks for {other:?}"),
    }
}

fn limit(query: &HashMap<&str, &str>) -> Option<i9chat_spec::PageLimit> {
    query.get("limit").map(|limit| limit.parse::<u64>().expect("a number").try_into().expect("a limit"))
}

fn session() -> SessionOpened {
    let tokens = TokenPair {
        token: "token".parse().expect("a token"),
        expires_at: Timestamp::from_millis(4_000_000_000_000),
        refresh_token: "refresh".parse().expect("a token"),
    };
    SessionOpened { session_id: SessionId::example(), user: User::example(), tokens: Some(tokens) }
}

fn refused(answer: Result<Answer, ErrorCode>) -> Response {
    match answer {
        Err(code) => encoded::<GetChat>(Err(code)),
        Ok(Answer::CursorReset) => encoded::<GetChat>(Err(ErrorCode::CursorReset)),
        Ok(Answer::Refused) => encoded::<GetChat>(Err(ErrorCode::ChatNotFound)),
        Ok(other) => panic!("{other:?}"),
    }
}

fn encoded<E: Endpoint>(answer: Result<E::Response, ErrorCode>) -> Response {
    let (status, body) = match answer {
        Ok(answer) => (E::STATUS, Format::Json.encode(&answer)),
        Err(code) => {
            let problem = Problem::new(code, "for the test", RequestId::example());
            (problem.status, Format::Json.encode(&problem))
        }
    };
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/json")], body.expect("encodes")).into_response()
}

/// One line: the greeting, what was missed, and what happens, until it is cut.
async fn serve(server: Server, mut socket: WebSocket, since: Option<u64>) -> Result<(), axum::Error> {
    let mut host = server.host.subscribe();
    let (line, mut place, resume) = {
        let host = host.borrow_and_update();
        match since {
            None => (host.line, host.world.head, Resume::Fresh),
            Some(since) if since < host.replays_from => (host.line, host.world.head, Resume::Limited),
            Some(since) => (host.line, since, Resume::Resumed),
        }
    };
    let hello = Hello { cursor: cursor(place), resume, ..Hello::example() };
    socket.send(frame(&ServerFrame::Hello(hello))).await?;
    loop {
        let events: Vec<_> = {
            let host = host.borrow_and_update();
            if host.line > line {
                return Ok(());
            }
            let news = host.world.told.iter().enumerate().filter(|(_, (position, ..))| *position > place);
            let news: Vec<_> = news.map(|(told, _)| host.world.frame(told)).collect();
            place = host.world.head;
            news
        };
        for event in events {
            socket.send(frame(&ServerFrame::Event(event))).await?;
        }
        tokio::select! {
            changed = host.changed() => if changed.is_err() { return Ok(()) },
            // The client says nothing but goodbye.
            said = socket.recv() => if !matches!(said, Some(Ok(_))) { return Ok(()) },
        }
    }
}

fn frame(frame: &ServerFrame) -> Frame {
    let bytes = Format::Json.encode(frame).expect("encodes");
    Frame::text(String::from_utf8(bytes).expect("text"))
}
