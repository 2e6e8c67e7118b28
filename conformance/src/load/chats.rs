//! One user in very many chats: what coming online and reading the list cost them.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use i9chat_spec::{
    Chat, ChatId, ClientId, Content, Cursor, Entry, Event, Format, NewContent, Nothing, ServerFrame,
    api::{
        chats::{ChatsQuery, ListChats, OneChat},
        events::{EventPage, EventsQuery, ListEvents},
        messages::{NewMessage, SendMessage},
    },
};
use tokio::time::Instant;

use super::{
    ChatsArgs, LoadError,
    accounts::{self, User},
    api::Api,
    founding::found,
    ledger::{histogram, record},
    report::{LatencyMs, Report},
    socket::{self, Buffers},
    wire::Mark,
};

/// How many users the chats are shared with, so that one user's rate does not bound how quickly they are made.
const OTHERS: usize = 8;
/// How many chats are made at a time.
const MAKING: usize = 32;
/// The page that an application reads first, and the largest one.
const FIRST_PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 200;

pub(super) async fn run(args: ChatsArgs) -> Result<Report, LoadError> {
    let ChatsArgs { common, chats, missed, times } = args;
    if missed > chats {
        return Err(LoadError::DoesNotFit(format!("{missed} chats cannot get a message when there are {chats}")));
    }
    let (api, users) = accounts::prepare(&common, 1 + OTHERS).await?;
    let Some((user, others)) = users.split_first() else {
        return Err(LoadError::DoesNotFit("the load needs users".to_owned()));
    };
    let there = all_pages(&api, user).await?;
    make(&api, user, others, chats as usize - there.len().min(chats as usize)).await?;
    let mut bench = Bench { api: &api, user, times, measured: BTreeMap::new(), troubles: BTreeMap::new() };
    let all = bench.lists(chats as usize).await?;
    let (delivered, lost) = bench.comes_back(others, &all, missed).await?;
    let Bench { measured, troubles, .. } = bench;
    let mut figures = BTreeMap::new();
    for (name, times) in measured {
        let LatencyMs { p50, p99, .. } = LatencyMs::of(&times);
        figures.extend(p50.map(|p50| (format!("{name}: ms, p50"), p50)));
        figures.extend(p99.map(|p99| (format!("{name}: ms, p99"), p99)));
    }
    Ok(Report {
        sent: missed.into(),
        acknowledged: missed.into(),
        delivered,
        lost,
        troubles,
        figures,
        summary: format!(
            "chats: a user in {} chats, {missed} of which got a message while they were away, {times} times each",
            all.len()
        ),
        ..Report::default()
    })
}

/// Makes groups of the user and one of the others, each with a message.
async fn make(api: &Api, user: &User, others: &[User], count: usize) -> Result<(), LoadError> {
    let founders = others.iter().cycle().take(count);
    stream::iter(founders)
        .map(Ok)
        .try_for_each_concurrent(MAKING, async |founder| {
            let members = [founder.clone(), user.clone()];
            let chat_id = found(api, &members, ClientId::from_uuid(uuid::Uuid::new_v4())).await?;
            say(api, founder, chat_id, Mark { run: 0, sender: 0, number: 0 }).await
        })
        .await
}

async fn say(api: &Api, user: &User, chat_id: ChatId, mark: Mark) -> Result<(), LoadError> {
    let text = mark.text().parse().map_err(|error| LoadError::Unexpected(format!("a text: {error}")))?;
    let client_id = ClientId::from_uuid(uuid::Uuid::new_v4());
    let message = NewMessage { client_id, content: NewContent::Text { text }, reply_to: None };
    api.call::<SendMessage>(Some(&user.token), &OneChat { chat_id }, &Nothing {}, &message).await.map(drop)
}

/// All chats of the user, as the pages of their list give them one after the other.
async fn all_pages(api: &Api, user: &User) -> Result<Vec<Chat>, LoadError> {
    let mut query = ChatsQuery { limit: LARGEST_PAGE.try_into().ok(), ..ChatsQuery::default() };
    let mut chats = Vec::new();
    loop {
        let page = api.call::<ListChats>(Some(&user.token), &Nothing {}, &query, &Nothing {}).await?;
        chats.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return Ok(chats);
        }
    }
}

/// Everything is measured several times, and each answer is checked.
struct Bench<'a> {
    api: &'a Api,
    user: &'a User,
    times: u32,
    measured: BTreeMap<&'static str, Histogram<u64>>,
    troubles: BTreeMap<String, u64>,
}

