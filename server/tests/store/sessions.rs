//! Sessions and their tokens. (section 5 of the protocol)

use i9chat_server::{
    domain::{
        EndSession, ResetPassword,
        accounts::{hashes::PasswordHash, refresh::RefreshState},
    },
    store::accounts::{NewSession, SessionOpening, SessionProof},
};
use i9chat_spec::{SessionId, UserId};

use super::{
    case::cases,
    shelf::{Shelf, at, code, hash, session, uuid},
};

cases![
    a_session_comes_back_as_it_was_opened,
    one_session_too_many_names_the_one_that_was_unused_longest,
    sign_ins_at_once_do_not_exceed_the_limit,
    sessions_are_listed_newest_first_without_those_of_others_and_those_long_unused,
    of_two_refreshes_at_once_one_advances,
    the_first_use_is_noted_for_the_newest_pair_alone_and_no_use_is_undone,
    a_cookie_session_has_no_tokens_to_advance,
    a_session_that_has_ended_is_kept_as_it_was_and_not_listed,
    no_session_opens_with_a_password_that_was_reset_meanwhile,
    what_ended_or_was_unused_for_long_is_forgotten_and_nothing_else,
];

/// As many sessions as nobody has.
const MANY: u64 = 50;

async fn opens(shelf: &Shelf, user_id: UserId, second: u64) -> SessionId {
    let session = session(second);
    let session_id = session.session_id;
    let opened = shelf.store.open_session(user_id, 0, session, MANY, at(0).minus_seconds(60)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened);
    session_id
}

async fn tokens(shelf: &Shelf, session_id: SessionId) -> RefreshState {
    match shelf.store.session(session_id).await.unwrap().unwrap().proof {
        SessionProof::Tokens(tokens) => tokens,
        SessionProof::Cookie(_) => panic!("it was opened with tokens"),
    }
}

async fn a_session_comes_back_as_it_was_opened(shelf: &Shelf) {
    let alice = shelf.user("Alice").await;
    let before = RefreshState { generation: 7, newest: hash(7), before: Some(hash(6)), newest_used: false };
    for (proof, client) in
        [(SessionProof::Tokens(before), Some("An \"agent\" \\ 漢字".to_owned())), (SessionProof::Cookie(hash(5)), None)]
    {
        let opened = NewSession { proof, client, ..session(30) };
        shelf.store.open_session(alice.user_id, 0, opened.clone(), MANY, at(0)).await.unwrap();
        let found = shelf.store.session(opened.session_id).await.unwrap().unwrap();
        assert_eq!((found.user, found.proof), (alice.clone(), proof));
        assert_eq!((found.times.last_used_at, found.times.ended_at), (at(30), None));
        let listed = shelf.store.open_sessions(alice.user_id, at(0)).await.unwrap();
        let listed = listed.into_iter().find(|listed| listed.session_id == opened.session_id).unwrap();
        assert_eq!((listed.created_at, listed.last_used_at, listed.client), (at(30), at(30), opened.client));
    }
    assert!(shelf.store.session(SessionId::from_uuid(uuid())).await.unwrap().is_none());
}

async fn one_session_too_many_names_the_one_that_was_unused_longest(shelf: &Shelf) {
    let (alice, first) = shelf.user_with_session("alice").await;
    let open = async |session, since| shelf.store.open_session(alice.user_id, 0, session, 2, since).await.unwrap();
    let long_ago = at(0).minus_seconds(60);
    let second = session(10);
    assert_eq!(open(second.clone(), long_ago).await, SessionOpening::Opened);
    shelf.store.note_use(first, at(20), None).await.unwrap();
    let third = session(30);
    let refused = open(third.clone(), long_ago).await;
    assert_eq!(refused, SessionOpening::TooMany { unused_longest: second.session_id });
    assert!(shelf.store.session(third.session_id).await.unwrap().is_none());
    shelf.store.note_use(second.session_id, at(20), None).await.unwrap();
    let refused = open(third.clone(), long_ago).await;
    assert_eq!(refused, SessionOpening::TooMany { unused_longest: first }, "of those used at once the older");
    // One that nobody used since takes no room.
    shelf.store.note_use(first, at(25), None).await.unwrap();
    assert_eq!(open(third, at(20)).await, SessionOpening::Opened);
}

