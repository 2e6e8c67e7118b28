use i9chat_spec::{Chat, ChatId, ChatKind, Membership, Message, UserId, Watermark};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    domain::{LogEpoch, Position},
    store::{ChatsQuery, LogStore, Missed, MissedQuery, Seek, Seen, sqlite::SqliteStore},
};

const EPOCH: [u8; 8] = *b"an epoch";
/// When the chat was opened, and its text.
const OPENED: &str = "2026-11-22T20:40:00.000Z";
const OPENED_MS: i64 = 1_795_380_000_000;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x019a_b1c2_3d4e_7f50_8a1b_0000_0000_0000 + number)
}

/// An id as it travels.
fn text(number: u128) -> String {
    id(number).to_string()
}

fn user(number: u128) -> Value {
    json!({ "user_id": text(number), "username": if number == 1 { "alice" } else { "bob" } })
}

/// `chat_added` as it was before there were watermarks.
fn old_chat(partner: u128) -> Value {
    json!({ "chat": {
        "chat_id": text(10), "kind": "direct", "partner": user(partner), "membership": "member", "opened_at": OPENED,
        "visible": [{ "from": 1 }], "unread_count": 0,
    } })
}

fn message(seq: u32, sender: u128) -> Value {
    json!({ "message": {
        "type": "message", "seq": seq, "message_id": text(20 + u128::from(seq)), "chat_id": text(10), "sender": user(sender),
        "client_id": text(30 + u128::from(seq)), "created_at": OPENED, "content": { "kind": "text", "text": "hello" },
    } })
}

/// A file of the second version of the schema: Alice opened a chat with Bob, and each of them wrote to it.
fn write_old_file(path: &std::path::Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(include_str!("../../schema/accounts.sql")).unwrap();
    old.execute_batch(include_str!("../../schema/log.sql")).unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    old.execute("UPDATE log SET epoch = ?1", [EPOCH]).unwrap();
    for (row, name) in [(1_u8, "alice"), (2, "bob")] {
        let insert =
            "INSERT INTO users VALUES (?1, ?2, ?3, ?3, ?3 || '@example.com', ?3 || '@example.com', 'phc', '', 0)";
        old.execute(insert, params![row, id(row.into()).as_bytes(), name]).unwrap();
    }
    old.execute("INSERT INTO chats VALUES (1, ?1, 1, 2)", [id(10).as_bytes()]).unwrap();
    let member = "INSERT INTO members (user, chat, from_position, opened_at) VALUES (?1, 1, ?2, ?3)";
    old.execute(member, [1, 1, OPENED_MS]).unwrap();
    old.execute(member, [2, 2, OPENED_MS]).unwrap();
    for (position, user, partner) in [(1, 1, 2), (2, 2, 1)] {
        let insert = "INSERT INTO changes (position, tag, kind, user, data) VALUES (?1, 100 + ?1, 1, ?2, ?3)";
        old.execute(insert, params![position, user, old_chat(partner).to_string()]).unwrap();
    }
    for (position, seq, sender) in [(3, 1_u32, 1_u8), (4, 2, 2)] {
        let insert = "INSERT INTO changes (position, tag, kind, chat, seq, sender, client_id, data)
                      VALUES (?1, 100 + ?1, 0, 1, ?2, ?3, ?4, ?5)";
        let client_id = id(30 + u128::from(seq));
        let data = message(seq, sender.into()).to_string();
        old.execute(insert, params![position, seq, sender, client_id.as_bytes(), data]).unwrap();
    }
}

/// The chat as its user reads it now.
fn new_chat(partner: u128, last: &Value, unread_count: u64) -> Chat {
    let mut chat = old_chat(partner)["chat"].take();
    chat["partner"] = json!({ "user": user(partner), "delivered": 0, "read": 0 });
    (chat["delivered"], chat["read"]) = (json!(0), json!(0));
    if !last.is_null() {
        chat["last_entry"] = last["message"].clone();
    }
    chat["unread_count"] = json!(unread_count);
    serde_json::from_value(chat).unwrap()
}

#[tokio::test]
async fn chats_history_and_events_of_before_there_were_groups_are_read_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    write_old_file(&path);
    let store = SqliteStore::open(&path, 1).unwrap();
    let head = store.head().await.unwrap();
    assert_eq!(
        (head.epoch, head.place.position, head.place.tag),
        (LogEpoch(EPOCH), Position(4), 104),
        "cursors stay good"
    );
    for (viewer, partner) in [(1, 2), (2, 1)] {
        let viewer = UserId::from_uuid(id(viewer));
        let query = ChatsQuery { before: None, changed_since: None, limit: 10 };
        let page = store.chats(viewer, query).await.unwrap().value;
        let expected = new_chat(partner, &message(2, 2), 1);
        assert_eq!((expected.kind, expected.membership), (ChatKind::Direct, Membership::Member));
        assert_eq!(page.chats, [expected]);

        let chat_id = ChatId::from_uuid(id(10));
        let Seen::Found(entries) = store.entries(viewer, chat_id, Seek::After(Watermark::ZERO), 10).await.unwrap()
        else {
            panic!("the history is there")
        };
        let messages: Vec<_> = entries.iter().filter_map(|entry| entry.as_message().cloned()).collect();
        let expected = [message(1, 1), message(2, 2)];
        let expected = expected.map(|mut data| serde_json::from_value::<Message>(data["message"].take()).unwrap());
        assert_eq!(messages, expected);

        let since = ChatsQuery { changed_since: Some(Position(0)), ..query };
        assert_eq!(store.chats(viewer, since).await.unwrap().value.chats.len(), 1);
        let missed = MissedQuery { user_id: viewer, after: Position(0), up_to: None, most: 10, limit: 10 };
        let Missed::Events { records, more: false, .. } = store.missed(missed).await.unwrap() else {
            panic!("all that was missed is kept")
        };
        let names: Vec<_> = records.iter().map(|record| record.event).collect();
        assert_eq!(names, ["chat_added", "message_created", "message_created"]);
        let added: Value = serde_json::from_str(&records[0].data).unwrap();
        assert_eq!(added, json!({ "chat": new_chat(partner, &Value::Null, 0) }));
        assert_eq!(records[0].chat_id, None, "it is addressed to its user");
        assert_eq!(records[1].chat_id, Some(chat_id));
    }
}
