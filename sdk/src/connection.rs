//! The life of a connection as a state machine without I/O: no socket, no clock, no randomness of its own.
//!
//! [`Connection`] is told what happened (a frame came, the line broke, a message is to be sent, time passed) and answers what to do
//! ([`Output`]). [`Client`](crate::Client) drives it on tokio; another runtime can drive it just as well. Its promises:
//!
//! - The application sees each event once and in log order, across any number of reconnects. Where the server cannot
//!   continue, it sees [`Update::Limited`] or [`Update::Reset`] in that place.
//! - Each send has exactly one outcome. Until then it is sent again with the same `client_id` after every break and every
//!   error that is worth a retry, so that it is stored once. (MSG-7)
//! - Sends go out in the order in which they were given. Only an error that asks for a later retry can let a send that was
//!   already under way overtake.
//! - Any other action is an ask: tried once, on the present line, with one outcome. It does not outlive the line.
//! - Nothing grows without bound. Too many pending sends are refused with [`SendError::Overloaded`]; events that the
//!   application has no room for pass by unseen and are asked for again once it has.
//!
//! Times are [`Duration`]s since a moment that the driver chooses and keeps.

mod asks;
mod backoff;
mod incoming;
mod outbox;
mod output;
mod state;
mod update;

use std::{collections::VecDeque, time::Duration};

use i9chat_spec::{ClientFrame, Cursor, Hello, Reconnect, ServerFrame, action::SendMessageData, close::CloseCode};
use serde_json::Value;

use self::{asks::Asks, backoff::Retries, outbox::Outbox};
pub use self::{
    backoff::{Backoff, Jitter},
    output::{AskError, AskKey, Lost, Output, SendError, SendKey, Settings},
    state::{ConnectionState, StopReason},
    update::Update,
};

/// The connection of one session, from the first attempt to the stop.
///
/// After every call the driver takes all [`Output`]s ([`next_output`](Self::next_output)) and sees to it that
/// [`woke`](Self::woke) is called at [`wake_at`](Self::wake_at). After [`Output::Open`] and [`Output::Close`] it reports nothing more of the line before.
#[derive(Debug)]
pub struct Connection {
    settings: Settings,
    retries: Retries,
    phase: Phase,
    /// The last event or heartbeat that was applied: where a reconnect goes on. (LOG-11)
    cursor: Option<Cursor>,
    /// How many updates the application can still take.
    room: usize,
    /// Events passed by for want of room; the line is opened again, from the cursor, when there is some.
    behind: bool,
    outbox: Outbox,
    asks: Asks,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum Phase {
    Opening { give_up_at: Duration },
    Live(Live),
    Waiting { until: Duration, renew: bool, retry_in: Duration },
    Stopped(StopReason),
}

#[derive(Debug)]
struct Live {
    hello: Box<Hello>,
    since: Duration,
    /// How long the line may be silent before it counts as dead: twice the heartbeat. (WSK-8)
    patience: Duration,
    dead_at: Duration,
}

impl Connection {
    /// A connection that opens at once: from a cursor of an earlier run, or live when there is none.
    ///
    /// `room` is how many updates the application can take. `jitter` is asked for a number from 0 to 1 at each delay.
    pub fn new(settings: Settings, cursor: Option<Cursor>, room: usize, jitter: Jitter, now: Duration) -> Self {
        let mut connection = Self {
            retries: Retries::new(settings.backoff, jitter),
            outbox: Outbox::new(&settings),
            asks: Asks::default(),
            phase: Phase::Stopped(StopReason::ByApplication),
            settings,
            cursor,
            room,
            behind: false,
            outputs: VecDeque::new(),
        };
        connection.open(now, false);
        connection
    }

    /// What to do next; `None` when all is done for now.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`woke`](Self::woke), if nothing happens before.
    pub fn wake_at(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Opening { give_up_at } => Some(*give_up_at),
            Phase::Live(live) => {
                let answers = [self.outbox.wake_at(), self.asks.first_answer_by()];
                answers.into_iter().flatten().chain([live.dead_at]).min()
            }
            Phase::Waiting { until, .. } => Some(*until),
            Phase::Stopped(_) => None,
        }
    }

