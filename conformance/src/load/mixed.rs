//! Everything that people do, at once and for long: messages to one and to many, receipts, reactions, typing, presence,
//! reads of history and lists, connections that break and come back. It is slow on purpose; what it looks for is what
//! goes wrong after a while: memory that grows, a message that is lost, an answer that is an error.

use std::{cell::RefCell, collections::HashMap, pin::pin, rc::Rc, time::Duration};

use i9chat_spec::{
    ChatId, ClientId, Entry, Nothing, Username,
    api::chats::{GetChat, OneChat},
};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    LoadError, MixedArgs,
    accounts::{self, User},
    api::Api,
    descriptors,
    direct::per_second,
    founding::found,
    process::Process,
    report::{LatencyMs, Report},
    socket::{self, Buffers},
};

mod ledger;
mod memory;
mod person;
mod script;

use ledger::Ledger;
use memory::Memory;
use person::Person;

/// How long answers and deliveries may take to come in the end.
const DRAIN: Duration = Duration::from_secs(30);
/// How often it is looked whether everything has come in the end.
const LOOK: Duration = Duration::from_millis(50);
/// How often the server's memory is read.
const SAMPLE: Duration = Duration::from_secs(1);

pub(super) async fn run(args: MixedArgs) -> Result<Report, LoadError> {
    let MixedArgs { common, people, groups, group_size, rate, duration, pid } = args;
    let people = people.next_multiple_of(2) as usize;
    descriptors::allow(people as u64)?;
    let (api, users) = accounts::prepare(&common, people).await?;
    let rooms = rooms(&api, &users, groups as usize, (group_size as usize).min(people)).await?;
    let duration = Duration::from_secs(duration.into());
    let mut sockets = Vec::with_capacity(people);
    for (index, user) in users.iter().enumerate() {
        let (socket, _) = socket::open(api.target(), &user.token, None, Buffers::Busy, index).await?;
        sockets.push(socket);
    }
    let shared = Rc::new(Shared {
        api,
        run: uuid::Uuid::new_v4().as_fields().0,
        names: users.iter().map(|user| user.username.clone()).collect(),
        rate,
        duration,
        start: Instant::now(),
        ledger: RefCell::new(Ledger::new(people, &rooms)),
        over: CancellationToken::new(),
        settled: CancellationToken::new(),
    });
    let mut tasks = JoinSet::new();
    for (index, (user, socket)) in users.iter().zip(sockets).enumerate() {
        let mine = rooms.iter().filter(|room| room.members.contains(&index)).cloned().collect();
        tasks.spawn_local(Person::new(index, user.clone(), mine, socket, Rc::clone(&shared)).run());
    }
    let memory = watch(pid.map(Process), &shared).await;
    shared.over.cancel();
    wait_until_settled(&shared).await;
    shared.settled.cancel();
    let ended = timeout(DRAIN, async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended.unwrap_or_else(|panic| Err(LoadError::Unexpected(panic.to_string()))) {
                shared.ledger.borrow_mut().trouble(error.to_string());
            }
        }
    });
    if ended.await.is_err() {
        shared.ledger.borrow_mut().trouble("connections that do not end".to_owned());
    }
    Ok(report(
        &shared,
        &memory,
        format!(
            "mixed: {people} people, {} direct chats, {groups} groups of {group_size}, {rate} things a second for {} s",
            people / 2,
            duration.as_secs(),
        ),
    ))
}

/// A chat, and which of the people are in it.
#[derive(Debug, Clone)]
struct Room {
    chat_id: ChatId,
    /// By their places among the people.
    members: Vec<usize>,
    is_group: bool,
    /// The place of the first entry of the run.
    first: u64,
}

/// What the people share. All of them run on one thread.
struct Shared {
    api: Api,
    run: u32,
    names: Vec<Username>,
    /// How many things are done a second, of all people together.
    rate: u32,
    duration: Duration,
    start: Instant,
    ledger: RefCell<Ledger>,
    /// Nothing more is done.
    over: CancellationToken,
    /// Nothing more is awaited.
    settled: CancellationToken,
}

