//! The network and the application around a connection, in virtual time.

mod checks;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use i9chat_sdk::{
    ConnectionState, Update,
    connection::{
        AskError, AskFrame, AskKey, Backoff, Connection, Lost, Output, SendError, SendFrame, SendKey, Settings,
    },
};
use i9chat_spec::{
    ClientId, Cursor, Event, Example, Heartbeat, NewContent, ReplyFrame, ServerFrame, action::SendMessageData,
    api::messages::MessageSent,
};
use serde_json::{Value, json};

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

struct Opening {
    done_at: Duration,
    cursor: Option<Cursor>,
}

#[derive(Default)]
struct Line {
    to_server: VecDeque<(Duration, Up)>,
    to_client: VecDeque<(Duration, Arrival)>,
    /// How far in the log the server has sent.
    sent_to: usize,
    silent: bool,
    unanswered: usize,
}

enum Up {
    Send(SendFrame),
    Ask(AskFrame),
}

enum Arrival {
    Frame(Box<ServerFrame>),
    Close(u16, String),
    Break,
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
                    line.silent = true;
                    line.to_server.clear();
                    line.to_client.clear();
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

    fn end_line(&mut self, with: Arrival) {
        let at = self.now + self.latency;
        if let Some(line) = &mut self.line {
            // A cut loses what is on its way; a close comes after what was sent before.
            if matches!(with, Arrival::Break) {
                line.to_client.clear();
            }
            line.to_server.clear();
            line.silent = true;
            line.to_client.push_back((at, with));
        }
    }

    fn beat(&mut self) {
        self.push_events();
        let at = self.now + self.latency;
        if let Some(line) = self.line.as_mut().filter(|line| !line.silent) {
            let frame = ServerFrame::Heartbeat(Heartbeat { cursor: self.server.cursor(line.sent_to) });
            line.to_client.push_back((at, Arrival::Frame(Box::new(frame))));
        }
    }

    /// The server sends what the line has not had yet.
    fn push_events(&mut self) {
        let at = self.now + self.latency;
        if let Some(line) = self.line.as_mut().filter(|line| !line.silent) {
            for index in line.sent_to..self.server.log.len() {
                line.to_client.push_back((at, Arrival::Frame(Box::new(self.server.event(index)))));
            }
            line.sent_to = self.server.log.len();
        }
    }

    fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        let mut at_once = 0;
        while let Some(next) = self.next_moment().filter(|next| *next <= until) {
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 2_000, "it spins at {:?} in {:?}", self.now, self.connection.state());
            self.now = self.now.max(next);
            self.happen();
        }
        self.now = until;
    }

    fn next_moment(&self) -> Option<Duration> {
        let line = self.line.iter().flat_map(|line| {
            let up = line.to_server.front().map(|(at, _)| *at);
            let down = line.to_client.front().map(|(at, _)| *at);
            [up, down]
        });
        let opening = self.opening.as_ref().map(|opening| opening.done_at);
        line.chain([opening, self.connection.wake_at()]).flatten().min()
    }

    /// One thing that is due.
    fn happen(&mut self) {
        let due = |at: &Duration| *at <= self.now;
        if self.opening.as_ref().is_some_and(|opening| due(&opening.done_at)) {
            self.opened();
        } else if let Some((_, frame)) = self.line.as_mut().and_then(|line| pop_due(&mut line.to_server, self.now)) {
            self.served(frame);
        } else if let Some((_, arrival)) = self.line.as_mut().and_then(|line| pop_due(&mut line.to_client, self.now)) {
            self.arrived(arrival);
        } else {
            self.connection.woke(self.now);
        }
        self.push_events();
        self.obey();
    }

    fn opened(&mut self) {
        let Some(Opening { cursor, .. }) = self.opening.take() else { return };
        if self.refuse_opens > 0 {
            self.refuse_opens -= 1;
            self.connection.lost(self.now, Lost::Broken);
        } else if std::mem::take(&mut self.refuse_token) {
            self.token_expired = true;
            self.connection.lost(self.now, Lost::TokenRefused);
        } else {
            let (hello, sent_to) = self.server.greet(cursor.as_ref());
            let hello = Arrival::Frame(Box::new(ServerFrame::Hello(hello)));
            let to_client = VecDeque::from([(self.now + self.latency, hello)]);
            self.line = Some(Line { to_client, sent_to, ..Line::default() });
        }
    }

    fn served(&mut self, frame: Up) {
        let answers = match frame {
            Up::Send(frame) => self.server.answer(frame),
            Up::Ask(frame) => vec![ServerFrame::Reply(ReplyFrame { id: frame.id, data: frame.data })],
        };
        let at = self.now + self.latency;
        if let Some(line) = &mut self.line {
            line.to_client.extend(answers.into_iter().map(|answer| (at, Arrival::Frame(Box::new(answer)))));
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Frame(frame) => {
                let answers_a_send = match &*frame {
                    ServerFrame::Reply(reply) => reply.data.get("number").is_none(),
                    ServerFrame::Error(_) => true,
                    _ => false,
                };
                if answers_a_send && let Some(line) = &mut self.line {
                    line.unanswered = line.unanswered.saturating_sub(1);
                }
                if let ServerFrame::Error(error) = &*frame {
                    let wait = Duration::from_millis(error.error.retry_after_ms.unwrap_or_default());
                    self.quiet_until = self.quiet_until.max(self.now + wait);
                }
                if !self.connection.is_behind() {
                    self.connection.has_room(self.now, self.queue_length - self.queue.len());
                }
                self.connection.received(self.now, *frame);
                if self.start.is_none() {
                    self.start = self.connection.cursor().map(Server::position);
                }
            }
            Arrival::Close(number, reason) => {
                self.line = None;
                let lost = Lost::from_close(number, &reason);
                if let Lost::Closed(reason) = lost {
                    let wait = Duration::from_millis(reason.retry_after_ms.unwrap_or_default());
                    self.not_before = if number == 4008 { self.now } else { self.now + wait };
                    self.token_expired = number == 4008;
                }
                self.connection.lost(self.now, lost);
            }
            Arrival::Break => {
                self.line = None;
                self.connection.lost(self.now, Lost::Broken);
            }
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
                    if !line.silent {
                        line.to_server.push_back((at, Up::Send(frame)));
                    }
                }
                Output::Ask(frame) => {
                    let at = self.now + self.latency;
                    let line = self.line.as_mut().expect("a line to ask on");
                    if !line.silent {
                        line.to_server.push_back((at, Up::Ask(frame)));
                    }
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

fn pop_due<T>(queue: &mut VecDeque<(Duration, T)>, now: Duration) -> Option<(Duration, T)> {
    if queue.front().is_some_and(|(at, _)| *at <= now) { queue.pop_front() } else { None }
}