    /// Where the connection stands.
    pub fn state(&self) -> ConnectionState {
        match &self.phase {
            Phase::Opening { .. } => ConnectionState::Connecting { failures: self.retries.count() },
            Phase::Live(live) => ConnectionState::Connected { connection_id: live.hello.connection_id },
            Phase::Waiting { retry_in, .. } => {
                ConnectionState::Waiting { failures: self.retries.count(), retry_in: *retry_in }
            }
            Phase::Stopped(reason) => ConnectionState::Stopped(*reason),
        }
    }

    /// The last event or heartbeat that was applied, or where the line began. (LOG-11)
    pub const fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Whether events passed by for want of room: the driver then reports room as soon as there is a fair amount.
    pub const fn is_behind(&self) -> bool {
        self.behind
    }

    /// The application can take so many updates now. When events passed by meanwhile, the line is opened again to fetch them.
    pub fn has_room(&mut self, now: Duration, room: usize) {
        self.room = room;
        if self.behind && room > 0 && matches!(self.phase, Phase::Live(_)) {
            self.outputs.push_back(Output::Close);
            self.line_lost();
            self.open(now, false);
        }
    }

    /// The application sends a message. The outcome comes as [`Output::Complete`], exactly once.
    pub fn send(&mut self, now: Duration, message: SendMessageData) -> Result<SendKey, SendError> {
        if let Phase::Stopped(reason) = self.phase {
            return Err(SendError::Stopped(reason));
        }
        let key = self.outbox.add(message)?;
        self.transmit(now);
        Ok(key)
    }

    /// The application asks for an action: any but sending, which has an outbox. The outcome comes as [`Output::Answer`], exactly once.
    ///
    /// It is tried on the present line or not at all: [`AskError::NotConnected`] when there is none, or when it breaks before the answer.
    pub fn ask(&mut self, now: Duration, action: &'static str, data: Value) -> Result<AskKey, AskError> {
        match &self.phase {
            Phase::Live(_) => {}
            Phase::Stopped(reason) => return Err(AskError::Stopped(*reason)),
            Phase::Opening { .. } | Phase::Waiting { .. } => return Err(AskError::NotConnected),
        }
        let answer_by = now.saturating_add(self.settings.answer_timeout);
        let (key, frame) = self.asks.add(action, data, answer_by)?;
        self.outputs.push_back(Output::Ask(frame));
        Ok(key)
    }

    /// Something came over the line, if only a ping: it is alive.
    pub fn heard(&mut self, now: Duration) {
        if let Phase::Live(live) = &mut self.phase {
            live.dead_at = now.saturating_add(live.patience);
        }
    }

    /// A frame came from the server.
    pub fn received(&mut self, now: Duration, frame: ServerFrame) {
        self.heard(now);
        match (&self.phase, frame) {
            (Phase::Waiting { .. } | Phase::Stopped(_), _) => {}
            (_, ServerFrame::Unknown(fields)) => self.unknown(now, &fields),
            (Phase::Opening { .. }, ServerFrame::Hello(hello)) => self.greeted(now, hello),
            (Phase::Live(_), ServerFrame::Event(event)) => self.apply(event),
            (Phase::Live(_), ServerFrame::Heartbeat(heartbeat)) => {
                if !self.behind {
                    self.cursor = Some(heartbeat.cursor);
                }
            }
            (Phase::Live(_), ServerFrame::Reply(reply)) => self.replied(now, reply),
            (Phase::Live(_), ServerFrame::Error(error)) => self.refused(now, error),
            // The hello is the first frame, and the only one of its kind (WSK-3): this line cannot be trusted.
            (Phase::Opening { .. }, _) | (Phase::Live(_), ServerFrame::Hello(_)) => self.give_up(now),
        }
    }

    /// The line could not be opened, broke, or was closed.
    pub fn lost(&mut self, now: Duration, lost: Lost) {
        if matches!(self.phase, Phase::Stopped(_)) {
            return;
        }
        match lost {
            Lost::Broken => self.wait(now, None, false),
            Lost::TokenRefused => self.wait(now, None, true),
            Lost::SessionOver => self.end(StopReason::SessionEnded),
            Lost::Closed(reason) => match reason.code.reconnect() {
                Reconnect::Yes => self.wait(now, reason.retry_after_ms.map(Duration::from_millis), false),
                Reconnect::AfterRefresh => self.wait(now, None, true),
                Reconnect::No if reason.code == CloseCode::SessionEnded => self.end(StopReason::SessionEnded),
                Reconnect::No => self.end(StopReason::Closed(reason.code)),
            },
        }
    }

