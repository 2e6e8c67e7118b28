//! Signs in, sends one message, prints its acknowledgement:
//!
//! ```text
//! cargo run -p i9chat-sdk --example send -- http://127.0.0.1:8080 alice "her password" bob "Hello, Bob!"
//! ```

use i9chat_sdk::{Client, Credentials};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, login, password, partner, text] = arguments.as_slice() else {
        anyhow::bail!("usage: send SERVER LOGIN PASSWORD PARTNER TEXT");
    };
    let client = Client::connect(server, Credentials::password(login, password)).await?;
    let sent = client.direct(partner).await?.send(text).await?;
    println!("stored as number {} of chat {} at {}", sent.seq, sent.chat_id, sent.created_at);
    client.sign_out().await?;
    Ok(())
}
