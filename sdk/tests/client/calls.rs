//! Calls over HTTP: pages, errors, retries.

use std::time::Duration;

use i9chat_sdk::{Client, ConnectionState, Credentials, Error, ErrorClass, Session};
use i9chat_spec::{ChatId, ErrorCode, Example, Problem, Watermark};
use serde_json::json;

use crate::{
    by_password, connected, soon,
    stub::{Fault, PASSWORD, Stub, World, problem},
};

#[tokio::test]
async fn pages_follow_each_other() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.peer_sends(5);
    let chat = client.chat(ChatId::example());
    let mut history = chat.history();
    let mut pages = Vec::new();
    while let Some(page) = soon(history.next()).await {
        pages.push(
            page.expect("a page").items.iter().map(|entry| entry.seq().expect("a seq").get()).collect::<Vec<_>>(),
        );
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);

    let mut after = chat.entries_after(Watermark::try_from(1).expect("a watermark")).items();
    let mut seqs = Vec::new();
    while let Some(entry) = soon(after.next()).await {
        seqs.push(entry.expect("an entry").seq().expect("a seq").get());
    }
    assert_eq!(seqs, [2, 3, 4, 5]);

    let mut chats = client.chats();
    let first = soon(chats.next()).await.expect("a page").expect("a page");
    assert_eq!(first.cursor, World::cursor(5));
    let mut partners = vec![first.items[0].partner.as_ref().expect("direct").user.username.clone()];
    while let Some(page) = soon(chats.next()).await {
        partners.push(page.expect("a page").items[0].partner.as_ref().expect("direct").user.username.clone());
    }
    assert_eq!(
        partners.iter().map(i9chat_spec::Username::as_str).collect::<Vec<_>>(),
        ["friend-0", "friend-1", "friend-2"]
    );
}

#[tokio::test]
async fn refusals_are_typed() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let error = soon(client.direct("nobody")).await.expect_err("nobody has that name");
    assert_eq!((error.class(), error.code()), (ErrorClass::Refused, Some(ErrorCode::UserNotFound)));
    assert_eq!(stub.count("PUT /v1/direct/nobody"), 1, "a refusal is not retried");
    let error = soon(client.user("-no-name-")).await.expect_err("not a name");
    assert_eq!(error.class(), ErrorClass::Permanent);
    assert!(soon(client.user("BOB")).await.is_ok_and(|user| user.username.as_str() == "bob"));
}

#[tokio::test]
async fn a_wrong_password_is_refused_at_once() {
    let stub = Stub::start().await;
    let error = soon(Client::connect(&stub.url, Credentials::password("alice", "wrong password"))).await;
    assert_eq!(error.expect_err("refused").code(), Some(ErrorCode::WrongCredentials));
    assert_eq!(stub.count("POST /v1/sessions"), 1);
}

#[tokio::test]
async fn calls_that_do_no_harm_are_tried_again() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let faults = [Fault::Problem(problem(ErrorCode::Unavailable)), Fault::Html(502)];
    stub.fail_next("GET /v1/me", faults);
    soon(client.me()).await.expect("answered at last");
    assert_eq!(stub.count("GET /v1/me"), 3);
}

#[tokio::test]
async fn calls_that_could_do_harm_are_not_tried_again() {
    let stub = Stub::start().await;
    stub.fail_next("POST /v1/sessions", [Fault::Problem(problem(ErrorCode::Internal))]);
    let error = soon(Client::connect(&stub.url, by_password())).await.expect_err("failed");
    assert_eq!((error.class(), error.code()), (ErrorClass::Transient, Some(ErrorCode::Internal)));
    assert_eq!(stub.count("POST /v1/sessions"), 1);
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let limited = Problem { retry_after_ms: Some(60_000), ..problem(ErrorCode::RateLimited) };
    stub.fail_next("GET /v1/me", [Fault::Problem(limited)]);
    let error = soon(client.me()).await.expect_err("limited");
    assert_eq!((error.class(), error.retry_after()), (ErrorClass::Transient, Some(Duration::from_mins(1))));
    assert_eq!(stub.count("GET /v1/me"), 1);
}

#[tokio::test]
async fn an_unknown_code_counts_by_whether_it_is_retryable() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let unknown = |retryable| {
        let code = "out_of_cheese".to_owned();
        let retry_after_ms = Some(60_000);
        Fault::Problem(Problem { code, retryable, retry_after_ms, ..problem(ErrorCode::Internal) })
    };
    for (retryable, class) in [(true, ErrorClass::Transient), (false, ErrorClass::Refused)] {
        stub.fail_next("GET /v1/me", [unknown(retryable)]);
        let error = soon(client.me()).await.expect_err("failed");
        assert_eq!((error.class(), error.code()), (class, None));
    }
}

#[tokio::test]
async fn faults_of_a_newer_server_do_not_hide_the_code() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let fields = json!([{ "field": "username", "code": "too_loud", "message": "whisper" }]);
    stub.fail_next("GET /v1/me", [Fault::Newer(problem(ErrorCode::InvalidRequest), fields)]);
    let error = soon(client.me()).await.expect_err("refused");
    assert_eq!((error.class(), error.code()), (ErrorClass::Refused, Some(ErrorCode::InvalidRequest)));
}

#[tokio::test]
async fn a_server_that_is_no_chat_server_is_told_apart_from_one_that_is_away() {
    let stub = Stub::start().await;
    stub.fail_next("POST /v1/sessions", [Fault::Html(200), Fault::Html(503)]);
    let error = soon(Client::connect(&stub.url, by_password())).await.expect_err("no chat server");
    assert!(matches!(error, Error::Unexpected(_)), "{error:?}");
    let error = soon(Client::connect(&stub.url, by_password())).await.expect_err("away");
    assert!(matches!(error, Error::Gateway(503)), "{error:?}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let error = soon(Client::connect(&format!("http://{closed}"), by_password())).await.expect_err("nobody there");
    assert_eq!(error.class(), ErrorClass::Network);
    for url in ["chat.example", "ftp://chat.example", "http://chat.example/?a=b"] {
        let error = Client::connect(url, by_password()).await.expect_err("not an address");
        assert!(matches!(error, Error::InvalidUrl(_)), "{error:?}");
    }
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_an_error_of_the_network() {
    let stub = Stub::start().await;
    let url = stub.url.replace("http://", "https://");
    let error = soon(Client::connect(&url, by_password())).await.expect_err("no TLS there");
    assert_eq!(error.class(), ErrorClass::Network);
    let client = connected(&stub).await;
    let session = Session { server: url.clone(), ..client.session().await.expect("a session") };
    let client = soon(Client::builder(&url, Credentials::session(session)).start()).await.expect("starts");
    let waiting = |state: &ConnectionState| matches!(state, ConnectionState::Waiting { .. });
    soon(client.state().wait_for(waiting)).await.expect("it will try again");
}

#[tokio::test]
async fn no_secret_shows_in_what_is_printed() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let session = client.session().await.expect("a session");
    let shown = format!("{:?} {:?} {client:?} {session:?}", by_password(), Credentials::session(session.clone()));
    for secret in [PASSWORD, session.tokens.token.as_str(), session.tokens.refresh_token.as_str()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
