use i9chat_spec::User;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{domain::accounts::refresh::RefreshState, store::accounts::SessionProof};

struct Shelf {
    store: SqliteStore,
    _folder: TempDir,
}

impl std::ops::Deref for Shelf {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

fn shelf() -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    Shelf { store: SqliteStore::open(&folder.path().join("accounts.db"), 2).unwrap(), _folder: folder }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

fn hash(n: u8) -> SecretHash {
    SecretHash([n; 32])
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x019a_b1c2_3d4e_7f50_8a1b_0000_0000_0000 + n)
}

fn session_id(n: u128) -> SessionId {
    SessionId::from_uuid(id(n))
}

fn session(n: u128, second: u64) -> NewSession {
    let tokens = RefreshState { generation: 1, newest: hash(1), before: None, newest_used: true };
    NewSession {
        session_id: session_id(n),
        created_at: at(second),
        client: Some("test".to_owned()),
        proof: SessionProof::Tokens(tokens),
    }
}

fn account(n: u128, name: &str, email: &str) -> NewAccount {
    NewAccount {
        email: email.parse().unwrap(),
        user: User { user_id: UserId::from_uuid(id(n)), username: name.parse().unwrap() },
        bio: "Hello".parse().unwrap(),
        password: PasswordHash("phc".to_owned()),
        session: session(n, 0),
    }
}

/// Makes the account of that number and name, and its session of the same number.
async fn with_account(store: &SqliteStore, n: u128, name: &str) -> UserId {
    let email = format!("{name}@example.com");
    let made = account(n, name, &email);
    let user_id = made.user.user_id;
    assert_eq!(store.make_account(made).await.unwrap(), AccountMade::Made);
    user_id
}

