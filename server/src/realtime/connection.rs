//! One connection: a task that owns the socket.

mod incoming;
mod pace;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket},
};
use futures_util::{SinkExt, StreamExt};
use i9chat_spec::{CloseCode, CloseReason, ConnectionId, Cursor, Format, Heartbeat, Hello, PROTOCOL_VERSION, Resume};
use tokio::time::{Instant, timeout};

use self::{incoming::Incoming, pace::Pace};
use super::{
    EncodedEvent, Outbox, Outgoing, Router, SessionEnded,
    frames::Frame,
    resume::{Resumed, caught_up, resume},
};
use crate::{
    app::{App, Feed, Identity, Start},
    domain::Place,
};

/// How long a peer may take for what is written to it before it counts as a slow consumer. (WSK-10)
const WRITE_TIME: Duration = Duration::from_secs(15);
/// How long a connection waits for this node to reach a place that its client has seen elsewhere.
const CATCH_UP_TIME: Duration = Duration::from_secs(5);
/// How long a peer may take to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(2);
/// How many frames are handed to the socket between two flushes.
const FLUSH_EVERY: usize = 1024;

/// What a handshake led to.
#[derive(Debug)]
pub struct Connecting {
    /// Who connects.
    pub identity: Identity,
    /// How frames are encoded.
    pub format: Format,
    /// Where the client wants to go on.
    pub cursor: Option<Cursor>,
}

/// Serves a connection until it ends.
pub async fn serve(app: Arc<App>, router: Arc<Router>, mut socket: Box<WebSocket>, connecting: Connecting) {
    let Connecting { identity, format, cursor } = connecting;
    let outbox = Arc::new(Outbox::new(identity.session_id));
    let user_id = identity.user.user_id;
    let id = ConnectionId::from_uuid(app.ids.uuid(app.clock.now()));
    let feed = Arc::new(Feed::new(id, Arc::clone(&outbox) as _));
    let connection = Connection { app: &app, router: &router, identity, format, id, outbox: Arc::clone(&outbox), feed };
    let reason = connection.run(&mut socket, cursor).await;
    connection.feed.leave(&app.watching);
    if let Err(reason) = reason {
        tracing::debug!(connection_id = %id, reason = reason.code.name(), "closing a connection");
        // Boxed, like all that an idle connection does not need: what is left is what each of them costs.
        Box::pin(close(socket, reason)).await;
    }
    router.unregister(user_id, &outbox);
}

/// Closes a connection with a reason, and waits a moment for the peer to take it.
pub async fn close(mut socket: Box<WebSocket>, reason: CloseReason) {
    metrics::counter!("i9chat_connections_closed_total", "reason" => reason.code.name()).increment(1);
    let frame = CloseFrame { code: reason.code.number(), reason: reason.to_string().into() };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            // Until the peer has answered: dropping the socket at once could cost it the reason.
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    drop(timeout(CLOSE_TIME, closing).await);
}

struct Connection<'a> {
    app: &'a Arc<App>,
    router: &'a Router,
    identity: Identity,
    format: Format,
    id: ConnectionId,
    outbox: Arc<Outbox>,
    feed: Arc<Feed>,
}

/// Ends a connection: for a reason, or because the peer is gone.
enum End {
    Gone,
    Close(CloseReason),
}

impl From<CloseCode> for End {
    fn from(code: CloseCode) -> Self {
        Self::Close(CloseReason { code, retry_after_ms: None })
    }
}

