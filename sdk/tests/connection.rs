//! The connection's decisions, one by one, at exact moments.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::time::Duration;

use i9chat_sdk::{
    ConnectionState, StopReason, Update,
    connection::{Backoff, Connection, Lost, Output, SendError, SendFrame, SendKey, Settings},
};
use i9chat_spec::{
    ChatId, ClientId, CloseCode, CloseReason, Cursor, ErrorCode, ErrorFrame, Event, EventFrame, Example, FieldCode,
    FieldError, Format, FrameId, Heartbeat, Hello, NewContent, Problem, Reconnect, ReplyFrame, RequestId, Resume,
    ServerFrame, action::SendMessageData, api::messages::MessageSent, event::MessageCreated,
};
use proptest::prelude::*;
use serde_json::json;

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

#[test]
fn it_opens_at_once_and_is_connected_with_the_greeting() {
    let mut line = Line::new();
    assert_eq!(line.outputs(), [open(None, false)]);
    assert_eq!(line.connection.state(), ConnectionState::Connecting { failures: 0 });
    line.receives(START, hello(Resume::Fresh, "c0"));
    assert!(matches!(line.connection.state(), ConnectionState::Connected { .. }));
    assert_eq!(line.outputs(), []);
    assert_eq!(line.cursor(), "c0");
}

#[test]
fn what_comes_before_the_greeting_ends_the_line() {
    for frame in [event("c1"), heartbeat("c1"), reply(FrameId::example())] {
        let mut line = Line::new();
        line.outputs();
        line.receives(START, frame);
        assert_eq!(line.outputs(), [Output::Close]);
        assert!(matches!(line.connection.state(), ConnectionState::Waiting { .. }));
        assert_eq!(line.connection.cursor(), None);
    }
}

#[test]
fn a_second_greeting_ends_the_line() {
    let mut line = Line::greeted();
    line.receives(START, hello(Resume::Fresh, "c9"));
    assert_eq!(line.outputs(), [Output::Close]);
    assert_eq!(line.cursor(), "c0");
}

#[test]
fn a_server_of_another_version_ends_the_connection() {
    let mut line = Line::new();
    line.outputs();
    line.receives(START, ServerFrame::Hello(Hello { protocol: 2, ..Hello::example() }));
    let reason = StopReason::Closed(CloseCode::UnsupportedProtocol);
    assert_eq!(line.connection.state(), ConnectionState::Stopped(reason));
}

#[test]
fn an_opening_that_takes_too_long_is_given_up() {
    let mut line = Line::new();
    line.outputs();
    assert_eq!(line.sleeps(), START + Settings::default().open_timeout);
    assert_eq!(line.outputs(), [Output::Close]);
}

#[test]
fn events_heartbeats_and_unknown_events_move_the_cursor() {
    let mut line = Line::greeted();
    line.receives(START, event("c1"));
    assert_eq!((line.updates().len(), line.cursor()), (1, "c1"));
    line.receives(START, heartbeat("c2"));
    assert_eq!((line.updates().len(), line.cursor()), (0, "c2"));
    let unknown = Event::Unknown { name: "moon_rose".to_owned(), data: json!({}) };
    line.receives(START, ServerFrame::Event(EventFrame { cursor: Some(cursor("c3")), chat_id: None, event: unknown }));
    assert_eq!((line.updates().len(), line.cursor()), (0, "c3"));
}

#[test]
fn an_event_that_comes_twice_is_handed_out_once() {
    let mut line = Line::greeted();
    line.receives(START, event("c1"));
    line.receives(START, event("c1"));
    assert_eq!(line.updates().len(), 1);
}

#[test]
fn the_answers_to_a_resume_reach_the_application() {
    let limited = Update::Limited { cursor: cursor("c9") };
    let reset = Update::Reset { cursor: cursor("c9") };
    let cases = [
        (Resume::Resumed, "c1", None),
        (Resume::Limited, "c9", Some(limited.clone())),
        (Resume::Reset, "c9", Some(reset)),
        // Neither promises what was missed: to believe it would be to leave a gap unseen.
        (Resume::Resumed, "c9", Some(limited.clone())),
        (Resume::Fresh, "c9", Some(limited)),
    ];
    for (resume, at, update) in cases {
        let mut line = Line::with(Settings::default(), Some(cursor("c1")));
        assert_eq!(line.outputs(), [open(Some("c1"), false)]);
        line.receives(START, hello(resume, at));
        assert_eq!((line.updates(), line.cursor()), (Vec::from_iter(update), at), "{resume:?}");
    }
}

