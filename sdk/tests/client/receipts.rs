//! Marks on their way: together, only the furthest, over the line or without it.

use i9chat_sdk::{Error, StopReason};
use i9chat_spec::{ChatId, ErrorCode, Example, MessageStatus, Problem, Seq, Watermark};
use serde_json::Value;

use crate::{
    by_password, connected, hurried, seqs, soon,
    stub::{Order, Stub, World, numbered, problem},
};

fn seq(number: u64) -> Seq {
    Seq::try_from(number).expect("a seq")
}

fn at(number: u64) -> Watermark {
    Watermark::try_from(number).expect("a watermark")
}

/// The marks that came over lines, each as what it says.
fn marks(world: &World) -> Vec<Value> {
    let marks = world.actions.iter().filter(|(action, _)| action == "mark_receipts");
    marks.flat_map(|(_, data)| data["marks"].as_array().expect("a list").clone()).collect()
}

#[tokio::test]
async fn messages_of_others_are_marked_as_delivered_by_themselves() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.peer_sends(30);
    assert_eq!(seqs(&client, 30).await.len(), 30);
    soon(stub.until(|world| world.delivered == at(30))).await;
    assert!(stub.look(|world| marks(world).len()) <= 10, "what comes together is marked together");
    assert_eq!(stub.look(|world| world.read), Watermark::ZERO);

    // One's own messages are nothing new, so that the next mark is that of the next message.
    soon(client.chat(ChatId::example()).send("hello")).await.expect("sent");
    stub.peer_sends(1);
    soon(stub.until(|world| world.delivered == at(32))).await;
    let told = stub.look(marks);
    assert!(told.iter().all(|mark| mark["delivered"] != 31 && mark.get("read").is_none()), "{told:?}");
}

#[tokio::test]
async fn a_chat_that_is_listed_is_delivered() {
    let stub = Stub::start().await;
    stub.peer_sends(7);
    let client = connected(&stub).await;
    soon(client.chats().next()).await.expect("a page").expect("a page");
    soon(stub.until(|world| world.delivered == at(7))).await;
}

#[tokio::test]
async fn nothing_is_marked_by_itself_when_that_is_not_wanted() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).auto_delivered(false).connect()).await.expect("connects");
    stub.peer_sends(3);
    seqs(&client, 3).await;
    soon(client.chats().next()).await.expect("a page").expect("a page");
    // This mark would come after any other.
    let state = soon(client.chat(ChatId::example()).mark_delivered(seq(2))).await.expect("marked");
    assert_eq!((state.delivered, state.read), (at(2), Watermark::ZERO));
    assert_eq!(stub.look(|world| marks(world).len()), 1);
}

#[tokio::test]
async fn marks_that_come_together_travel_together() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).auto_delivered(false).connect()).await.expect("connects");
    stub.peer_sends(50);
    seqs(&client, 50).await;
    let chat = client.chat(ChatId::example());
    let marking = (1..=50).map(|number| {
        let chat = chat.clone();
        async move { chat.mark_read(seq(number)).await }
    });
    for (number, state) in (1..).zip(soon(futures_util::future::join_all(marking)).await) {
        assert!(state.expect("marked").read >= at(number));
    }
    assert!(stub.look(|world| marks(world).len()) <= 3, "{:?}", stub.look(marks));
    let message = chat.message(i9chat_spec::MessageId::from_uuid(numbered(50)));
    assert_eq!(soon(message.status()).await.expect("a status"), MessageStatus::Read);
    let mut receipts = chat.receipts().items();
    assert_eq!(soon(receipts.next()).await.expect("one").expect("a receipt").read, at(50));
    assert!(soon(message.receipts().items().next()).await.expect("one").is_ok());
}

#[tokio::test]
async fn a_mark_that_is_refused_says_why() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let beyond = soon(client.chat(ChatId::example()).mark_read(seq(1))).await.expect_err("there is nothing");
    assert_eq!(beyond.code(), Some(ErrorCode::BeyondLastEntry));
    let elsewhere = client.chat(ChatId::from_uuid(numbered(9)));
    let error = soon(elsewhere.mark_read(seq(1))).await.expect_err("not the user's");
    assert_eq!((error.code(), error.is_retryable()), (Some(ErrorCode::ChatNotFound), false));
}

#[tokio::test]
async fn a_mark_is_tried_again_until_the_server_has_it() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).auto_delivered(false).connect()).await.expect("connects");
    stub.peer_sends(1);
    seqs(&client, 1).await;
    let limited = Problem { retry_after_ms: Some(20), ..problem(ErrorCode::RateLimited) };
    stub.change(|world| world.action_faults.push_back(limited));
    let state = soon(client.chat(ChatId::example()).mark_read(seq(1))).await.expect("marked");
    assert_eq!((state.read, stub.look(|world| marks(world).len())), (at(1), 2));
}

#[tokio::test]
async fn without_a_line_a_mark_goes_by_a_call() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).auto_delivered(false).connect()).await.expect("connects");
    stub.peer_sends(1);
    seqs(&client, 1).await;
    stub.change(|world| world.lines_refused = true);
    stub.order(Order::Cut);
    soon(stub.until(|world| world.lines == 0)).await;
    let mut state = client.state();
    soon(state.wait_for(|state| !matches!(state, i9chat_sdk::ConnectionState::Connected { .. })))
        .await
        .expect("a state");
    let state = soon(client.chat(ChatId::example()).mark_read(seq(1))).await.expect("marked");
    assert_eq!((state.read, stub.count("POST /v1/receipts")), (at(1), 1));
}

#[tokio::test]
async fn a_mark_of_a_client_that_has_stopped_ends_so() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let chat = client.chat(ChatId::example());
    soon(client.close()).await;
    let error = soon(chat.mark_read(seq(1))).await.expect_err("stopped");
    assert!(matches!(error, Error::Stopped(StopReason::ByApplication)), "{error:?}");
}

#[tokio::test]
async fn typing_is_told_once_in_a_while() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let chat = client.chat(ChatId::example());
    for _ in 0..100 {
        chat.typing();
    }
    soon(chat.send("hello")).await.expect("sent");
    let typed = |world: &World| world.actions.iter().filter(|(action, _)| action == "set_typing").count();
    assert_eq!(stub.look(typed), 1, "once for a hundred key presses");
    // The message has ended it: who goes on is shown again.
    chat.typing();
    soon(stub.until(|world| typed(world) == 2)).await;
}
