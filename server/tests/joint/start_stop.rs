//! If these fail, an operator cannot trust a restart.

use std::collections::HashSet;

use futures_util::StreamExt;
use i9chat_sdk::{
    ConnectionState, Update,
    spec::{CloseCode, CloseReason, Format},
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use crate::{people::join, process::PATIENCE, server::Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_clients_to_come_back_and_they_go_on_where_they_were() {
    let mut server = Server::start(&[]).await;
    let alice = join(&server, "alice").await;
    let bob = join(&server, "bob").await;
    let chat = alice.direct("bob").await.unwrap();
    let mut updates = bob.updates();
    chat.send("before").await.unwrap();
    assert!(server.stop().await, "an orderly stop ends well");

    // Sent while nobody listens: the SDK keeps it until the server is back.
    let sending = tokio::spawn(async move { chat.send("in between").await });
    server.run().await;
    tokio::time::timeout(PATIENCE, sending).await.expect("the send ends").unwrap().unwrap();
    let mut texts = Vec::new();
    while texts.len() < 2 {
        let update = tokio::time::timeout(PATIENCE, updates.next()).await.expect("events go on").unwrap();
        assert!(!matches!(update, Update::Limited { .. } | Update::Reset { .. }), "{update:?}");
        if let Some(message) = update.message() {
            texts.push(message.content.text().unwrap().to_owned());
        }
    }
    assert_eq!(texts, ["before", "in between"]);
    assert!(matches!(*bob.state().borrow(), ConnectionState::Connected { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_epoch_resets_clients_that_come_back() {
    let mut server = Server::start(&[]).await;
    let bob = join(&server, "bob").await;
    let mut updates = bob.updates();
    assert!(server.stop().await);
    let status = tokio::process::Command::new(env!("CARGO_BIN_EXE_i9chat-server"))
        .arg("--data")
        .arg(server.data.path().join("data"))
        .arg("new-epoch")
        .status()
        .await
        .unwrap();
    assert!(status.success());
    server.run().await;
    let reset = async {
        while let Some(update) = updates.next().await {
            if matches!(update, Update::Reset { .. }) {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(PATIENCE, reset).await.expect("an answer"), "bob is told to drop what he holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_spreads_out_when_clients_come_back() {
    let mut server = Server::start(&[]).await;
    let alice = join(&server, "alice").await;
    let token = alice.session().await.expect("alice is signed in").tokens.token;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        let mut socket = open_socket(&server, token.as_str()).await;
        let hello = socket.next().await.expect("a first frame").unwrap();
        assert!(hello.to_text().unwrap().contains("\"hello\""));
        sockets.push(socket);
    }
    assert!(server.stop().await);
    let mut delays = HashSet::new();
    for mut socket in sockets {
        let closing = async {
            loop {
                if let Message::Close(frame) = socket.next().await.expect("a close").unwrap() {
                    return frame.expect("a close with its reason");
                }
            }
        };
        let frame = tokio::time::timeout(PATIENCE, closing).await.expect("the connection is closed");
        assert_eq!(u16::from(frame.code), CloseCode::GoingAway.number());
        let reason: CloseReason = frame.reason.as_str().parse().expect("the reason as WSK-13 has it");
        assert_eq!(reason.code, CloseCode::GoingAway);
        delays.insert(reason.retry_after_ms.expect("a delay"));
    }
    assert!(delays.len() > 1, "not all at the same moment");
}

async fn open_socket(
    server: &Server,
    token: &str,
) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>> {
    let mut request = format!("{}/v1/ws", server.url().replace("http", "ws")).into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers.insert("sec-websocket-protocol", Format::Json.subprotocol().parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}
