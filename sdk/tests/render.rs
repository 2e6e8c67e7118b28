//! What an application shows of activities and entries, to whoever looks at it.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use i9chat_sdk::render;
use i9chat_spec::{Activity, ActivityKind, Attachment, Content, Entry, Example, Message, Quote, User, UserId, Visual};

fn user(name: &str) -> User {
    let mut number = [7; 10];
    number[9] = name.bytes().next().expect("a name");
    let id = uuid::Builder::from_unix_timestamp_millis(1, &number).into_uuid();
    User { user_id: UserId::from_uuid(id), username: name.parse().expect("a name") }
}

fn activity(kind: ActivityKind, actor: &str, targets: &[&str], from: Option<&str>, to: Option<&str>) -> Activity {
    Activity {
        kind,
        actor: user(actor),
        targets: targets.iter().map(|name| user(name)).collect(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        ..Activity::example()
    }
}

/// What happened, and how it reads to alice who acts, to bob to whom it is done, and to dora who looks on.
type Row = (Activity, &'static str, &'static str, &'static str);

fn rows() -> Vec<Row> {
    use ActivityKind as Kind;
    vec![
        (
            activity(Kind::GroupCreated, "alice", &["bob", "carol"], None, Some("Cats")),
            "You created the group “Cats” with bob and carol",
            "alice created the group “Cats” with you and carol",
            "alice created the group “Cats” with bob and carol",
        ),
        (
            activity(Kind::GroupCreated, "alice", &[], None, Some("Cats")),
            "You created the group “Cats”",
            "alice created the group “Cats”",
            "alice created the group “Cats”",
        ),
        (
            activity(Kind::NameChanged, "alice", &[], Some("Cats"), Some("Dogs")),
            "You changed the group’s name from “Cats” to “Dogs”",
            "alice changed the group’s name from “Cats” to “Dogs”",
            "alice changed the group’s name from “Cats” to “Dogs”",
        ),
        (
            activity(Kind::DescriptionChanged, "alice", &[], Some(""), Some("All about them")),
            "You changed the group’s description",
            "alice changed the group’s description",
            "alice changed the group’s description",
        ),
        (
            activity(Kind::DescriptionChanged, "alice", &[], Some("All about them"), Some("")),
            "You removed the group’s description",
            "alice removed the group’s description",
            "alice removed the group’s description",
        ),
        (
            activity(Kind::PictureChanged, "alice", &[], None, Some("018f2f9e-1111-7000-8000-000000000001")),
            "You changed the group’s picture",
            "alice changed the group’s picture",
            "alice changed the group’s picture",
        ),
        (
            activity(Kind::PictureChanged, "alice", &[], Some("018f2f9e-1111-7000-8000-000000000001"), None),
            "You removed the group’s picture",
            "alice removed the group’s picture",
            "alice removed the group’s picture",
        ),
        (activity(Kind::MemberJoined, "alice", &[], None, None), "You joined", "alice joined", "alice joined"),
        (activity(Kind::MemberLeft, "alice", &[], None, None), "You left", "alice left", "alice left"),
        (
            activity(Kind::MembersAdded, "alice", &["bob"], None, None),
            "You added bob",
            "alice added you",
            "alice added bob",
        ),
        (
            activity(Kind::MembersAdded, "alice", &["carol", "erin", "bob"], None, None),
            "You added carol, erin and bob",
            "alice added you, carol and erin",
            "alice added carol, erin and bob",
        ),
        (
            activity(Kind::MembersAdded, "alice", &["carol", "erin", "fred", "bob"], None, None),
            "You added carol, erin and 2 others",
            "alice added you, carol and 2 others",
            "alice added carol, erin and 2 others",
        ),
        (
            activity(Kind::MemberRemoved, "alice", &["bob"], None, None),
            "You removed bob",
            "alice removed you",
            "alice removed bob",
        ),
        (
            activity(Kind::AdminAdded, "alice", &["bob"], None, None),
            "You made bob admin",
            "alice made you admin",
            "alice made bob admin",
        ),
        (
            activity(Kind::AdminRemoved, "alice", &["bob"], None, None),
            "You removed bob as admin",
            "alice removed you as admin",
            "alice removed bob as admin",
        ),
        (
            activity(Kind::AdminSucceeded, "alice", &["bob"], None, None),
            "bob became admin",
            "You became admin",
            "bob became admin",
        ),
        (
            activity(Kind::Unknown, "alice", &["bob"], None, None),
            "You changed something in the group",
            "alice changed something in the group",
            "alice changed something in the group",
        ),
    ]
}

#[test]
fn every_activity_reads_well_for_everybody() {
    let rows = rows();
    for (activity, to_alice, to_bob, to_dora) in &rows {
        for (viewer, expected) in [("alice", to_alice), ("bob", to_bob), ("dora", to_dora)] {
            assert_eq!(render::activity(activity, user(viewer).user_id), **expected, "to {viewer}");
        }
    }
    for kind in ActivityKind::ALL {
        assert!(rows.iter().any(|(activity, ..)| activity.kind == *kind), "{kind:?} has a row");
    }
}

fn entry(content: Content) -> Entry {
    Entry::Message(Message { sender: user("alice"), content, ..Message::example() })
}

fn content(json: &str) -> Content {
    serde_json::from_str(json).expect("a content")
}

#[test]
fn every_content_has_its_line() {
    let visual = Visual { media: Attachment::example(), width: None, height: None };
    let media = serde_json::to_string(&Attachment::example()).expect("encodes");
    let rows = [
        (content(r#"{"kind":"text","text":"  see\n\tyou  "}"#), "see you"),
        (content(&format!(r#"{{"kind":"voice","media":{media},"duration_ms":64001}}"#)), "🎤 Voice message (1:05)"),
        (Content::Image { items: vec![visual.clone()], caption: None }, "📷 Photo"),
        (Content::Image { items: vec![visual.clone(); 3], caption: None }, "📷 3 photos"),
        (Content::Image { items: vec![visual.clone()], caption: Some("My cat".parse().expect("one")) }, "📷 My cat"),
        (Content::Video { items: vec![visual.clone()], caption: None }, "🎬 Video"),
        (Content::Video { items: vec![visual; 2], caption: None }, "🎬 2 videos"),
        (content(&format!(r#"{{"kind":"audio","media":{media}}}"#)), "🎵 Audio"),
        (content(&format!(r#"{{"kind":"audio","media":{media},"title":"Song"}}"#)), "🎵 Song"),
        (content(&format!(r#"{{"kind":"file","media":{media},"name":"a.pdf"}}"#)), "📎 a.pdf"),
        (content(r#"{"kind":"hologram"}"#), "A message newer than this app"),
    ];
    for (content, expected) in rows {
        let entry = entry(content);
        assert_eq!(render::preview(&entry, user("bob").user_id), format!("alice: {expected}"));
        assert_eq!(render::preview(&entry, user("alice").user_id), format!("You: {expected}"));
    }
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let long = "🐈".repeat(101);
    let line = render::preview(&entry(Content::Text { text: long.parse().expect("a text") }), user("bob").user_id);
    assert_eq!(line, format!("alice: {}…", "🐈".repeat(100)));
}

#[test]
fn replies_activities_and_unknown_entries_have_lines_too() {
    let viewer = user("bob").user_id;
    let reply = Message { sender: user("alice"), reply_to: Some(Quote::example()), ..Message::example() };
    assert_eq!(render::preview(&Entry::Message(reply), viewer), "alice: ↩ Hello, Bob!");
    let left = activity(ActivityKind::MemberLeft, "bob", &[], None, None);
    assert_eq!(render::preview(&Entry::Activity(left), viewer), "You left");
    let unknown = serde_json::from_str(r#"{"type":"poll","seq":1}"#).expect("an entry");
    assert_eq!(render::preview(&unknown, viewer), "Something newer than this app");
}