async fn sign_ins_at_once_do_not_exceed_the_limit(shelf: &Shelf) {
    let alice = shelf.user("alice").await.user_id;
    let opened = (0..8).map(|number| {
        let store = if number % 2 == 0 { &shelf.store } else { &shelf.other };
        store.open_session(alice, 0, session(10), 4, at(0).minus_seconds(60))
    });
    let opened = futures_util::future::join_all(opened).await;
    let opened: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    assert_eq!(opened.iter().filter(|opened| **opened == SessionOpening::Opened).count(), 3, "{opened:?}");
    assert_eq!(shelf.store.open_sessions(alice, at(0).minus_seconds(60)).await.unwrap().len(), 4);
}

async fn sessions_are_listed_newest_first_without_those_of_others_and_those_long_unused(shelf: &Shelf) {
    let (alice, first) = shelf.user_with_session("alice").await;
    shelf.user("bob").await;
    let (later, between) = (opens(shelf, alice.user_id, 30).await, opens(shelf, alice.user_id, 20).await);
    let listed = shelf.store.open_sessions(alice.user_id, at(0).minus_seconds(1)).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|session| session.session_id).collect();
    assert_eq!(listed, [later, between, first]);
    assert_eq!(shelf.store.open_sessions(alice.user_id, at(20)).await.unwrap().len(), 1);
}

async fn of_two_refreshes_at_once_one_advances(shelf: &Shelf) {
    let session_id = shelf.user_with_session("alice").await.1;
    let (one, other) = tokio::join!(
        shelf.store.advance_tokens(session_id, 2, hash(2), at(5)),
        shelf.other.advance_tokens(session_id, 2, hash(9), at(5)),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one, other);
    assert!(!shelf.store.advance_tokens(session_id, 2, hash(8), at(5)).await.unwrap());
    assert!(!shelf.store.advance_tokens(session_id, 4, hash(8), at(5)).await.unwrap());
    let newest = hash(if one { 2 } else { 9 });
    let expected = RefreshState { generation: 2, newest, before: Some(hash(1)), newest_used: false };
    assert_eq!(tokens(shelf, session_id).await, expected);
    let found = shelf.store.session(session_id).await.unwrap().unwrap();
    assert_eq!(found.times.last_used_at, at(5));
    assert!(shelf.store.advance_tokens(session_id, 3, hash(3), at(4)).await.unwrap());
    let found = shelf.store.session(session_id).await.unwrap().unwrap();
    assert_eq!(found.times.last_used_at, at(5), "time goes forward");
    assert!(!shelf.store.advance_tokens(SessionId::from_uuid(uuid()), 2, hash(2), at(5)).await.unwrap());
}

async fn the_first_use_is_noted_for_the_newest_pair_alone_and_no_use_is_undone(shelf: &Shelf) {
    let (store, session_id) = (&shelf.store, shelf.user_with_session("alice").await.1);
    store.advance_tokens(session_id, 2, hash(2), at(5)).await.unwrap();
    store.note_use(session_id, at(6), Some(1)).await.unwrap();
    store.note_use(session_id, at(7), None).await.unwrap();
    assert!(!tokens(shelf, session_id).await.newest_used);
    store.note_use(session_id, at(8), Some(2)).await.unwrap();
    assert!(tokens(shelf, session_id).await.newest_used);
    store.note_use(session_id, at(3), None).await.unwrap();
    assert!(tokens(shelf, session_id).await.newest_used);
    assert_eq!(store.session(session_id).await.unwrap().unwrap().times.last_used_at, at(8), "time goes forward");
    store.note_use(SessionId::from_uuid(uuid()), at(3), Some(1)).await.unwrap();
}

async fn a_cookie_session_has_no_tokens_to_advance(shelf: &Shelf) {
    let alice = shelf.user("alice").await.user_id;
    let cookie = NewSession { proof: SessionProof::Cookie(hash(5)), ..session(0) };
    let session_id = cookie.session_id;
    shelf.store.open_session(alice, 0, cookie, MANY, at(0)).await.unwrap();
    assert!(!shelf.store.advance_tokens(session_id, 1, hash(9), at(1)).await.unwrap());
    shelf.store.note_use(session_id, at(2), Some(1)).await.unwrap();
    let found = shelf.store.session(session_id).await.unwrap().unwrap();
    assert_eq!((found.proof, found.times.last_used_at), (SessionProof::Cookie(hash(5)), at(2)));
}

