use std::sync::Arc;

use i9chat_spec::{
    ChatId, ClientId, Limits, MessageText, NewContent, Refusal, Timestamp, User, UserId, Watermark, api::receipts::Mark,
};
use parking_lot::Mutex;
use rusqlite::params;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    domain::{Command, MarkReceipts, OpenDirect, Place, Position, SendMessage, Stamp, Wanted},
    ids::{Ids, SystemIds},
    store::{ChatsQuery, Decided, LogStore, Missed, MissedQuery, PlaceAt, Seek, Seen, StoreError, sqlite::SqliteStore},
};

struct Shelf {
    store: SqliteStore,
    alice: User,
    bob: User,
    _folder: TempDir,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

impl Shelf {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("log.db"), 1).unwrap();
        let user = |number: u128, name: &str| User {
            user_id: UserId::from_uuid(Uuid::from_u128(0x019a_b1c2_3d4e_7f50_8a1b_0000_0000_0000 + number)),
            username: name.parse().unwrap(),
        };
        let [alice, bob] = [user(1, "alice"), user(2, "bob")];
        for user in [alice.clone(), bob.clone()] {
            let job = move |connection: &rusqlite::Connection| {
                let insert = "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at)
                              VALUES (?1, ?2, ?2, ?2, ?2, 'phc', '', 0)";
                connection.execute(insert, params![user.user_id.as_uuid().as_bytes(), user.username.as_str()])?;
                Ok(())
            };
            store.write(job).await.unwrap();
        }
        Self { store, alice, bob, _folder: folder }
    }

    /// Does what the committer does with a command that is alone.
    async fn commit<C: Command<Answer: Clone + Sync>>(&self, command: C) -> C::Answer {
        let mut wanted = Wanted::default();
        command.wants(&mut wanted);
        let answer = Arc::new(Mutex::new(None));
        let told = Arc::clone(&answer);
        let decide = Box::new(move |state: &mut _, head: Place| {
            let stamp = Stamp { at: at(0), ids: &SystemIds };
            let refused = |refusal: C::Refusal| StoreError::Corrupt(refusal.code().to_string());
            let decision = command.decide(state, &stamp).map_err(refused)?;
            *told.lock() = Some(decision.answer);
            let positions = (head.position.0 + 1..).map(Position);
            let changes = decision.changes.into_iter().zip(positions).map(|(body, position)| {
                state.apply(&body);
                body.at(position, &SystemIds).map_err(|error| StoreError::Corrupt(error.to_string()))
            });
            Ok(Decided { changes: changes.collect::<Result<_, _>>()?, effects: Vec::new() })
        });
        self.store.transact(wanted, at(0), decide).await.unwrap();
        answer.lock().take().unwrap()
    }

    async fn open(&self) -> ChatId {
        self.commit(OpenDirect { opener: self.alice.clone(), partner: self.bob.clone() }).await
    }

    async fn send(&self, chat_id: ChatId, text: &str) {
        let text: MessageText = text.parse().unwrap();
        let (sender, client_id) = (self.alice.clone(), ClientId::from_uuid(SystemIds.uuid(at(0))));
        self.commit(SendMessage { sender, chat_id, client_id, content: NewContent::Text { text }, reply_to: None })
            .await;
    }

    async fn read(&self, chat_id: ChatId, read: u64) {
        let marks = vec![Mark { chat_id, delivered: None, read: Some(Watermark::try_from(read).unwrap()) }];
        let limits = Limits::default();
        let (fanout_members, max_unread_count) = (limits.receipt_fanout_members, limits.max_unread_count);
        self.commit(MarkReceipts { user: self.bob.clone(), marks, fanout_members, max_unread_count }).await;
    }

    /// Looks at the log at a time, when events are kept for 100 seconds.
    async fn sweep(&self, seconds: u64) {
        self.store.forget_events(at(seconds), at(seconds).minus_seconds(100)).await.unwrap();
    }

    async fn head(&self) -> Place {
        self.store.head().await.unwrap().place
    }

    async fn place(&self, position: u64) -> PlaceAt {
        self.store.place_at(Position(position)).await.unwrap()
    }

    async fn missed(&self, after: u64) -> Missed {
        let query =
            MissedQuery { user_id: self.bob.user_id, after: Position(after), up_to: None, most: 100, limit: 100 };
        self.store.missed(query).await.unwrap()
    }
}

