//! If these fail, a full disk makes the server lie, or takes it down for good.

use std::time::Duration;

use i9chat_sdk::{Error, spec::ErrorCode};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{people::join, process::PATIENCE, server::Server, sign_up::PASSWORD};

/// A shell that ignores the signal which a write beyond the limit raises, so that the write fails as on a full disk.
const THROUGH: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

/// Sets how large the server's files may grow, in bytes.
async fn limit_files(server: &Server, bytes: &str) {
    let arguments = ["--pid", &server.pid().to_string(), &format!("--fsize={bytes}:unlimited")];
    let status = Command::new("prlimit").args(arguments).status().await.unwrap();
    assert!(status.success(), "prlimit sets the limit of a process of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_sends_with_a_retryable_code_and_space_brings_them_back() {
    let server = Server::start_through(&THROUGH, &[]).await;
    let alice = join(&server, "alice").await;
    let bob = join(&server, "bob").await;
    let chat = alice.direct("bob").await.unwrap();
    let first = chat.send("while there is space").await.unwrap();
    let token = sign_in(&server).await;

    // Smaller than what the log holds already: nothing more can be appended.
    limit_files(&server, "4096").await;
    let url = format!("{}/v1/chats/{}/messages", server.url(), first.chat_id);
    let body = json!({ "client_id": "4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b", "content": { "kind": "text", "text": "no space" } });
    let refused = post(&url, &token, &body).await;
    assert_eq!(refused.0, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.1);
    assert_eq!(refused.1["code"], ErrorCode::Unavailable.as_str());
    assert_eq!(refused.1["retryable"], true);
    let seen = bob.chat(first.chat_id).read().await.unwrap();
    assert_eq!(seen.chat.last_entry.unwrap().seq(), Some(first.seq), "what was refused is not there, and reads go on");

    // The SDK keeps a send that was refused so, and has it acknowledged when space returns.
    let waiting = tokio::spawn({
        let chat = chat.clone();
        async move { chat.send("kept by the SDK").await }
    });
    limit_files(&server, "unlimited").await;
    let kept = tokio::time::timeout(PATIENCE, waiting).await.expect("the send ends").unwrap();
    let kept = kept.map_err(|error: Error| error.to_string()).expect("the send succeeds when space returns");
    let again = post(&url, &token, &body).await;
    assert_eq!(again.0, StatusCode::CREATED, "the same send is taken now: {}", again.1);
    let mut numbers = [kept.seq.get(), again.1["seq"].as_u64().unwrap()];
    numbers.sort_unstable();
    assert_eq!(numbers, [first.seq.get() + 1, first.seq.get() + 2], "refused sends took no number");
}

async fn sign_in(server: &Server) -> String {
    let url = format!("{}/v1/sessions", server.url());
    let (status, opened) = post(&url, "", &json!({ "login": "alice", "password": PASSWORD })).await;
    assert_eq!(status, StatusCode::CREATED);
    opened["token"].as_str().unwrap().to_owned()
}

async fn post(url: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let answer = client
        .post(url)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}
