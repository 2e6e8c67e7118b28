use i9chat_spec::{Lifetimes, Limits, User};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    domain::accounts::{
        claim::{self, ClaimRules, Purpose},
        refresh::RefreshState,
    },
    store::{
        accounts::SessionProof,
        claims::{ClaimStore, SaveClaim},
        mails::{MailMatter, MailStore, NewMail},
    },
};

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

fn asked(email: &str, ticket: u8) -> SaveClaim {
    let rules = ClaimRules::new(&Limits::default(), &Lifetimes::default());
    let (claim, _) = claim::request(None, Purpose::Signup, email.parse().unwrap(), false, hash(ticket), at(0), &rules);
    SaveClaim { forget_at: claim::forget_at(&claim, &rules), claim, seen: None, mail: None }
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
async fn a_signup_comes_back_as_it_was_saved_in_every_step() {
    let shelf = shelf();
    let mut save = asked("Alice@Example.com", 1);
    for (round, step) in [
        claim::Step::Verify { good: true, wrong_codes: 3 },
        claim::Step::Verify { good: false, wrong_codes: 0 },
        claim::Step::Complete,
        claim::Step::Done,
    ]
    .into_iter()
    .enumerate()
    {
        save.claim.step = step;
        assert!(shelf.save_claim(save.clone()).await.unwrap());
        let stored = shelf.claim(Purpose::Signup, hash(1)).await.unwrap().unwrap();
        assert_eq!(stored.value, save.claim);
        let by_address = shelf.claim_to(Purpose::Signup, &"aLICE@example.COM".parse().unwrap()).await.unwrap();
        assert_eq!(by_address, Some(stored.clone()), "an address is found in any case, round {round}");
        save.seen = Some(stored.version);
    }
}

#[tokio::test]
async fn a_signup_that_somebody_else_saved_meanwhile_is_left_alone_and_its_mail_is_not_queued() {
    let shelf = shelf();
    assert!(shelf.save_claim(asked("alice@example.com", 1)).await.unwrap());
    let mail = NewMail {
        to: "alice@example.com".parse().unwrap(),
        matter: MailMatter::AlreadyRegistered,
        due_at: at(0),
        give_up_at: at(10),
    };
    for seen in [None, Some(7)] {
        let late = SaveClaim { seen, mail: Some(mail.clone()), ..asked("alice@example.com", 2) };
        assert!(!shelf.save_claim(late).await.unwrap());
    }
    assert!(shelf.claim(Purpose::Signup, hash(2)).await.unwrap().is_none());
    assert!(shelf.due_mails(at(0), 10).await.unwrap().mails.is_empty());
}

#[tokio::test]
async fn a_version_that_was_never_there_is_not_taken_for_one() {
    let shelf = shelf();
    let late = SaveClaim { seen: Some(1), ..asked("alice@example.com", 1) };
    assert!(!shelf.save_claim(late).await.unwrap());
    assert!(shelf.claim(Purpose::Signup, hash(1)).await.unwrap().is_none());
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
async fn the_claims_of_an_address_for_two_purposes_are_two() {
    let shelf = shelf();
    let reset = SaveClaim {
        claim: claim::Claim { purpose: Purpose::PasswordReset, ..asked("alice@example.com", 2).claim },
        ..asked("alice@example.com", 2)
    };
    assert!(shelf.save_claim(asked("alice@example.com", 1)).await.unwrap());
    assert!(shelf.save_claim(reset.clone()).await.unwrap(), "neither takes the place of the other");
    for (purpose, ticket, other) in [(Purpose::Signup, 1, 2), (Purpose::PasswordReset, 2, 1)] {
        let stored = shelf.claim(purpose, hash(ticket)).await.unwrap().unwrap();
        assert_eq!(stored.value.purpose, purpose);
        assert!(shelf.claim(purpose, hash(other)).await.unwrap().is_none(), "a ticket is for its own purpose");
        let by_address = shelf.claim_to(purpose, &"alice@example.com".parse().unwrap()).await.unwrap();
        assert_eq!(by_address, Some(stored));
    }
}

#[tokio::test]
async fn a_mail_keeps_what_it_is_about() {
    let shelf = shelf();
    let matters = [
        MailMatter::SignupCode { ticket: hash(1) },
        MailMatter::AlreadyRegistered,
        MailMatter::PasswordResetCode { ticket: hash(2) },
        MailMatter::NoAccount,
    ];
    for (n, matter) in (1..).zip(matters) {
        let email = format!("user{n}@example.com");
        let mail = NewMail { to: email.parse().unwrap(), matter, due_at: at(0), give_up_at: at(100) };
        shelf.save_claim(SaveClaim { mail: Some(mail), ..asked(&email, n) }).await.unwrap();
    }
    let due = shelf.due_mails(at(1), 10).await.unwrap();
    assert_eq!(due.mails.iter().map(|queued| queued.mail.matter).collect::<Vec<_>>(), matters);
}

#[tokio::test]
async fn mails_come_in_the_order_in_which_they_are_due_and_the_next_one_is_announced() {
    let shelf = shelf();
    for (n, second) in [(1, 30), (2, 10), (3, 20)] {
        let email = format!("user{n}@example.com");
        let mail = NewMail {
            to: email.parse().unwrap(),
            matter: MailMatter::SignupCode { ticket: hash(n) },
            due_at: at(second),
            give_up_at: at(100),
        };
        shelf.save_claim(SaveClaim { mail: Some(mail), ..asked(&email, n) }).await.unwrap();
    }
    let due = shelf.due_mails(at(20), 10).await.unwrap();
    let matters: Vec<_> = due.mails.iter().map(|queued| queued.mail.matter).collect();
    assert_eq!(matters, [2, 3].map(|n| MailMatter::SignupCode { ticket: hash(n) }));
    assert_eq!(due.next_due_at, Some(at(30)));
    assert_eq!(shelf.due_mails(at(20), 1).await.unwrap().next_due_at, Some(at(20)), "the second is due already");

    shelf.remove_mail(&due.mails[0].id).await.unwrap();
    shelf.postpone_mail(&due.mails[1], 3, at(40)).await.unwrap();
    let left = shelf.due_mails(at(50), 10).await.unwrap();
    assert_eq!(
        left.mails.iter().map(|queued| (queued.mail.due_at, queued.tries)).collect::<Vec<_>>(),
        [(at(30), 0), (at(40), 3)]
    );
    assert_eq!(left.next_due_at, None);
}

#[tokio::test]
async fn clean_up_forgets_what_no_longer_matters_and_nothing_else() {
    let shelf = shelf();
    let alice = with_account(&shelf, 1, "alice").await;
    shelf.open_session(alice, 0, session(2, 100), 50, at(0)).await.unwrap();
    shelf.save_claim(asked("bob@example.com", 9)).await.unwrap();
    shelf.forget_sessions(at(100)).await.unwrap();
    shelf.forget_claims(at(3599)).await.unwrap();
    assert!(shelf.session(session_id(1)).await.unwrap().is_none());
    assert!(shelf.session(session_id(2)).await.unwrap().is_some());
    assert!(shelf.claim(Purpose::Signup, hash(9)).await.unwrap().is_some());
    shelf.forget_claims(at(3600)).await.unwrap();
    assert!(shelf.claim(Purpose::Signup, hash(9)).await.unwrap().is_none());
    assert!(shelf.account(&"alice".parse().unwrap()).await.unwrap().is_some());
}
