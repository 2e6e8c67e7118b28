//! Events that are forgotten, and what stays. (RSM-12)

use i9chat_server::{
    domain::{Place, Position},
    store::{ChatsQuery, Missed, PlaceAt, Seek, Seen},
};
use i9chat_spec::{Patch, User, api::users::ProfilePatch};

use super::{
    case::cases,
    profiles::changed,
    shelf::{Shelf, at},
};

cases![old_events_go_and_entries_stay, the_head_stays_however_old_it_is, a_long_log_is_swept_in_several_steps,];

impl Shelf {
    /// Looks at the log at a time, when events are kept for 100 seconds.
    async fn sweep(&self, seconds: u64) {
        self.store.forget_events(at(seconds), at(seconds).minus_seconds(100)).await.unwrap();
    }

    async fn place(&self, position: u64) -> PlaceAt {
        self.other.place_at(Position(position)).await.unwrap()
    }

    /// The names of the events that a user missed.
    async fn names_of_missed(&self, user: &User, after: u64) -> Vec<&'static str> {
        match self.missed(Self::after(user, after)).await {
            Missed::Events { records, .. } => records.iter().map(|record| record.event).collect(),
            Missed::TooMuch { .. } => panic!("all that was missed is kept"),
        }
    }
}

async fn old_events_go_and_entries_stay(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await; // 1 chat_added, to Alice
    shelf.send(&alice, chat_id, "one").await; // 2 chat_added, to Bob; 3 the message
    shelf.read(&bob, chat_id, 1).await; // 4 read_state_changed; 5 receipts_updated
    shelf.send(&alice, chat_id, "two").await; // 6
    shelf.sweep(0).await;
    shelf.send(&alice, chat_id, "three").await; // 7
    shelf.read(&bob, chat_id, 2).await; // 8, 9
    let all = ChatsQuery { before: None, changed_since: None, limit: 9 };
    let before = shelf.store.chats(bob.user_id, all).await.unwrap().value.chats;

    shelf.sweep(99).await;
    assert_eq!(shelf.names_of_missed(&bob, 0).await.len(), 8, "nothing is old enough");
    assert!(matches!(shelf.place(5).await, PlaceAt::There(_)));

    shelf.sweep(100).await;
    let after = shelf.store.chats(bob.user_id, all).await.unwrap().value.chats;
    assert_eq!(after, before, "what is read is no event");
    let entries = shelf.store.entries(bob.user_id, chat_id, Seek::Newest, 9).await.unwrap();
    assert!(matches!(entries, Seen::Found(entries) if entries.len() == 3), "entries are kept for ever");
    for position in [0, 3] {
        let place = shelf.place(position).await;
        assert!(matches!(place, PlaceAt::Old(_)), "{position} is there, and what followed is not: {place:?}");
    }
    for position in [1, 2, 4, 5] {
        assert_eq!(shelf.place(position).await, PlaceAt::Forgotten, "{position}");
    }
    for position in 0..6 {
        let missed = shelf.missed(Shelf::after(&bob, position)).await;
        assert!(matches!(missed, Missed::TooMuch { .. }), "more than is kept since {position}");
    }
    for position in 6..10 {
        assert!(matches!(shelf.place(position).await, PlaceAt::There(_)), "{position}");
    }
    let names = shelf.names_of_missed(&bob, 6).await;
    assert_eq!(names, ["message_created", "read_state_changed", "receipts_updated"]);
    assert_eq!(shelf.place(10).await, PlaceAt::Nothing);
    let kept = shelf.store.changes(Position(0), 100).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|committed| committed.record.place.position.0).collect();
    assert_eq!(kept, [3, 6, 7, 8, 9]);
}

async fn the_head_stays_however_old_it_is(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.send(&alice, chat_id, "one").await;
    shelf.read(&bob, chat_id, 1).await; // 4, 5
    let head: Place = shelf.head().await;
    shelf.sweep(0).await;
    shelf.sweep(1000).await;
    assert_eq!(shelf.head().await, head);
    assert_eq!(shelf.place(5).await, PlaceAt::There(head), "the cursor of a quiet user stays good");
    assert!(shelf.names_of_missed(&bob, 5).await.is_empty());
    assert_eq!(shelf.place(4).await, PlaceAt::Forgotten);
    // The positions go on from it.
    shelf.send(&alice, chat_id, "two").await;
    assert_eq!(shelf.head().await.position, Position(6));
    assert_eq!(shelf.names_of_missed(&bob, 5).await, ["message_created"]);
}

async fn a_long_log_is_swept_in_several_steps(shelf: &Shelf) {
    const MANY: usize = 11_000;

    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.send(&alice, chat_id, "one").await; // 3
    for _ in 0..MANY / 1000 {
        let bio = |number: usize| {
            let bio = Patch::Set(format!("{number}").parse().unwrap());
            changed(&bob, ProfilePatch { bio, ..ProfilePatch::default() })
        };
        shelf.commit_all((0..1000).map(bio).collect()).await;
    }
    shelf.sweep(0).await;
    shelf.sweep(100).await;
    let kept = shelf.store.changes(Position(0), MANY).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|committed| committed.record.place.position.0).collect();
    assert_eq!(kept, [3, MANY as u64 + 3], "the entry and the head");
}
