//! The application around a connection, and what is done to it and to its network.

mod checks;
mod network;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use i9chat_sdk::{
    ConnectionState, Update,
    connection::{AskError, AskKey, Backoff, Connection, Lost, Output, SendError, SendKey, Settings},
};
use i9chat_spec::{ClientId, Event, Example, NewContent, action::SendMessageData, api::messages::MessageSent};
use serde_json::{Value, json};

use self::network::{Arrival, Line, Opening, Up};
use crate::server::{AnswerFault, Server, chat, id};

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Step {
    Send {
        chat: u8,
    },
    /// The application asks for an action that has no outbox.
    Ask,
    PeerSends {
        chat: u8,
        count: u8,
    },
    UnknownEvent,
    /// Milliseconds pass.
    Advance(u64),
    /// The application takes so many updates from its queue.
    Take(usize),
    /// Frames need so many milliseconds from now on.
    Latency(u64),
    /// The line breaks, with all that is on it.
    Cut,
    /// The line stays open, and carries nothing any more.
    GoSilent,
    Close {
        number: u16,
        retry_after_ms: Option<u64>,
    },
    RefuseOpens(u8),
    /// The next handshake finds its token expired.
    RefuseToken,
    Heartbeat,
    NextAnswer(AnswerFault),
    /// The server drops what it holds of the log.
    Forget,
    NewEpoch,
}

const PENDING: usize = 12;
const WINDOW: usize = 4;

pub struct World {
    now: Duration,
    connection: Connection,
    server: Server,
    line: Option<Line>,
    opening: Option<Opening>,
    latency: Duration,
    refuse_opens: u8,
    refuse_token: bool,
    token_expired: bool,
    not_before: Duration,
    /// The server asked not to send before.
    quiet_until: Duration,
    queue_length: usize,
    queue: VecDeque<Update>,
    seen: Vec<Update>,
    start: Option<usize>,
    sends: BTreeMap<SendKey, Sent>,
    /// Every ask, by what it says, and its outcome.
    asks: BTreeMap<AskKey, (u64, Option<Result<Value, AskError>>)>,
    next_client_id: u64,
}

struct Sent {
    data: SendMessageData,
    outcome: Option<Result<MessageSent, SendError>>,
}