#[test]
fn a_line_that_is_silent_for_two_heartbeats_is_dead() {
    let mut line = Line::greeted();
    assert_eq!(line.connection.wake_at(), Some(START + 2 * HEARTBEAT));
    line.connection.heard(START + ms(500));
    line.connection.woke(START + 2 * HEARTBEAT);
    assert_eq!(line.outputs(), [], "a ping is a sign of life");
    assert_eq!(line.sleeps(), START + ms(500) + 2 * HEARTBEAT);
    assert_eq!(line.outputs(), [Output::Close]);
    line.sleeps();
    assert_eq!(line.outputs(), [open(Some("c0"), false)]);
}

#[test]
fn the_delays_double_and_begin_anew_after_a_line_that_held() {
    let mut line = Line::greeted();
    let mut now = START;
    for expected in [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
        line.connection.lost(now, Lost::Broken);
        assert_eq!(line.sleeps(), now + ms(expected));
        now += ms(expected);
        assert_eq!(line.outputs(), [open(Some("c0"), false)]);
        line.receives(now, hello(Resume::Resumed, "c0"));
        // The greeting alone is no success: a line that breaks each time at once is not tried in a hurry.
        now += ms(9_999);
    }
    line.receives(now, heartbeat("c0"));
    now += ms(1);
    line.connection.lost(now, Lost::Broken);
    assert_eq!(line.sleeps(), now + ms(250));
}

proptest! {
    #[test]
    fn a_delay_is_never_longer_than_the_longest_nor_shorter_than_half(failures in any::<u32>(), roll in any::<f64>()) {
        let backoff = Backoff::default();
        let delay = backoff.delay(failures, roll);
        prop_assert!(delay >= backoff.first / 2 && delay <= backoff.longest);
        prop_assert!(delay >= backoff.delay(failures, 0.0) && delay <= backoff.delay(failures, 1.0));
    }
}

#[test]
fn each_close_code_is_answered_as_it_says() {
    for code in CloseCode::ALL.iter().copied() {
        let mut line = Line::greeted();
        let (key, _) = line.sends(START);
        line.connection.lost(START, Lost::Closed(CloseReason { code, retry_after_ms: None }));
        match code.reconnect() {
            Reconnect::No => {
                let reason = match code {
                    CloseCode::SessionEnded => StopReason::SessionEnded,
                    code => StopReason::Closed(code),
                };
                assert_eq!(line.connection.state(), ConnectionState::Stopped(reason));
                let outcome = Err(SendError::Stopped(reason));
                assert_eq!(line.outputs(), [Output::Close, Output::Complete { send: key, outcome }]);
                assert_eq!(line.connection.wake_at(), None);
                assert_eq!(line.connection.send(START, message()), Err(SendError::Stopped(reason)));
            }
            Reconnect::AfterRefresh => {
                assert_eq!(line.sleeps(), START, "{code:?}");
                assert_eq!(line.outputs(), [open(Some("c0"), true)]);
            }
            Reconnect::Yes => {
                assert_eq!(line.sleeps(), START + ms(250), "{code:?}");
                assert_eq!(line.outputs(), [open(Some("c0"), false)]);
            }
        }
    }
}

#[test]
fn the_delay_that_a_close_asks_for_is_kept() {
    let mut line = Line::greeted();
    line.connection.lost(START, Lost::from_close(4007, "going_away retry_after_ms=7000"));
    assert_eq!(line.connection.state(), ConnectionState::Waiting { failures: 1, retry_in: ms(7000) });
    assert_eq!(line.sleeps(), START + ms(7000));
}

#[test]
fn a_token_that_is_refused_again_and_again_is_not_renewed_in_a_hurry() {
    let mut line = Line::new();
    line.connection.lost(START, Lost::TokenRefused);
    assert_eq!(line.sleeps(), START);
    line.connection.lost(START, Lost::TokenRefused);
    assert_eq!(line.sleeps(), START + ms(500));
    assert_eq!(line.outputs(), [open(None, false), open(None, true), open(None, true)]);
}

#[test]
fn a_send_is_sent_again_after_a_break_with_the_same_client_id() {
    let mut line = Line::greeted();
    line.connection.send(START, message()).expect("room");
    let first = line.frames();
    line.connection.lost(START, Lost::Broken);
    let now = line.sleeps();
    line.receives(now, hello(Resume::Resumed, "c0"));
    let again = line.frames();
    assert_eq!(again[0].data, first[0].data);
    assert_ne!(again[0].id, first[0].id, "a late answer must not be taken for that of another line");
}

#[test]
fn sends_before_the_greeting_wait_for_it() {
    let mut line = Line::new();
    let messages = [message(), message(), message()];
    for message in &messages {
        line.connection.send(START, message.clone()).expect("room");
    }
    assert_eq!(line.outputs(), [open(None, false)]);
    line.receives(START, hello(Resume::Fresh, "c0"));
    let sent: Vec<_> = line.frames().into_iter().map(|frame| frame.data).collect();
    assert_eq!(sent, messages);
}

