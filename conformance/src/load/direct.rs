use std::{cell::RefCell, collections::BTreeMap, pin::pin, rc::Rc, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt};
use i9chat_spec::ChatId;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::{
    DirectArgs, LoadError, accounts, descriptors,
    ledger::{Arrival, Ledger, Receiver},
    pace::Pace,
    report::{LatencyMs, Report},
    socket::{self, Buffers, Socket},
    wire::{self, Frame, Mark},
};

#[cfg(test)]
mod tests;

/// How long answers and deliveries may take to come in the end.
const DRAIN: Duration = Duration::from_secs(15);
/// How many unacknowledged messages a sender with a rate has at most, unless told.
const RATE_WINDOW: u32 = 1000;
/// How many frames are read before the sender gets its turn again.
const READ_AT_ONCE: usize = 256;

/// What every sender is to do.
#[derive(Debug, Clone, Copy)]
struct Plan {
    duration: Duration,
    window: u32,
    /// Messages a second of all senders together; as fast as the window allows without.
    rate: Option<u32>,
    /// How long answers and deliveries may take to come after the last message was sent.
    drain: Duration,
}

/// A sender before the start: its connection, and the chat with its partner.
struct Seat {
    socket: Socket,
    chat_id: ChatId,
}

pub(super) async fn run(args: DirectArgs) -> Result<Report, LoadError> {
    let DirectArgs { common, senders, seconds, window, rate } = args;
    let senders = senders.next_multiple_of(2);
    descriptors::allow(senders.into())?;
    let (api, users) = accounts::prepare(&common, senders as usize).await?;
    let chats = accounts::open_chats(&api, &users).await?;
    let mut seats = Vec::with_capacity(users.len());
    for (number, (user, chat_id)) in users.iter().zip(chats).enumerate() {
        let (socket, _) = socket::open(api.target(), &user.token, None, Buffers::Busy, number).await?;
        seats.push(Seat { socket, chat_id });
    }
    let plan = Plan {
        duration: Duration::from_secs(seconds.into()),
        window: window.unwrap_or(if rate.is_some() { RATE_WINDOW } else { 1 }),
        rate,
        drain: DRAIN,
    };
    let mut report = measure(seats, plan).await;
    report.summary = match rate {
        Some(rate) => format!("direct: {senders} senders, {rate} messages a second in all, {seconds} s"),
        None => format!("direct: {senders} senders, {} unacknowledged each, {seconds} s", plan.window),
    };
    Ok(report)
}

/// What the senders share. All of them run on one thread.
struct Shared {
    run: u32,
    senders: usize,
    plan: Plan,
    start: Instant,
    ledger: RefCell<Ledger>,
    /// How many still send.
    sending: RefCell<usize>,
    /// The time to send is over.
    over: CancellationToken,
    /// Nothing more is awaited.
    settled: CancellationToken,
}

impl Shared {
    fn settle(&self) {
        if *self.sending.borrow() == 0 && self.ledger.borrow().is_settled() {
            self.settled.cancel();
        }
    }
}

/// Lets the seats send, each to its neighbour, and counts.
async fn measure(seats: Vec<Seat>, plan: Plan) -> Report {
    let senders = seats.len();
    let shared = Rc::new(Shared {
        run: uuid::Uuid::new_v4().as_fields().0,
        senders,
        plan,
        start: Instant::now(),
        ledger: RefCell::new(Ledger::new(senders, plan.duration)),
        sending: RefCell::new(senders),
        over: CancellationToken::new(),
        settled: CancellationToken::new(),
    });
    let mut tasks = JoinSet::new();
    for (index, seat) in seats.into_iter().enumerate() {
        tasks.spawn_local(converse(index, seat, Rc::clone(&shared)));
    }
    sleep_until(shared.start + plan.duration).await;
    shared.over.cancel();
    let mut troubles = BTreeMap::new();
    let drained = timeout(plan.drain, async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended.unwrap_or_else(|panic| Err(LoadError::Unexpected(panic.to_string()))) {
                *troubles.entry(error.to_string()).or_default() += 1;
            }
        }
    });
    let in_time = drained.await.is_ok();
    let ledger = shared.ledger.borrow();
    let totals = ledger.totals();
    if !in_time {
        troubles.insert("unsettled in the end".to_owned(), totals.unsettled);
    }
    troubles.extend(totals.refused.iter().map(|(code, count)| (format!("refused: {code}"), *count)));
    if totals.unexpected > 0 {
        troubles.insert("unexpected".to_owned(), totals.unexpected);
    }
    Report {
        sent: totals.sent,
        acknowledged: totals.acknowledged,
        delivered: totals.delivered,
        lost: ledger.lost(),
        duplicated: totals.duplicated,
        out_of_order: totals.out_of_order,
        per_second: per_second(totals.completed_in_time, plan.duration),
        latency_ms: LatencyMs::of(ledger.acknowledgement()),
        delivery_ms: LatencyMs::of(ledger.delivery()),
        troubles,
        ..Report::default()
    }
}

/// So many in that time, for each second.
#[expect(clippy::cast_precision_loss, reason = "a count of messages, far below 2^52")]
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// One sender: sends, and reads what comes, until all is settled.
struct Sender {
    index: usize,
    chat_id: ChatId,
    socket: Socket,
    pace: Pace,
    /// Whether the time to send goes on.
    sending: bool,
    in_flight: u32,
    /// Refused by the rate: nothing is sent before then.
    quiet_until: Option<Instant>,
    latest_seq: u64,
    shared: Rc<Shared>,
}