    /// A frame came that cannot be read. To pass over it could be to lose an event, so the line is given up.
    pub fn unreadable(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Opening { .. } | Phase::Live(_)) {
            self.give_up(now);
        }
    }

    /// The time of [`wake_at`](Self::wake_at) has come. To be woken early does no harm.
    pub fn woke(&mut self, now: Duration) {
        match &self.phase {
            Phase::Opening { give_up_at } if now >= *give_up_at => self.give_up(now),
            Phase::Live(live) if now >= live.dead_at || self.is_unanswered(now) => self.give_up(now),
            Phase::Live(_) => self.transmit(now),
            Phase::Waiting { until, renew, .. } if now >= *until => self.open(now, *renew),
            Phase::Opening { .. } | Phase::Waiting { .. } | Phase::Stopped(_) => {}
        }
    }

    /// The application is done: the line is closed, and what was not acknowledged ends with [`SendError::Stopped`].
    pub fn stop(&mut self) {
        if !matches!(self.phase, Phase::Stopped(_)) {
            self.end(StopReason::ByApplication);
        }
    }

    fn open(&mut self, now: Duration, renew: bool) {
        self.behind = false;
        self.phase = Phase::Opening { give_up_at: now.saturating_add(self.settings.open_timeout) };
        self.outputs.push_back(Output::Open { cursor: self.cursor.clone(), renew });
    }

    fn transmit(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Live(_)) {
            self.outputs.extend(self.outbox.due(now).map(Output::Transmit));
        }
    }

    /// Whether an answer is overdue, so that the line is to be doubted.
    fn is_unanswered(&self, now: Duration) -> bool {
        self.outbox.is_unanswered(now) || self.asks.first_answer_by().is_some_and(|answer_by| now >= answer_by)
    }

    fn line_lost(&mut self) {
        self.outbox.line_lost();
        self.unanswered(&AskError::NotConnected);
    }

    fn unanswered(&mut self, error: &AskError) {
        let outcome = |ask| Output::Answer { ask, outcome: Err(error.clone()) };
        self.outputs.extend(self.asks.drain().map(outcome));
    }

    /// Closes a line that cannot be trusted any more, and tries again later.
    fn give_up(&mut self, now: Duration) {
        self.outputs.push_back(Output::Close);
        self.wait(now, None, false);
    }

    fn wait(&mut self, now: Duration, at_least: Option<Duration>, renew: bool) {
        if let Phase::Live(live) = &self.phase
            && now.saturating_sub(live.since) >= self.settings.stable_after
        {
            self.retries.reset();
        }
        self.line_lost();
        // The next line begins at the cursor anyway.
        self.behind = false;
        // The first renewal is no failure; a second one without a greeting in between is.
        let at_once = renew && self.retries.count() == 0;
        let delay = self.retries.next_delay();
        let delay = if at_once { Duration::ZERO } else { delay };
        let retry_in = at_least.map_or(delay, |wanted| wanted.min(LONGEST_WAIT).max(delay));
        self.phase = Phase::Waiting { until: now.saturating_add(retry_in), renew, retry_in };
    }

    fn end(&mut self, reason: StopReason) {
        self.phase = Phase::Stopped(reason);
        self.behind = false;
        self.outputs.push_back(Output::Close);
        self.unanswered(&AskError::Stopped(reason));
        for send in self.outbox.drain() {
            self.outputs.push_back(Output::Complete { send, outcome: Err(SendError::Stopped(reason)) });
        }
    }
}

/// Bounds on what a server may say, so that no value of it makes a client spin or sleep for ever.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(100);
const LONGEST_HEARTBEAT: Duration = Duration::from_hours(1);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What the machine transmits: the frame of the action `send_message`.
pub type SendFrame = ClientFrame<SendMessageData>;

/// What the machine transmits for an ask: the frame of any other action.
pub type AskFrame = ClientFrame<Value>;