#[test]
fn an_answer_completes_its_send_once() {
    let mut line = Line::greeted();
    let (send, id) = line.sends(START);
    line.receives(START, reply(id.clone()));
    let outcome = Ok(MessageSent::example());
    assert_eq!(line.outputs(), [Output::Complete { send, outcome }]);
    line.receives(START, reply(id));
    assert_eq!(line.outputs(), []);
}

#[test]
fn an_answer_that_cannot_be_read_ends_the_line_at_once() {
    let mut line = Line::greeted();
    let (_, id) = line.sends(START);
    line.receives(START, ServerFrame::Reply(ReplyFrame { id, data: json!({ "message_id": 7 }) }));
    assert_eq!(line.outputs(), [Output::Close]);
}

#[test]
fn an_answer_that_does_not_come_ends_the_line() {
    let mut line = Line::greeted();
    line.sends(START);
    let late = START + ms(29_999);
    line.receives(late, heartbeat("c0"));
    assert_eq!(line.sleeps(), late + ms(1));
    assert_eq!(line.outputs(), [Output::Close]);
}

#[test]
fn errors_worth_a_retry_make_all_sends_wait() {
    for (code, retry_after_ms, delay) in [
        (ErrorCode::RateLimited, Some(3000), 3000),
        (ErrorCode::Unavailable, None, 250),
        (ErrorCode::Overloaded, Some(10), 250),
        (ErrorCode::Internal, None, 250),
    ] {
        let mut line = Line::greeted();
        let (_, id) = line.sends(START);
        line.receives(START, error(id, Problem { retry_after_ms, ..problem(code) }));
        line.connection.send(START + ms(1), message()).expect("room");
        assert_eq!(line.outputs(), [], "{code}");
        assert_eq!(line.sleeps(), START + ms(delay), "{code}");
        assert_eq!(line.frames().len(), 2, "{code}");
    }
}

#[test]
fn setbacks_in_a_row_wait_longer_each_time() {
    let mut line = Line::greeted();
    let (_, mut id) = line.sends(START);
    let mut now = START;
    for delay in [250, 500, 1000] {
        line.receives(now, error(id, problem(ErrorCode::Unavailable)));
        assert_eq!(line.sleeps(), now + ms(delay));
        now += ms(delay);
        id = line.frames()[0].id.clone();
    }
}

#[test]
fn a_refusal_completes_its_send() {
    let mut line = Line::greeted();
    let (send, id) = line.sends(START);
    let refused = problem(ErrorCode::ChatNotFound);
    line.receives(START, error(id, refused.clone()));
    let outcome = Err(SendError::Refused(Box::new(refused)));
    assert_eq!(line.outputs(), [Output::Complete { send, outcome }]);
}

#[test]
fn an_unknown_code_counts_by_whether_it_is_retryable() {
    for retryable in [true, false] {
        let mut line = Line::greeted();
        let (_, id) = line.sends(START);
        let code = "out_of_cheese".to_owned();
        line.receives(START, error(id, Problem { code, retryable, ..problem(ErrorCode::Internal) }));
        assert_eq!(line.outputs().is_empty(), retryable);
    }
}

#[test]
fn one_send_more_than_may_wait_is_refused() {
    let mut line = Line::with(Settings { max_pending_sends: 2, ..Settings::default() }, None);
    assert!(line.connection.send(START, message()).is_ok());
    assert!(line.connection.send(START, message()).is_ok());
    assert_eq!(line.connection.send(START, message()), Err(SendError::Overloaded));
}

#[test]
fn no_more_than_the_window_is_under_way() {
    let mut line = Line::with(Settings { window: 2, ..Settings::default() }, None);
    line.receives(START, hello(Resume::Fresh, "c0"));
    for _ in 0..3 {
        line.connection.send(START, message()).expect("room");
    }
    let under_way = line.frames();
    assert_eq!(under_way.len(), 2);
    line.receives(START, reply(under_way[0].id.clone()));
    assert_eq!(line.frames().len(), 1);
}

#[test]
fn events_without_room_are_fetched_again_when_there_is_some() {
    let mut line = Line::greeted();
    line.connection.has_room(START, 1);
    for at in ["c1", "c2", "c3"] {
        line.receives(START, event(at));
    }
    line.receives(START, heartbeat("c3"));
    assert_eq!((line.updates().len(), line.cursor()), (1, "c1"));
    assert!(line.connection.is_behind());
    let (send, id) = line.sends(START);
    line.receives(START, reply(id));
    let outcome = Ok(MessageSent::example());
    assert_eq!(line.outputs(), [Output::Complete { send, outcome }], "sends go on meanwhile");

    line.connection.has_room(START, 10);
    assert_eq!(line.outputs(), [Output::Close, open(Some("c1"), false)]);
    line.receives(START, hello(Resume::Resumed, "c1"));
    line.receives(START, event("c2"));
    line.receives(START, event("c3"));
    assert_eq!((line.updates().len(), line.cursor()), (2, "c3"));
}