impl Bench<'_> {
    fn note(&mut self, name: &'static str, took: Duration) {
        record(self.measured.entry(name).or_insert_with(histogram), took);
    }

    fn check(&mut self, is_right: bool, trouble: &str) {
        if !is_right {
            *self.troubles.entry(trouble.to_owned()).or_default() += 1;
        }
    }

    /// Reads the list: its first page, the largest page, and all of it.
    async fn lists(&mut self, chats: usize) -> Result<Vec<Chat>, LoadError> {
        let token = Some(&self.user.token);
        let mut all = Vec::new();
        for _ in 0..self.times {
            for (name, limit) in [("first page of 50 chats", FIRST_PAGE), ("first page of 200 chats", LARGEST_PAGE)] {
                let query = ChatsQuery { limit: limit.try_into().ok(), ..ChatsQuery::default() };
                let (page, took) = self.api.timed::<ListChats>(token, &Nothing {}, &query, &Nothing {}).await?;
                self.note(name, took);
                self.check(page.items.len() as u64 == limit.min(chats as u64), "a page of another length");
            }
            let start = Instant::now();
            all = all_pages(self.api, self.user).await?;
            self.note("all pages", start.elapsed());
            let different: HashSet<ChatId> = all.iter().map(|chat| chat.chat_id).collect();
            self.check(different.len() == all.len(), "a chat stands in the list twice");
            self.check(all.len() >= chats, "a chat is missing in the list");
        }
        Ok(all)
    }

    /// Connects afresh, misses a few messages, and comes back in each of the ways there are. Gives how many of the missed
    /// messages came, and how many did not.
    async fn comes_back(&mut self, others: &[User], all: &[Chat], missed: u32) -> Result<(u64, u64), LoadError> {
        for number in 0..self.times {
            let start = Instant::now();
            let (_, resume) = self.connect(None, number).await?;
            self.note("connect, until hello", start.elapsed());
            self.check(resume == "fresh", "a connection without a cursor is not fresh");
        }
        let away = self.events(None).await?.0.cursor;
        let run = uuid::Uuid::new_v4().as_fields().0;
        for (chat, number) in all.iter().rev().zip(0..u64::from(missed)) {
            let author = Self::author(others, chat)?;
            say(self.api, author, chat.chat_id, Mark { run, sender: 0, number }).await?;
        }
        let mut came = u64::MAX;
        for number in 0..self.times {
            came = came.min(self.resume(&away, run, missed, number).await?);
            let (page, took) = self.events(Some(&away)).await?;
            self.note("GET /v1/events after the missed messages", took);
            let numbers: Vec<_> = page.events.iter().filter_map(|frame| number_of(&frame.event, run)).collect();
            self.check(numbers.iter().copied().eq(0..u64::from(missed)), "the events are not those that were missed");
            let query =
                ChatsQuery { changed_since: Some(away.clone()), limit: LARGEST_PAGE.try_into().ok(), after: None };
            let token = Some(&self.user.token);
            let (page, took) = self.api.timed::<ListChats>(token, &Nothing {}, &query, &Nothing {}).await?;
            self.note("list of the chats that changed", took);
            let expected = u64::from(missed).min(LARGEST_PAGE);
            self.check(page.items.len() as u64 == expected, "the changed chats are not those that changed");
        }
        Ok((came, u64::from(missed).saturating_sub(came)))
    }

    async fn connect(&self, cursor: Option<&Cursor>, number: u32) -> Result<(socket::Socket, String), LoadError> {
        let cursor = cursor.map(Cursor::as_str);
        socket::open(self.api.target(), &self.user.token, cursor, Buffers::Busy, number as usize).await
    }

    async fn events(&self, cursor: Option<&Cursor>) -> Result<(EventPage, Duration), LoadError> {
        let query = EventsQuery { cursor: cursor.cloned(), limit: LARGEST_PAGE.try_into().ok() };
        self.api.timed::<ListEvents>(Some(&self.user.token), &Nothing {}, &query, &Nothing {}).await
    }

    /// Comes back with the cursor, and reads until everything that was missed is there.
    async fn resume(&mut self, away: &Cursor, run: u32, missed: u32, number: u32) -> Result<u64, LoadError> {
        let start = Instant::now();
        let (mut socket, resume) = self.connect(Some(away), number).await?;
        self.check(resume == "resumed", "a cursor was not resumed from");
        let mut came = 0;
        while came < u64::from(missed) {
            let text = socket::next_text(&mut socket).await?;
            let frame = Format::Json.decode(text.as_bytes());
            if let Ok(ServerFrame::Event(frame)) = frame
                && let Some(number) = number_of(&frame.event, run)
            {
                self.check(number == came, "a missed message came in another order");
                came += 1;
            }
        }
        self.note("connect with a cursor, until all that was missed is there", start.elapsed());
        Ok(came)
    }

    /// The one of the others who is in the chat: who wrote its first message.
    fn author<'a>(others: &'a [User], chat: &Chat) -> Result<&'a User, LoadError> {
        let name = match &chat.last_entry {
            Some(Entry::Message(message)) => Some(&message.sender.username),
            Some(Entry::Activity(activity)) => Some(&activity.actor.username),
            _ => None,
        };
        let author = others.iter().find(|other| name == Some(&other.username));
        author.ok_or_else(|| LoadError::DoesNotFit("the user is in chats of another load".to_owned()))
    }
}

/// Which of the messages of the run an event tells of.
fn number_of(event: &Event, run: u32) -> Option<u64> {
    let Event::MessageCreated(created) = event else { return None };
    let Content::Text { text } = &created.message.content else { return None };
    Mark::read(text.as_str()).filter(|mark| mark.run == run).map(|mark| mark.number)
}
