//! Signing up and in, tokens and where they are kept.

use std::{io, sync::Arc};

use futures_util::future::join_all;
use i9chat_sdk::{
    Client, Credentials, Error, ErrorClass, FileStore, MemoryStore, PasswordReset, Session, SessionStore, Signup,
    StopReason,
};
use i9chat_spec::{ChatId, CloseCode, ErrorCode, Example, Timestamp};

use crate::{
    by_password, connected, hurried, soon, stopped,
    stub::{Order, PASSWORD, Stub},
};

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_for_all_who_wait() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.change(|world| world.good_from = 2);
    for me in soon(join_all((0..20).map(|_| client.me()))).await {
        me.expect("answered");
    }
    assert_eq!(stub.count("POST /v1/sessions/refresh"), 1);
}

#[tokio::test]
async fn a_handshake_whose_token_ran_out_is_repeated_with_a_new_one() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.change(|world| world.good_from = 2);
    stub.order(Order::Close(CloseCode::GoingAway));
    soon(stub.until(|world| world.handshakes.len() == 2)).await;
    assert_eq!(stub.look(|world| world.handshakes[1].1.clone()), "token.2");
    soon(client.connected()).await.expect("connected again");
}

/// A store that notes what was used before it was saved, and fails when told to.
#[derive(Default)]
struct Watchful {
    held: MemoryStore,
    fails: std::sync::atomic::AtomicBool,
}

impl SessionStore for Watchful {
    fn load(&self) -> io::Result<Option<Session>> {
        self.held.load()
    }

    fn save(&self, session: &Session) -> io::Result<()> {
        if self.fails.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(io::Error::other("the disk is full"));
        }
        self.held.save(session)
    }

    fn clear(&self) -> io::Result<()> {
        self.held.clear()
    }
}

#[tokio::test]
async fn a_new_token_that_cannot_be_kept_is_not_used() {
    let stub = Stub::start().await;
    let store = Arc::new(Watchful::default());
    let credentials = by_password().kept_in(Arc::clone(&store));
    let client = soon(hurried(&stub, credentials).connect()).await.expect("connects");
    store.fails.store(true, std::sync::atomic::Ordering::SeqCst);
    stub.change(|world| world.good_from = 2);
    let error = soon(client.me()).await.expect_err("the tokens cannot be kept");
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(!stub.look(|world| world.pair_used), "the new token was used though it was not kept");

    // Nothing is lost: the refresh token before is good until then. (SES-6)
    store.fails.store(false, std::sync::atomic::Ordering::SeqCst);
    soon(client.me()).await.expect("answered");
    let kept = store.load().expect("loads").expect("a session");
    assert_eq!(kept.tokens.token.as_str(), "token.3");
    assert_eq!(Some(kept), client.session().await);
}

#[tokio::test]
async fn a_stored_session_is_gone_on_with() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("alice.session");
    let missing = Client::connect(&stub.url, Credentials::stored(&path)).await.expect_err("nothing is stored");
    assert!(matches!(missing, Error::NoStoredSession), "{missing:?}");

    let client = soon(hurried(&stub, by_password().kept_in(FileStore::new(&path))).connect()).await.expect("connects");
    stub.change(|world| world.good_from = 2);
    soon(client.me()).await.expect("answered");
    client.close().await;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    let client = soon(hurried(&stub, Credentials::stored(&path)).connect()).await.expect("connects");
    soon(client.me()).await.expect("answered");
    assert_eq!((stub.count("POST /v1/sessions"), stub.count("POST /v1/sessions/refresh")), (1, 1));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside the file");

    soon(client.sign_out()).await.expect("signed out");
    assert!(!path.exists());
    assert!(matches!(stopped(&client).await, StopReason::SessionEnded | StopReason::ByApplication));
}

#[tokio::test]
async fn a_stored_session_goes_to_its_own_server_only() {
    let (stub, other) = (Stub::start().await, Stub::start().await);
    let store = Arc::new(MemoryStore::default());
    soon(hurried(&stub, by_password().kept_in(Arc::clone(&store))).connect()).await.expect("connects");
    let error = Client::connect(&other.url, Credentials::from_store(store)).await.expect_err("another server");
    assert!(matches!(&error, Error::OtherServer(server) if *server == stub.url), "{error:?}");
    assert!(other.look(|world| world.calls.is_empty() && world.handshakes.is_empty()));
}

