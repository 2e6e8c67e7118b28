//! One group whose members are all online: what a message to many costs.

use std::{cell::RefCell, collections::BTreeMap, pin::pin, rc::Rc, time::Duration};

use i9chat_spec::{
    ChatId, ClientId, Entry, Event, EventFrame, Format, Nothing, ServerFrame, Watermark,
    api::{
        chats::{GetChat, OneChat},
        messages::{EntriesQuery, ListEntries},
    },
};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    GroupArgs, LoadError,
    accounts::{self, User},
    api::Api,
    descriptors,
    direct::per_second,
    founding::found,
    line::{BULK, Line},
    process::Process,
    report::{LatencyMs, Report},
    scan::Scanner,
    wire::{self, Frame, Mark},
};

mod ledger;
#[cfg(test)]
mod tests;

use ledger::Ledger;

/// How long answers and deliveries may take to come in the end.
const DRAIN: Duration = Duration::from_secs(30);
/// One frame in so many is read whole by the types of the protocol, and must say what the quick look said.
const READ_WHOLE: u64 = 1024;

pub(super) async fn run(args: GroupArgs) -> Result<Report, LoadError> {
    let GroupArgs { common, members, senders, seconds, window, pid } = args;
    let (members, senders) = (members as usize, senders.min(members) as usize);
    descriptors::allow(members as u64)?;
    let (api, users) = accounts::prepare(&common, members).await?;
    let chat_id = found(&api, &users, ClientId::from_uuid(uuid::Uuid::new_v4())).await?;
    let first = next_seq(&api, &users, chat_id).await?;
    let mut lines = Vec::with_capacity(members);
    for (number, user) in users.iter().enumerate() {
        lines.push(Line::open(api.target(), &user.token, number).await?);
    }
    let plan = Plan { chat_id, first, senders, window, duration: Duration::from_secs(seconds.into()), drain: DRAIN };
    let (mut report, shared) = measure(lines, plan, pid.map(Process)).await;
    if !history_is_what_was_delivered(&api, &users, chat_id, &shared).await? {
        report.troubles.insert("the history is not what was delivered".to_owned(), 1);
    }
    report.summary = format!(
        "group: {members} members online, {senders} of them send, {window} messages each under way until everybody has them, {seconds} s"
    );
    Ok(report)
}

/// The place that the next message will have.
async fn next_seq(api: &Api, users: &[User], chat_id: ChatId) -> Result<u64, LoadError> {
    let token = users.first().map(|user| &user.token);
    let chat = api.call::<GetChat>(token, &OneChat { chat_id }, &Nothing {}, &Nothing {}).await?.chat;
    Ok(chat.last_entry.as_ref().and_then(Entry::seq).map_or(1, |seq| seq.next().get()))
}

/// What the run is to do.
#[derive(Debug, Clone, Copy)]
struct Plan {
    chat_id: ChatId,
    /// The place of the first message.
    first: u64,
    senders: usize,
    /// How many messages each sender has under way at most.
    window: u32,
    duration: Duration,
    /// How long what is under way in the end may take.
    drain: Duration,
}

/// What the members share. All of them run on one thread.
struct Shared {
    run: u32,
    plan: Plan,
    scanner: Scanner,
    start: Instant,
    ledger: RefCell<Ledger>,
    /// Where every line reads to.
    bulk: RefCell<Vec<u8>>,
    /// Wakes a member one of whose messages is complete.
    room: Vec<Notify>,
    /// Every text frame, to read some of them whole.
    frames: RefCell<u64>,
    /// The time to send is over.
    over: CancellationToken,
    /// Nothing more is awaited.
    settled: CancellationToken,
}

impl Shared {
    fn settle(&self) {
        if self.over.is_cancelled() && self.ledger.borrow().is_settled() {
            self.settled.cancel();
        }
    }
}

