//! The network in virtual time: lines that open, carry, delay, break.

use std::{collections::VecDeque, time::Duration};

use i9chat_sdk::connection::{AskFrame, Lost, SendFrame};
use i9chat_spec::{Cursor, Heartbeat, ReplyFrame, ServerFrame};

use super::World;
use crate::server::Server;

/// A handshake on its way.
pub(super) struct Opening {
    pub(super) done_at: Duration,
    pub(super) cursor: Option<Cursor>,
}

/// An open line, with what is on it and when it arrives.
#[derive(Default)]
pub(super) struct Line {
    to_server: VecDeque<(Duration, Up)>,
    to_client: VecDeque<(Duration, Arrival)>,
    /// How far in the log the server has sent.
    sent_to: usize,
    silent: bool,
    /// How many sends wait for their answer.
    pub(super) unanswered: usize,
}

/// What comes to the server.
pub(super) enum Up {
    Send(SendFrame),
    Ask(AskFrame),
}

/// What comes to the client.
pub(super) enum Arrival {
    Frame(Box<ServerFrame>),
    Close(u16, String),
    Break,
}

impl Line {
    pub(super) fn carry(&mut self, until: Duration, what: Up) {
        if !self.silent {
            self.to_server.push_back((until, what));
        }
    }

    pub(super) fn go_silent(&mut self) {
        self.silent = true;
        self.to_server.clear();
        self.to_client.clear();
    }
}

impl World {
    pub(super) fn end_line(&mut self, with: Arrival) {
        let at = self.now + self.latency;
        if let Some(line) = &mut self.line {
            // A cut loses what is on its way; a close comes after what was sent before.
            if matches!(with, Arrival::Break) {
                line.to_client.clear();
            }
            line.to_server.clear();
            line.silent = true;
            line.to_client.push_back((at, with));
        }
    }

    pub(super) fn beat(&mut self) {
        self.push_events();
        let at = self.now + self.latency;
        if let Some(line) = self.line.as_mut().filter(|line| !line.silent) {
            let frame = ServerFrame::Heartbeat(Heartbeat { cursor: self.server.cursor(line.sent_to) });
            line.to_client.push_back((at, Arrival::Frame(Box::new(frame))));
        }
    }

    /// The server sends what the line has not had yet.
    pub(super) fn push_events(&mut self) {
        let at = self.now + self.latency;
        if let Some(line) = self.line.as_mut().filter(|line| !line.silent) {
            for index in line.sent_to..self.server.log.len() {
                line.to_client.push_back((at, Arrival::Frame(Box::new(self.server.event(index)))));
            }
            line.sent_to = self.server.log.len();
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        let mut at_once = 0;
        while let Some(next) = self.next_moment().filter(|next| *next <= until) {
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 2_000, "it spins at {:?} in {:?}", self.now, self.connection.state());
            self.now = self.now.max(next);
            self.happen();
        }
        self.now = until;
    }

    fn next_moment(&self) -> Option<Duration> {
        let line = self.line.iter().flat_map(|line| {
            let up = line.to_server.front().map(|(at, _)| *at);
            let down = line.to_client.front().map(|(at, _)| *at);
            [up, down]
        });
        let opening = self.opening.as_ref().map(|opening| opening.done_at);
        line.chain([opening, self.connection.wake_at()]).flatten().min()
    }

    /// One thing that is due.
    fn happen(&mut self) {
        let due = |at: &Duration| *at <= self.now;
        if self.opening.as_ref().is_some_and(|opening| due(&opening.done_at)) {
            self.opened();
        } else if let Some((_, frame)) = self.line.as_mut().and_then(|line| pop_due(&mut line.to_server, self.now)) {
            self.served(frame);
        } else if let Some((_, arrival)) = self.line.as_mut().and_then(|line| pop_due(&mut line.to_client, self.now)) {
            self.arrived(arrival);
        } else {
            self.connection.woke(self.now);
        }
        self.push_events();
        self.obey();
    }

    fn opened(&mut self) {
        let Some(Opening { cursor, .. }) = self.opening.take() else { return };
        if self.refuse_opens > 0 {
            self.refuse_opens -= 1;
            self.connection.lost(self.now, Lost::Broken);
        } else if std::mem::take(&mut self.refuse_token) {
            self.token_expired = true;
            self.connection.lost(self.now, Lost::TokenRefused);
        } else {
            let (hello, sent_to) = self.server.greet(cursor.as_ref());
            let hello = Arrival::Frame(Box::new(ServerFrame::Hello(hello)));
            let to_client = VecDeque::from([(self.now + self.latency, hello)]);
            self.line = Some(Line { to_client, sent_to, ..Line::default() });
        }
    }

    fn served(&mut self, frame: Up) {
        let answers = match frame {
            Up::Send(frame) => self.server.answer(frame),
            Up::Ask(frame) => vec![ServerFrame::Reply(ReplyFrame { id: frame.id, data: frame.data })],
        };
        let at = self.now + self.latency;
        if let Some(line) = &mut self.line {
            line.to_client.extend(answers.into_iter().map(|answer| (at, Arrival::Frame(Box::new(answer)))));
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Frame(frame) => {
                let answers_a_send = match &*frame {
                    ServerFrame::Reply(reply) => reply.data.get("number").is_none(),
                    ServerFrame::Error(_) => true,
                    _ => false,
                };
                if answers_a_send && let Some(line) = &mut self.line {
                    line.unanswered = line.unanswered.saturating_sub(1);
                }
                if let ServerFrame::Error(error) = &*frame {
                    let wait = Duration::from_millis(error.error.retry_after_ms.unwrap_or_default());
                    self.quiet_until = self.quiet_until.max(self.now + wait);
                }
                if !self.connection.is_behind() {
                    self.connection.has_room(self.now, self.queue_length - self.queue.len());
                }
                self.connection.received(self.now, *frame);
                if self.start.is_none() {
                    self.start = self.connection.cursor().map(Server::position);
                }
            }
            Arrival::Close(number, reason) => {
                self.line = None;
                let lost = Lost::from_close(number, &reason);
                if let Lost::Closed(reason) = lost {
                    let wait = Duration::from_millis(reason.retry_after_ms.unwrap_or_default());
                    self.not_before = if number == 4008 { self.now } else { self.now + wait };
                    self.token_expired = number == 4008;
                }
                self.connection.lost(self.now, lost);
            }
            Arrival::Break => {
                self.line = None;
                self.connection.lost(self.now, Lost::Broken);
            }
        }
    }
}

fn pop_due<T>(queue: &mut VecDeque<(Duration, T)>, now: Duration) -> Option<(Duration, T)> {
    if queue.front().is_some_and(|(at, _)| *at <= now) { queue.pop_front() } else { None }
}
