//! Users of the server, through the SDK.

use i9chat_sdk::Client;

use crate::{server::Server, sign_up::sign_up};

/// Signs a user up and connects them.
pub async fn join(server: &Server, name: &str) -> Client {
    let credentials = sign_up(&server.url(), &server.mailbox, name).await;
    let client = Client::connect(&server.url(), credentials).await.unwrap();
    client.connected().await.unwrap();
    client
}
