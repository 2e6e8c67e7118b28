//! The log: its order, its end, what a user missed, and what fills gaps.

use i9chat_server::{
    bus::Committed,
    domain::{EndSession, Place, Position, ResetPassword, Wanted, accounts::hashes::PasswordHash},
    store::{ChatsQuery, Missed, MissedQuery, PlaceAt, StoreError},
};
use i9chat_spec::{Entry, Patch, Seq, User, api::users::ProfilePatch};

use super::{
    acts::{sending, text},
    case::cases,
    profiles::changed,
    shelf::{Shelf, at},
};

cases![
    an_empty_log_ends_at_its_beginning,
    positions_follow_on_each_other_whoever_commits,
    what_a_decision_refuses_to_decide_leaves_nothing_behind,
    the_end_of_the_log_is_a_place_and_beyond_it_is_none,
    every_change_is_read_again_with_those_who_may_see_it,
    a_user_missed_what_was_for_them_in_log_order,
    what_was_missed_comes_in_parts_and_up_to_a_place,
    whoever_went_missed_nothing_of_what_came_after,
    too_much_is_not_read,
    whoever_opens_the_store_again_goes_on_where_it_was,
];

impl Shelf {
    /// A query for everything after a position.
    pub fn after(user: &User, after: u64) -> MissedQuery {
        MissedQuery { user_id: user.user_id, after: Position(after), up_to: None, most: 100, limit: 100 }
    }

    /// A user who was made before.
    async fn known(&self, name: &str) -> User {
        self.store.profile(&name.parse().unwrap()).await.unwrap().unwrap().user
    }

    pub async fn missed(&self, query: MissedQuery) -> Missed {
        self.other.missed(query).await.unwrap()
    }
}

/// The positions and names of events.
fn events(missed: &Missed) -> Vec<(u64, &'static str)> {
    match missed {
        Missed::Events { records, .. } => {
            records.iter().map(|record| (record.place.position.0, record.event)).collect()
        }
        Missed::TooMuch { .. } => panic!("it is not too much"),
    }
}

async fn an_empty_log_ends_at_its_beginning(shelf: &Shelf) {
    let [one, other] = [&shelf.store, &shelf.other].map(|store| store.head());
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!((one.place, other.place), (Place::default(), Place::default()));
    assert_eq!(one.epoch, other.epoch, "it is one log");
    assert!(shelf.store.changes(Position(0), 10).await.unwrap().is_empty());
    let alice = shelf.user("alice").await;
    let missed = shelf.missed(Shelf::after(&alice, 0)).await;
    assert!(
        matches!(missed, Missed::Events { records, more: false, head } if records.is_empty() && head == Place::default())
    );
}

async fn positions_follow_on_each_other_whoever_commits(shelf: &Shelf) {
    const EACH: usize = 12;

    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    let sent = (0..2 * EACH).map(|number| {
        let store = if number % 2 == 0 { &shelf.store } else { &shelf.other };
        shelf.try_to(store, sending(&alice, chat_id, text("x")))
    });
    let sent = futures_util::future::join_all(sent).await;
    let mut seqs: Vec<_> = sent.into_iter().map(|sent| sent.unwrap().seq.get()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=2 * EACH as u64).collect::<Vec<_>>());
    // The chat for each of the two, and the messages.
    let told: Vec<_> = shelf.told().iter().map(|committed| committed.record.place.position.0).collect();
    assert_eq!(told, (1..=2 * EACH as u64 + 2).collect::<Vec<_>>());
    for store in [&shelf.store, &shelf.other] {
        assert_eq!(store.head().await.unwrap().place, shelf.told().last().unwrap().record.place);
    }
}

async fn what_a_decision_refuses_to_decide_leaves_nothing_behind(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    shelf.open(&alice, &bob).await;
    let head = shelf.head().await;
    let broken = Box::new(|_: &mut _, place: Place| Err(StoreError::Corrupt(format!("at {}", place.position.0))));
    let failed = shelf.store.transact(Wanted::default(), at(0), broken).await;
    assert!(matches!(failed, Err(StoreError::Corrupt(why)) if why == "at 1"), "the decision knows the place");
    assert_eq!(shelf.head().await, head);
    let chat_id = shelf.open(&bob, &alice).await;
    shelf.send(&bob, chat_id, "Hello").await;
    assert_eq!(shelf.head().await.position, Position(3), "and the log goes on");
}

