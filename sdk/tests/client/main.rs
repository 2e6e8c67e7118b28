//! The client against a small server: messages and events, sessions, calls; and the examples as programs.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod calls;
mod cuts;
mod examples;
mod groups;
mod messages;
mod presence;
mod receipts;
mod sessions;
mod stub;

use std::time::Duration;

use i9chat_sdk::{Client, ClientBuilder, ConnectionState, Credentials, StopReason, connection::Backoff};

use stub::{PASSWORD, Stub};

/// Longer than anything here takes: a test that waits in vain fails in place of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

async fn soon<T>(wanted: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.expect("it happens")
}

fn by_password() -> Credentials {
    Credentials::password("alice", PASSWORD)
}

/// A client that does not wait long between attempts.
fn hurried(stub: &Stub, credentials: Credentials) -> ClientBuilder {
    let backoff = Backoff { first: Duration::from_millis(2), longest: Duration::from_millis(20) };
    Client::builder(&stub.url, credentials).backoff(backoff)
}

async fn connected(stub: &Stub) -> Client {
    soon(hurried(stub, by_password()).connect()).await.expect("connects")
}

async fn seqs(client: &Client, count: usize) -> Vec<u64> {
    let mut updates = client.updates();
    let mut seqs = Vec::new();
    while seqs.len() < count {
        let update = soon(updates.next()).await.expect("an update");
        seqs.push(update.message().unwrap_or_else(|| panic!("a message, not {update:?}")).seq.get());
    }
    seqs
}

async fn stopped(client: &Client) -> StopReason {
    let mut state = client.state();
    let stopped = |state: &ConnectionState| matches!(state, ConnectionState::Stopped(_));
    match *soon(state.wait_for(stopped)).await.expect("a state") {
        ConnectionState::Stopped(reason) => reason,
        state => panic!("{state}"),
    }
}
