//! Connections: half a request, no request, too many of them, and one who floods.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, future::try_join_all, stream, try_join};
use i9chat_spec::{CloseCode, ErrorCode};
use tokio::io::AsyncWriteExt;

use super::Bystanders;
use crate::{
    cases,
    client::{Client, dial::Stream},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{World, patiently},
};

cases! { Robustness:
    what_is_no_request_is_answered_with_a_bare_status ["ERR-9"],
    a_request_with_two_lengths_is_not_taken_for_two ["ERR-9", "CNV-16"],
    half_sent_requests_hold_nobody_up ["ERR-9", "ERR-2"],
    many_connections_that_say_nothing_hold_nobody_up ["ERR-2", "WSK-14"],
    handshakes_that_are_refused_hold_nobody_up ["WSK-2", "WSK-14"],
    one_who_floods_is_limited_and_nobody_else ["ERR-7", "CAP-2", "ERR-8"],
    one_who_floods_a_connection_delays_nobody_else ["WSK-11", "ERR-7"],
}

/// Opens a connection, and sends these bytes over it.
pub(super) async fn opens_with(client: &Client, bytes: &[u8]) -> Verdict<Box<dyn Stream>> {
    let opening = async {
        let mut stream = client.origin().dial(client.source).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok::<_, std::io::Error>(stream)
    };
    let told = |error: std::io::Error| Stop::failed("a connection that can be opened", error.to_string());
    opening.await.map_err(told)
}