async fn a_session_that_has_ended_is_kept_as_it_was_and_not_listed(shelf: &Shelf) {
    let (alice, first) = shelf.user_with_session("alice").await;
    let bob = shelf.user("bob").await;
    let second = opens(shelf, alice.user_id, 10).await;
    let foreign = EndSession { user_id: bob.user_id, session_id: second };
    assert_eq!(code(&shelf.try_to(&shelf.store, foreign).await), "session_not_found");
    shelf.commit(EndSession { user_id: alice.user_id, session_id: second }).await;
    let again = EndSession { user_id: alice.user_id, session_id: second };
    assert_eq!(code(&shelf.try_to(&shelf.other, again).await), "session_not_found", "it has ended on every node");

    assert_eq!(shelf.other.session(second).await.unwrap().unwrap().times.ended_at, Some(at(0)));
    assert!(!shelf.store.advance_tokens(second, 2, hash(2), at(20)).await.unwrap());
    shelf.store.note_use(second, at(20), Some(1)).await.unwrap();
    assert_eq!(shelf.store.session(second).await.unwrap().unwrap().times.last_used_at, at(10));
    let listed = shelf.store.open_sessions(alice.user_id, at(0).minus_seconds(1)).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.session_id).collect::<Vec<_>>(), [first]);
    // It takes no room either.
    let opened = shelf.store.open_session(alice.user_id, 0, session(30), 2, at(0).minus_seconds(1)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened);
}

async fn no_session_opens_with_a_password_that_was_reset_meanwhile(shelf: &Shelf) {
    let (alice, first) = shelf.user_with_session("alice").await;
    let user_id = alice.user_id;
    let (store, login) = (&shelf.store, "alice".parse().unwrap());
    let seen = store.account(&login).await.unwrap().unwrap();
    store.renew_password_hash(user_id, seen.password.clone(), PasswordHash("same, anew".to_owned())).await.unwrap();
    let second = session(1);
    let opened = store.open_session(user_id, seen.password_version, second.clone(), MANY, at(0)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened, "the same password, hashed anew, is no other one");

    shelf.commit(ResetPassword { user_id, password: PasswordHash("another".to_owned()) }).await;
    for session_id in [first, second.session_id] {
        assert_eq!(store.session(session_id).await.unwrap().unwrap().times.ended_at, Some(at(0)));
    }
    let third = session(2);
    let refused = store.open_session(user_id, seen.password_version, third.clone(), MANY, at(0)).await.unwrap();
    assert_eq!(refused, SessionOpening::PasswordChanged);
    assert!(store.session(third.session_id).await.unwrap().is_none());
    let now = store.account(&login).await.unwrap().unwrap();
    assert_eq!(now.password, PasswordHash("another".to_owned()));
    let opened = store.open_session(user_id, now.password_version, third, MANY, at(0)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened);
}

async fn what_ended_or_was_unused_for_long_is_forgotten_and_nothing_else(shelf: &Shelf) {
    let (alice, unused) = shelf.user_with_session("alice").await;
    let kept = opens(shelf, alice.user_id, 100).await;
    let ended = opens(shelf, alice.user_id, 100).await;
    // It ends at the time 0, which is before it was used last: clocks of nodes differ.
    shelf.commit(EndSession { user_id: alice.user_id, session_id: ended }).await;
    shelf.store.forget_sessions(at(0)).await.unwrap();
    for session_id in [unused, kept, ended] {
        assert!(shelf.store.session(session_id).await.unwrap().is_some(), "nothing is older");
    }
    shelf.store.forget_sessions(at(100)).await.unwrap();
    for session_id in [unused, ended] {
        assert!(shelf.store.session(session_id).await.unwrap().is_none());
    }
    assert!(shelf.store.session(kept).await.unwrap().is_some());
    assert!(shelf.store.account(&"alice".parse().unwrap()).await.unwrap().is_some());
}