#[test]
fn a_loss_without_room_waits_for_time_and_not_for_room() {
    let mut line = Line::greeted();
    line.connection.has_room(START, 0);
    line.receives(START, event("c1"));
    assert!(line.connection.is_behind());
    line.connection.lost(START, Lost::Broken);
    // A driver that waits for room while this is so would find it again and again.
    assert!(!line.connection.is_behind());
    line.connection.has_room(START, 10);
    let now = line.sleeps();
    assert_eq!(line.outputs(), [open(Some("c0"), false)]);
    line.receives(now, hello(Resume::Resumed, "c0"));
    line.receives(now, event("c1"));
    assert_eq!(line.updates().len(), 1);
}

#[test]
fn an_event_that_cannot_be_read_is_shown_and_passed() {
    let text = r#"{"type":"event","event":"chat_added","cursor":"c1","data":{"chat":{"kind":"hologram"}}}"#;
    let mut line = Line::greeted();
    line.receives(START, Format::Json.decode(text.as_bytes()).expect("a frame"));
    let updates = line.updates();
    let [Update::Event(shown)] = updates.as_slice() else { panic!("one event, not {updates:?}") };
    let data = json!({ "chat": { "kind": "hologram" } });
    assert_eq!(shown.event, Event::Unknown { name: "chat_added".to_owned(), data });
    assert_eq!(line.cursor(), "c1");
}

#[test]
fn other_frames_of_a_known_type_that_cannot_be_read_end_the_line() {
    for text in [r#"{"type":"hello"}"#, r#"{"type":"reply"}"#, r#"{"type":"error"}"#, r#"{"type":"heartbeat"}"#] {
        let mut line = Line::greeted();
        line.receives(START, Format::Json.decode(text.as_bytes()).expect("a frame"));
        assert_eq!(line.outputs(), [Output::Close], "{text}");
    }
}

#[test]
fn a_refusal_with_faults_of_a_newer_server_completes_its_send() {
    let mut line = Line::greeted();
    let (send, id) = line.sends(START);
    let mut refusal = serde_json::to_value(error(id, problem(ErrorCode::InvalidRequest))).expect("a frame");
    refusal["error"]["fields"] = json!([{ "field": "content", "code": "too_loud", "message": "whisper" }]);
    line.receives(START, serde_json::from_value(refusal).expect("a frame"));
    let fault = FieldError { field: "content".to_owned(), code: FieldCode::Unknown, message: "whisper".to_owned() };
    let refused = Problem { fields: Some(vec![fault]), ..problem(ErrorCode::InvalidRequest) };
    let outcome = Err(SendError::Refused(Box::new(refused)));
    assert_eq!(line.outputs(), [Output::Complete { send, outcome }]);
}

#[test]
fn frames_of_an_unknown_type_are_ignored() {
    let mut line = Line::new();
    line.outputs();
    for greeted in [false, true] {
        if greeted {
            line.receives(START, hello(Resume::Fresh, "c0"));
        }
        line.receives(START, Format::Json.decode(br#"{"type":"moon","cursor":"c9"}"#).expect("a frame"));
        assert_eq!(line.outputs(), []);
    }
    assert_eq!(line.cursor(), "c0");
}

#[test]
fn a_gap_without_room_is_shown_when_there_is_some() {
    let mut line = Line::with(Settings::default(), Some(cursor("c1")));
    line.connection.has_room(START, 0);
    line.receives(START, hello(Resume::Reset, "c9"));
    assert_eq!((line.updates().len(), line.cursor()), (0, "c1"));
    line.connection.has_room(START, 1);
    line.receives(START, hello(Resume::Reset, "c9"));
    assert_eq!((line.updates(), line.cursor()), (vec![Update::Reset { cursor: cursor("c9") }], "c9"));
}

#[test]
fn a_stop_ends_everything_once() {
    let mut line = Line::greeted();
    let (send, _) = line.sends(START);
    line.connection.stop();
    let outcome = Err(SendError::Stopped(StopReason::ByApplication));
    assert_eq!(line.outputs(), [Output::Close, Output::Complete { send, outcome }]);
    line.connection.stop();
    line.connection.lost(START, Lost::Broken);
    line.receives(START, event("c1"));
    assert_eq!(line.outputs(), []);
    assert_eq!(line.connection.state(), ConnectionState::Stopped(StopReason::ByApplication));
}
