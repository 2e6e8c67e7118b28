//! The WebSocket of the stub.

use std::collections::BTreeMap;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use i9chat_spec::{
    Action, ClientFrame, CloseCode, CloseReason, ConnectionId, Cursor, Epoch, ErrorCode, ErrorFrame, Event, EventFrame,
    Example, Format, Hello, Nothing, PresenceState, ReplyFrame, Resume, ServerFrame, Timestamp, User, UserPresence,
    Username,
    action::{
        MarkReceipts, PresenceSubscription, Presences, SendMessage, SendMessageData, SetTyping, SubscribePresence,
        UnsubscribePresence,
    },
    api::messages::MessageSent,
    event::PresenceChanged,
};
use serde_json::{from_value, to_value};

use super::{Order, Stub, World, alice, numbered};

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
        connection_id: ConnectionId::from_uuid(numbered(world.handshakes.len() as u64)),
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
    let mut watched = Watched::default();
    let mut live = world.borrow().live.len();
    send(socket, format, &ServerFrame::Hello(hello)).await?;
    loop {
        let (order, events, news) = {
            let now = world.borrow_and_update();
            let mut news = watched.news(&now);
            news.extend(now.live.get(live..).unwrap_or_default().iter().cloned());
            live = now.live.len();
            (now.order, now.log.get(position..).unwrap_or_default().to_vec(), news)
        };
        for event in events {
            position += 1;
            let chat_id = Some(i9chat_spec::ChatId::example());
            let event = EventFrame { cursor: Some(World::cursor(position)), chat_id, event };
            send(socket, format, &ServerFrame::Event(event)).await?;
        }
        for changed in news {
            let event = EventFrame { cursor: None, chat_id: None, event: changed };
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
                let frame: ClientFrame = format.decode(&bytes).expect("a frame");
                let answer = stub.change(|world| take(world, &mut watched, frame));
                send(socket, format, &answer?).await?;
            }
        }
    }
}

/// To whose presence a connection is subscribed, and what it was told of it.
#[derive(Default)]
struct Watched(BTreeMap<String, bool>);

impl Watched {
    /// What is not told yet. (PRS-6)
    fn news(&mut self, world: &World) -> Vec<Event> {
        let mut news = Vec::new();
        for (name, told) in &mut self.0 {
            let online = world.online.contains(name);
            if std::mem::replace(told, online) != online {
                let UserPresence { user, presence, last_seen } = presence(name, online);
                news.push(PresenceChanged { user, presence, last_seen }.into());
            }
        }
        news
    }
}

fn presence(name: &str, online: bool) -> UserPresence {
    let user = User { username: name.parse().expect("a name"), ..User::example() };
    let presence = if online { PresenceState::Online } else { PresenceState::Offline };
    UserPresence { user, presence, last_seen: (!online).then(Timestamp::example) }
}

/// Does what is asked; `None` when the answer is not to arrive.
fn take(world: &mut World, watched: &mut Watched, frame: ClientFrame) -> Option<ServerFrame> {
    let ClientFrame { id, action, data } = frame;
    if action != SendMessage::NAME {
        world.actions.push((action.clone(), data.clone()));
    }
    if let Some(problem) = world.action_faults.pop_front() {
        return Some(ServerFrame::Error(ErrorFrame { id: Some(id), error: problem }));
    }
    let data = match action.as_str() {
        SendMessage::NAME => to_value(stored(world, &from_value(data).expect("a message"))?),
        MarkReceipts::NAME => to_value(world.mark(&from_value(data).expect("marks"))),
        SetTyping::NAME => to_value(Nothing {}),
        SubscribePresence::NAME => to_value(subscribed(world, watched, from_value(data).expect("names"))),
        UnsubscribePresence::NAME => {
            let names: PresenceSubscription = from_value(data).expect("names");
            let keys: Vec<String> = names.usernames.iter().map(Username::key).collect();
            watched.0.retain(|key, _| !keys.contains(key));
            to_value(Nothing {})
        }
        other => panic!("the client asks for {other}"),
    };
    Some(ServerFrame::Reply(ReplyFrame { id, data: data.expect("a reply") }))
}

/// Users of the stub are those whose name does not begin with `no`.
fn subscribed(world: &World, watched: &mut Watched, names: PresenceSubscription) -> Presences {
    let (missing, found) =
        Vec::from(names.usernames).into_iter().partition::<Vec<_>, _>(|name| name.key().starts_with("no"));
    let presences = found.iter().map(|name| {
        let online = world.online.contains(&name.key());
        watched.0.insert(name.key(), online);
        presence(&name.key(), online)
    });
    Presences { presences: presences.collect(), not_found: missing }
}

fn stored(world: &mut World, message: &SendMessageData) -> Option<MessageSent> {
    world.arrivals.push(message.client_id);
    let sent = world.store(message, alice());
    if let Some(left) = world.cuts_before_answer.checked_sub(1) {
        world.cuts_before_answer = left;
        return None;
    }
    Some(sent)
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
