//! Becoming a user, through the SDK.

use i9chat_conformance::mail::{Mailbox, codes_in};
use i9chat_sdk::{Credentials, Signup};

use crate::process::PATIENCE;

pub const PASSWORD: &str = "correct horse battery staple";

/// Signs a user up, and answers what they sign in with.
pub async fn sign_up(url: &str, mailbox: &Mailbox, name: &str) -> Credentials {
    let email = format!("{name}@example.com");
    let signup = Signup::start(url, &email).await.unwrap();
    let mail = mailbox.next(&email, 0, PATIENCE).await.expect("the code comes by mail");
    let code = codes_in(&mail).pop().expect("the mail holds a code");
    signup.verify(&code).await.unwrap().complete(name, PASSWORD).await.unwrap()
}
