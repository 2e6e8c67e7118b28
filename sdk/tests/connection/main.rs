//! The connection's decisions, one by one, at exact moments.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

mod asks;
mod events;
mod line;
mod sends;

use std::time::Duration;

use i9chat_sdk::{
    Update,
    connection::{Connection, Output, SendFrame, SendKey, Settings},
};
use i9chat_spec::{
    ChatId, ClientId, Cursor, ErrorCode, ErrorFrame, Event, EventFrame, Example, FrameId, Heartbeat, Hello, NewContent,
    Problem, ReplyFrame, RequestId, Resume, ServerFrame, action::SendMessageData, api::messages::MessageSent,
    event::MessageCreated,
};

const START: Duration = Duration::from_secs(100);
const HEARTBEAT: Duration = Duration::from_secs(30);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn cursor(text: &str) -> Cursor {
    text.parse().expect("a cursor")
}

fn hello(resume: Resume, at: &str) -> ServerFrame {
    let heartbeat_ms = u64::try_from(HEARTBEAT.as_millis()).expect("small");
    ServerFrame::Hello(Hello { resume, cursor: cursor(at), heartbeat_ms, ..Hello::example() })
}

fn event(at: &str) -> ServerFrame {
    let event = Event::MessageCreated(MessageCreated::example());
    ServerFrame::Event(EventFrame { cursor: Some(cursor(at)), chat_id: None, event })
}

fn heartbeat(at: &str) -> ServerFrame {
    ServerFrame::Heartbeat(Heartbeat { cursor: cursor(at) })
}

fn message() -> SendMessageData {
    SendMessageData {
        chat_id: ChatId::example(),
        client_id: ClientId::from_uuid(uuid::Uuid::new_v4()),
        content: NewContent::example(),
        reply_to: None,
    }
}

fn reply(id: FrameId) -> ServerFrame {
    ServerFrame::Reply(ReplyFrame { id, data: serde_json::to_value(MessageSent::example()).expect("a reply") })
}

fn problem(code: ErrorCode) -> Problem {
    Problem::new(code, "for the test", RequestId::example())
}

fn error(id: FrameId, problem: Problem) -> ServerFrame {
    ServerFrame::Error(ErrorFrame { id: Some(id), error: problem })
}

/// A connection whose back-off always rolls its longest.
struct Line {
    connection: Connection,
}

impl Line {
    fn new() -> Self {
        Self::with(Settings::default(), None)
    }

    fn with(settings: Settings, cursor: Option<Cursor>) -> Self {
        Self { connection: Connection::new(settings, cursor, 100, Box::new(|| 1.0), START) }
    }

    /// Greeted at the start, with cursor `c0`.
    fn greeted() -> Self {
        let mut line = Self::new();
        line.receives(START, hello(Resume::Fresh, "c0"));
        line.outputs();
        line
    }

    fn receives(&mut self, now: Duration, frame: ServerFrame) {
        self.connection.received(now, frame);
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.connection.next_output()).collect()
    }

    fn updates(&mut self) -> Vec<Update> {
        let delivered = |output| if let Output::Deliver(update) = output { Some(update) } else { None };
        self.outputs().into_iter().filter_map(delivered).collect()
    }

    /// The frames that go out.
    fn frames(&mut self) -> Vec<SendFrame> {
        let transmitted = |output| if let Output::Transmit(frame) = output { Some(frame) } else { None };
        self.outputs().into_iter().filter_map(transmitted).collect()
    }

    fn sends(&mut self, now: Duration) -> (SendKey, FrameId) {
        let key = self.connection.send(now, message()).expect("room");
        let frames = self.frames();
        let [frame] = frames.as_slice() else { panic!("one frame goes out, not {frames:?}") };
        (key, frame.id.clone())
    }

    /// Sleeps until it wants to be woken.
    fn sleeps(&mut self) -> Duration {
        let at = self.connection.wake_at().expect("something to wait for");
        self.connection.woke(at);
        at
    }

    fn cursor(&self) -> &str {
        self.connection.cursor().expect("a cursor").as_str()
    }
}

fn open(at: Option<&str>, renew: bool) -> Output {
    Output::Open { cursor: at.map(cursor), renew }
}