/// Lets the first of the members send, and counts what each of them gets.
async fn measure(lines: Vec<Line>, plan: Plan, server: Option<Process>) -> (Report, Rc<Shared>) {
    let run = uuid::Uuid::new_v4().as_fields().0;
    let busy = || server.and_then(Process::cpu_seconds);
    let shared = Rc::new(Shared {
        run,
        plan,
        scanner: Scanner::new(run),
        start: Instant::now(),
        ledger: RefCell::new(Ledger::new(plan.first, lines.len(), plan.senders, plan.duration)),
        bulk: RefCell::new(vec![0; BULK]),
        room: std::iter::repeat_with(Notify::new).take(lines.len()).collect(),
        frames: RefCell::new(0),
        over: CancellationToken::new(),
        settled: CancellationToken::new(),
    });
    let busy_before = busy();
    let mut tasks = JoinSet::new();
    for (index, line) in lines.into_iter().enumerate() {
        let member = Member { index, line, quiet_until: None, shared: Rc::clone(&shared) };
        tasks.spawn_local(member.run());
    }
    sleep_until(shared.start + plan.duration).await;
    let busy_after = busy();
    let delivered_meanwhile = shared.ledger.borrow().totals().delivered;
    shared.over.cancel();
    shared.settle();
    let mut troubles = BTreeMap::new();
    let drained = timeout(plan.drain, async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended.unwrap_or_else(|panic| Err(LoadError::Unexpected(panic.to_string()))) {
                *troubles.entry(error.to_string()).or_default() += 1;
            }
        }
    });
    if drained.await.is_err() {
        let ledger = shared.ledger.borrow();
        let unsettled = (0..plan.senders).map(|sender| u64::from(ledger.in_flight(sender))).sum();
        troubles.insert("unsettled in the end".to_owned(), unsettled);
    }
    drop(tasks);
    let cpu = busy_before.zip(busy_after).map(|(before, after)| after - before);
    let report = report(&shared, troubles, cpu, delivered_meanwhile);
    (report, shared)
}

fn report(shared: &Shared, mut troubles: BTreeMap<String, u64>, cpu: Option<f64>, delivered_meanwhile: u64) -> Report {
    let ledger = shared.ledger.borrow();
    let totals = ledger.totals();
    troubles.extend(totals.refused.iter().map(|(code, count)| (format!("refused: {code}"), *count)));
    if totals.unexpected > 0 {
        troubles.insert("unexpected".to_owned(), totals.unexpected);
    }
    let mut figures = BTreeMap::new();
    let messages = per_second(totals.complete, shared.plan.duration);
    figures.insert("messages that everybody has, per second".to_owned(), messages);
    if let Some(cpu) = cpu {
        figures.insert("server: seconds of processor time".to_owned(), cpu);
        if delivered_meanwhile > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a count of deliveries, far below 2^52")]
            let micros = cpu * 1e6 / delivered_meanwhile as f64;
            figures.insert("server: microseconds of processor time per delivery".to_owned(), micros);
        }
    }
    Report {
        sent: totals.sent,
        acknowledged: totals.acknowledged,
        delivered: totals.delivered,
        lost: ledger.lost(),
        duplicated: totals.duplicated,
        out_of_order: totals.out_of_order,
        per_second: per_second(totals.delivered_in_time, shared.plan.duration),
        latency_ms: LatencyMs::of(ledger.acknowledgement()),
        delivery_ms: LatencyMs::of(ledger.delivery()),
        troubles,
        figures,
        ..Report::default()
    }
}

/// Reads the end of the history as the last member sees it, and holds it against what was delivered.
async fn history_is_what_was_delivered(
    api: &Api,
    users: &[User],
    chat_id: ChatId,
    shared: &Shared,
) -> Result<bool, LoadError> {
    let token = users.last().map(|user| &user.token);
    let delivered: Vec<_> = shared.ledger.borrow().order().collect();
    // As much as a few pages hold.
    let from = delivered.len().saturating_sub(1000);
    let mut after = Watermark::try_from(shared.plan.first - 1 + from as u64).ok();
    let mut stored = Vec::new();
    while after.is_some() {
        let query = EntriesQuery { before: None, after, limit: 200.try_into().ok() };
        let page = api.call::<ListEntries>(token, &OneChat { chat_id }, &query, &Nothing {}).await?;
        stored.extend(page.items.iter().map(|entry| {
            let text = entry.as_message().and_then(|message| message.content.text());
            text.and_then(Mark::read).map(|mark| (mark.sender, mark.number))
        }));
        after = page.next.map(Watermark::from);
    }
    Ok(delivered.get(from..) == Some(stored.as_slice()))
}

