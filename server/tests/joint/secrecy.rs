//! If this fails, whoever reads the server's logs reads passwords, tokens or messages.

use i9chat_conformance::mail::codes_in;
use i9chat_sdk::{Client, Credentials, Signup};

use crate::{process::PATIENCE, server::Server, sign_up::PASSWORD};

const TEXT: &str = "meet me at the old mill at dawn";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_reaches_the_logs_however_much_is_logged() {
    let mut server = Server::start(&["--log", "trace"]).await;
    let email = "secretive@example.com";
    let signup = Signup::start(&server.url(), email).await.unwrap();
    let mail = server.mailbox.next(email, 0, PATIENCE).await.expect("the code comes by mail");
    let code = codes_in(&mail).pop().unwrap();
    signup.verify("000000").await.err();
    let credentials = signup.verify(&code).await.unwrap().complete("alice", PASSWORD).await.unwrap();
    let bob_signup = Signup::start(&server.url(), "bob@example.com").await.unwrap();
    let mail = server.mailbox.next("bob@example.com", 0, PATIENCE).await.unwrap();
    bob_signup.verify(&codes_in(&mail).pop().unwrap()).await.unwrap().complete("bob", PASSWORD).await.unwrap();

    let alice = Client::connect(&server.url(), credentials).await.unwrap();
    alice.direct("bob").await.unwrap().send(TEXT).await.unwrap();
    let session = alice.session().await.expect("alice is signed in");
    let wrong = Client::connect(&server.url(), Credentials::password("alice", "not the password")).await;
    assert!(wrong.is_err(), "a wrong password is refused");
    let again = Client::connect(&server.url(), Credentials::password(email, PASSWORD)).await.unwrap();
    again.sign_out().await.unwrap();
    alice.close().await;
    assert!(server.stop().await);

    let output = server.output();
    assert!(output.contains("sign_in"), "the log says what was asked for, so that its silence means something");
    let token = session.tokens.token.as_str();
    let refresh_token = session.tokens.refresh_token.as_str();
    let secrets = [PASSWORD, "not the password", TEXT, &code, token, refresh_token, email, "bob@example.com"];
    for secret in secrets {
        assert!(!output.contains(secret), "the log holds {secret:?}: {}", line_of(&output, secret));
    }
}

fn line_of<'a>(output: &'a str, secret: &str) -> &'a str {
    output.lines().find(|line| line.contains(secret)).unwrap_or_default()
}