async fn converse(index: usize, seat: Seat, shared: Rc<Shared>) -> Result<(), LoadError> {
    let pace = Pace::new(shared.plan.rate, index, shared.senders);
    let mut sender = Sender {
        index,
        chat_id: seat.chat_id,
        socket: seat.socket,
        pace,
        sending: true,
        in_flight: 0,
        quiet_until: None,
        latest_seq: 0,
        shared,
    };
    let ended = sender.run().await;
    // A connection that broke early sends no more; the others go on.
    sender.stop_sending();
    ended
}

impl Sender {
    async fn run(&mut self) -> Result<(), LoadError> {
        let shared = Rc::clone(&self.shared);
        let mut over = pin!(shared.over.cancelled());
        let mut settled = pin!(shared.settled.cancelled());
        let mut timer = pin!(sleep_until(shared.start));
        loop {
            if self.feed_what_is_due().await? {
                self.socket.flush().await?;
            }
            let wake = self.wake();
            if let Some(wake) = wake {
                timer.as_mut().reset(wake);
            }
            tokio::select! {
                biased;
                received = self.socket.next() => self.take_what_is_there(received)?,
                () = &mut timer, if wake.is_some() => {}
                () = &mut over, if self.sending => {
                    // What was due before the end is not left out because its moment came late.
                    if self.feed_what_is_due().await? {
                        self.socket.flush().await?;
                    }
                    self.stop_sending();
                }
                () = &mut settled => break,
            }
        }
        // The server should see an orderly end; that it does is not part of the measurement.
        drop(timeout(Duration::from_secs(1), self.socket.close(None)).await);
        Ok(())
    }

    fn stop_sending(&mut self) {
        if std::mem::take(&mut self.sending) {
            *self.shared.sending.borrow_mut() -= 1;
            self.shared.settle();
        }
    }

    /// When there is something to do though nothing came.
    fn wake(&self) -> Option<Instant> {
        if !self.sending || self.in_flight >= self.shared.plan.window {
            return None;
        }
        self.quiet_until.or_else(|| self.pace.next_due().map(|due| self.shared.start + due))
    }

    async fn feed_what_is_due(&mut self) -> Result<bool, LoadError> {
        let now = Instant::now();
        if !self.sending || self.quiet_until.is_some_and(|until| now < until) {
            return Ok(false);
        }
        self.quiet_until = None;
        let now = now.saturating_duration_since(self.shared.start);
        let mut fed = false;
        while self.in_flight < self.shared.plan.window
            && let Some(due) = self.pace.take_due(now)
            && due < self.shared.plan.duration
        {
            let number = self.shared.ledger.borrow_mut().send(self.index, due);
            // Senders are counted in u32 by the command line.
            let sender = u32::try_from(self.index).unwrap_or(u32::MAX);
            let frame = Mark { run: self.shared.run, sender, number }.frame(self.chat_id);
            self.socket.feed(Message::text(frame)).await?;
            self.in_flight += 1;
            fed = true;
        }
        Ok(fed)
    }

    /// Takes what was received, and what else has arrived already.
    fn take_what_is_there(
        &mut self,
        received: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<(), LoadError> {
        let now = self.shared.start.elapsed();
        let mut received = Some(received);
        let mut room = READ_AT_ONCE;
        while let Some(next) = received {
            if let Some(text) = socket::text_of(next)? {
                self.take(&text, now)?;
            }
            room -= 1;
            // What is taken out of the socket must be counted: nothing is taken that there is no room for.
            received = if room > 0 { self.socket.next().now_or_never() } else { None };
        }
        self.shared.settle();
        Ok(())
    }

    fn take(&mut self, text: &str, now: Duration) -> Result<(), LoadError> {
        let frame = wire::read(text)
            .ok_or_else(|| LoadError::Unexpected("a frame came that is not in the protocol".to_owned()))?;
        let mut ledger = self.shared.ledger.borrow_mut();
        match frame {
            Frame::Acknowledged { number, .. } => {
                if ledger.acknowledge(self.index, number, now) {
                    self.in_flight -= 1;
                }
            }
            Frame::Refused { number, code, retry_after_ms } => {
                // A refusal without a number answers none of the messages that are awaited.
                if ledger.refuse(self.index, number.unwrap_or(u64::MAX), code, now) {
                    self.in_flight -= 1;
                }
                let pause = Duration::from_millis(retry_after_ms.unwrap_or_default());
                self.quiet_until = Some(self.shared.start + now + pause);
            }
            Frame::Message { seq, mark: Some(mark), .. } if mark.run == self.shared.run => {
                let sender = mark.sender as usize;
                let receiver = if sender == self.index { Receiver::Sender } else { Receiver::Partner };
                let arrival = ledger.deliver(sender, receiver, mark.number, now);
                // In the order of its sender, but not in that of the chat.
                if arrival == Arrival::InOrder && seq < self.latest_seq {
                    ledger.note_disorder();
                }
                self.latest_seq = self.latest_seq.max(seq);
            }
            Frame::Hello { .. } => return Err(LoadError::Unexpected("a second hello came".to_owned())),
            Frame::Message { .. } | Frame::Other => {}
        }
        Ok(())
    }
}
