//! The chats of a client, against the model as a server.

use std::time::Duration;

use i9chat_sdk::{
    Client, Error,
    chats::{Change, Changes, Chats},
};
use i9chat_spec::{Chat, ChatId, Entry, ErrorCode, Seq};

use crate::{
    server::Server,
    world::{Deed, VIEWER, id},
};

/// Longer than anything here takes: a test that waits in vain fails in place of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

async fn soon<T>(wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.expect("it happens")
}

/// Three chats with Bob, Carol and a group, of which the group is the newest.
async fn started() -> (Server, Client, Chats) {
    let server = Server::start().await;
    act(
        &server,
        [
            Deed::OpenDirect { user: 1, other: VIEWER },
            Deed::Send { chat: 0, user: 1 },
            Deed::OpenDirect { user: VIEWER, other: 2 },
            Deed::CreateGroup { user: 3, others: vec![VIEWER, 1] },
        ],
    );
    let client = soon(server.client()).await;
    let chats = soon(Chats::start(&client)).await.expect("starts");
    soon(chats.ready()).await.expect("ready");
    (server, client, chats)
}

fn act(server: &Server, deeds: impl IntoIterator<Item = Deed>) {
    server.change(|host| deeds.into_iter().for_each(|deed| host.world.act(deed)));
}

fn fresh(server: &Server) -> Vec<Chat> {
    server.change(|host| host.world.list().into_iter().map(|(_, chat)| chat).collect())
}

/// Waits until the list is what a fresh read would show.
async fn settled(server: &Server, chats: &Chats) {
    let mut revision = chats.revision();
    let is_fresh = |_: &u64| {
        let list = chats.list();
        let held: Vec<Chat> = list.iter().map(|state| state.chat().clone()).collect();
        held == fresh(server) && list.iter().all(|state| !state.is_stale())
    };
    soon(revision.wait_for(is_fresh)).await.expect("it runs");
}

fn chat_of(server: &Server, index: usize) -> ChatId {
    server.change(|host| host.world.chats[index].chat_id)
}

async fn next(changes: &mut Changes) -> Change {
    soon(changes.next()).await.expect("a change")
}

#[tokio::test]
async fn the_list_is_read_page_by_page_and_kept_up_to_date() {
    let (server, _client, chats) = started().await;
    assert_eq!(chats.list().iter().map(|state| state.chat().clone()).collect::<Vec<_>>(), fresh(&server));
    let titles: Vec<_> = chats.first(2).iter().map(|state| state.title().to_owned()).collect();
    assert_eq!(titles, ["group", "user-2"]);
    assert!(soon(chats.revision().wait_for(|_| chats.profile().is_some())).await.is_ok());

    let mut changes = chats.changes();
    act(&server, [Deed::Send { chat: 0, user: 1 }]);
    assert_eq!(next(&mut changes).await, Change::Chat(chat_of(&server, 0)));
    let Change::Update(update) = next(&mut changes).await else { panic!("an update") };
    assert_eq!(update.message().map(|message| message.sender.username.as_str()), Some("user-1"));
    let bob = chats.get(chat_of(&server, 0)).expect("held");
    assert_eq!((bob.chat().unread_count, chats.first(1)[0].title()), (2, "user-1"));
}

#[tokio::test]
async fn after_short_breaks_and_long_ones_the_list_is_right_again() {
    let (server, _client, chats) = started().await;
    server.change(|host| host.line += 1);
    act(&server, [Deed::Send { chat: 1, user: VIEWER }, Deed::Rename { chat: 2, name: 1 }]);
    settled(&server, &chats).await;
    for is_forgotten in [false, true] {
        server.change(|host| {
            host.line += 1;
            host.world.act(Deed::Send { chat: 0, user: 1 });
            host.world.act(Deed::Rename { chat: 2, name: 2 + u8::from(is_forgotten) });
            host.asked.clear();
            host.world.head += 1;
            host.replays_from = host.world.head;
            host.known_from = if is_forgotten { host.world.head } else { 0 };
        });
        settled(&server, &chats).await;
        // Two chats of three have changed: that is one page. All of them are two.
        let pages = server.change(|host| host.asked.iter().filter(|path| *path == "chats").count());
        assert_eq!(pages, if is_forgotten { 3 } else { 1 });
    }
}

#[tokio::test]
async fn an_open_chat_has_its_entries_and_more_when_asked() {
    let (server, _client, chats) = started().await;
    act(&server, (0..4).map(|_| Deed::Send { chat: 0, user: 1 }));
    let chat = chat_of(&server, 0);
    let open = soon(chats.open(chat)).await.expect("runs").expect("a chat");
    let seqs =
        |state: &i9chat_sdk::chats::ChatState| state.entries().filter_map(Entry::seq).map(Seq::get).collect::<Vec<_>>();
    assert!(seqs(&open).ends_with(&[5]) && open.has_older(), "{:?}", seqs(&open));
    let mut more = open;
    while more.has_older() {
        more = soon(chats.load_older(chat)).await.expect("runs").expect("a chat");
    }
    assert_eq!(seqs(&more), [1, 2, 3, 4, 5]);
    chats.close(chat);
    assert_eq!(chats.get(chat).map(|state| state.entries().count()), Some(0));

    let nobodys = ChatId::from_uuid(id(99, 9));
    assert_eq!(soon(chats.open(nobodys)).await.expect("runs"), None);
}

#[tokio::test]
async fn reads_that_fail_are_tried_again() {
    let (server, _client, chats) = started().await;
    server.change(|host| host.faults.extend([ErrorCode::Unavailable, ErrorCode::Internal]));
    let open = soon(chats.open(chat_of(&server, 2))).await.expect("runs").expect("a chat");
    assert!(open.is_loaded());
}

#[tokio::test]
async fn when_the_client_stops_the_changes_end_and_what_was_read_stays() {
    let (server, client, chats) = started().await;
    let mut changes = chats.changes();
    soon(client.close()).await;
    while soon(changes.next()).await.is_some() {}
    assert!(soon(chats.changes().next()).await.is_none());
    assert_eq!(chats.list().len(), 3);
    let late = soon(chats.open(chat_of(&server, 0))).await;
    assert!(matches!(late, Err(Error::Stopped(_))), "{late:?}");
}
