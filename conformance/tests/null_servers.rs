//! Servers that do nothing right pass no case. Some are wholly dumb; others have learned enough, by heart, to get a case going.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use i9chat_conformance::{
    cases,
    mail::{MailSource, Mailbox},
    run::run,
    target::{Deadlines, Target},
    verdict::Ending,
};
use i9chat_spec::{ErrorCode, Example, Problem, api};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a server answers to everything, or to everything that it has not learned.
#[derive(Clone)]
enum Habit {
    /// This status, type and body.
    Says(u16, &'static str, Vec<u8>),
    /// Takes everything, says nothing.
    Silence,
    /// Closes at once.
    HangsUp,
    /// Upgrades whatever looks like a handshake and falls silent; else says this.
    UpgradesAndSays(u16, Value),
}

/// How much of the protocol a server knows by heart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Learned {
    Nothing,
    /// `GET /v1/capabilities`.
    Capabilities,
    /// That, and signing up, with real mails.
    SigningUp,
}

struct NullServer {
    habit: Habit,
    learned: Learned,
    smtp: SocketAddr,
}

struct Heard {
    method: String,
    path: String,
    is_handshake: bool,
    key: String,
    body: Value,
}

async fn hear(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (have, value) = line.split_once(':')?;
            have.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            break;
        }
    }
    let mut words = head.split(' ');
    Some(Heard {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        is_handshake: header("upgrade").is_some(),
        key: header("sec-websocket-key").unwrap_or_default(),
        body: serde_json::from_slice(&bytes[end..]).unwrap_or_default(),
    })
}

async fn say(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nX-Request-Id: null\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok();
    stream.shutdown().await.ok();
}

impl NullServer {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(self.clone().answer(stream));
        }
    }

    async fn answer(self: Arc<Self>, mut stream: TcpStream) {
        if matches!(self.habit, Habit::HangsUp) && self.learned == Learned::Nothing {
            return;
        }
        let Some(heard) = hear(&mut stream).await else { return };
        if let Some((status, body)) = self.by_heart(&heard).await {
            say(&mut stream, status, "application/json", body.to_string().as_bytes()).await;
            return;
        }
        match &self.habit {
            Habit::Says(status, kind, body) => say(&mut stream, *status, kind, body).await,
            Habit::UpgradesAndSays(..) if heard.is_handshake => {
                let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(heard.key.as_bytes());
                let upgrade = format!(
                    "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: i9chat.v1.json\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                stream.write_all(upgrade.as_bytes()).await.ok();
                stream.read_to_end(&mut Vec::new()).await.ok();
            }
            Habit::UpgradesAndSays(status, body) => {
                say(&mut stream, *status, "application/json", body.to_string().as_bytes()).await;
            }
            Habit::Silence => {
                stream.read_to_end(&mut Vec::new()).await.ok();
            }
            Habit::HangsUp => {}
        }
    }

    async fn by_heart(&self, heard: &Heard) -> Option<(u16, Value)> {
        let session = || {
            let mut session = serde_json::to_value(api::sessions::SessionOpened::example()).unwrap();
            session["user"]["username"] = heard.body["username"].clone();
            session
        };
        let ticket = || serde_json::to_value(api::signup::TicketIssued::example()).unwrap();
        match (self.learned, heard.method.as_str(), heard.path.as_str()) {
            (Learned::Capabilities | Learned::SigningUp, "GET", "/v1/capabilities") => Some((200, capabilities())),
            (Learned::SigningUp, "POST", "/v1/signup") => {
                self.mails(heard.body["email"].as_str()?).await;
                Some((202, ticket()))
            }
            (Learned::SigningUp, "POST", "/v1/signup/verify") => Some((200, ticket())),
            (Learned::SigningUp, "POST", "/v1/signup/complete") => Some((201, session())),
            _ => None,
        }
    }

    async fn mails(&self, address: &str) {
        let mut stream = TcpStream::connect(self.smtp).await.unwrap();
        let words =
            format!("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<{address}>\r\nDATA\r\n\r\nYour code: 123456\r\n.\r\nQUIT\r\n");
        stream.write_all(words.as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

fn capabilities() -> Value {
    let mut capabilities = serde_json::to_value(api::capabilities::Capabilities::example()).unwrap();
    // Short enough that no case is skipped for it, and nothing takes long to try.
    capabilities["lifetimes"]["heartbeat_ms"] = json!(100);
    capabilities["lifetimes"]["token_ttl_s"] = json!(1);
    capabilities
}

fn problem(code: ErrorCode) -> Habit {
    let problem = Problem::new(code, "no", "null".parse().unwrap());
    Habit::Says(code.status(), "application/problem+json", serde_json::to_vec(&problem).unwrap())
}

fn body(status: u16, body: &Value) -> Habit {
    Habit::Says(status, "application/json", body.to_string().into_bytes())
}

/// Runs every case against such a server; those that passed.
async fn passed(habit: Habit, learned: Learned) -> Vec<&'static str> {
    let mailbox = Mailbox::listen((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let smtp = mailbox.url().strip_prefix("smtp://").unwrap().parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(Arc::new(NullServer { habit, learned, smtp }).serve(listener));
    let deadlines =
        Deadlines { answer: Duration::from_millis(300), mail: Duration::from_secs(1), case: Duration::from_secs(5) };
    let target = Target::new(&[url], MailSource::Receiver(mailbox)).unwrap().with_deadlines(deadlines);
    let finished = run(&target, cases::all(), 64).await;
    server.abort();
    assert!(!finished.is_empty());
    finished
        .iter()
        .filter(|finished| finished.outcome.ending == Ending::Passed)
        .map(|finished| finished.case.name)
        .collect()
}

async fn nothing_passes(habit: Habit) {
    for learned in [Learned::Nothing, Learned::Capabilities, Learned::SigningUp] {
        let passed = passed(habit.clone(), learned).await;
        // What a server has learned it may pass for; that much is asked for nowhere else.
        assert_eq!(passed, Vec::<&str>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_object_passes_nothing() {
    nothing_passes(body(200, &json!({}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_passes_nothing() {
    nothing_passes(Habit::Says(404, "text/plain", b"404 page not found".to_vec())).await;
    nothing_passes(problem(ErrorCode::NoSuchEndpoint)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_passes_nothing() {
    nothing_passes(Habit::Says(500, "text/plain", Vec::new())).await;
    nothing_passes(problem(ErrorCode::Internal)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusing_everything_passes_nothing() {
    for code in
        [ErrorCode::Unauthenticated, ErrorCode::InvalidRequest, ErrorCode::TicketInvalid, ErrorCode::ForeignOrigin]
    {
        nothing_passes(problem(code)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_valid_body_passes_nothing() {
    nothing_passes(body(200, &capabilities())).await;
    nothing_passes(body(201, &serde_json::to_value(api::sessions::SessionOpened::example()).unwrap())).await;
    nothing_passes(body(200, &serde_json::to_value(api::users::OwnProfile::example()).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_passes_nothing() {
    nothing_passes(Habit::Silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_passes_nothing() {
    nothing_passes(Habit::HangsUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_says_nothing_passes_nothing() {
    nothing_passes(Habit::UpgradesAndSays(200, json!({}))).await;
}