async fn the_end_of_the_log_is_a_place_and_beyond_it_is_none(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.send(&alice, chat_id, "Hello").await;
    let place_at = async |position| shelf.other.place_at(Position(position)).await.unwrap();
    for committed in shelf.told() {
        let place = committed.record.place;
        assert_eq!(place_at(place.position.0).await, PlaceAt::There(place));
    }
    assert_eq!(place_at(0).await, PlaceAt::There(Place::default()));
    assert_eq!(place_at(4).await, PlaceAt::Nothing);
    let tags: std::collections::HashSet<_> = shelf.told().iter().map(|committed| committed.record.place.tag).collect();
    assert_eq!(tags.len(), 3, "no cursor can be guessed from another");
}

/// A story in which everything happens that a log can tell of.
async fn everything_happens(shelf: &Shelf) {
    let (alice, session) = shelf.user_with_session("alice").await;
    let [bob, carol] = shelf.users(["bob", "carol"]).await;
    let direct = shelf.open(&alice, &bob).await;
    let message = shelf.send(&alice, direct, "Hello \" \\ 漢字 🎉").await.message_id;
    shelf.react(&bob, direct, message, Some("👍")).await;
    shelf.read(&bob, direct, 1).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    shelf.add(&alice, group, &carol).await;
    shelf.send(&carol, group, "all three").await;
    shelf.leave(&bob, group).await;
    shelf.send(&carol, group, "the two").await;
    shelf.join(&bob, group).await;
    shelf.remove(&alice, group, &carol).await;
    shelf.make_admin(&alice, group, &bob).await;
    shelf.commit_all((0..3).map(|_| sending(&bob, group, text("again two"))).collect()).await;
    let bio = ProfilePatch { bio: Patch::Set("new".parse().unwrap()), ..ProfilePatch::default() };
    shelf.commit(changed(&carol, bio)).await;
    shelf.commit(EndSession { user_id: alice.user_id, session_id: session }).await;
    shelf.commit(ResetPassword { user_id: bob.user_id, password: PasswordHash("new".to_owned()) }).await;
}

/// A change in a form that can be compared.
fn comparable(committed: &Committed) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut audience = committed.audience.as_slice().to_vec();
    audience.sort_unstable();
    let record = &committed.record;
    (record.place, record.event, record.chat_id, record.data.clone(), audience, committed.ends)
}

async fn every_change_is_read_again_with_those_who_may_see_it(shelf: &Shelf) {
    everything_happens(shelf).await;
    let told = shelf.told();
    let mut read = Vec::new();
    let mut after = Position(0);
    loop {
        let part = shelf.other.changes(after, 4).await.unwrap();
        let Some(last) = part.last() else { break };
        after = last.record.place.position;
        read.extend(part);
    }
    assert_eq!(read.len(), told.len());
    for (read, told) in read.iter().zip(&told) {
        assert_eq!(comparable(read), comparable(told));
    }
    assert!(told.iter().filter(|committed| committed.ends.is_some()).count() == 2);
}

async fn a_user_missed_what_was_for_them_in_log_order(shelf: &Shelf) {
    everything_happens(shelf).await;
    let told = shelf.told();
    for name in ["alice", "bob", "carol"] {
        let user = shelf.known(name).await;
        for after in 0..=told.len() as u64 {
            let missed = shelf.missed(Shelf::after(&user, after)).await;
            let expected: Vec<_> = told
                .iter()
                .filter(|committed| committed.record.place.position.0 > after)
                .filter(|committed| committed.audience.contains(user.user_id))
                .map(|committed| (committed.record.place.position.0, committed.record.event))
                .collect();
            assert_eq!(events(&missed), expected, "{name} after {after}");
            let Missed::Events { records, more, head } = missed else { panic!("it is not too much") };
            assert_eq!((more, head), (false, told.last().unwrap().record.place));
            for record in records {
                let told = &told[usize::try_from(record.place.position.0 - 1).unwrap()].record;
                assert_eq!((record.place, &record.data, record.chat_id), (told.place, &told.data, told.chat_id));
            }
        }
    }
}

