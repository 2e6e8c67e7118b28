//! A network between client and server that cuts lines in the middle of whatever is on them.

use futures_util::future::join_all;
use i9chat_sdk::{Credentials, Session};
use i9chat_spec::{ChatId, Example, Format};
use tokio::{
    io::{AsyncReadExt, copy},
    net::{TcpListener, TcpStream},
};

use crate::{connected, hurried, seqs, soon, stub::Stub};

/// Relays to a server. Each connection is cut after so many bytes from the server as the next number says; when there is none, never.
async fn cutting(server: &str, mut cuts: impl Iterator<Item = u64> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = server.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, bytes) = (server.clone(), cuts.next().unwrap_or(u64::MAX));
            tokio::spawn(async move {
                let server = TcpStream::connect(server).await.expect("the server listens");
                let (mut from_client, mut to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                let mut from_server = from_server.take(bytes);
                // Whichever ends first takes the other with it.
                tokio::select! {
                    _ = copy(&mut from_client, &mut to_server) => {}
                    _ = copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_line_that_is_cut_anywhere_loses_and_doubles_nothing() {
    for format in Format::ALL.iter().copied() {
        let stub = Stub::start().await;
        // From within the handshake to after a few events and answers, in no order.
        let url = cutting(&stub.url, (1..80_u64).map(|number| number * 997 % 4001)).await;
        let session = connected(&stub).await.session().await.expect("a session");
        let credentials = Credentials::session(Session { server: url.clone(), ..session });
        let builder = hurried(&Stub { url, ..stub.clone() }, credentials).format(format).update_capacity(16);
        let client = soon(builder.connect()).await.expect("connects");

        let chat = client.chat(ChatId::example());
        let texts: Vec<String> = (0..100).map(|number| format!("number {number}")).collect();
        let sending = join_all(texts.iter().map(|text| chat.send(text)));
        let peer = async {
            for _ in 0..20 {
                stub.peer_sends(5);
                tokio::task::yield_now().await;
            }
        };
        let reading = seqs(&client, 200);
        let (sent, (), seen) = soon(async { tokio::join!(sending, peer, reading) }).await;

        assert_eq!(seen, (1..=200).collect::<Vec<_>>(), "each event once and in order");
        let sent: Vec<u64> = sent.into_iter().map(|sent| sent.expect("sent").seq.get()).collect();
        assert!(sent.is_sorted(), "in the order of sending: {sent:?}");
        let stored: Vec<String> = stub.look(|world| {
            let texts = world.messages().filter_map(|message| message.content.text().map(str::to_owned));
            texts.filter(|text| text.starts_with("number")).collect()
        });
        assert_eq!(stored, texts, "each message once");
        assert!(stub.look(|world| world.handshakes.len()) > 10, "the cuts came");
    }
}
