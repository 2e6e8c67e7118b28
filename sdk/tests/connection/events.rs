//! What the application hears, and where the cursor stands.

use i9chat_sdk::{
    Update,
    connection::{Lost, Output, Settings},
};
use i9chat_spec::{Event, EventFrame, Example, Format, Resume, ServerFrame, api::messages::MessageSent};
use serde_json::json;

use crate::{Line, START, cursor, event, heartbeat, hello, open, reply};

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
