//! What comes in: frames of the client, each an action that gets exactly one answer. (WSK-4)

use std::{num::NonZeroU32, sync::Arc};

use axum::extract::ws::Message;
use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    state::{InMemoryState, NotKeyed},
};
use i9chat_spec::{
    Action, CloseCode, CloseReason, DecodeError, ErrorCode, Format, FrameId, Problem, RequestId, action,
    for_each_action,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{Connection, End, encode};
use crate::{
    app::{Act, Actor, App, Failure},
    http::{self, problem_of},
    realtime::{Outbox, Outgoing, frames::Frame},
};

/// How many actions that are taken make up for one that is refused: beyond a quarter more than the rate, patience runs out. (WSK-11)
const REFUSED: u32 = 4;

/// Takes the frames of one connection.
pub(super) struct Incoming {
    target: Target,
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    refused: u32,
    max_frame_bytes: usize,
    patience: u32,
}

/// Where actions go and where their answers go.
#[derive(Clone)]
struct Target {
    app: Arc<App>,
    actor: Actor,
    format: Format,
    outbox: Arc<Outbox>,
    request_id: RequestId,
}

/// A frame of a client, its data not yet read.
#[derive(Deserialize)]
struct RawFrame<'a> {
    id: FrameId,
    action: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl Incoming {
    pub(super) fn new(connection: &Connection<'_>) -> Self {
        let limits = &connection.app.limits;
        let count = |number: u64| NonZeroU32::new(u32::try_from(number).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        let quota =
            governor::Quota::per_second(count(limits.frames_per_second)).allow_burst(count(limits.frames_burst));
        Self {
            target: Target {
                app: Arc::clone(connection.app),
                actor: Actor {
                    user: connection.identity.user.clone(),
                    session_id: connection.identity.session_id,
                    feed: Arc::clone(&connection.feed),
                },
                format: connection.format,
                outbox: Arc::clone(&connection.outbox),
                request_id: http::request_id_of(connection.id),
            },
            limiter: RateLimiter::direct(quota),
            refused: 0,
            max_frame_bytes: usize::try_from(limits.max_frame_bytes).unwrap_or(usize::MAX),
            patience: count(limits.frames_burst).get().saturating_mul(REFUSED),
        }
    }

    /// Starts what a frame asks for.
    pub(super) fn take(&mut self, message: &Message) -> Result<(), End> {
        let size = match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
        };
        if size > self.max_frame_bytes {
            return Err(CloseCode::FrameTooLarge.into());
        }
        match (self.target.format, message) {
            (Format::Json, Message::Text(text)) => self.frame(text.as_str()),
            (Format::MessagePack, Message::Binary(bytes)) => {
                // The same values as in JSON, so from here on the same way. (CNV-4)
                let value: Value = Format::MessagePack.decode(bytes).map_err(|_| CloseCode::BadFrame)?;
                self.frame(&value.to_string())
            }
            _ => Err(CloseCode::BadFrame.into()),
        }
    }

    fn frame(&mut self, text: &str) -> Result<(), End> {
        let frame: RawFrame<'_> = serde_json::from_str(text)
            .ok()
            .filter(|_| text.trim_ascii_start().starts_with('{'))
            .ok_or(CloseCode::BadFrame)?;
        if let Err(wait) = self.limiter.check() {
            self.refused = self.refused.saturating_add(REFUSED);
            if self.refused > self.patience {
                return Err(CloseCode::RateLimited.into());
            }
            let delay = wait.wait_time_from(DefaultClock::default().now());
            self.target.refuse(&frame.id, &Failure::<i9chat_spec::error::NoRefusal>::RateLimited(delay));
            return Ok(());
        }
        // Whoever is a little too fast now and then stays; whoever goes on regardless does not.
        self.refused = self.refused.saturating_sub(1);
        let data = frame.data.map_or("{}", RawValue::get);
        macro_rules! dispatch {
            ($($action:path),* $(,)?) => {
                match frame.action.as_str() {
                    $(name if name == <$action as Action>::NAME => self.target.act::<$action>(frame.id, data),)*
                    unknown => self.target.unknown(&frame.id, unknown),
                }
            };
        }
        for_each_action!(dispatch);
        Ok(())
    }
}

impl Target {
    fn act<A: Action>(&self, id: FrameId, data: &str)
    where
        App: Act<A>,
    {
        let data = match Format::Json.decode::<A::Data>(data.as_bytes()) {
            Ok(data) => data,
            Err(DecodeError::Invalid(fault)) => return self.refuse(&id, &Failure::<A::Refusal>::Invalid(fault)),
            // The frame as a whole was read before.
            Err(DecodeError::Malformed(_)) => return self.refuse(&id, &Failure::<A::Refusal>::Internal),
        };
        let target = self.clone();
        let done = move |outcome: Result<A::Reply, Failure<A::Refusal>>| match outcome {
            Ok(data) => target.answer(&Frame::Reply { id: &id, data }),
            Err(Failure::SessionEnded) => {
                target.outbox.close(CloseReason { code: CloseCode::SessionEnded, retry_after_ms: None });
            }
            Err(failure) => target.refuse(&id, &failure),
        };
        Act::<A>::act(&*self.app, &self.actor, data, Box::new(done));
    }

    fn unknown(&self, id: &FrameId, action: &str) {
        let names: Vec<_> = action_names();
        let shown: String = action.chars().take(64).collect();
        let detail = format!("there is no action {shown:?}; there are {}", names.join(", "));
        self.problem(id, |request_id| Problem::new(ErrorCode::UnknownAction, detail, request_id));
    }

    fn refuse<R: i9chat_spec::Refusal>(&self, id: &FrameId, failure: &Failure<R>) {
        self.problem(id, |request_id| problem_of(failure, request_id));
    }

    fn problem(&self, id: &FrameId, problem: impl FnOnce(RequestId) -> Problem) {
        let error = problem(self.request_id.clone());
        self.answer::<()>(&Frame::Error { id, error: &error });
    }

    fn answer<T: serde::Serialize>(&self, frame: &Frame<'_, T>) {
        self.outbox.push(Outgoing::Answer(encode(self.format, frame)));
    }
}

fn action_names() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);

    impl action::ActionVisitor for Names {
        fn visit<A: Action>(&mut self) {
            self.0.push(A::NAME);
        }
    }

    let mut names = Names(Vec::new());
    action::visit_actions(&mut names);
    names.0
}

/// Why a socket cannot be read any further.
pub(super) fn end_of(error: &axum::Error) -> End {
    use std::error::Error;

    use tokio_tungstenite::tungstenite::{self, error::ProtocolError};
    match error.source().and_then(|source| source.downcast_ref::<tungstenite::Error>()) {
        Some(tungstenite::Error::Capacity(_)) => CloseCode::FrameTooLarge.into(),
        // A peer that leaves without a word has sent nothing bad.
        Some(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Gone,
        Some(tungstenite::Error::Utf8(_) | tungstenite::Error::Protocol(_)) => CloseCode::BadFrame.into(),
        _ => End::Gone,
    }
}
