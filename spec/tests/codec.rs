//! If these fail, a client and a server that use this crate misread each other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use i9chat_spec::{
    Activity, Chat, ChatKind, Content, DecodeError, Entry, Event, EventFrame, Example, FieldCode, Format, Membership,
    Message, Profile, ServerFrame,
    action::{PresenceSubscription, SetReactionData},
    api::{
        capabilities::Capabilities, groups::NewGroup, media::NewUpload, messages::NewMessage, receipts::Marks,
        sessions::SessionOpened, signup::NewSignup, users::ProfilePatch,
    },
    event::{GroupActivity, MessageCreated},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn invalid<T: DeserializeOwned + std::fmt::Debug>(format: Format, value: &Value) -> (String, FieldCode) {
    let bytes = format.encode(value).unwrap();
    match format.decode::<T>(&bytes) {
        Err(DecodeError::Invalid(fault)) => (fault.field, fault.code),
        other => panic!("expected a fault in a field of {value}, got {other:?}"),
    }
}

/// The faults of values, in both encodings.
fn faults<T: DeserializeOwned + std::fmt::Debug>(cases: &[(Value, &str, FieldCode)]) {
    for (value, field, code) in cases {
        for format in Format::ALL {
            assert_eq!(invalid::<T>(*format, value), ((*field).to_owned(), *code), "{format:?} {value}");
        }
    }
}

const ID: &str = "4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b";
const MEDIA: &str = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071";

#[test]
fn a_fault_names_its_field_and_kind_in_both_encodings() {
    let with = |content: Value| json!({ "client_id": ID, "content": content });
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
        (json!([ID, { "kind": "text", "text": "hi" }]), "", FieldCode::WrongType),
        (
            json!({ "client_id": ID, "content": { "kind": "text", "text": "hi" }, "reply_to": 7 }),
            "reply_to",
            FieldCode::WrongType,
        ),
    ];
    faults::<NewMessage>(&cases);
}

#[test]
fn a_fault_in_content_names_the_whole_path() {
    let with = |content: Value| json!({ "client_id": ID, "content": content });
    let images = |item: Value| {
        let right = json!({ "media_id": MEDIA, "width": 1, "height": 65_535 });
        with(json!({ "kind": "image", "items": [right, right, right, item] }))
    };
    let voice = |duration: Value| with(json!({ "kind": "voice", "media_id": MEDIA, "duration_ms": duration }));
    faults::<NewMessage>(&[
        (images(json!({})), "content.items[3].media_id", FieldCode::Missing),
        (images(json!({ "media_id": null })), "content.items[3].media_id", FieldCode::Missing),
        (images(json!({ "media_id": "x" })), "content.items[3].media_id", FieldCode::BadFormat),
        (images(json!({ "media_id": MEDIA, "width": 0 })), "content.items[3].width", FieldCode::OutOfRange),
        (images(json!({ "media_id": MEDIA, "height": 65_536 })), "content.items[3].height", FieldCode::OutOfRange),
        (images(json!({ "media_id": MEDIA, "height": "1" })), "content.items[3].height", FieldCode::WrongType),
        (images(json!({ "media_id": MEDIA, "height": 1.0 })), "content.items[3].height", FieldCode::WrongType),
        (images(json!([MEDIA])), "content.items[3]", FieldCode::WrongType),
        (images(json!(null)), "content.items[3]", FieldCode::WrongType),
        (with(json!({ "kind": "image" })), "content.items", FieldCode::Missing),
        (with(json!({ "kind": "image", "items": {} })), "content.items", FieldCode::WrongType),
        (with(json!({ "kind": "image", "items": [] })), "content.items", FieldCode::TooShort),
        (
            with(json!({ "kind": "video", "items": vec![json!({ "media_id": MEDIA }); 11] })),
            "content.items",
            FieldCode::TooLong,
        ),
        (
            with(json!({ "kind": "video", "items": [{ "media_id": MEDIA }], "caption": "" })),
            "content.caption",
            FieldCode::TooShort,
        ),
        (voice(json!(0)), "content.duration_ms", FieldCode::OutOfRange),
        (voice(json!(86_400_001)), "content.duration_ms", FieldCode::OutOfRange),
        (voice(json!(-1)), "content.duration_ms", FieldCode::OutOfRange),
        (voice(json!("1")), "content.duration_ms", FieldCode::WrongType),
        (with(json!({ "kind": "audio", "title": "x" })), "content.media_id", FieldCode::Missing),
        (with(json!({ "kind": "file", "media_id": MEDIA, "name": "a/b" })), "content.name", FieldCode::BadFormat),
        (with(json!({ "kind": 7, "text": "hi" })), "content.kind", FieldCode::WrongType),
        (with(json!({ "kind": null, "text": "hi" })), "content.kind", FieldCode::Missing),
    ]);
}

