//! Lines that open, break, fall silent, are closed, and come back.

use i9chat_sdk::{
    ConnectionState, StopReason,
    connection::{Backoff, Lost, Output, SendError, Settings},
};
use i9chat_spec::{CloseCode, CloseReason, Example, Format, FrameId, Hello, Reconnect, Resume, ServerFrame};
use proptest::prelude::*;

use crate::{HEARTBEAT, Line, START, event, heartbeat, hello, message, ms, open, reply};

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
fn other_frames_of_a_known_type_that_cannot_be_read_end_the_line() {
    for text in [r#"{"type":"hello"}"#, r#"{"type":"reply"}"#, r#"{"type":"error"}"#, r#"{"type":"heartbeat"}"#] {
        let mut line = Line::greeted();
        line.receives(START, Format::Json.decode(text.as_bytes()).expect("a frame"));
        assert_eq!(line.outputs(), [Output::Close], "{text}");
    }
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