#[tokio::test]
async fn a_file_that_holds_no_session_is_an_error_that_does_not_repeat_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("alice.session");
    std::fs::write(&path, "{\"refresh_token\": \"secret!\"}").expect("writes");
    let error = FileStore::new(&path).load().expect_err("no session");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_stored_token_that_ran_out_is_renewed_before_it_is_used() {
    let stub = Stub::start().await;
    let store = Arc::new(MemoryStore::default());
    soon(hurried(&stub, by_password().kept_in(Arc::clone(&store))).connect()).await.expect("connects").close().await;
    let mut session = store.load().expect("loads").expect("a session");
    session.tokens.expires_at = Timestamp::from_millis(0);
    store.save(&session).expect("saves");
    soon(hurried(&stub, Credentials::from_store(store)).connect()).await.expect("connects");
    assert_eq!(stub.count("POST /v1/sessions/refresh"), 1);
    assert_eq!(stub.look(|world| world.handshakes[1].1.clone()), "token.2");
}

#[tokio::test]
async fn a_clock_that_is_wrong_makes_no_refresh_before_each_call() {
    let stub = Stub::start().await;
    stub.change(|world| world.expires_at = Timestamp::from_millis(0));
    let client = connected(&stub).await;
    for _ in 0..5 {
        soon(client.me()).await.expect("answered");
    }
    assert_eq!(stub.count("POST /v1/sessions/refresh"), 1);
}

#[tokio::test]
async fn two_programs_that_share_a_store_do_not_end_each_others_session() {
    let stub = Stub::start().await;
    let store = Arc::new(MemoryStore::default());
    let one = soon(hurried(&stub, by_password().kept_in(Arc::clone(&store))).connect()).await.expect("connects");
    let two = soon(hurried(&stub, Credentials::from_store(store)).connect()).await.expect("connects");
    stub.change(|world| world.good_from = 2);
    soon(one.me()).await.expect("answered");
    soon(two.me()).await.expect("answered");
    assert_eq!(stub.count("POST /v1/sessions/refresh"), 1);
}

#[tokio::test]
async fn the_end_of_the_session_ends_the_client() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.change(|world| world.session_over = true);
    stub.order(Order::Close(CloseCode::SessionEnded));
    assert_eq!(stopped(&client).await, StopReason::SessionEnded);
    assert_eq!(soon(client.updates().next()).await, None);
    let error = soon(client.chat(ChatId::example()).send("hello")).await.expect_err("over");
    assert!(error.is_session_over() && !error.is_retryable(), "{error:?}");
    let error = soon(client.me()).await.expect_err("over");
    assert_eq!((error.code(), error.is_session_over()), (Some(ErrorCode::SessionEnded), true));
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_ends_the_client() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.change(|world| (world.good_from, world.pair, world.pair_used) = (9, 9, true));
    stub.order(Order::Cut);
    assert_eq!(stopped(&client).await, StopReason::SessionEnded);
}

#[tokio::test]
async fn a_sign_up_takes_three_steps_that_can_be_tried_again() {
    let stub = Stub::start().await;
    let signup = Signup::start(&stub.url, "alice@example.com").await.expect("started");
    let wrong = signup.verify("000000").await.expect_err("not the code");
    assert_eq!((wrong.class(), wrong.code()), (ErrorClass::Refused, Some(ErrorCode::WrongCode)));
    let verified = signup.verify("274615").await.expect("verified");
    let taken = verified.complete("taken", PASSWORD).await.expect_err("taken");
    assert_eq!(taken.code(), Some(ErrorCode::UsernameTaken));
    let credentials = verified.complete("alice", PASSWORD).await.expect("completed");
    let client = soon(Client::connect(&stub.url, credentials)).await.expect("connects");
    assert_eq!(client.session().await.expect("a session").user.username.as_str(), "alice");
    assert_eq!(stub.count("POST /v1/sessions"), 0);
}

#[tokio::test]
async fn a_new_password_takes_three_steps_that_can_be_tried_again() {
    let stub = Stub::start().await;
    let reset = PasswordReset::start(&stub.url, "alice@example.com").await.expect("started");
    let wrong = reset.verify("000000").await.expect_err("not the code");
    assert_eq!((wrong.class(), wrong.code()), (ErrorClass::Refused, Some(ErrorCode::WrongCode)));
    let verified = reset.verify("274615").await.expect("verified");
    let short = verified.complete("short").await.expect_err("too short");
    assert!(matches!(short, Error::Invalid(_)), "{short:?}");
    verified.complete("a better battery staple").await.expect("completed");
    assert_eq!(stub.count("POST /v1/password-reset/complete"), 1);
}
