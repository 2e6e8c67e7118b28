//! When users were last seen. (PRS-2)

use i9chat_server::store::presence::PresenceNote;
use i9chat_spec::{User, UserId};

use super::{
    case::cases,
    shelf::{Shelf, at, uuid},
};

cases![
    the_newest_note_counts_whichever_comes_first,
    users_who_are_not_there_are_passed_over_and_those_never_seen_have_no_time,
    notes_of_several_nodes_at_once_all_count,
];

fn note(user: &User, is_here: bool, second: u64) -> PresenceNote {
    PresenceNote { user_id: user.user_id, is_here, at: at(second) }
}

async fn the_newest_note_counts_whichever_comes_first(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let seen = async || shelf.other.last_seen(vec![alice.user_id]).await.unwrap();
    shelf.store.note(vec![note(&alice, true, 1)]).await.unwrap();
    shelf.store.note(vec![note(&alice, false, 5)]).await.unwrap();
    assert_eq!(seen().await, [Some(at(5))]);
    shelf.other.note(vec![note(&alice, true, 3)]).await.unwrap();
    assert_eq!(seen().await, [Some(at(5))]);
    shelf.store.note(vec![note(&alice, true, 8), note(&alice, false, 9), note(&alice, true, 7)]).await.unwrap();
    assert_eq!(seen().await, [Some(at(9))], "within one list too");
    shelf.store.note(Vec::new()).await.unwrap();
}

async fn users_who_are_not_there_are_passed_over_and_those_never_seen_have_no_time(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let stranger = User { user_id: UserId::from_uuid(uuid()), username: "stranger".parse().unwrap() };
    shelf.store.note(vec![note(&stranger, true, 1), note(&alice, true, 2)]).await.unwrap();
    let asked = vec![stranger.user_id, alice.user_id, bob.user_id, alice.user_id];
    assert_eq!(shelf.store.last_seen(asked).await.unwrap(), [None, Some(at(2)), None, Some(at(2))]);
    assert_eq!(shelf.store.last_seen(Vec::new()).await.unwrap(), []);
}

async fn notes_of_several_nodes_at_once_all_count(shelf: &Shelf) {
    let users = shelf.users(["alice", "bob", "carol", "dave"]).await;
    let notes = (1..=12_u64).map(|second| {
        let mut notes: Vec<_> = users.iter().map(|user| note(user, second % 2 == 0, second)).collect();
        if second % 3 == 0 {
            notes.reverse();
        }
        if second % 2 == 0 { shelf.store.note(notes) } else { shelf.other.note(notes) }
    });
    for noted in futures_util::future::join_all(notes).await {
        noted.unwrap();
    }
    let seen = shelf.store.last_seen(users.iter().map(|user| user.user_id).collect()).await.unwrap();
    assert_eq!(seen, [Some(at(12)); 4]);
}
