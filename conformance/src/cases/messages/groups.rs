//! Sending to groups. (MSG-4, MSG-7, MSG-9)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use futures_util::future::try_join_all;
use i9chat_spec::{ErrorCode, Profile};
use serde_json::json;

use crate::{
    cases,
    cases::chats::names,
    client::socket::reply_data,
    expect::expect,
    verdict::{Stop, Verdict},
    world::{
        World,
        conversation::{Draft, seqs, texts},
    },
};

cases! { Messages:
    a_message_to_a_group_reaches_every_member ["MSG-1", "MSG-5", "LOG-4", "GRP-1"],
    messages_and_activities_share_their_numbers ["MSG-4", "MSG-12", "GRP-20"],
    a_retry_has_its_answer_whatever_happened_since ["MSG-7", "MSG-9", "GRP-22"],
    unread_messages_of_a_group_are_those_of_others ["CHT-4", "CHT-5"],
}

async fn a_message_to_a_group_reaches_every_member(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let (mut alices, mut bobs) = (alice.listens().await?, bob.listens().await?);
    let (mut carols, mut daves) = (carol.listens().await?, dave.listens().await?);
    let draft = Draft::new("hello, all");
    let sent = bob.sends(&chat_id, &draft).await?;
    let wanted = json!({
        "type": "message", "seq": 2, "message_id": sent["message_id"], "chat_id": chat_id, "sender": bob.as_value(),
        "client_id": draft.client_id, "created_at": sent["created_at"], "content": draft.content(),
    });
    let told = alices.hears().await?;
    expect(names(&told)).to_equal(["message_created"])?;
    expect(&told[0]["data"]).to_equal(json!({ "message": wanted }))?;
    expect(&told[0]["chat_id"]).to_equal(&chat_id)?;
    expect(bobs.hears().await?).to_equal(&told)?;
    expect(carols.hears().await?).to_equal(&told)?;
    expect(names(&daves.hears().await?)).to_equal(json!([]))?;
    for user in [&alice, &bob, &carol] {
        expect(&user.history(&chat_id).await?[1]).to_equal(&wanted)?;
    }
    Ok(())
}

async fn messages_and_activities_share_their_numbers(world: &World) -> Verdict {
    const EACH: usize = 12;
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let mut carols = carol.listens().await?;
    let by_alice = async {
        for number in 0..EACH {
            alice.changes(&chat_id, &json!({ "name": format!("number {number}") })).await?;
        }
        Ok::<_, Stop>(())
    };
    let by_bob = try_join_all((0..EACH).map(|number| {
        let chat_id = &chat_id;
        let bob = &bob;
        async move { bob.sends(chat_id, &Draft::new(format!("number {number}"))).await }
    }));
    let (changed, sent) = Box::pin(async { tokio::join!(by_alice, by_bob) }).await;
    changed?;
    let sent = sent?;
    let history = alice.history(&chat_id).await?;
    expect(seqs(&history)).to_equal((1..=2 * EACH + 1).collect::<Vec<_>>())?;
    for acknowledged in &sent {
        let at = usize::try_from(acknowledged["seq"].as_u64().unwrap_or(0)).unwrap_or(0);
        expect(&history[at - 1]["message_id"]).to_equal(&acknowledged["message_id"])?;
    }
    // Each name follows the one before.
    let renamed = history.iter().filter(|entry| entry["kind"] == "name_changed");
    let mut before = json!("ours");
    for entry in renamed {
        expect(&entry["from"]).to_equal(&before)?;
        before = entry["to"].clone();
    }
    let heard = carols.hears().await?;
    let entries: Vec<_> =
        heard.iter().filter_map(|event| event["data"].get("activity").or(event["data"].get("message"))).collect();
    expect(entries).to_equal(&history[1..])
}

async fn a_retry_has_its_answer_whatever_happened_since(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob, &carol]).await?;
    let drafts = [Draft::new("from bob"), Draft::new("from carol")];
    let first = bob.sends(&chat_id, &drafts[0]).await?;
    let second = carol.sends(&chat_id, &drafts[1]).await?;
    bob.leaves(&chat_id).await?;
    alice.removes(&chat_id, &carol).await?;
    let mut alices = alice.listens().await?;
    for (user, draft, sent) in [(&bob, &drafts[0], &first), (&carol, &drafts[1], &second)] {
        expect(user.sends(&chat_id, draft).await?).to_equal(sent)?;
        let mut socket = user.connects().await?;
        socket.sends(&draft.frame(&chat_id)).await?;
        expect(reply_data(&socket.answered(&draft.client_id).await?)?).to_equal(sent)?;
        user.sending(&chat_id, &Draft::new("one more")).send().await?.refused_with(ErrorCode::NotMember)?;
    }
    expect(names(&alices.hears().await?)).to_equal(json!([]))?;
    // When the group is closed, too.
    alice.leaves(&chat_id).await?;
    expect(bob.sends(&chat_id, &drafts[0]).await?).to_equal(&first)?;
    alice.sending(&chat_id, &Draft::new("anybody?")).send().await?.refused_with(ErrorCode::NotMember)?;
    expect(texts(&carol.history(&chat_id).await?)).to_equal(["", "from bob", "from carol", "", ""])
}

async fn unread_messages_of_a_group_are_those_of_others(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let other = alice.founds("another", [&bob]).await?;
    alice.says(&chat_id, ["one", "two"]).await?;
    bob.says(&chat_id, ["three"]).await?;
    carol.joins(&chat_id).await?;
    carol.says(&chat_id, ["four"]).await?;
    for (user, unread) in [(&alice, 2), (&bob, 3), (&carol, 0)] {
        expect(&user.chat(&chat_id).await?["unread_count"]).to_equal(unread)?;
    }
    // An activity moves a chat to the front as a message does.
    let first = async || Ok::<_, Stop>(bob.reads("/v1/chats").await?["items"][0]["chat_id"].clone());
    expect(first().await?).to_equal(&chat_id)?;
    alice.changes(&other, &json!({ "name": "to the front" })).await?;
    expect(first().await?).to_equal(&other)?;
    expect(&bob.chat(&other).await?["unread_count"]).to_equal(0)
}