#[test]
fn a_fault_in_a_list_names_the_item() {
    let part = |part: Value| json!({ "purpose": "message", "kind": "image", "parts": [part] });
    faults::<NewUpload>(&[
        (
            json!({ "purpose": "avatar", "kind": "image", "parts": [{ "part": "original", "content_type": "a/b", "size": 1 }] }),
            "purpose",
            FieldCode::UnknownValue,
        ),
        (
            part(json!({ "part": "huge", "content_type": "image/png", "size": 1 })),
            "parts[0].part",
            FieldCode::UnknownValue,
        ),
        (
            part(json!({ "part": "original", "content_type": "image", "size": 1 })),
            "parts[0].content_type",
            FieldCode::BadFormat,
        ),
        (part(json!({ "part": "original", "content_type": "image/png" })), "parts[0].size", FieldCode::Missing),
        (
            part(json!({ "part": "original", "content_type": "image/png", "size": 1u64 << 53 })),
            "parts[0].size",
            FieldCode::OutOfRange,
        ),
        (part(json!(["original", "image/png", 1])), "parts[0]", FieldCode::WrongType),
        (json!({ "purpose": "message", "kind": "image", "parts": [] }), "parts", FieldCode::TooShort),
    ]);
    faults::<Marks>(&[
        (
            json!({ "marks": [{ "chat_id": MEDIA }, { "chat_id": MEDIA, "read": -1 }] }),
            "marks[1].read",
            FieldCode::OutOfRange,
        ),
        (json!({ "marks": [{ "read": 1 }] }), "marks[0].chat_id", FieldCode::Missing),
        (json!({ "marks": [[MEDIA, 1, 1]] }), "marks[0]", FieldCode::WrongType),
    ]);
    faults::<NewGroup>(&[
        (json!({ "client_id": ID, "name": "x", "members": ["alice", "-"] }), "members[1]", FieldCode::TooShort),
        (json!({ "client_id": ID, "name": "\n" }), "name", FieldCode::BadFormat),
        (json!({ "client_id": ID, "name": " " }), "name", FieldCode::BadFormat),
    ]);
    faults::<PresenceSubscription>(&[
        (json!({ "usernames": ["alice", "ALICE"] }), "usernames", FieldCode::Conflicting),
        (json!({ "usernames": ["alice", 7] }), "usernames[1]", FieldCode::WrongType),
        (json!({ "usernames": [] }), "usernames", FieldCode::TooShort),
    ]);
    faults::<SetReactionData>(&[
        (json!({ "chat_id": MEDIA, "message_id": MEDIA, "emoji": "👍👍" }), "emoji", FieldCode::BadFormat),
        (json!({ "chat_id": MEDIA, "message_id": MEDIA, "emoji": "" }), "emoji", FieldCode::TooShort),
        (json!({ "chat_id": MEDIA, "message_id": MEDIA }), "emoji", FieldCode::Missing),
    ]);
    faults::<ProfilePatch>(&[
        (json!({ "location": { "lat": 90.5, "lon": 0 } }), "location.lat", FieldCode::OutOfRange),
        (json!({ "location": { "lat": 1 } }), "location.lon", FieldCode::Missing),
        (json!({ "location": { "lat": 1, "lon": null } }), "location.lon", FieldCode::Missing),
        (json!({ "location": [1, 2] }), "location", FieldCode::WrongType),
        (json!({ "picture_id": "x" }), "picture_id", FieldCode::BadFormat),
    ]);
}

#[test]
fn a_field_that_is_given_twice_is_refused() {
    let cases = [
        (format!(r#"{{"client_id":"{ID}","client_id":"{ID}","content":{{"kind":"text","text":"hi"}}}}"#), "client_id"),
        (format!(r#"{{"client_id":"{ID}","content":{{"kind":"text","text":"hi","text":"ho"}}}}"#), "content.text"),
        (format!(r#"{{"client_id":"{ID}","content":{{"kind":"text","kind":"voice","text":"hi"}}}}"#), "content.kind"),
    ];
    for (text, field) in cases {
        match Format::Json.decode::<NewMessage>(text.as_bytes()) {
            Err(DecodeError::Invalid(fault)) => {
                assert_eq!((fault.field.as_str(), fault.code), (field, FieldCode::Conflicting), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    // In MessagePack likewise: a map of two entries with one name.
    let twice =
        [&b"\x82"[..], &rmp_serde::to_vec("email").unwrap(), &rmp_serde::to_vec("a@example.com").unwrap()].concat();
    let twice =
        [&twice[..], &rmp_serde::to_vec("email").unwrap(), &rmp_serde::to_vec("b@example.com").unwrap()].concat();
    match Format::MessagePack.decode::<NewSignup>(&twice) {
        Err(DecodeError::Invalid(fault)) => {
            assert_eq!((fault.field.as_str(), fault.code), ("email", FieldCode::Conflicting));
        }
        other => panic!("{other:?}"),
    }
    // Of what is not known nothing is asked.
    let text = r#"{"email":"a@example.com","other":1,"other":2,"more":{"x":1,"x":2}}"#;
    assert!(Format::Json.decode::<NewSignup>(text.as_bytes()).is_ok());
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
fn an_entry_travels_in_its_event_as_it_stands_in_history() {
    let Entry::Message(message) = Entry::example() else { panic!("the example is a message") };
    let event = serde_json::to_value(MessageCreated { message: message.clone() }).unwrap();
    assert_eq!(event["message"], serde_json::to_value(Entry::Message(message)).unwrap());
    let activity = Activity::example();
    let event = serde_json::to_value(GroupActivity { activity: activity.clone() }).unwrap();
    assert_eq!(event["activity"], serde_json::to_value(Entry::Activity(activity)).unwrap());
    assert_eq!(event["activity"]["type"], "activity");

    // One is not read for the other.
    let event = json!({ "message": event["activity"] });
    assert!(serde_json::from_value::<MessageCreated>(event).is_err());
    let message = json!({ "activity": Entry::example() });
    assert!(serde_json::from_value::<GroupActivity>(message).is_err());
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
