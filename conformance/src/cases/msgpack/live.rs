//! Every action and event over a socket of MessagePack. (CNV-4, WSK-1)

use i9chat_spec::{Format, Profile};
use serde_json::{Value, json};
use uuid::Uuid;

use super::names;
use crate::{
    cases,
    client::{Socket, socket::reply_data},
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::{User, World, presence::Watcher},
};

cases! { Msgpack:
    every_action_is_done_in_messagepack ["CNV-4", "WSK-4", "RCP-2", "REA-1", "REA-3", "MSG-1"],
    every_event_is_the_same_value_in_messagepack ["CNV-4", "LOG-3", "GRP-20"],
    presence_and_typing_are_the_same_in_messagepack ["CNV-4", "PRS-5", "PRS-6", "PRS-11"],
}

async fn packed_socket(user: &User) -> Verdict<Socket> {
    user.handshake().format(Format::MessagePack).connect().await
}

async fn does(socket: &mut Socket, action: &str, data: &Value) -> Verdict<Value> {
    reply_data(&socket.asks(&format!("{action}-{}", rand::random::<u64>()), action, data).await?)
}

async fn every_action_is_done_in_messagepack(world: &World) -> Verdict {
    for profile in [Profile::Messages, Profile::Receipts, Profile::Reactions] {
        world.needs(profile)?;
    }
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let (mut alices, mut bobs) = (packed_socket(&alice).await?, packed_socket(&bob).await?);
    let client_id = Uuid::new_v4().to_string();
    let content = json!({ "kind": "text", "text": "packed" });
    let message = json!({ "chat_id": chat_id, "client_id": client_id, "content": content });
    let sent = does(&mut alices, "send_message", &message).await?;
    let message_id = text_at(&sent, "message_id")?;
    let marked = does(&mut bobs, "mark_receipts", &json!({ "marks": [{ "chat_id": chat_id, "read": 1 }] })).await?;
    expect(&marked["results"][0]["state"]).to_equal(json!({ "delivered": 1, "read": 1, "unread_count": 0 }))?;
    expect(alice.status_of(&chat_id, &message_id).await?).to_equal("read")?;
    let reaction = json!({ "chat_id": chat_id, "message_id": message_id, "emoji": "\u{2764}\u{fe0f}" });
    let reacted = does(&mut bobs, "set_reaction", &reaction).await?;
    expect(&reacted["reactions"]).to_equal(json!([{ "emoji": "\u{2764}\u{fe0f}", "count": 1 }]))?;
    let history = alice.history(&chat_id).await?;
    expect(&history[0]["reactions"]).to_equal(&reacted["reactions"])?;
    let which = json!({ "chat_id": chat_id, "message_id": message_id });
    does(&mut bobs, "remove_reaction", &which).await?;
    check(alice.history(&chat_id).await?[0].get("reactions").is_none(), || ("no reactions", "some"))
}

/// The events that two sockets of one user have read, up to a barrier that each of them has read.
async fn came_alike(user: &User, by_json: &mut Socket, packed: &mut Socket) -> Verdict<Vec<Value>> {
    let durable = |events: Vec<Value>| -> Vec<Value> {
        events.into_iter().filter(|event| event["event"] != "session_ended" && event.get("cursor").is_some()).collect()
    };
    let one = durable(user.has_caught_up(by_json).await?);
    let other = durable(user.has_caught_up(packed).await?);
    expect(&other).to_equal(&one)?;
    Ok(one)
}

async fn every_event_is_the_same_value_in_messagepack(world: &World) -> Verdict {
    for profile in [Profile::Groups, Profile::Receipts, Profile::Reactions, Profile::Users] {
        world.needs(profile)?;
    }
    let [alice, bob] = world.users().await?;
    let (mut by_json, mut packed) = (bob.connects().await?, packed_socket(&bob).await?);
    let chat_id = alice.founds("packed", [&bob]).await?;
    let sent = alice.says(&chat_id, ["one \u{1f600}"]).await?;
    let message_id = text_at(&sent[0], "message_id")?;
    bob.has_read(&chat_id, 2).await?;
    bob.reacts(&chat_id, &message_id, "\u{1f44d}").await?;
    let profile = json!({ "bio": "packed", "location": { "lat": -1.5, "lon": 2 } });
    bob.patch("/v1/me", &profile).send().await?.succeeded(200)?;
    alice.changes(&chat_id, &json!({ "name": "other" })).await?;
    alice.removes(&chat_id, &bob).await?;
    let events = came_alike(&bob, &mut by_json, &mut packed).await?;
    let kinds: std::collections::BTreeSet<_> = names(&events).into_iter().collect();
    for kind in [
        "chat_added",
        "group_activity",
        "message_created",
        "read_state_changed",
        "receipts_updated",
        "reaction_changed",
        "profile_changed",
        "membership_ended",
    ] {
        check(kinds.contains(kind), || (format!("an event {kind}"), format!("{kinds:?}")))?;
    }
    Ok(())
}

async fn presence_and_typing_are_the_same_in_messagepack(world: &World) -> Verdict {
    for profile in [Profile::Presence, Profile::Messages] {
        world.needs(profile)?;
    }
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["hello"]).await?;
    let mut watchers = [Watcher::new(bob.connects().await?), Watcher::new(packed_socket(&bob).await?)];
    let nobody = world.newcomer().username;
    for watcher in &mut watchers {
        let reply = watcher.subscribes_to_names(&[&alice.username, &nobody]).await?;
        expect(reply).to_equal(json!({ "presences": [alice.as_never_seen()], "not_found": [nobody] }))?;
    }
    let mut typing = packed_socket(&alice).await?;
    for watcher in &mut watchers {
        watcher.sees_coming(&alice).await?;
    }
    expect(does(&mut typing, "set_typing", &json!({ "chat_id": chat_id })).await?).to_equal(json!({}))?;
    let mut heard = Vec::new();
    for watcher in &mut watchers {
        let event = watcher.socket().event("typing").await?;
        expect(&event["data"]["user"]).to_equal(alice.as_value())?;
        heard.push(event);
    }
    expect(&heard[0]).to_equal(&heard[1])?;
    typing.closes().await?;
    let mut times = Vec::new();
    for watcher in &mut watchers {
        times.push(watcher.sees_going(&alice).await?);
    }
    expect(&times[0]).to_equal(&times[1])?;
    let [_, packed] = &mut watchers;
    packed.unsubscribes_from_names(&[&alice.username]).await
}