/// One member: reads what comes, and sends if it is one of those who do.
struct Member {
    index: usize,
    line: Line,
    /// Refused by the rate: nothing is sent before then.
    quiet_until: Option<Instant>,
    shared: Rc<Shared>,
}

impl Member {
    async fn run(mut self) -> Result<(), LoadError> {
        let shared = Rc::clone(&self.shared);
        let Some(room) = shared.room.get(self.index) else { return Ok(()) };
        let mut settled = pin!(shared.settled.cancelled());
        let mut pause = pin!(sleep_until(shared.start));
        loop {
            self.send_what_there_is_room_for();
            self.line.flush()?;
            if let Some(until) = self.quiet_until {
                pause.as_mut().reset(until);
            }
            tokio::select! {
                biased;
                ready = self.line.ready() => {
                    ready?;
                    self.take_what_is_there()?;
                }
                () = room.notified() => {}
                () = &mut pause, if self.quiet_until.is_some() => self.quiet_until = None,
                () = &mut settled => return Ok(()),
            }
        }
    }

    fn send_what_there_is_room_for(&mut self) {
        let Shared { run, plan, ledger, over, start, .. } = &*self.shared;
        if self.index >= plan.senders || over.is_cancelled() || self.quiet_until.is_some() {
            return;
        }
        let mut ledger = ledger.borrow_mut();
        // Senders are counted in u32 by the command line.
        let sender = u32::try_from(self.index).unwrap_or(u32::MAX);
        while ledger.in_flight(self.index) < plan.window {
            let number = ledger.send(self.index, start.elapsed());
            self.line.send(&Mark { run: *run, sender, number }.frame(plan.chat_id));
        }
    }

    /// Takes everything that has arrived.
    fn take_what_is_there(&mut self) -> Result<(), LoadError> {
        let Self { index, line, quiet_until, shared } = self;
        let mut bulk = shared.bulk.borrow_mut();
        loop {
            let now = shared.start.elapsed();
            let more = line.receive(&mut bulk, |frame| {
                if let Some(pause) = shared.take(*index, frame, now)? {
                    *quiet_until = Some(shared.start + now + pause);
                }
                Ok(())
            })?;
            if !more {
                break;
            }
        }
        shared.settle();
        Ok(())
    }
}

impl Shared {
    /// Takes a frame that a member got. Gives how long the member is to send nothing, if it was refused.
    fn take(&self, member: usize, frame: &[u8], now: Duration) -> Result<Option<Duration>, LoadError> {
        let found = self.scanner.find(frame);
        let mut frames = self.frames.borrow_mut();
        *frames += 1;
        if frames.is_multiple_of(READ_WHOLE) && whole(frame, self.run)? != found {
            return Err(LoadError::Unexpected(
                "a quick look at a frame saw something else than a whole reading".to_owned(),
            ));
        }
        let mut ledger = self.ledger.borrow_mut();
        let complete = match found {
            Some((seq, mark)) => ledger.deliver(member, seq, mark, now),
            None => match std::str::from_utf8(frame).ok().and_then(wire::read) {
                Some(Frame::Acknowledged { number, seq }) => {
                    ledger.acknowledge(member, number, seq.unwrap_or_default(), now)
                }
                Some(Frame::Refused { number, code, retry_after_ms }) => {
                    ledger.refuse(member, number, code);
                    return Ok(Some(Duration::from_millis(retry_after_ms.unwrap_or_default())));
                }
                Some(Frame::Hello { .. } | Frame::Message { .. } | Frame::Other) => None,
                None => return Err(LoadError::Unexpected("a frame came that is not in the protocol".to_owned())),
            },
        };
        if let Some(room) = complete.and_then(|sender| self.room.get(sender)) {
            room.notify_one();
        }
        Ok(None)
    }
}

/// What the types of the protocol find in a frame.
fn whole(frame: &[u8], run: u32) -> Result<Option<(u64, Mark)>, LoadError> {
    let frame: ServerFrame = Format::Json
        .decode(frame)
        .map_err(|error| LoadError::Unexpected(format!("a frame came that is not in the protocol: {error}")))?;
    let ServerFrame::Event(EventFrame { event: Event::MessageCreated(created), .. }) = frame else { return Ok(None) };
    let mark = created.message.content.text().and_then(Mark::read).filter(|mark| mark.run == run);
    Ok(mark.map(|mark| (created.message.seq.get(), mark)))
}
