//! The WebSocket of the stub.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use i9chat_spec::{
    ClientFrame, CloseCode, CloseReason, ConnectionId, Cursor, Epoch, ErrorCode, EventFrame, Example, Format, Hello,
    ReplyFrame, Resume, ServerFrame, action::SendMessageData,
};

use super::{Order, Stub, World, alice};

/// One connection, from the handshake to its end.
pub async fn serve(stub: Stub, mut socket: WebSocket, format: Format, token: Option<String>, cursor: Option<Cursor>) {
    if let Err(code) = stub.change(|world| world.admit(token.as_deref())) {
        let code = match code {
            ErrorCode::TokenExpired => CloseCode::TokenExpired,
            ErrorCode::SessionEnded => CloseCode::SessionEnded,
            _ => CloseCode::Unauthenticated,
        };
        return close(socket, code).await;
    }
    let (hello, position, obeyed) = stub.change(|world| {
        world.handshakes.push((cursor.clone(), token.unwrap_or_default()));
        world.lines += 1;
        let (hello, position) = greet(world, cursor);
        (hello, position, world.order.0)
    });
    let end = talk(&stub, &mut socket, format, hello, position, obeyed).await;
    stub.change(|world| world.lines -= 1);
    if let Some(code) = end {
        close(socket, code).await;
    }
}

fn greet(world: &World, cursor: Option<Cursor>) -> (Hello, usize) {
    let (resume, position) = match cursor {
        None => (Resume::Fresh, world.log.len()),
        Some(cursor) => match cursor.as_str().strip_prefix('c').and_then(|position| position.parse().ok()) {
            Some(position) if position <= world.log.len() => (Resume::Resumed, position),
            _ => (Resume::Reset, world.log.len()),
        },
    };
    let hello = Hello {
        connection_id: ConnectionId::example(),
        epoch: Epoch::example(),
        cursor: World::cursor(position),
        resume,
        ..Hello::example()
    };
    (hello, position)
}

/// Talks until the client goes, or the test says otherwise; answers the code to close with.
async fn talk(
    stub: &Stub,
    socket: &mut WebSocket,
    format: Format,
    hello: Hello,
    mut position: usize,
    obeyed: u64,
) -> Option<CloseCode> {
    let mut world = stub.world.subscribe();
    send(socket, format, &ServerFrame::Hello(hello)).await?;
    loop {
        let (order, events) = {
            let now = world.borrow_and_update();
            (now.order, now.log.get(position..).unwrap_or_default().to_vec())
        };
        for event in events {
            position += 1;
            let chat_id = Some(i9chat_spec::ChatId::example());
            let event = EventFrame { cursor: Some(World::cursor(position)), chat_id, event };
            send(socket, format, &ServerFrame::Event(event)).await?;
        }
        if order.0 > obeyed {
            return if let Order::Close(code) = order.1 { Some(code) } else { None };
        }
        tokio::select! {
            changed = world.changed() => changed.ok()?,
            message = socket.recv() => {
                let bytes = match (message?.ok()?, format) {
                    (Message::Text(text), Format::Json) => text.as_bytes().to_vec(),
                    (Message::Binary(bytes), Format::MessagePack) => bytes.to_vec(),
                    (Message::Close(_), _) => return None,
                    (Message::Ping(_) | Message::Pong(_), _) => continue,
                    (other, _) => panic!("a frame of the wrong kind: {other:?}"),
                };
                let frame: ClientFrame<SendMessageData> = format.decode(&bytes).expect("a frame");
                let answer = stub.change(|world| take(world, frame));
                send(socket, format, &answer?).await?;
            }
        }
    }
}

/// Stores a message; `None` when the answer is not to arrive.
fn take(world: &mut World, frame: ClientFrame<SendMessageData>) -> Option<ServerFrame> {
    world.arrivals.push(frame.data.client_id);
    let sent = world.store(frame.data.chat_id, frame.data.client_id, &frame.data.content, alice());
    if let Some(left) = world.cuts_before_answer.checked_sub(1) {
        world.cuts_before_answer = left;
        return None;
    }
    let data = serde_json::to_value(sent).expect("a reply");
    Some(ServerFrame::Reply(ReplyFrame { id: frame.id, data }))
}

async fn send(socket: &mut WebSocket, format: Format, frame: &ServerFrame) -> Option<()> {
    let bytes = format.encode(frame).expect("encodes");
    let message = match format {
        Format::Json => Message::text(String::from_utf8(bytes).expect("JSON is UTF-8")),
        Format::MessagePack => Message::binary(bytes),
    };
    socket.send(message).await.ok()
}

async fn close(mut socket: WebSocket, code: CloseCode) {
    let reason = CloseReason { code, retry_after_ms: None }.to_string().into();
    // A client that has gone meanwhile needs no goodbye.
    drop(socket.send(Message::Close(Some(CloseFrame { code: code.number(), reason }))).await);
    while let Some(Ok(_)) = socket.recv().await {}
}
