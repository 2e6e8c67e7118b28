use std::{collections::VecDeque, time::Duration};

use i9chat_spec::{
    Action, ClientFrame, FrameId, Problem,
    action::{SendMessage, SendMessageData},
    api::messages::MessageSent,
};
use serde::Deserialize;
use serde_json::Value;

use super::{Backoff, SendError, SendFrame, SendKey, Settings};

/// What the application has sent and not yet heard about, oldest first.
#[derive(Debug)]
pub(super) struct Outbox {
    pending: VecDeque<Pending>,
    capacity: usize,
    window: usize,
    answer_timeout: Duration,
    backoff: Backoff,
    /// Errors in a row that asked for a later retry.
    setbacks: u32,
    /// Nothing goes out before this: the server asked for patience, with all of it.
    paused_until: Duration,
    next_key: u64,
    next_frame: u64,
}

#[derive(Debug)]
struct Pending {
    key: SendKey,
    message: SendMessageData,
    /// Set while the message is under way on the present line.
    flight: Option<Flight>,
}

#[derive(Debug)]
struct Flight {
    id: FrameId,
    answer_by: Duration,
}

impl Outbox {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            pending: VecDeque::new(),
            capacity: settings.max_pending_sends,
            window: settings.window.max(1),
            answer_timeout: settings.answer_timeout,
            backoff: settings.backoff,
            setbacks: 0,
            paused_until: Duration::ZERO,
            next_key: 0,
            next_frame: 0,
        }
    }

    pub(super) fn add(&mut self, message: SendMessageData) -> Result<SendKey, SendError> {
        if self.pending.len() >= self.capacity {
            return Err(SendError::Overloaded);
        }
        let key = SendKey(self.next_key);
        self.next_key += 1;
        self.pending.push_back(Pending { key, message, flight: None });
        Ok(key)
    }

    /// The frames that may go out now, in the order in which they were given.
    pub(super) fn due(&mut self, now: Duration) -> impl Iterator<Item = SendFrame> {
        let room = if now < self.paused_until { 0 } else { self.window.saturating_sub(self.in_flight()) };
        let answer_by = now.saturating_add(self.answer_timeout);
        let next_frame = &mut self.next_frame;
        self.pending.iter_mut().filter(|pending| pending.flight.is_none()).take(room).map(move |pending| {
            // Never used twice, so that a late answer of an earlier line cannot be taken for one of this.
            *next_frame += 1;
            let id = frame_id(*next_frame);
            pending.flight = Some(Flight { id: id.clone(), answer_by });
            ClientFrame { id, action: SendMessage::NAME.to_owned(), data: pending.message.clone() }
        })
    }

    /// The send that is hereby acknowledged, if one waits for that answer.
    pub(super) fn acknowledged(
        &mut self,
        id: &FrameId,
        data: Value,
    ) -> Result<Option<(SendKey, MessageSent)>, serde_json::Error> {
        let Some(at) = self.position(id) else { return Ok(None) };
        let sent = MessageSent::deserialize(data)?;
        self.setbacks = 0;
        Ok(self.pending.remove(at).map(|pending| (pending.key, sent)))
    }

    /// The send that is hereby refused for good. One that is worth a retry stays, and everything waits a while.
    pub(super) fn refused(
        &mut self,
        now: Duration,
        id: &FrameId,
        problem: Problem,
        roll: f64,
    ) -> Option<(SendKey, Problem)> {
        let at = self.position(id)?;
        if !problem.retryable {
            self.setbacks = 0;
            return self.pending.remove(at).map(|pending| (pending.key, problem));
        }
        self.pending.get_mut(at)?.flight = None;
        // Errors that come while a pause is on were caused before it: they are part of the same setback.
        if now >= self.paused_until {
            let own = self.backoff.delay(self.setbacks, roll);
            self.setbacks = self.setbacks.saturating_add(1);
            self.paused_until = now.saturating_add(own);
        }
        if let Some(wanted) = problem.retry_after_ms {
            let wanted = Duration::from_millis(wanted).min(super::LONGEST_WAIT);
            self.paused_until = self.paused_until.max(now.saturating_add(wanted));
        }
        None
    }

    /// What was under way may or may not have arrived: it goes out again on the next line.
    pub(super) fn line_lost(&mut self) {
        for pending in &mut self.pending {
            pending.flight = None;
        }
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = SendKey> {
        self.pending.drain(..).map(|pending| pending.key)
    }

    /// Whether an answer is overdue. Every action has exactly one (WSK-4), so that the line is to be doubted.
    pub(super) fn is_unanswered(&self, now: Duration) -> bool {
        self.first_answer_by().is_some_and(|answer_by| now >= answer_by)
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        let resume_at = (self.pending.iter().any(|pending| pending.flight.is_none()) && self.in_flight() < self.window)
            .then_some(self.paused_until);
        [self.first_answer_by(), resume_at].into_iter().flatten().min()
    }

    fn first_answer_by(&self) -> Option<Duration> {
        self.pending.iter().filter_map(|pending| Some(pending.flight.as_ref()?.answer_by)).min()
    }

    fn in_flight(&self) -> usize {
        self.pending.iter().filter(|pending| pending.flight.is_some()).count()
    }

    fn position(&self, id: &FrameId) -> Option<usize> {
        self.pending.iter().position(|pending| pending.flight.as_ref().is_some_and(|flight| flight.id == *id))
    }
}

#[expect(clippy::expect_used, reason = "a number in digits keeps the rules of a FrameId")]
fn frame_id(number: u64) -> FrameId {
    number.to_string().parse().expect("1 to 20 digits")
}
