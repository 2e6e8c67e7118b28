//! Actions that are tried once, on the line that there is.

use i9chat_sdk::{
    StopReason,
    connection::{AskError, AskFrame, AskKey, Lost, Output},
};
use i9chat_spec::{CloseCode, CloseReason, ErrorCode, FrameId, Problem, ReplyFrame, Resume, ServerFrame};
use serde_json::{Value, json};

use crate::{Line, START, error, heartbeat, hello, ms, open, problem};

fn asks(line: &mut Line, number: u64) -> (AskKey, FrameId) {
    let key = line.connection.ask(START, "set_typing", json!({ "number": number })).expect("a line");
    let outputs = line.outputs();
    let [Output::Ask(AskFrame { id, action, data })] = outputs.as_slice() else { panic!("one frame, not {outputs:?}") };
    assert_eq!((action.as_str(), &data["number"]), ("set_typing", &json!(number)));
    (key, id.clone())
}

fn answer(id: FrameId, data: Value) -> ServerFrame {
    ServerFrame::Reply(ReplyFrame { id, data })
}

#[test]
fn an_ask_has_its_own_answer_once() {
    let mut line = Line::greeted();
    let (first, first_id) = asks(&mut line, 1);
    let (second, second_id) = asks(&mut line, 2);
    line.receives(START, answer(second_id.clone(), json!({ "of": 2 })));
    line.receives(START, answer(second_id, json!({ "of": 2 })));
    line.receives(START, answer(first_id, json!({ "of": 1 })));
    assert_eq!(
        line.outputs(),
        [
            Output::Answer { ask: second, outcome: Ok(json!({ "of": 2 })) },
            Output::Answer { ask: first, outcome: Ok(json!({ "of": 1 })) },
        ]
    );
}

#[test]
fn an_ask_that_is_refused_is_not_tried_again_whatever_the_error() {
    for code in [ErrorCode::NotMember, ErrorCode::RateLimited] {
        let mut line = Line::greeted();
        let (ask, id) = asks(&mut line, 1);
        let refused = Problem { retry_after_ms: Some(3000), ..problem(code) };
        line.receives(START, error(id, refused.clone()));
        assert_eq!(line.outputs(), [Output::Answer { ask, outcome: Err(AskError::Refused(Box::new(refused))) }]);
        // Nor do sends wait for what it was told.
        line.sends(START);
    }
}

#[test]
fn an_ask_does_not_outlive_its_line() {
    let mut line = Line::greeted();
    let (ask, id) = asks(&mut line, 1);
    line.connection.lost(START, Lost::Broken);
    assert_eq!(line.outputs(), [Output::Answer { ask, outcome: Err(AskError::NotConnected) }]);
    let now = line.sleeps();
    assert_eq!(line.outputs(), [open(Some("c0"), false)]);
    line.receives(now, hello(Resume::Resumed, "c0"));
    line.receives(now, answer(id, json!({})));
    assert_eq!(line.outputs(), [], "it is neither asked again nor answered late");
}

#[test]
fn there_is_nothing_to_ask_without_a_line() {
    let mut line = Line::new();
    assert_eq!(line.connection.ask(START, "set_typing", json!({})), Err(AskError::NotConnected));
    line.connection.lost(START, Lost::Broken);
    assert_eq!(line.connection.ask(START, "set_typing", json!({})), Err(AskError::NotConnected));
    let code = CloseCode::SessionEnded;
    line.connection.lost(START, Lost::Closed(CloseReason { code, retry_after_ms: None }));
    let stopped = AskError::Stopped(StopReason::SessionEnded);
    assert_eq!(line.connection.ask(START, "set_typing", json!({})), Err(stopped));
}

#[test]
fn a_stop_and_a_line_that_is_opened_anew_for_room_end_asks() {
    let mut line = Line::greeted();
    let (ask, _) = asks(&mut line, 1);
    line.connection.stop();
    let outcome = Err(AskError::Stopped(StopReason::ByApplication));
    assert_eq!(line.outputs(), [Output::Close, Output::Answer { ask, outcome }]);

    let mut line = Line::greeted();
    line.connection.has_room(START, 0);
    line.receives(START, crate::event("c1"));
    let (ask, _) = asks(&mut line, 1);
    line.connection.has_room(START, 5);
    let outcome = Err(AskError::NotConnected);
    assert_eq!(line.outputs(), [Output::Close, Output::Answer { ask, outcome }, open(Some("c0"), false)]);
}

#[test]
fn an_answer_to_an_ask_that_does_not_come_ends_the_line() {
    let mut line = Line::greeted();
    let (ask, _) = asks(&mut line, 1);
    let late = START + ms(29_999);
    line.receives(late, heartbeat("c0"));
    assert_eq!(line.sleeps(), late + ms(1));
    assert_eq!(line.outputs(), [Output::Close, Output::Answer { ask, outcome: Err(AskError::NotConnected) }]);
}

#[test]
fn no_more_asks_wait_than_may() {
    let mut line = Line::greeted();
    let refused = (0..10_000).find_map(|_| line.connection.ask(START, "set_typing", json!({})).err());
    assert_eq!(refused, Some(AskError::Overloaded));
}