impl World {
    pub fn new(seed: u64, queue_length: usize) -> Self {
        let settings = Settings {
            max_pending_sends: PENDING,
            window: WINDOW,
            backoff: Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) },
            ..Settings::default()
        };
        let mut state = seed;
        let jitter = Box::new(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).expect("32 bits")) / f64::from(u32::MAX)
        });
        let mut world = Self {
            now: Duration::ZERO,
            connection: Connection::new(settings, None, queue_length, jitter, Duration::ZERO),
            server: Server::default(),
            line: None,
            opening: None,
            latency: Duration::from_millis(20),
            refuse_opens: 0,
            refuse_token: false,
            token_expired: false,
            not_before: Duration::ZERO,
            quiet_until: Duration::ZERO,
            queue_length,
            queue: VecDeque::new(),
            seen: Vec::new(),
            start: None,
            sends: BTreeMap::new(),
            asks: BTreeMap::new(),
            next_client_id: 1_000_000,
        };
        world.obey();
        world
    }

    pub fn perform(&mut self, step: &Step) {
        match *step {
            Step::Send { chat } => self.send(chat),
            Step::Ask => self.ask(),
            Step::PeerSends { chat: number, count } => {
                for _ in 0..count {
                    let client_id = self.client_id();
                    self.server.store(chat(number), client_id);
                }
            }
            Step::UnknownEvent => {
                self.server.log.push(Event::Unknown { name: "moon_rose".to_owned(), data: json!({ "phase": 3 }) });
            }
            Step::Advance(ms) => self.advance(Duration::from_millis(ms)),
            Step::Take(count) => self.take(count),
            Step::Latency(ms) => self.latency = Duration::from_millis(ms),
            Step::Cut => self.end_line(Arrival::Break),
            Step::GoSilent => {
                if let Some(line) = &mut self.line {
                    line.go_silent();
                }
            }
            Step::Close { number, retry_after_ms } => {
                let name = Lost::from_close(number, "");
                let name = if let Lost::Closed(reason) = name { reason.code.name() } else { "" };
                let reason = retry_after_ms.map_or(name.to_owned(), |ms| format!("{name} retry_after_ms={ms}"));
                self.end_line(Arrival::Close(number, reason));
            }
            Step::RefuseOpens(count) => self.refuse_opens = count,
            Step::RefuseToken => self.refuse_token = true,
            Step::Heartbeat => self.beat(),
            Step::NextAnswer(fault) => self.server.faults.push_back(fault),
            Step::Forget => self.server.forget(),
            Step::NewEpoch => self.server.begin_epoch(),
        }
        self.push_events();
        self.obey();
    }

    /// The network works, the server answers, the application reads.
    pub fn heal(&mut self) {
        self.refuse_opens = 0;
        self.refuse_token = false;
        self.server.faults.clear();
        for _ in 0..600 {
            self.take(usize::MAX);
            self.beat();
            self.advance(Duration::from_secs(1));
        }
        self.take(usize::MAX);
        let connected = matches!(self.connection.state(), ConnectionState::Connected { .. });
        assert!(connected, "not connected after ten minutes of peace: {}", self.connection.state());
    }

    fn client_id(&mut self) -> ClientId {
        self.next_client_id += 1;
        ClientId::from_uuid(id(self.next_client_id))
    }

    fn send(&mut self, number: u8) {
        let data = SendMessageData {
            chat_id: chat(number),
            client_id: self.client_id(),
            content: NewContent::example(),
            reply_to: None,
        };
        let waiting = self.sends.values().filter(|sent| sent.outcome.is_none()).count();
        match self.connection.send(self.now, data.clone()) {
            Ok(key) => {
                assert!(waiting < PENDING, "more sends wait than may");
                assert!(self.sends.insert(key, Sent { data, outcome: None }).is_none(), "{key:?} is used twice");
            }
            Err(error) => assert_eq!((error, waiting), (SendError::Overloaded, PENDING)),
        }
    }

    fn ask(&mut self) {
        let number = self.asks.len() as u64;
        let connected = matches!(self.connection.state(), ConnectionState::Connected { .. });
        match self.connection.ask(self.now, "test", json!({ "number": number })) {
            Ok(key) => {
                assert!(connected, "an ask waits for a line");
                assert!(self.asks.insert(key, (number, None)).is_none(), "{key:?} is used twice");
            }
            Err(error) => assert_eq!((error, connected), (AskError::NotConnected, false)),
        }
    }

    fn take(&mut self, count: usize) {
        let count = count.min(self.queue.len());
        self.seen.extend(self.queue.drain(..count));
        let free = self.queue_length - self.queue.len();
        if self.connection.is_behind() && free >= self.queue_length.div_ceil(2) {
            self.connection.has_room(self.now, free);
            self.obey();
        }
    }

    /// Does what the connection asks for.
    fn obey(&mut self) {
        while let Some(output) = self.connection.next_output() {
            match output {
                Output::Open { cursor, renew } => {
                    assert!(self.now >= self.not_before, "opened before the server allowed it");
                    assert_eq!(renew, std::mem::take(&mut self.token_expired), "a new token is asked for when needed");
                    self.line = None;
                    self.opening = Some(Opening { done_at: self.now + self.latency, cursor });
                }
                Output::Close => (self.line, self.opening) = (None, None),
                Output::Transmit(frame) => {
                    assert!(self.now >= self.quiet_until, "sent before the server allowed it");
                    let at = self.now + self.latency;
                    let line = self.line.as_mut().expect("a line to transmit on");
                    line.unanswered += 1;
                    assert!(line.unanswered <= WINDOW, "more under way than the window");
                    line.carry(at, Up::Send(frame));
                }
                Output::Ask(frame) => {
                    let at = self.now + self.latency;
                    let line = self.line.as_mut().expect("a line to ask on");
                    line.carry(at, Up::Ask(frame));
                }
                Output::Answer { ask, outcome } => {
                    let (_, before) = self.asks.get_mut(&ask).expect("an ask that was made");
                    assert_eq!(*before, None, "{ask:?} has a second outcome");
                    *before = Some(outcome);
                }
                Output::Deliver(update) => {
                    self.queue.push_back(update);
                    assert!(self.queue.len() <= self.queue_length, "more updates than there was room for");
                }
                Output::Complete { send, outcome } => {
                    let sent = self.sends.get_mut(&send).expect("a send that was made");
                    assert_eq!(sent.outcome, None, "{send:?} has a second outcome");
                    sent.outcome = Some(outcome);
                }
            }
        }
    }
}
