//! If these fail, a client and a server that use this crate misread each other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use i9chat_spec::{
    Chat, ChatKind, Content, DecodeError, Entry, Event, EventFrame, Example, FieldCode, Format, Membership, Message,
    Profile, ServerFrame,
    api::{capabilities::Capabilities, messages::NewMessage, sessions::SessionOpened, signup::NewSignup},
    event::MessageCreated,
};
use serde_json::{Value, json};

fn invalid(format: Format, value: &Value) -> (String, FieldCode) {
    let bytes = format.encode(value).unwrap();
    match format.decode::<NewMessage>(&bytes) {
        Err(DecodeError::Invalid(fault)) => (fault.field, fault.code),
        other => panic!("expected a fault in a field, got {other:?}"),
    }
}

#[test]
fn a_fault_names_its_field_and_kind_in_both_encodings() {
    let id = "4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b";
    let with = |content: Value| json!({ "client_id": id, "content": content });
    let cases = [
        (json!({ "content": { "kind": "text", "text": "hi" } }), "client_id", FieldCode::Missing),
        (
            json!({ "client_id": "nonsense", "content": { "kind": "text", "text": "hi" } }),
            "client_id",
            FieldCode::BadFormat,
        ),
        (json!({ "client_id": 7, "content": { "kind": "text", "text": "hi" } }), "client_id", FieldCode::WrongType),
        (with(json!({ "kind": "text", "text": "" })), "content.text", FieldCode::TooShort),
        (with(json!({ "kind": "text", "text": "x".repeat(4097) })), "content.text", FieldCode::TooLong),
        (with(json!({ "kind": "text", "text": "a\u{0}b" })), "content.text", FieldCode::BadFormat),
        (with(json!({ "kind": "text" })), "content.text", FieldCode::Missing),
        (with(json!({ "kind": "hologram", "text": "hi" })), "content.kind", FieldCode::UnknownValue),
        (with(json!({ "text": "hi" })), "content.kind", FieldCode::Missing),
        (with(json!(["text", "hi"])), "content", FieldCode::WrongType),
        (json!([id, { "kind": "text", "text": "hi" }]), "", FieldCode::WrongType),
    ];
    for (value, field, code) in cases {
        for format in Format::ALL {
            assert_eq!(invalid(*format, &value), (field.to_owned(), code), "{format:?} {value}");
        }
    }
}

#[test]
fn what_is_no_value_at_all_is_malformed() {
    let not_json = [
        &b""[..],
        b"{",
        b"{\"email\": \"a@example.com\"} x",
        b"\xff",
        // Text that is not UTF-8, where it is wanted and where it is ignored.
        b"{\"email\": \"a\xff@example.com\"}",
        b"{\"email\": \"a@example.com\", \"other\": \"\xff\"}",
    ];
    for bytes in not_json {
        assert!(matches!(Format::Json.decode::<NewSignup>(bytes), Err(DecodeError::Malformed(_))), "{bytes:?}");
    }
    for bytes in [&b""[..], b"\x81", b"\xc1", b"\x80\x80"] {
        assert!(matches!(Format::MessagePack.decode::<NewSignup>(bytes), Err(DecodeError::Malformed(_))), "{bytes:?}");
    }
}

#[test]
fn unknown_things_are_kept_for_clients() {
    for format in Format::ALL {
        let entry = json!({ "type": "poll", "seq": 7, "question": "Tea?" });
        let read: Entry = format.decode(&format.encode(&entry).unwrap()).unwrap();
        assert_eq!(read.seq().unwrap().get(), 7);
        assert_eq!(serde_json::to_value(&read).unwrap(), entry);

        let mut message = serde_json::to_value(Message::example()).unwrap();
        message["content"] = json!({ "kind": "hologram", "url": "x" });
        let read: Message = format.decode(&format.encode(&message).unwrap()).unwrap();
        assert!(matches!(read.content, Content::Unknown(_)));

        let event = json!({ "type": "event", "event": "poll_closed", "cursor": "abc", "data": { "votes": 3 } });
        match format.decode(&format.encode(&event).unwrap()).unwrap() {
            ServerFrame::Event(EventFrame { cursor: Some(_), event: Event::Unknown { name, .. }, .. }) => {
                assert_eq!(name, "poll_closed");
            }
            other => panic!("{other:?}"),
        }

        let frame = json!({ "type": "weather", "sun": true });
        let read: ServerFrame = format.decode(&format.encode(&frame).unwrap()).unwrap();
        assert!(matches!(read, ServerFrame::Unknown(_)));
    }
}

#[test]
fn a_message_travels_in_its_event_as_it_stands_in_history() {
    let event = serde_json::to_value(MessageCreated::example()).unwrap();
    let entry = serde_json::to_value(Entry::example()).unwrap();
    assert_eq!(event["message"], entry);
}

#[test]
fn a_frame_is_the_same_in_both_encodings() {
    let frame = ServerFrame::Event(EventFrame::example());
    for format in Format::ALL {
        let read: ServerFrame = format.decode(&format.encode(&frame).unwrap()).unwrap();
        assert_eq!(read, frame);
        let value: Value = format.decode(&format.encode(&frame).unwrap()).unwrap();
        assert_eq!(value, serde_json::to_value(&frame).unwrap());
    }
}

#[test]
fn a_session_opened_by_cookie_holds_no_tokens() {
    let opened = SessionOpened { tokens: None, ..SessionOpened::example() };
    let value = serde_json::to_value(&opened).unwrap();
    assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["session_id", "user"]);
    for format in Format::ALL {
        let read: SessionOpened = format.decode(&format.encode(&SessionOpened::example()).unwrap()).unwrap();
        assert_eq!(read, SessionOpened::example());
    }
}

#[test]
fn what_a_newer_server_lists_does_not_break_an_older_client() {
    let mut answer = serde_json::to_value(Capabilities::example()).unwrap();
    answer["profiles"] = json!(["core", "holograms"]);
    let mut chat = serde_json::to_value(Chat::example()).unwrap();
    chat["kind"] = json!("channel");
    chat["membership"] = json!("guest");
    for format in Format::ALL {
        let read: Capabilities = format.decode(&format.encode(&answer).unwrap()).unwrap();
        assert_eq!(read.profiles, [Profile::Core, Profile::Unknown]);
        let read: Chat = format.decode(&format.encode(&chat).unwrap()).unwrap();
        assert_eq!((read.kind, read.membership), (ChatKind::Unknown, Membership::Unknown));
    }
}