/// The names of events.
fn names(missed: Missed) -> Vec<&'static str> {
    match missed {
        Missed::Events { records, .. } => records.iter().map(|record| record.event).collect(),
        Missed::TooMuch { .. } => panic!("all that was missed is kept"),
    }
}

#[tokio::test]
async fn old_events_go_and_entries_stay() {
    let shelf = Shelf::new().await;
    let chat_id = shelf.open().await; // 1 chat_added, to Alice
    shelf.send(chat_id, "one").await; // 2 chat_added, to Bob; 3 the message
    shelf.read(chat_id, 1).await; // 4 read_state_changed; 5 receipts_updated
    shelf.send(chat_id, "two").await; // 6
    shelf.sweep(0).await;
    shelf.send(chat_id, "three").await; // 7
    shelf.read(chat_id, 2).await; // 8, 9
    let before = shelf.store.chats(shelf.bob.user_id, ChatsQuery { before: None, changed_since: None, limit: 9 });
    let before = before.await.unwrap().value.chats;

    shelf.sweep(99).await;
    assert_eq!(names(shelf.missed(0).await).len(), 8, "nothing is old enough");
    assert!(matches!(shelf.place(5).await, PlaceAt::There(_)));

    shelf.sweep(100).await;
    let after = shelf.store.chats(shelf.bob.user_id, ChatsQuery { before: None, changed_since: None, limit: 9 });
    assert_eq!(after.await.unwrap().value.chats, before, "what is read is no event");
    let entries = shelf.store.entries(shelf.bob.user_id, chat_id, Seek::Newest, 9).await.unwrap();
    assert!(matches!(entries, Seen::Found(entries) if entries.len() == 3), "entries are kept for ever");
    for position in [0, 3] {
        assert!(
            matches!(shelf.place(position).await, PlaceAt::Old(_)),
            "{position} is there, and what followed is not"
        );
    }
    for position in [1, 2, 4, 5] {
        assert_eq!(shelf.place(position).await, PlaceAt::Forgotten, "{position}");
    }
    for position in 0..6 {
        assert!(matches!(shelf.missed(position).await, Missed::TooMuch { .. }), "more than is kept since {position}");
    }
    for position in 6..10 {
        assert!(matches!(shelf.place(position).await, PlaceAt::There(_)), "{position}");
    }
    assert_eq!(names(shelf.missed(6).await), ["message_created", "read_state_changed", "receipts_updated"]);
    assert_eq!(shelf.place(10).await, PlaceAt::Nothing);
}

#[tokio::test]
async fn the_head_stays_however_old_it_is() {
    let shelf = Shelf::new().await;
    let chat_id = shelf.open().await;
    shelf.send(chat_id, "one").await;
    shelf.read(chat_id, 1).await; // 4, 5
    let head = shelf.head().await;
    shelf.sweep(0).await;
    shelf.sweep(1000).await;
    assert_eq!(shelf.head().await, head);
    assert_eq!(shelf.place(5).await, PlaceAt::There(head), "the cursor of a quiet user stays good");
    assert_eq!(names(shelf.missed(5).await), [""; 0]);
    assert_eq!(shelf.place(4).await, PlaceAt::Forgotten);

    // The positions go on from it, after the writer has read the head anew too.
    shelf.store.log.lock().forget();
    shelf.send(chat_id, "two").await;
    assert_eq!(shelf.head().await.position, Position(6));
    assert_eq!(names(shelf.missed(5).await), ["message_created"]);
}

#[tokio::test]
async fn a_long_log_is_swept_in_several_steps() {
    let shelf = Shelf::new().await;
    let chat_id = shelf.open().await;
    shelf.send(chat_id, "one").await;
    // As many positions as several steps look at.
    shelf
        .store
        .write(|connection| {
            connection.execute_batch(
                "WITH RECURSIVE numbers(n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000)
                 INSERT INTO changes (position, tag, kind, user, data) SELECT n, 1, 2, 1, '{}' FROM numbers",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    shelf.store.log.lock().forget();
    shelf.sweep(0).await;
    shelf.sweep(100).await;
    let left = shelf.store.read(|connection| {
        Ok(connection.query_row("SELECT group_concat(position) FROM changes", [], |row| row.get::<_, String>(0))?)
    });
    assert_eq!(left.await.unwrap(), "3,12000", "the entry and the head");
}
