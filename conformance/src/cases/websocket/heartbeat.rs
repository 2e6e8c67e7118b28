//! Signs of life, in both directions. (WSK-8, WSK-9)

use std::time::Duration;

use i9chat_spec::CloseCode;

use crate::{
    cases,
    client::Frame,
    expect::{check, text_at},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Core:
    a_ping_is_answered ["WSK-9"],
    a_quiet_connection_has_heartbeats ["WSK-8"],
    the_server_pings_a_quiet_client ["WSK-9"],
    a_client_that_falls_silent_is_closed ["WSK-9", "WSK-13"],
}

/// The longest time between heartbeats that is waited for.
const LONGEST: u64 = 5000;

/// The time between heartbeats, where it is short enough to wait for.
fn heartbeat(world: &World) -> Verdict<Duration> {
    let heartbeat = world.lifetimes().heartbeat_ms;
    if heartbeat > LONGEST {
        return Err(Stop::skipped(format!("heartbeat_ms is {heartbeat}, too long to wait for ({LONGEST} at most)")));
    }
    Ok(Duration::from_millis(heartbeat))
}

async fn a_ping_is_answered(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    for payload in [b"".as_slice(), b"are you there?", &[7; 125]] {
        socket.pings(payload).await?;
        loop {
            match socket.next().await? {
                Frame::Pong(came) => {
                    check(came == payload, || ("the payload of the ping", format!("{came:?}")))?;
                    break;
                }
                Frame::Closed(closed) => return Err(Stop::failed("a pong", closed.to_string())),
                _ => {}
            }
        }
    }
    socket.catches_up().await
}

async fn a_quiet_connection_has_heartbeats(world: &World) -> Verdict {
    let patience = heartbeat(world)? * 3;
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    for _ in 0..2 {
        // Pings of the server are no heartbeats.
        let heartbeat = loop {
            match socket.next_within(patience).await? {
                Frame::Value(frame) => break frame,
                Frame::Closed(closed) => return Err(Stop::failed("a heartbeat", closed.to_string())),
                _ => {}
            }
        };
        check(heartbeat["type"] == "heartbeat", || ("a heartbeat", heartbeat.to_string()))?;
        let cursor = text_at(&heartbeat, "cursor")?;
        let resumed = alice.resumes(&cursor).await?;
        check(resumed.hello["resume"] == "resumed", || ("resumed", resumed.hello.to_string()))?;
    }
    Ok(())
}

async fn the_server_pings_a_quiet_client(world: &World) -> Verdict {
    let patience = heartbeat(world)? * 4;
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    loop {
        match socket.next_within(patience).await? {
            Frame::Ping => return socket.catches_up().await,
            Frame::Closed(closed) => return Err(Stop::failed("a ping", closed.to_string())),
            _ => {}
        }
    }
}

async fn a_client_that_falls_silent_is_closed(world: &World) -> Verdict {
    let patience = heartbeat(world)? * 4;
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let mut other = alice.connects().await?;
    socket.keep_silent();
    let falls_silent = async {
        loop {
            if let Frame::Closed(closed) = socket.next_within(patience).await? {
                return closed.is(CloseCode::HeartbeatTimeout);
            }
        }
    };
    // One that answers pings is not closed: reading them answers them.
    let answers_pings = async {
        loop {
            if let Frame::Closed(closed) = other.next_within(patience).await? {
                return Err::<(), _>(Stop::failed(
                    "a connection that goes on while it answers pings",
                    closed.to_string(),
                ));
            }
        }
    };
    tokio::select! {
        ended = falls_silent => ended?,
        ended = answers_pings => ended?,
    }
    other.catches_up().await
}
