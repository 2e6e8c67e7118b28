//! How much a client may do. (WSK-11, WSK-14)

use std::time::Instant;

use i9chat_spec::{CloseCode, ErrorCode};
use serde_json::{Value, json};

use crate::{
    cases,
    client::{Frame, Socket, socket::error_code},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Core:
    too_many_actions_are_refused_and_then_close_the_connection ["WSK-11", "CAP-2", "ERR-7"],
    a_user_has_no_more_connections_than_the_limit ["WSK-14", "WSK-13", "CAP-2"],
}

/// How many frames are under way at a time.
const WINDOW: u64 = 500;

/// Sends a window of actions and reads until each is answered; the codes of the answers, in order, or the end.
async fn asks_a_window(socket: &mut Socket, from: u64) -> Verdict<Result<Vec<Value>, Frame>> {
    for number in from..from + WINDOW {
        socket.sends(&json!({ "id": number.to_string(), "action": "no_such_action", "data": {} })).await?;
    }
    let mut answers = Vec::new();
    while answers.len() as u64 != WINDOW {
        match socket.next().await? {
            Frame::Value(frame) if frame["type"] == "error" => answers.push(frame),
            end @ Frame::Closed(_) => return Ok(Err(end)),
            _ => {}
        }
    }
    Ok(Ok(answers))
}

async fn too_many_actions_are_refused_and_then_close_the_connection(world: &World) -> Verdict {
    const MOST: u64 = 20_000;
    let (burst, rate) = (world.limits().frames_burst, world.limits().frames_per_second);
    if burst > MOST || rate > 2000 {
        return Err(Stop::skipped(format!("a burst of {burst} actions and {rate} a second are too many to try")));
    }
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let begun = Instant::now();
    let mut refused = 0;
    let mut asked = 0;
    let end = loop {
        let answers = match asks_a_window(&mut socket, asked).await? {
            Ok(answers) => answers,
            Err(end) => break end,
        };
        for answer in &answers {
            asked += 1;
            if answer["error"]["code"] == "unknown_action" {
                continue;
            }
            error_code(answer, ErrorCode::RateLimited)?;
            expect(&answer["error"]["retry_after_ms"]).to_be_within(1, 60_000)?;
            // All of the burst is granted.
            check(asked > burst, || (format!("{burst} actions at once"), format!("rate_limited for number {asked}")))?;
            refused += 1;
        }
        // What the rate grants meanwhile is far less than what is asked for.
        check(asked < burst + 10 * rate || refused > 0, || {
            ("rate_limited", format!("{asked} actions granted in {:?}", begun.elapsed()))
        })?;
        check(refused < MOST, || ("a close with 4004", format!("{refused} refusals and no close")))?;
    };
    let Frame::Closed(closed) = end else { return Err(Stop::failed("a close", end.to_string())) };
    closed.is(CloseCode::RateLimited)?;
    check(refused > 0, || ("rate_limited before the close", "a close at once"))?;
    // It was about that connection alone.
    alice.connects().await?.catches_up().await
}

async fn a_user_has_no_more_connections_than_the_limit(world: &World) -> Verdict {
    const MOST: u64 = 200;
    let limit = world.limits().max_connections_per_user;
    if limit > MOST {
        return Err(Stop::skipped(format!("max_connections_per_user is {limit}, too many to try ({MOST} at most)")));
    }
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    // Where a server has several nodes, these two reach different ones.
    let devices = [&alice, &phone.seen_by(world), &phone.seen_by(world)];
    let mut sockets = Vec::new();
    for (_, device) in (0..limit).zip(devices.iter().cycle()) {
        sockets.push(device.handshake().connect().await?);
    }
    for device in devices {
        device.handshake().refused_with(CloseCode::Overloaded).await?;
    }
    // Another user is not concerned, and those that are open go on.
    bob.handshake().connect().await?;
    let Some(mut first) = sockets.pop() else { return Err(Stop::failed("a limit above 0", limit.to_string())) };
    first.catches_up().await?;
    // One less makes room for one more; the server has answered the close by the time that it is read.
    first.closes().await?;
    first.closed().await?;
    loop {
        let mut next = alice.handshake().upgrade().await?;
        match next.next().await? {
            Frame::Value(hello) if hello["type"] == "hello" => return Ok(()),
            Frame::Closed(closed) => closed.is(CloseCode::Overloaded)?,
            other => return Err(Stop::failed("hello", other.to_string())),
        }
    }
}
