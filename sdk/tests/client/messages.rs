//! Sending, and hearing of what happens.

use std::time::Duration;

use futures_util::future::join_all;
use i9chat_sdk::content;
use i9chat_sdk::{Error, ErrorClass, StopReason};
use i9chat_spec::{
    Caption, ChatId, Content, ErrorCode, Example, Format, MediaId, MessageText, api::messages::NewMessage,
};

use crate::{
    by_password, connected, hurried, seqs, soon,
    stub::{Order, Stub, World},
};

#[tokio::test]
async fn a_message_is_sent_in_either_encoding() {
    for format in Format::ALL.iter().copied() {
        let stub = Stub::start().await;
        let client = soon(hurried(&stub, by_password()).format(format).connect()).await.expect("connects");
        let sent = soon(client.direct("Bob").await.expect("a chat").send("hello")).await.expect("sent");
        assert_eq!(sent.seq.get(), 1);
        let mut updates = client.updates();
        let update = soon(updates.next()).await.expect("an update");
        let message = update.message().expect("a message");
        assert_eq!((message.message_id, message.content.text()), (sent.message_id, Some("hello")));
    }
}

#[tokio::test]
async fn after_a_cut_it_goes_on_from_the_last_event() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.peer_sends(2);
    assert_eq!(seqs(&client, 2).await, [1, 2]);
    stub.order(Order::Cut);
    soon(stub.until(|world| world.lines == 0)).await;
    stub.peer_sends(3);
    assert_eq!(seqs(&client, 3).await, [3, 4, 5]);
    let cursors: Vec<_> = stub.look(|world| world.handshakes.iter().map(|(cursor, _)| cursor.clone()).collect());
    assert_eq!(cursors, [None, Some(World::cursor(2))]);
}

#[tokio::test]
async fn a_send_whose_answer_is_lost_is_stored_once_and_acknowledged() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let bob = client.direct("bob").await.expect("a chat");
    stub.change(|world| world.cuts_before_answer = 3);
    let sent = soon(bob.send("hello")).await.expect("sent");
    let arrivals = stub.look(|world| world.arrivals.clone());
    assert_eq!(arrivals.len(), 4);
    assert!(arrivals.iter().all(|id| *id == arrivals[0]), "one client_id for all tries");
    assert_eq!(stub.look(|world| world.messages().map(|message| message.seq).collect::<Vec<_>>()), [sent.seq]);
    assert_eq!(seqs(&client, 1).await, [1]);
}

#[tokio::test]
async fn texts_sent_without_waiting_keep_their_order_across_cuts() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let bob = client.direct("bob").await.expect("a chat");
    stub.change(|world| world.cuts_before_answer = 5);
    let texts: Vec<String> = (0..40).map(|number| format!("number {number}")).collect();
    let sent = soon(join_all(texts.iter().map(|text| bob.send(text)))).await;
    let sent: Vec<u64> = sent.into_iter().map(|sent| sent.expect("sent").seq.get()).collect();
    assert_eq!(sent, (1..=40).collect::<Vec<_>>());
    let stored = |world: &World| {
        world.messages().filter_map(|message| Some(message.content.text()?.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(stub.look(stored), texts);
}

#[tokio::test]
async fn a_full_queue_stops_no_send_and_loses_no_event() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).update_capacity(4).connect()).await.expect("connects");
    stub.peer_sends(20);
    // Nobody reads the updates, and yet:
    soon(client.chat(ChatId::example()).send("hello")).await.expect("sent");
    assert_eq!(seqs(&client, 21).await, (1..=21).collect::<Vec<_>>());
    assert!(stub.look(|world| world.handshakes.len()) > 1, "it came back for what it had no room for");
}

#[tokio::test]
async fn a_later_run_goes_on_where_an_earlier_one_stopped() {
    let stub = Stub::start().await;
    stub.peer_sends(5);
    let client = soon(hurried(&stub, by_password()).resume_from(World::cursor(3)).connect()).await.expect("connects");
    assert_eq!(seqs(&client, 2).await, [4, 5]);
}

#[tokio::test]
async fn a_reset_reaches_the_application() {
    let stub = Stub::start().await;
    let elsewhere = "of-another-log".parse().expect("a cursor");
    let client = soon(hurried(&stub, by_password()).resume_from(elsewhere).connect()).await.expect("connects");
    let update = soon(client.updates().next()).await.expect("an update");
    assert!(update.needs_reread(), "{update:?}");
}

#[tokio::test]
async fn too_many_waiting_sends_are_refused() {
    let stub = Stub::start().await;
    let client = soon(hurried(&stub, by_password()).max_pending_sends(0).connect()).await.expect("connects");
    let error = soon(client.chat(ChatId::example()).send("hello")).await.expect_err("no room");
    assert!(matches!(error, Error::Overloaded) && error.is_retryable());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_not_sent() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let error = client.chat(ChatId::example()).send("x".repeat(MessageText::MAX + 1)).await.expect_err("too long");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Permanent);
    assert!(stub.look(|world| world.arrivals.is_empty()));
}

