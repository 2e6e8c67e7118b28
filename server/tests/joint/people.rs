//! Users of the server, through the SDK.

use i9chat_conformance::mail::codes_in;
use i9chat_sdk::{Client, Credentials, Signup};

use crate::process::{PATIENCE, Server};

pub const PASSWORD: &str = "correct horse battery staple";

/// Signs a user up, and answers what they sign in with.
pub async fn sign_up(server: &Server, name: &str) -> Credentials {
    let email = format!("{name}@example.com");
    let signup = Signup::start(&server.url(), &email).await.unwrap();
    let mail = server.mailbox.next(&email, 0, PATIENCE).await.expect("the code comes by mail");
    let code = codes_in(&mail).pop().expect("the mail holds a code");
    signup.verify(&code).await.unwrap().complete(name, PASSWORD).await.unwrap()
}

/// Signs a user up and connects them.
pub async fn join(server: &Server, name: &str) -> Client {
    let credentials = sign_up(server, name).await;
    let client = Client::connect(&server.url(), credentials).await.unwrap();
    client.connected().await.unwrap();
    client
}
