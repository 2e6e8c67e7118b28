use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use i9chat_spec::{
    ChatId, Nothing, Token,
    api::{
        capabilities::GetCapabilities,
        events::{EventsQuery, ListEvents},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    LoadError, ResumeArgs,
    accounts::{self, User},
    api::Api,
    descriptors,
    direct::per_second,
    idle, ledger,
    report::{LatencyMs, Report},
    socket::{self, Buffers},
    target::Target,
    wire::{self, Frame, Mark},
};

/// How long the connections may take to get what they missed.
const PATIENCE: Duration = Duration::from_mins(2);
/// How many messages each chat has unacknowledged while the missed ones are written.
const WINDOW: usize = 32;
/// How many chats are written at a time.
const WRITING: usize = 32;

pub(super) async fn run(args: ResumeArgs) -> Result<Report, LoadError> {
    let ResumeArgs { common, connections, connections_per_user, missed } = args;
    descriptors::allow(connections.into())?;
    let allowed =
        accounts::api(&common).await?.call::<GetCapabilities>(None, &Nothing {}, &Nothing {}, &Nothing {}).await?;
    if u64::from(missed) > allowed.limits.max_resume_events {
        let most = allowed.limits.max_resume_events;
        return Err(LoadError::DoesNotFit(format!(
            "the server replays at most {most} events, and {missed} were asked for"
        )));
    }
    let per_user = idle::per_user(Some(connections_per_user), allowed.limits.max_connections_per_user)?;
    let connections = connections as usize;
    let (api, users) = accounts::prepare(&common, connections.div_ceil(per_user).next_multiple_of(2)).await?;
    let chats = accounts::open_chats(&api, &users).await?;
    let run = uuid::Uuid::new_v4().as_fields().0;
    let cursor = place_in_the_log(&api, &users).await?;
    write_missed(&api, &users, &chats, run, 0..u64::from(missed)).await?;

    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let Some(user) = users.get(number / per_user) else { break };
        let back = Back {
            target: api.target().clone(),
            token: user.token.clone(),
            cursor: cursor.clone(),
            number,
            run,
            missed: missed.into(),
            start,
        };
        tasks.spawn_local(timeout(PATIENCE, back.catch_up()));
    }
    let mut tally = Tally::default();
    let mut times = ledger::histogram();
    while let Some(ended) = tasks.join_next().await {
        tally.add(ended.unwrap_or_else(|panic| Ok(Err(LoadError::Unexpected(panic.to_string())))), &mut times);
    }
    let took = start.elapsed();
    let wanted = connections as u64 * u64::from(missed);
    let messages = chats.len() as u64 / 2 * u64::from(missed);
    Ok(Report {
        sent: messages,
        acknowledged: messages,
        delivered: tally.delivered,
        lost: wanted - tally.delivered,
        duplicated: tally.duplicated,
        out_of_order: tally.out_of_order,
        per_second: per_second(tally.delivered, took),
        latency_ms: LatencyMs::of(&times),
        troubles: tally.troubles,
        summary: format!(
            "resume: {connections} connections that missed {missed} messages each came back at once; all had everything after {:.3} s",
            took.as_secs_f64()
        ),
        ..Report::default()
    })
}

/// Where the log ends now. One user's cursor is good for all. (RSM-10)
async fn place_in_the_log(api: &Api, users: &[User]) -> Result<String, LoadError> {
    let token = users.first().map(|user| &user.token);
    let page = api.call::<ListEvents>(token, &Nothing {}, &EventsQuery::default(), &Nothing {}).await?;
    Ok(page.cursor.as_str().to_owned())
}

/// Writes messages of these numbers into each chat, by the first of its two users.
async fn write_missed(
    api: &Api,
    users: &[User],
    chats: &[ChatId],
    run: u32,
    numbers: std::ops::Range<u64>,
) -> Result<(), LoadError> {
    let writers = users.iter().zip(chats).enumerate().step_by(2);
    stream::iter(writers)
        .map(Ok)
        .try_for_each_concurrent(WRITING, async |(sender, (user, chat_id))| {
            write_chat(api.target(), &user.token, *chat_id, run, sender, numbers.clone()).await
        })
        .await
}