async fn what_is_no_request_is_answered_with_a_bare_status(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let visitor = world.visitor();
    let host = visitor.origin().authority();
    for (what, bytes) in [
        ("nonsense", b"nonsense\r\n\r\n".to_vec()),
        ("no version", b"GET /v1/me\r\n\r\n".to_vec()),
        ("another version", format!("GET /v1/me HTTP/9.9\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("a space in the path", format!("GET /v1/ me HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("NUL in the path", format!("GET /v1/\0me HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("NUL in a header", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\nX-A: \0\r\n\r\n").into_bytes()),
        ("a header without a name", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\n: x\r\n\r\n").into_bytes()),
        ("a header without a colon", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\nX\r\n\r\n").into_bytes()),
        ("a space before the colon", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\nX-A : 1\r\n\r\n").into_bytes()),
        (
            "a length that is none",
            format!("POST /v1/signup HTTP/1.1\r\nHost: {host}\r\nContent-Length: ten\r\n\r\n").into_bytes(),
        ),
        (
            "a negative length",
            format!("POST /v1/signup HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n").into_bytes(),
        ),
        ("a hello of TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n".to_vec()),
    ] {
        let answer = visitor.sends_bytes(what, &bytes).await?;
        check(matches!(answer.status, 400 | 431), || (format!("a bare 400 or 431 for {what}"), answer.to_string()))?;
        expect(answer.body.len()).to_equal(0)?;
    }
    // More headers than anybody needs.
    let many = "X-A: 1\r\n".repeat(3000);
    let answer = visitor
        .sends_bytes("3,000 headers", format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\n{many}\r\n").as_bytes())
        .await?;
    check(matches!(answer.status, 400 | 431), || ("a bare 400 or 431 for 3,000 headers", answer.to_string()))?;
    bystanders.go_on().await
}

async fn a_request_with_two_lengths_is_not_taken_for_two(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let visitor = world.visitor();
    let host = visitor.origin().authority();
    let smuggled = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let start = format!("POST /v1/nothing HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n");
    let length = smuggled.len() + 5;
    for (what, bytes) in [
        (
            "a length and chunks",
            format!(
                "{start}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        (
            "two lengths",
            format!("{start}Content-Length: 0\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{smuggled}"),
        ),
        ("a length in two", format!("{start}Content-Length: 0, {length}\r\nConnection: close\r\n\r\n{smuggled}")),
        (
            "chunks of an unknown coding",
            format!("{start}Transfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "a chunk that is too long for a number",
            format!("{start}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nfffffffffffffffff\r\n{smuggled}"),
        ),
    ] {
        let answer = visitor.sends_bytes(what, bytes.as_bytes()).await?;
        // The one request is refused, one way or the other; health, which is good, is never answered.
        check((400..500).contains(&answer.status), || (format!("a refusal of {what}"), answer.to_string()))?;
    }
    bystanders.go_on().await
}

async fn half_sent_requests_hold_nobody_up(world: &World) -> Verdict {
    const MANY: usize = 60;
    let mut bystanders = Bystanders::of(world).await?;
    let visitor = world.visitor();
    let host = visitor.origin().authority();
    let halves = [
        "G".to_owned(),
        "GET /v1/capabilities HTTP/1.1\r\nHost".to_owned(),
        format!("GET /v1/capabilities HTTP/1.1\r\nHost: {host}\r\n"),
        format!(
            "POST /v1/signup HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        ),
        format!(
            "POST /v1/signup HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{\"a"
        ),
    ];
    let opening = (0..MANY).map(|turn| {
        let half = halves.get(turn % halves.len()).cloned().unwrap_or_default();
        let visitor = &visitor;
        async move { opens_with(visitor, half.as_bytes()).await }
    });
    let held = try_join_all(opening).await?;
    bystanders.go_on().await?;
    visitor.get("/v1/capabilities").send().await?.succeeded(200)?;
    expect(held.len()).to_equal(MANY)?;
    drop(held);
    bystanders.go_on().await
}

async fn many_connections_that_say_nothing_hold_nobody_up(world: &World) -> Verdict {
    const MANY: usize = 200;
    let mut bystanders = Bystanders::of(world).await?;
    let visitor = world.visitor();
    let held = try_join_all((0..MANY).map(|_| opens_with(&visitor, b""))).await?;
    bystanders.go_on().await?;
    world.user().await?.connects().await?.catches_up().await?;
    drop(held);
    bystanders.go_on().await
}

async fn handshakes_that_are_refused_hold_nobody_up(world: &World) -> Verdict {
    const MANY: usize = 60;
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    for turn in 0..MANY {
        let wrong = match turn % 3 {
            0 => user.with_token("rubbish").handshake().refused_with(CloseCode::Unauthenticated).await,
            1 => user.handshake().protocols(["chat"]).refused_with(CloseCode::UnsupportedProtocol).await,
            _ => user.handshake().path("/v1/ws?cursor=a.b").refused_with(CloseCode::InvalidRequest).await,
        };
        wrong?;
    }
    // None of them counts as a connection of the user.
    let mut sockets = Vec::new();
    for _ in 0..world.limits().max_connections_per_user.min(20) {
        sockets.push(user.connects().await?);
    }
    bystanders.go_on().await
}

async fn one_who_floods_is_limited_and_nobody_else(world: &World) -> Verdict {
    const MOST: u64 = 5000;
    const AT_ONCE: usize = 24;
    let (burst, rate) = (world.limits().requests_burst, world.limits().requests_per_second);
    if burst + 10 * rate > MOST {
        return Err(Stop::skipped(format!("a burst of {burst} requests and {rate} a second are too many to try")));
    }
    let mut bystanders = Bystanders::of(world).await?;
    let [flooding, other] = world.users().await?;
    let done = AtomicBool::new(false);
    let flood = async {
        let most = burst + 10 * rate;
        // Requests of many kinds, good and bad, count alike.
        let requests = stream::iter(0..most).map(|turn| match turn % 4 {
            0 => flooding.get("/v1/me").send(),
            1 => flooding.get("/v1/sessions").send(),
            2 => flooding.request("PATCH", "/v1/me").body("application/json", "{").send(),
            _ => flooding.get(format!("/v1/users/{}", other.username)).send(),
        });
        let mut answers = requests.buffer_unordered(AT_ONCE);
        let mut limited = None;
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            if answer.status == 429 {
                limited = Some(answer);
                break;
            }
            check(answer.status < 500, || ("no fault of the server", answer.to_string()))?;
        }
        done.store(true, Ordering::Relaxed);
        Ok::<_, Stop>(limited)
    };
    let going_on = async {
        while !done.load(Ordering::Relaxed) {
            bystanders.go_on().await?;
        }
        Ok::<_, Stop>(())
    };
    let (limited, ()) = try_join!(flood, going_on)?;
    let Some(limited) = limited else {
        return Err(Stop::failed("rate_limited for one who floods", "all of it granted"));
    };
    let problem = limited.refused_with(ErrorCode::RateLimited)?;
    expect(&problem["retry_after_ms"]).to_be_within(1, 60_000)?;
    limited.needs_header("retry-after")?;
    // After a while they are served again.
    patiently(flooding.get("/v1/me")).await?.succeeded(200)?;
    bystanders.go_on().await
}

async fn one_who_floods_a_connection_delays_nobody_else(world: &World) -> Verdict {
    const MOST: u64 = 10_000;
    let (burst, rate) = (world.limits().frames_burst, world.limits().frames_per_second);
    if burst + 10 * rate > MOST {
        return Err(Stop::skipped(format!("a burst of {burst} actions and {rate} a second are too many to try")));
    }
    let mut bystanders = Bystanders::of(world).await?;
    let flooding = world.user().await?;
    let mut socket = flooding.connects().await?;
    // Whatever comes back is not read, as one does who floods.
    for turn in 0..burst + 10 * rate {
        let frame = serde_json::json!({ "id": turn.to_string(), "action": "no_such_action", "data": {} });
        socket.sends(&frame).await?;
        if turn % 500 == 0 {
            bystanders.go_on().await?;
        }
    }
    bystanders.go_on().await?;
    drop(socket);
    // Another connection of the same user is fine.
    flooding.connects().await?.catches_up().await?;
    bystanders.go_on().await
}
