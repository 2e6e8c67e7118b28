//! People who use everything that the server can do.

use std::time::Duration;

use i9chat_sdk::{
    Client, Credentials,
    content::IntoContent,
    spec::{ClientId, MessageId, api::messages::NewMessage},
    uploads::{Source, Upload},
};

use crate::{
    everything::{Opened, sign_in},
    sign_up::{PASSWORD, sign_up},
    world::World,
};

pub const NAMES: [&str; 4] = ["alice", "bob", "carol", "Dave"];

/// Signs everybody up.
pub async fn sign_all_up(world: &World) {
    for name in NAMES {
        drop(sign_up(&world.embedded.url(), &world.mailbox, name).await);
    }
}

/// Connects somebody, who gets nothing marked as delivered by itself.
pub async fn connect(url: &str, name: &str) -> Client {
    let credentials = Credentials::password(name, PASSWORD);
    Client::builder(url, credentials).auto_delivered(false).connect().await.unwrap()
}

pub async fn sign_in_over_http(url: &str, name: &str) -> Opened {
    sign_in(url, name, PASSWORD).await
}

/// A message that can be sent again with the same id.
pub fn once(text: &str, client_id: &str) -> NewMessage {
    let client_id: ClientId = client_id.parse().unwrap();
    NewMessage { client_id, content: text.into_content().unwrap(), reply_to: None }
}

fn photo() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend((0..5000_u32).map(|number| number.to_le_bytes()[0]));
    bytes
}

/// What a picture of a profile or a group is made of.
fn picture() -> [Source; 3] {
    [(); 3].map(|()| Source::bytes(photo()))
}

/// Direct chats: texts, replies, media, reactions, receipts. Answers the id of a message.
pub async fn talk(alice: &Client, bob: &Client) -> MessageId {
    let to_bob = alice.direct("bob").await.unwrap();
    let to_alice = bob.direct("alice").await.unwrap();
    let first = to_bob.send("hello, with an emoji 👋 and a line\nbreak").await.unwrap();
    let reply = to_alice.reply(first.message_id, "hello too").await.unwrap();
    let photo = Upload::image(Source::bytes(photo()), "image/png").unwrap();
    let photo = alice.upload(photo).await.unwrap();
    let shown = to_bob.send(photo.image().caption("a photo")).await.unwrap();
    let file = Upload::file(Source::bytes(b"anything".to_vec()), "application/octet-stream").unwrap();
    let file = bob.upload(file).await.unwrap();
    to_alice.send(file.file("any thing.bin")).await.unwrap();
    to_alice.react(shown.message_id, "👍").await.unwrap();
    to_bob.react(reply.message_id, "🎉").await.unwrap();
    to_bob.react(reply.message_id, "🙂").await.unwrap();
    to_alice.react(first.message_id, "👎").await.unwrap();
    to_alice.unreact(first.message_id).await.unwrap();
    to_alice.mark_read(shown.seq).await.unwrap();
    to_bob.mark_delivered(reply.seq).await.unwrap();
    first.message_id
}

/// A group that people come to and go from, and that is changed.
pub async fn gather(people: &[Client; 4]) {
    let [alice, bob, carol, dave] = people;
    let pictured = {
        let [small, medium, large] = picture();
        Upload::group_picture(small, medium, large, "image/png").unwrap()
    };
    let pictured = alice.upload(pictured).await.unwrap();
    let group = alice.create_group("The mill").description("at dawn").members(["bob", "carol"]).await.unwrap().group;
    let chat_id = group.id();
    let at = |client: &Client| (client.group(chat_id), client.chat(chat_id));
    at(bob).1.send("in the group").await.unwrap();
    group.rename("The old mill").await.unwrap();
    group.set_picture(pictured.media_id()).await.unwrap();
    group.make_admin("bob").await.unwrap();
    at(carol).0.leave().await.unwrap();
    at(bob).1.send("carol does not see this").await.unwrap();
    at(carol).0.join().await.unwrap();
    at(bob).0.add(["Dave"]).await.unwrap();
    let heard = at(alice).1.send("dave sees this").await.unwrap();
    at(dave).1.react(heard.message_id, "👋").await.unwrap();
    at(carol).1.react(heard.message_id, "👋").await.unwrap();
    at(bob).0.remove("Dave").await.unwrap();
    at(alice).1.send("dave does not see this").await.unwrap();
    group.remove_admin("bob").await.unwrap();
    at(carol).1.mark_read(heard.seq).await.unwrap();
    // A group that nobody is left in.
    let closed = dave.create_group("Alone").await.unwrap().group;
    closed.leave().await.unwrap();
}

/// Profiles: what people say of themselves, a picture, places near each other and far.
pub async fn introduce(people: &[Client; 4]) {
    let [alice, bob, carol, _] = people;
    let [small, medium, large] = picture();
    let pictured = Upload::profile_picture(small, medium, large, "image/png").unwrap();
    let pictured = alice.upload(pictured).await.unwrap();
    alice.update_me().bio("I mill").picture(pictured.media_id()).location(41.3275, 19.8187).await.unwrap();
    bob.update_me().location(41.35, 19.80).await.unwrap();
    carol.update_me().bio("far away").location(-33.86, 151.2).await.unwrap();
}

/// Many messages in a few chats, so that everything takes several steps.
pub async fn chatter(people: &[Client; 4], messages: usize) {
    let [alice, bob, carol, dave] = people;
    let pairs = [(alice, "carol"), (bob, "Dave"), (carol, "bob"), (dave, "alice")];
    let chatting = pairs.map(|(from, to)| async move {
        let chat = from.direct(to).await.unwrap();
        let lanes = (0..16).map(|lane| {
            let chat = chat.clone();
            async move {
                for number in 0..messages / 64 {
                    chat.send(format!("{number} on lane {lane}")).await.unwrap();
                }
            }
        });
        futures_util::future::join_all(lanes).await;
    });
    tokio::time::timeout(Duration::from_mins(2), futures_util::future::join_all(chatting)).await.unwrap();
}