async fn write_chat(
    target: &Target,
    token: &Token,
    chat_id: ChatId,
    run: u32,
    sender: usize,
    numbers: std::ops::Range<u64>,
) -> Result<(), LoadError> {
    let (mut socket, _) = socket::open(target, token, None, Buffers::Busy, sender).await?;
    let sender = u32::try_from(sender).unwrap_or(u32::MAX);
    let mut waiting: VecDeque<u64> = numbers.collect();
    let mut in_flight = 0;
    while in_flight > 0 || !waiting.is_empty() {
        while in_flight < WINDOW
            && let Some(number) = waiting.pop_front()
        {
            socket.feed(Message::text(Mark { run, sender, number }.frame(chat_id))).await?;
            in_flight += 1;
        }
        socket.flush().await?;
        let text = socket::next_text(&mut socket).await?;
        match wire::read(&text) {
            Some(Frame::Acknowledged { .. }) => in_flight -= 1,
            // In order no more, which does not matter: a refused message is sent again with the ones that wait.
            Some(Frame::Refused { number: Some(number), code: "rate_limited", retry_after_ms }) => {
                in_flight -= 1;
                waiting.push_back(number);
                sleep(Duration::from_millis(retry_after_ms.unwrap_or(100))).await;
            }
            Some(Frame::Refused { code, .. }) => {
                return Err(LoadError::Unexpected(format!("a message was refused: {code}")));
            }
            _ => {}
        }
    }
    socket.close(None).await?;
    Ok(())
}

/// A connection that comes back.
struct Back {
    target: Target,
    token: Token,
    cursor: String,
    number: usize,
    run: u32,
    missed: u64,
    start: Instant,
}

/// What a connection got.
#[derive(Debug)]
struct CaughtUp {
    took: Duration,
    delivered: u64,
    duplicated: u64,
    out_of_order: u64,
}

impl Back {
    async fn catch_up(self) -> Result<CaughtUp, LoadError> {
        let (mut socket, resume) =
            socket::open(&self.target, &self.token, Some(&self.cursor), Buffers::Busy, self.number).await?;
        if resume != "resumed" {
            return Err(LoadError::Unexpected(format!("a cursor was answered with {resume}")));
        }
        let mut seen = Seen::new(self.missed);
        while seen.delivered < self.missed {
            let text = socket::next_text(&mut socket).await?;
            if let Some(Frame::Message { seq, mark: Some(mark), .. }) = wire::read(&text)
                && mark.run == self.run
            {
                seen.take(seq, mark.number);
            }
        }
        let took = self.start.elapsed();
        let Seen { delivered, duplicated, out_of_order, .. } = seen;
        Ok(CaughtUp { took, delivered, duplicated, out_of_order })
    }
}

/// Which of the missed messages, numbered from 0, a connection has.
struct Seen {
    numbers: Vec<bool>,
    latest_seq: u64,
    delivered: u64,
    duplicated: u64,
    out_of_order: u64,
}

impl Seen {
    fn new(missed: u64) -> Self {
        let count = usize::try_from(missed).unwrap_or(usize::MAX);
        Self { numbers: vec![false; count], latest_seq: 0, delivered: 0, duplicated: 0, out_of_order: 0 }
    }

    fn take(&mut self, seq: u64, number: u64) {
        match usize::try_from(number).ok().and_then(|index| self.numbers.get_mut(index)) {
            Some(seen) if !*seen => {
                *seen = true;
                self.delivered += 1;
                self.out_of_order += u64::from(seq < self.latest_seq);
            }
            _ => self.duplicated += 1,
        }
        self.latest_seq = self.latest_seq.max(seq);
    }
}

#[derive(Debug, Default)]
struct Tally {
    delivered: u64,
    duplicated: u64,
    out_of_order: u64,
    troubles: BTreeMap<String, u64>,
}

impl Tally {
    fn add(
        &mut self,
        ended: Result<Result<CaughtUp, LoadError>, tokio::time::error::Elapsed>,
        times: &mut Histogram<u64>,
    ) {
        match ended {
            Ok(Ok(back)) => {
                self.delivered += back.delivered;
                self.duplicated += back.duplicated;
                self.out_of_order += back.out_of_order;
                ledger::record(times, back.took);
            }
            Ok(Err(error)) => *self.troubles.entry(error.to_string()).or_default() += 1,
            Err(_) => *self.troubles.entry("incomplete in the end".to_owned()).or_default() += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(arrivals: &[(u64, u64)]) -> [u64; 3] {
        let mut seen = Seen::new(3);
        for (seq, number) in arrivals {
            seen.take(*seq, *number);
        }
        [seen.delivered, seen.duplicated, seen.out_of_order]
    }

    #[test]
    fn what_a_connection_gets_is_counted_exactly() {
        assert_eq!(counts(&[(1, 0), (2, 1), (3, 2)]), [3, 0, 0]);
        assert_eq!(counts(&[(1, 0), (1, 0), (3, 2)]), [2, 1, 0]);
        assert_eq!(counts(&[(2, 1), (1, 0), (3, 2)]), [3, 0, 1]);
        assert_eq!(counts(&[(9, 9)]), [0, 1, 0]);
    }
}