async fn what_was_missed_comes_in_parts_and_up_to_a_place(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await; // 1, for Alice
    shelf.commit_all((0..5).map(|_| sending(&alice, chat_id, text("x"))).collect()).await; // 2, for Bob; 3 to 7
    let parts = MissedQuery { limit: 2, ..Shelf::after(&bob, 0) };
    let missed = shelf.missed(parts).await;
    assert!(matches!(missed, Missed::Events { more: true, head, .. } if head.position == Position(7)));
    assert_eq!(events(&missed), [(2, "chat_added"), (3, "message_created")]);
    let missed = shelf.missed(MissedQuery { after: Position(5), ..parts }).await;
    assert!(matches!(missed, Missed::Events { more: false, .. }));
    assert_eq!(events(&missed), [(6, "message_created"), (7, "message_created")]);
    let missed = shelf.missed(MissedQuery { after: Position(3), up_to: Some(Position(5)), limit: 9, ..parts }).await;
    assert!(matches!(missed, Missed::Events { more: false, head, .. } if head.position == Position(5)));
    assert_eq!(events(&missed), [(4, "message_created"), (5, "message_created")]);
    assert_eq!(events(&shelf.missed(Shelf::after(&alice, 7)).await), []);
}

async fn whoever_went_missed_nothing_of_what_came_after(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let start = shelf.head().await.position.0;
    shelf.send(&alice, group, "seen").await;
    shelf.leave(&bob, group).await; // two changes: the entry, and that it is over for Bob
    for _ in 0..3 {
        shelf.send(&alice, group, "not seen").await;
    }
    let missed = shelf.missed(Shelf::after(&bob, start)).await;
    let expected = [(start + 1, "message_created"), (start + 2, "group_activity"), (start + 3, "membership_ended")];
    assert_eq!(events(&missed), expected);
    let missed = shelf.missed(Shelf::after(&bob, start + 3)).await;
    assert_eq!(events(&missed), []);
}

async fn too_much_is_not_read(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.commit_all((0..9).map(|_| sending(&alice, chat_id, text("x"))).collect()).await;
    let head = shelf.head().await;
    // Bob missed ten: that he has the chat, and nine messages.
    let missed = async |most| shelf.missed(MissedQuery { most, ..Shelf::after(&bob, 0) }).await;
    assert!(matches!(missed(9).await, Missed::TooMuch { head: told } if told == head));
    assert_eq!(events(&missed(10).await).len(), 10);
}

async fn whoever_opens_the_store_again_goes_on_where_it_was(shelf: &Shelf) {
    everything_happens(shelf).await;
    let (alice, bob) = (shelf.known("alice").await, shelf.known("bob").await);
    let all = ChatsQuery { before: None, changed_since: None, limit: 10 };
    let before = shelf.store.chats(bob.user_id, all).await.unwrap();
    let store = shelf.opened_again().await;
    let head = store.head().await.unwrap();
    assert_eq!((head.place, head.epoch), (before.place, shelf.other.head().await.unwrap().epoch));
    assert_eq!(store.chats(bob.user_id, all).await.unwrap().value.chats, before.value.chats);
    for chat in &before.value.chats {
        let sent = shelf.try_to(&store, sending(&alice, chat.chat_id, text("again"))).await.unwrap();
        assert_eq!(Some(sent.seq.get() - 1), chat.last_entry.as_ref().and_then(Entry::seq).map(Seq::get));
    }
    assert_eq!(store.head().await.unwrap().place.position.0, head.place.position.0 + before.value.chats.len() as u64);
    let missed = store.missed(Shelf::after(&bob, head.place.position.0)).await.unwrap();
    assert!(events(&missed).iter().all(|(_, event)| *event == "message_created"));
}
