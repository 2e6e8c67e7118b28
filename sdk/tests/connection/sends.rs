//! Messages on their way: once, in order, and sent again where that helps.

use i9chat_sdk::connection::{Lost, Output, SendError, Settings};
use i9chat_spec::{
    ErrorCode, Example, FieldCode, FieldError, Problem, ReplyFrame, Resume, ServerFrame, api::messages::MessageSent,
};
use serde_json::json;

use crate::{Line, START, error, heartbeat, hello, message, ms, open, problem, reply};

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
