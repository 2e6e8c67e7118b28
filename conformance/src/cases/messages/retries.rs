//! Sending the same again. (MSG-6 to MSG-8)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use futures_util::future::join_all;
use i9chat_spec::ErrorCode;
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::{missing_id, names},
    client::socket::{error_code, reply_data},
    expect::expect,
    verdict::Verdict,
    world::{
        World,
        conversation::{Draft, answers, seqs, texts},
    },
};

cases! { Messages:
    a_retried_send_answers_the_first_acknowledgement ["MSG-7"],
    the_same_send_many_times_at_once_makes_one_message ["MSG-7"],
    a_client_id_used_for_something_else_is_a_conflict ["MSG-8", "ERR-5"],
    a_client_id_is_unique_per_user_only ["MSG-6", "MSG-8"],
}

async fn a_retried_send_answers_the_first_acknowledgement(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut bobs = bob.connects().await?;
    let draft = Draft::new("only once");
    let first = alice.sends(&chat_id, &draft).await?;
    expect(alice.sends(&chat_id, &draft).await?).to_equal(&first)?;
    let mut socket = alice.connects().await?;
    socket.sends(&draft.frame(&chat_id)).await?;
    expect(reply_data(&socket.answered(&draft.client_id).await?)?).to_equal(&first)?;
    // Later, from another session, after other messages, the other way round.
    let by_socket = Draft::new("once, too");
    socket.sends(&by_socket.frame(&chat_id)).await?;
    let second = reply_data(&socket.answered(&by_socket.client_id).await?)?;
    bob.says(&chat_id, ["between"]).await?;
    let elsewhere = alice.signs_in_again().await?;
    expect(elsewhere.sends(&chat_id, &by_socket).await?).to_equal(&second)?;
    expect(elsewhere.sends(&chat_id, &draft).await?).to_equal(&first)?;

    expect(texts(&alice.history(&chat_id).await?)).to_equal(["only once", "once, too", "between"])?;
    let events = bob.has_caught_up(&mut bobs).await?;
    expect(names(&events)).to_equal(["chat_added", "message_created", "message_created", "message_created"])
}

async fn the_same_send_many_times_at_once_makes_one_message(world: &World) -> Verdict {
    const TIMES: usize = 12;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let mut bobs = bob.connects().await?;
    let draft = Draft::new("only once");
    let by_endpoint = join_all((0..TIMES).map(|_| alice.sends(&chat_id, &draft)));
    let by_action = async {
        let mut socket = alice.connects().await?;
        for number in 0..TIMES {
            socket.sends(&draft.frame_with_id(&format!("try {number}"), &chat_id)).await?;
        }
        answers(&mut socket, TIMES).await
    };
    let (by_endpoint, by_action) = Box::pin(async { tokio::join!(by_endpoint, by_action) }).await;
    let mut acknowledged: Vec<Value> = by_endpoint.into_iter().collect::<Result<_, _>>()?;
    for answer in by_action? {
        acknowledged.push(reply_data(&answer)?);
    }
    let first = acknowledged.first().cloned().unwrap_or_default();
    for other in &acknowledged {
        expect(other).to_equal(&first)?;
    }
    expect(seqs(&alice.history(&chat_id).await?)).to_equal([1])?;
    expect(names(&bob.has_caught_up(&mut bobs).await?)).to_equal(["chat_added", "message_created"])
}

async fn a_client_id_used_for_something_else_is_a_conflict(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let draft = Draft::new("hello");
    let first = alice.sends(&with_bob, &draft).await?;
    let other_text = draft.with_text("hello ");
    let missing = missing_id();
    let mut socket = alice.connects().await?;
    let wrong = [(&with_bob, &other_text), (&with_carol, &draft), (&with_carol, &other_text), (&missing, &draft)];
    for (number, (chat_id, draft)) in wrong.into_iter().enumerate() {
        alice.sending(chat_id, draft).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
        let id = format!("conflict {number}");
        socket.sends(&draft.frame_with_id(&id, chat_id)).await?;
        error_code(&socket.answered(&id).await?, ErrorCode::IdempotencyConflict)?;
    }
    // The first send stands, and so does its acknowledgement.
    expect(alice.sends(&with_bob, &draft).await?).to_equal(&first)?;
    expect(texts(&alice.history(&with_bob).await?)).to_equal(["hello"])?;
    expect(alice.history(&with_carol).await?).to_equal(json!([]))
}

async fn a_client_id_is_unique_per_user_only(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let draft = Draft::new("from alice");
    let first = alice.sends(&chat_id, &draft).await?;
    let second = bob.sends(&chat_id, &draft.with_text("from bob")).await?;
    expect(seqs([&first, &second])).to_equal([1, 2])?;
    expect(&first["message_id"]).to_differ_from(&second["message_id"])?;
    let history = alice.history(&chat_id).await?;
    expect(texts(&history)).to_equal(["from alice", "from bob"])?;
    for entry in &history {
        expect(&entry["client_id"]).to_equal(&draft.client_id)?;
    }
    Ok(())
}