#[tokio::test]
async fn an_account_is_made_whole_or_not_at_all() {
    let shelf = shelf();
    with_account(&shelf, 1, "alice").await;
    let taken = account(2, "ALICE", "bob@example.com");
    assert_eq!(shelf.make_account(taken).await.unwrap(), AccountMade::UsernameTaken);
    assert!(!shelf.has_account(&"bob@example.com".parse().unwrap()).await.unwrap());
    let known = account(3, "carol", "ALICE@example.com");
    assert_eq!(shelf.make_account(known).await.unwrap(), AccountMade::AddressTaken);
    assert!(shelf.has_account(&"aLice@example.com".parse().unwrap()).await.unwrap());
    assert!(shelf.profile(&"carol".parse().unwrap()).await.unwrap().is_none());
    for n in [2, 3] {
        assert!(shelf.session(session_id(n)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_account_is_found_by_either_login_in_any_case_and_shown_as_it_was_chosen() {
    let shelf = shelf();
    let made = account(1, "Alice", "Alice@Example.com");
    shelf.make_account(made.clone()).await.unwrap();
    for login in ["alice", "ALICE", "alice@example.com", "ALICE@EXAMPLE.COM"] {
        let found = shelf.account(&login.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((found.user, found.password), (made.user.clone(), made.password.clone()), "{login}");
    }
    for login in ["alic", "alice@example", "' OR 1=1 --"] {
        assert!(shelf.account(&login.parse().unwrap()).await.unwrap().is_none(), "{login}");
    }
    let own = shelf.own_profile(made.user.user_id).await.unwrap().unwrap();
    assert_eq!((own.email.as_str(), own.bio.as_str(), own.created_at), ("Alice@Example.com", "Hello", at(0)));
    let shown = shelf.profile(&"aLiCe".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((shown.user.user_id, shown.user.username.as_str()), (made.user.user_id, "Alice"));
}

#[tokio::test]
async fn a_password_hash_is_renewed_only_while_it_is_the_one_that_was_seen() {
    let shelf = shelf();
    let user_id = with_account(&shelf, 1, "alice").await;
    let [old, new, late] = ["phc", "new", "late"].map(|text| PasswordHash(text.to_owned()));
    shelf.renew_password_hash(user_id, old.clone(), new.clone()).await.unwrap();
    shelf.renew_password_hash(user_id, old, late).await.unwrap();
    assert_eq!(shelf.account(&"alice".parse().unwrap()).await.unwrap().unwrap().password, new);
}

#[tokio::test]
async fn one_session_too_many_names_the_one_that_was_unused_longest() {
    let shelf = shelf();
    let user_id = with_account(&shelf, 1, "alice").await;
    let opened = shelf.open_session(user_id, 0, session(2, 10), 2, at(0).minus_seconds(60)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened);
    shelf.note_use(session_id(1), at(20), None).await.unwrap();
    let refused = shelf.open_session(user_id, 0, session(3, 30), 2, at(0).minus_seconds(60)).await.unwrap();
    assert_eq!(refused, SessionOpening::TooMany { unused_longest: session_id(2) });
    assert!(shelf.session(session_id(3)).await.unwrap().is_none());
    // One that nobody used since takes no room.
    assert_eq!(shelf.open_session(user_id, 0, session(3, 30), 2, at(10)).await.unwrap(), SessionOpening::Opened);
}

#[tokio::test]
async fn sessions_are_listed_newest_first_without_those_of_others_and_those_long_unused() {
    let shelf = shelf();
    let alice = with_account(&shelf, 1, "alice").await;
    with_account(&shelf, 2, "bob").await;
    for (n, second) in [(3, 30), (4, 20)] {
        shelf.open_session(alice, 0, session(n, second), 50, at(0)).await.unwrap();
    }
    let listed = shelf.open_sessions(alice, at(0).minus_seconds(1)).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.session_id).collect::<Vec<_>>(), [3, 4, 1].map(session_id));
    assert_eq!(shelf.open_sessions(alice, at(20)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_advances() {
    let shelf = shelf();
    with_account(&shelf, 1, "alice").await;
    assert!(shelf.advance_tokens(session_id(1), 2, hash(2), at(5)).await.unwrap());
    assert!(!shelf.advance_tokens(session_id(1), 2, hash(9), at(5)).await.unwrap());
    assert!(!shelf.advance_tokens(session_id(1), 4, hash(9), at(5)).await.unwrap());
    let record = shelf.session(session_id(1)).await.unwrap().unwrap();
    let expected = RefreshState { generation: 2, newest: hash(2), before: Some(hash(1)), newest_used: false };
    assert_eq!(record.proof, SessionProof::Tokens(expected));
    assert_eq!(record.times.last_used_at, at(5));
}

#[tokio::test]
async fn the_first_use_is_noted_for_the_newest_pair_alone_and_no_use_is_undone() {
    let shelf = shelf();
    with_account(&shelf, 1, "alice").await;
    shelf.advance_tokens(session_id(1), 2, hash(2), at(5)).await.unwrap();
    let newest_used = async || match shelf.session(session_id(1)).await.unwrap().unwrap().proof {
        SessionProof::Tokens(tokens) => tokens.newest_used,
        SessionProof::Cookie(_) => panic!("it was opened with tokens"),
    };
    shelf.note_use(session_id(1), at(6), Some(1)).await.unwrap();
    shelf.note_use(session_id(1), at(7), None).await.unwrap();
    assert!(!newest_used().await);
    shelf.note_use(session_id(1), at(8), Some(2)).await.unwrap();
    assert!(newest_used().await);
    shelf.note_use(session_id(1), at(3), None).await.unwrap();
    assert!(newest_used().await);
    assert_eq!(shelf.session(session_id(1)).await.unwrap().unwrap().times.last_used_at, at(8), "time goes forward");
}

#[tokio::test]
async fn a_cookie_session_has_no_tokens_to_advance() {
    let shelf = shelf();
    let alice = with_account(&shelf, 1, "alice").await;
    let cookie = NewSession { proof: SessionProof::Cookie(hash(5)), ..session(2, 0) };
    shelf.open_session(alice, 0, cookie, 50, at(0)).await.unwrap();
    assert!(!shelf.advance_tokens(session_id(2), 1, hash(9), at(1)).await.unwrap());
    assert_eq!(shelf.session(session_id(2)).await.unwrap().unwrap().proof, SessionProof::Cookie(hash(5)));
}

#[tokio::test]
async fn no_session_opens_with_a_password_that_was_reset_meanwhile() {
    let shelf = shelf();
    let alice = with_account(&shelf, 1, "alice").await;
    let login = "alice".parse().unwrap();
    let seen = shelf.account(&login).await.unwrap().unwrap();
    shelf.renew_password_hash(alice, seen.password.clone(), PasswordHash("same, anew".to_owned())).await.unwrap();
    let opened = shelf.open_session(alice, seen.password_version, session(2, 1), 50, at(0)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened, "the same password, hashed anew, is no other one");

    let set = Effect::PasswordSet { user_id: alice, hash: PasswordHash("another".to_owned()) };
    shelf.write(move |connection| take_effect(connection, &set)).await.unwrap();
    let refused = shelf.open_session(alice, seen.password_version, session(3, 2), 50, at(0)).await.unwrap();
    assert_eq!(refused, SessionOpening::PasswordChanged);
    assert!(shelf.session(session_id(3)).await.unwrap().is_none());
    let now = shelf.account(&login).await.unwrap().unwrap();
    assert_eq!(now.password, PasswordHash("another".to_owned()));
    let opened = shelf.open_session(alice, now.password_version, session(3, 3), 50, at(0)).await.unwrap();
    assert_eq!(opened, SessionOpening::Opened);
}

#[tokio::test]
async fn clean_up_forgets_what_no_longer_matters_and_nothing_else() {
    let shelf = shelf();
    let alice = with_account(&shelf, 1, "alice").await;
    shelf.open_session(alice, 0, session(2, 100), 50, at(0)).await.unwrap();
    shelf.forget_sessions(at(100)).await.unwrap();
    assert!(shelf.session(session_id(1)).await.unwrap().is_none());
    assert!(shelf.session(session_id(2)).await.unwrap().is_some());
    assert!(shelf.account(&"alice".parse().unwrap()).await.unwrap().is_some());
}