/// The direct chats of the people with their neighbours, and groups of people that overlap.
async fn rooms(api: &Api, users: &[User], groups: usize, size: usize) -> Result<Vec<Room>, LoadError> {
    let mut rooms = Vec::new();
    let chats = accounts::open_chats(api, users).await?;
    for (index, chat_id) in chats.into_iter().enumerate().step_by(2) {
        rooms.push(Room { chat_id, members: vec![index, index + 1], is_group: false, first: 0 });
    }
    for number in 0..groups {
        let from = number * users.len() / groups;
        let members: Vec<usize> = (from..from + size).map(|index| index % users.len()).collect();
        let named: Vec<User> = members.iter().filter_map(|index| users.get(*index).cloned()).collect();
        let chat_id = found(api, &named, ClientId::from_uuid(uuid::Uuid::new_v4())).await?;
        rooms.push(Room { chat_id, members, is_group: true, first: 0 });
    }
    for room in &mut rooms {
        let token = room.members.first().and_then(|index| users.get(*index)).map(|user| &user.token);
        let path = OneChat { chat_id: room.chat_id };
        let chat = api.call::<GetChat>(token, &path, &Nothing {}, &Nothing {}).await?.chat;
        room.first = chat.last_entry.as_ref().and_then(Entry::seq).map_or(1, |seq| seq.next().get());
    }
    Ok(rooms)
}

/// Reads the server's memory again and again until the time is over.
async fn watch(server: Option<Process>, shared: &Shared) -> Memory {
    let mut memory = Memory::default();
    let mut samples = interval(SAMPLE);
    let mut end = pin!(sleep_until(shared.start + shared.duration));
    loop {
        tokio::select! {
            () = &mut end => return memory,
            _ = samples.tick() => {
                if let Some(bytes) = server.and_then(Process::resident_bytes) {
                    memory.sample(shared.start.elapsed(), bytes);
                }
            }
        }
    }
}

async fn wait_until_settled(shared: &Shared) {
    let mut looks = interval(LOOK);
    let settled = async {
        while !shared.ledger.borrow().is_settled() {
            looks.tick().await;
        }
    };
    // What is still open then is counted as lost or unanswered.
    drop(timeout(DRAIN, settled).await);
}

fn report(shared: &Shared, memory: &Memory, summary: String) -> Report {
    let ledger = shared.ledger.borrow();
    let totals = ledger.totals();
    let mut troubles = totals.troubles.clone();
    if ledger.unanswered() > 0 {
        troubles.insert("unanswered in the end".to_owned(), ledger.unanswered());
    }
    let mut figures = memory.figures();
    figures.extend(totals.done.iter().map(|(what, count)| {
        #[expect(clippy::cast_precision_loss, reason = "a count of what was done, far below 2^52")]
        let count = *count as f64;
        (format!("done: {what}"), count)
    }));
    for (what, times) in ledger.reads() {
        let LatencyMs { p50, p99, .. } = LatencyMs::of(times);
        figures.extend(p50.map(|p50| (format!("{what}: ms, p50"), p50)));
        figures.extend(p99.map(|p99| (format!("{what}: ms, p99"), p99)));
    }
    Report {
        sent: totals.sent,
        acknowledged: totals.acknowledged,
        delivered: totals.delivered,
        lost: ledger.lost(),
        duplicated: totals.duplicated,
        out_of_order: totals.out_of_order,
        per_second: per_second(totals.delivered, shared.duration),
        latency_ms: LatencyMs::of(ledger.acknowledgement()),
        delivery_ms: LatencyMs::of(ledger.delivery()),
        troubles,
        figures,
        summary,
        ..Report::default()
    }
}

/// What stands at the places of the chats, by chat.
type ByChat<T> = HashMap<ChatId, T>;