impl Connection<'_> {
    /// `Ok` when the peer has gone by itself.
    async fn run(&self, socket: &mut WebSocket, cursor: Option<Cursor>) -> Result<(), CloseReason> {
        // Boxed, so that what only the start needs is not kept for as long as the connection is.
        let started = Box::pin(self.start(socket, cursor)).await;
        let ended = match started {
            Ok(()) => {
                let ended = self.go_on(socket).await;
                self.app.presence.disconnect(self.identity.user.user_id).await;
                ended
            }
            Err(end) => end,
        };
        match ended {
            End::Gone => Ok(()),
            End::Close(reason) => Err(reason),
        }
    }

    /// Resumes: subscribes first, then reads what was missed, then goes live. (LOG-4)
    async fn start(&self, socket: &mut WebSocket, cursor: Option<Cursor>) -> Result<(), End> {
        let app = self.app;
        let unavailable = |error| {
            tracing::error!(%error, "a connection could not be resumed");
            End::from(CloseCode::Unavailable)
        };
        let start = Start::of(cursor.as_ref(), self.router.epoch(), &*app.log).await.map_err(unavailable)?;
        let caught_up = timeout(CATCH_UP_TIME, caught_up(self.router, start)).await;
        caught_up.map_err(|_| End::from(CloseCode::Unavailable))?;
        let user_id = self.identity.user.user_id;
        let here = self.router.register(user_id, &self.outbox);
        let here = here.map_err(|SessionEnded| End::from(CloseCode::SessionEnded))?;
        let most = usize::try_from(app.limits.max_resume_events).unwrap_or(usize::MAX);
        let Resumed { answer, from, events } =
            resume(&*app.log, self.router, user_id, start, here, most).await.map_err(unavailable)?;
        // Before the first frame: whoever has read it is there. (PRS-1)
        let connections = u64::from(app.presence.connect(user_id).await);
        let welcomed = if connections > app.limits.max_connections_per_user {
            Err(End::from(CloseCode::Overloaded))
        } else {
            self.welcome(socket, answer, from, &events).await
        };
        if welcomed.is_err() {
            app.presence.disconnect(user_id).await;
        }
        welcomed
    }

    /// Sends the first frame and what was missed.
    async fn welcome(
        &self,
        socket: &mut WebSocket,
        answer: Resume,
        from: Place,
        events: &[Arc<EncodedEvent>],
    ) -> Result<(), End> {
        let app = self.app;
        let hello = Hello {
            connection_id: self.id,
            session_id: self.identity.session_id,
            protocol: PROTOCOL_VERSION,
            epoch: self.router.epoch().text(),
            cursor: from.cursor(self.router.epoch()),
            resume: answer,
            heartbeat_ms: app.lifetimes.heartbeat_ms,
            limits: app.limits.of_connection(),
        };
        self.send(socket, [self.answer(&Frame::<()>::Hello(&hello))].into()).await?;
        for chunk in events.chunks(FLUSH_EVERY) {
            self.send(socket, chunk.iter().map(|event| Outgoing::Event(Arc::clone(event))).collect()).await?;
        }
        Ok(())
    }

    async fn go_on(&self, socket: &mut WebSocket) -> End {
        let mut pace = Pace::new(Duration::from_millis(self.app.lifetimes.heartbeat_ms), Instant::now());
        let mut incoming = Incoming::new(self);
        loop {
            let step = tokio::select! {
                () = self.outbox.filled() => self.send_waiting(socket, &mut pace).await,
                frame = socket.next() => {
                    pace.heard(Instant::now());
                    match frame {
                        Some(Ok(message)) => incoming.take(&message),
                        Some(Err(error)) => Err(incoming::end_of(&error)),
                        None => Err(End::Gone),
                    }
                }
                () = tokio::time::sleep_until(pace.next()) => Box::pin(self.keep_alive(socket, &mut pace)).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn send_waiting(&self, socket: &mut WebSocket, pace: &mut Pace) -> Result<(), End> {
        let waiting = self.outbox.take().map_err(End::Close)?;
        if waiting.is_empty() {
            return Ok(());
        }
        self.send(socket, waiting).await?;
        pace.sent(Instant::now());
        Ok(())
    }

    /// Sends a heartbeat after a silence, a ping to a silent peer, or gives it up. (WSK-8, WSK-9)
    async fn keep_alive(&self, socket: &mut WebSocket, pace: &mut Pace) -> Result<(), End> {
        let due = pace.due(Instant::now());
        if due.dead {
            return Err(CloseCode::HeartbeatTimeout.into());
        }
        if due.heartbeat {
            // Everything up to this place is in the outbox already; it is sent before the heartbeat. (RSM-11)
            let applied = self.router.applied();
            self.send_waiting(socket, pace).await?;
            let cursor = applied.cursor(self.router.epoch());
            self.send(socket, [self.answer(&Frame::<()>::Heartbeat(&Heartbeat { cursor }))].into()).await?;
            pace.sent(Instant::now());
        }
        if due.ping {
            self.send(socket, [Outgoing::Answer(Message::Ping(Bytes::new()))].into()).await?;
            pace.pinged(Instant::now());
        }
        Ok(())
    }

    /// Writes everything, then flushes once.
    async fn send(&self, socket: &mut WebSocket, frames: VecDeque<Outgoing>) -> Result<(), End> {
        let writing = async {
            for frame in frames {
                socket.feed(self.message(frame)).await?;
            }
            socket.flush().await
        };
        match timeout(WRITE_TIME, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(CloseCode::SlowConsumer.into()),
        }
    }

    fn answer<T: serde::Serialize>(&self, frame: &T) -> Outgoing {
        Outgoing::Answer(encode(self.format, frame))
    }

    fn message(&self, frame: Outgoing) -> Message {
        match (frame, self.format) {
            (Outgoing::Answer(message), _) => message,
            (Outgoing::Live(event), format) => framed(format, event.frame(format)),
            (Outgoing::Event(event), Format::Json) => Message::Text(event.json()),
            (Outgoing::Event(event), Format::MessagePack) => Message::Binary(event.messagepack()),
        }
    }
}

fn encode<T: serde::Serialize>(format: Format, frame: &T) -> Message {
    framed(format, format.encode(frame).unwrap_or_default().into())
}

fn framed(format: Format, bytes: Bytes) -> Message {
    match format {
        Format::Json => Message::Text(bytes.try_into().unwrap_or_default()),
        Format::MessagePack => Message::Binary(bytes),
    }
}