#[tokio::test]
async fn the_line_closes_with_the_last_handle() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let (chat, mut updates) = (client.chat(ChatId::example()), client.updates());
    drop(client);
    soon(chat.send("hello")).await.expect("a chat is a handle too");
    assert!(soon(updates.next()).await.is_some_and(|update| update.message().is_some()));
    drop(chat);
    assert_eq!(soon(updates.next()).await, None);
    soon(stub.until(|world| world.lines == 0)).await;
}

#[tokio::test]
async fn close_answers_the_sends_that_wait() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.change(|world| world.cuts_before_answer = usize::MAX);
    let chat = client.chat(ChatId::example());
    let sending = tokio::spawn(async move { chat.send("hello").await });
    soon(stub.until(|world| !world.arrivals.is_empty())).await;
    soon(client.close()).await;
    let error = soon(sending).await.expect("no panic").expect_err("not acknowledged");
    assert!(matches!(error, Error::Stopped(StopReason::ByApplication)), "{error:?}");
    let late = client.chat(ChatId::example()).send_message(NewMessage::example()).await;
    assert!(matches!(late, Err(Error::Stopped(StopReason::ByApplication))), "{late:?}");
}

#[tokio::test]
async fn media_of_every_kind_is_sent_from_finished_uploads() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let (chat, id) = (client.chat(ChatId::example()), MediaId::example());
    let photos = content::image(id).size(1600, 1200).and(id).caption("The view");
    soon(chat.send(photos)).await.expect("sent");
    soon(chat.send(content::video(id))).await.expect("sent");
    soon(chat.send(content::voice(id, Duration::from_secs(7)))).await.expect("sent");
    soon(chat.send(content::audio(id).title("Sabre Dance"))).await.expect("sent");
    soon(chat.send(content::file(id, "report.pdf"))).await.expect("sent");
    let kept: Vec<Content> = stub.look(|world| world.messages().map(|message| message.content.clone()).collect());
    let [Content::Image { items, caption }, Content::Video { .. }, Content::Voice { duration_ms, .. }, audio, file] =
        kept.as_slice()
    else {
        panic!("{kept:?}")
    };
    let sizes: Vec<_> = items.iter().map(|item| item.width.zip(item.height).map(|(w, h)| (w.get(), h.get()))).collect();
    assert_eq!(sizes, [Some((1600, 1200)), None]);
    assert_eq!(caption.as_ref().map(Caption::as_str), Some("The view"));
    assert_eq!(duration_ms.get(), 7000);
    let words = |content: &Content| content.snippet().map(|snippet| snippet.as_str().to_owned());
    assert_eq!((words(audio).as_deref(), words(file).as_deref()), (Some("Sabre Dance"), Some("report.pdf")));
}

#[tokio::test]
async fn content_that_breaks_a_rule_is_not_sent() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let (chat, id) = (client.chat(ChatId::example()), MediaId::example());
    let eleven = (0..10).fold(content::image(id), |images, _| images.and(id));
    for outcome in [
        soon(chat.send(eleven)).await,
        soon(chat.send(content::image(id).size(0, 1))).await,
        soon(chat.send(content::image(id).caption(""))).await,
        soon(chat.send(content::voice(id, Duration::ZERO))).await,
        soon(chat.send(content::voice(id, Duration::MAX))).await,
        soon(chat.send(content::file(id, "../secret"))).await,
        soon(chat.send(content::audio(id).title("x".repeat(201)))).await,
    ] {
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    }
    assert!(stub.look(|world| world.arrivals.is_empty()));
}

#[tokio::test]
async fn a_reply_names_its_message() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.peer_sends(1);
    let mut updates = client.updates();
    let question = soon(updates.next()).await.expect("an update").message().expect("a message").clone();
    let chat = client.chat(question.chat_id);
    soon(chat.reply(question.message_id, "yes")).await.expect("sent");
    soon(chat.message(question.message_id).reply("and no")).await.expect("sent");
    let replies: Vec<_> = stub.look(|world| {
        world.messages().filter_map(|message| message.reply_to.as_ref().map(|quote| quote.message_id)).collect()
    });
    assert_eq!(replies, [question.message_id; 2]);
}

#[tokio::test]
async fn a_message_is_read_by_its_handle_and_reacted_to() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let chat = client.chat(ChatId::example());
    let sent = soon(chat.send("Shall we?")).await.expect("sent");
    let message = chat.message(sent.message_id);
    assert_eq!(soon(message.clone()).await.expect("read").seq, sent.seq);
    let now = soon(message.react("👍")).await.expect("set");
    assert_eq!(now.iter().map(|reaction| reaction.emoji.as_str()).collect::<Vec<_>>(), ["👍"]);
    assert_eq!(soon(chat.unreact(sent.message_id)).await.expect("removed"), []);
    let mut who = message.reactions().items();
    assert!(soon(who.next()).await.expect("one").is_ok());
    let error = soon(message.react("👍👎")).await.expect_err("two of them");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let error = soon(chat.message(i9chat_spec::MessageId::example())).await.expect_err("no such message");
    assert_eq!(error.code(), Some(ErrorCode::MessageNotFound));
}
