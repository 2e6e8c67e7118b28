//! Section 16: the handshake, frames, and why a connection is closed.

mod flow;
mod frames;
mod heartbeat;
mod slow;

use i9chat_spec::{CloseCode, ErrorCode, Format, Profile};
use serde_json::json;

use crate::{
    case::Case,
    cases,
    client::{Frame, socket::error_code},
    expect::{check, expect, text_at},
    verdict::{Stop, Verdict},
    world::World,
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, frames::CASES, flow::CASES, heartbeat::CASES, slow::CASES].concat()
}

cases! { Core:
    the_first_subprotocol_that_the_server_knows_is_selected ["WSK-1"],
    without_a_known_subprotocol_the_connection_is_closed ["WSK-1", "WSK-2"],
    a_refused_handshake_is_upgraded_and_closed ["WSK-2", "WSK-13"],
    hello_is_the_first_frame ["WSK-3"],
    what_is_sent_before_hello_is_answered_after_it ["WSK-3", "WSK-4"],
}

async fn the_first_subprotocol_that_the_server_knows_is_selected(world: &World) -> Verdict {
    let alice = world.user().await?;
    let (json, msgpack) = (Format::Json.subprotocol(), Format::MessagePack.subprotocol());
    let mut offers = vec![(vec![json], json), (vec!["i9chat.v9.json", "chat", json], json)];
    if world.claims(Profile::Msgpack) {
        offers.extend([(vec![json, msgpack], json), (vec![msgpack, json], msgpack), (vec!["x", msgpack], msgpack)]);
    }
    for (offered, selected) in offers {
        let socket = alice.handshake().protocols(offered).connect().await?;
        expect(&socket.selected).to_equal(selected)?;
    }
    Ok(())
}

async fn without_a_known_subprotocol_the_connection_is_closed(world: &World) -> Verdict {
    let alice = world.user().await?;
    for offered in [vec![], vec!["chat"], vec!["i9chat.v9.json", "I9CHAT.V1.JSON"]] {
        alice.handshake().protocols(offered).refused_with(CloseCode::UnsupportedProtocol).await?;
    }
    alice.handshake().connect().await?;
    Ok(())
}

async fn a_refused_handshake_is_upgraded_and_closed(world: &World) -> Verdict {
    let alice = world.user().await?;
    alice.anonymous().handshake().refused_with(CloseCode::Unauthenticated).await?;
    alice.with_token("rubbish").handshake().refused_with(CloseCode::Unauthenticated).await?;
    alice.handshake().origin("https://evil.example").refused_with(CloseCode::ForeignOrigin).await?;
    alice.handshake().protocols(["chat"]).refused_with(CloseCode::UnsupportedProtocol).await?;
    alice.signs_out().await?;
    alice.handshake().refused_with(CloseCode::SessionEnded).await?;
    Ok(())
}

async fn hello_is_the_first_frame(world: &World) -> Verdict {
    let alice = world.user().await?;
    let [one, other] = [alice.handshake().connect().await?, alice.handshake().connect().await?];
    let capabilities = alice.get("/v1/capabilities").send().await?.succeeded(200)?;
    for socket in [&one, &other] {
        let hello = &socket.hello;
        expect(&hello["protocol"]).to_equal(1)?;
        expect(&hello["session_id"]).to_equal(&alice.session_id)?;
        expect(&hello["resume"]).to_equal("fresh")?;
        expect(&hello["heartbeat_ms"]).to_equal(&capabilities["lifetimes"]["heartbeat_ms"])?;
        for limit in
            ["max_frame_bytes", "frames_per_second", "frames_burst", "max_resume_events", "max_presence_subscriptions"]
        {
            expect(&hello["limits"][limit]).to_equal(&capabilities["limits"][limit])?;
        }
        for field in ["epoch", "cursor"] {
            check(!text_at(hello, field)?.is_empty(), || (format!("a text in {field}"), hello.to_string()))?;
        }
    }
    expect(&one.hello["connection_id"]).to_differ_from(&other.hello["connection_id"])?;
    expect(&one.hello["epoch"]).to_equal(&other.hello["epoch"])
}

async fn what_is_sent_before_hello_is_answered_after_it(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.handshake().upgrade().await?;
    socket.sends(&json!({ "id": "early", "action": "no_such_action", "data": {} })).await?;
    match socket.next().await? {
        Frame::Value(hello) if hello["type"] == "hello" => {}
        other => return Err(Stop::failed("hello as the first frame", other.to_string())),
    }
    error_code(&socket.answered("early").await?, ErrorCode::UnknownAction)
}
