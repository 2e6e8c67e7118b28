use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use i9chat_spec::{
    Chat, ChatId, Entry, ErrorCode, Membership, Message, Nothing, Problem, ReadState, RequestId, UserId, Watermark,
    action,
    api::receipts::{Mark, MarkReceipts, MarkResult, Marks as Body},
    list::List,
};
use tokio::{
    sync::{Notify, oneshot, watch},
    time::sleep,
};

use super::ask::Asker;
use crate::{
    ConnectionState, Error, Http,
    connection::{AskError, Backoff},
};

/// The shortest time between two calls: what comes meanwhile goes together.
const GAP: Duration = Duration::from_millis(10);
/// How much longer what nobody waits for is gathered.
const GATHERING: Duration = Duration::from_millis(100);
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };
/// How many chats one call moves. (RCP-2)
const MOST: usize = List::<Mark, 1, 100>::MAX;

/// Watermarks on their way to the server: per chat only the furthest.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pending: Mutex<Pending>,
    news: Notify,
    /// Somebody waits.
    urgent: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    wanted: BTreeMap<ChatId, Wanted>,
    closed: bool,
}

/// Where the watermarks of one chat are to go, and who waits for it.
#[derive(Debug, Default)]
struct Wanted {
    delivered: Option<Watermark>,
    read: Option<Watermark>,
    waiting: Vec<oneshot::Sender<Result<ReadState, Error>>>,
}

type Batch = BTreeMap<ChatId, Wanted>;

/// What is marked as delivered by itself, if anything is. It does not keep the connection open.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries {
    pub(super) me: UserId,
    pub(super) marks: Option<Arc<Marks>>,
}

impl Deliveries {
    /// A message has reached the program; those of the user are no news.
    pub(super) fn message(&self, message: &Message) {
        if let Some(marks) = &self.marks
            && message.sender.user_id != self.me
        {
            marks.deliver(message.chat_id, message.seq.into());
        }
    }

    /// A chat has reached the program, with its last entry.
    pub(crate) fn chat(&self, chat: &Chat) {
        let last = chat.last_entry.as_ref().and_then(Entry::seq).map(Watermark::from);
        if let Some(marks) = &self.marks
            && let Some(last) = last.filter(|last| *last > chat.delivered && chat.unread_count > 0)
            && chat.membership == Membership::Member
        {
            marks.deliver(chat.chat_id, last);
        }
    }
}

impl Marks {
    /// Marks as delivered, some time soon; nobody waits for it.
    pub(super) fn deliver(&self, chat_id: ChatId, delivered: Watermark) {
        self.add(chat_id, Wanted { delivered: Some(delivered), ..Wanted::default() });
    }

    /// Moves the watermarks of a chat. The answer never comes once the client has stopped.
    pub(super) fn mark(&self, mark: Mark) -> oneshot::Receiver<Result<ReadState, Error>> {
        let (settled, outcome) = oneshot::channel();
        self.add(mark.chat_id, Wanted { delivered: mark.delivered, read: mark.read, waiting: vec![settled] });
        outcome
    }

    fn add(&self, chat_id: ChatId, wanted: Wanted) {
        let mut pending = self.pending();
        if !pending.closed {
            if !wanted.waiting.is_empty() {
                self.urgent.notify_one();
            }
            pending.wanted.entry(chat_id).or_default().merge(wanted);
            self.news.notify_one();
        }
    }

    fn take(&self) -> Batch {
        let mut pending = self.pending();
        match pending.wanted.keys().nth(MOST).copied() {
            Some(beyond) => {
                let later = pending.wanted.split_off(&beyond);
                mem::replace(&mut pending.wanted, later)
            }
            None => mem::take(&mut pending.wanted),
        }
    }

    fn put_back(&self, batch: Batch) {
        for (chat_id, wanted) in batch {
            self.add(chat_id, wanted);
        }
    }

    /// From now on nobody waits in vain.
    fn close(&self) {
        *self.pending() = Pending { closed: true, ..Pending::default() };
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    fn merge(&mut self, other: Self) {
        self.delivered = self.delivered.max(other.delivered);
        self.read = self.read.max(other.read);
        self.waiting.extend(other.waiting);
    }

    fn settle(self, outcome: &dyn Fn() -> Result<ReadState, Error>) {
        for waiting in self.waiting {
            // Whoever does not wait any more does not want to know.
            drop(waiting.send(outcome()));
        }
    }
}

/// Carries marks to the server until the client stops: over the line, or by a call while there is none.
pub(super) async fn run(marks: Arc<Marks>, asker: Asker, http: Http, mut state: watch::Receiver<ConnectionState>) {
    let _closed = CloseAtEnd(Arc::clone(&marks));
    let mut failures = 0;
    loop {
        let batch = marks.take();
        if batch.is_empty() {
            marks.news.notified().await;
            continue;
        }
        match place(&batch, &asker, &http, &state).await {
            Ok(results) => {
                failures = 0;
                settle(batch, results);
            }
            Err(error) if error.is_retryable() => {
                let pause = BACKOFF.delay(failures, rand::random()).max(error.retry_after().unwrap_or_default());
                tracing::debug!(%error, ?pause, "receipts are tried again");
                failures += 1;
                marks.put_back(batch);
                let was_connected = is_connected(&state);
                tokio::select! {
                    () = sleep(pause) => {}
                    // Once the line is back there is nothing to wait for any more.
                    Ok(_) = state.wait_for(|state| matches!(state, ConnectionState::Connected { .. })), if !was_connected => {}
                }
                continue;
            }
            Err(error) => {
                tracing::debug!(%error, "receipts are refused");
                for wanted in batch.into_values() {
                    wanted.settle(&|| Err(again(&error)));
                }
            }
        }
        sleep(GAP).await;
        tokio::select! {
            () = sleep(GATHERING) => {}
            () = marks.urgent.notified() => {}
        }
    }
}

async fn place(
    batch: &Batch,
    asker: &Asker,
    http: &Http,
    state: &watch::Receiver<ConnectionState>,
) -> Result<Vec<MarkResult>, Error> {
    let mark = |(chat_id, wanted): (&ChatId, &Wanted)| Mark {
        chat_id: *chat_id,
        delivered: wanted.delivered,
        read: wanted.read,
    };
    let body = Body { marks: batch.iter().map(mark).collect::<Vec<_>>().try_into()? };
    if is_connected(state) {
        match asker.ask::<action::MarkReceipts>(&body).await {
            Err(AskError::NotConnected) => {}
            answered => return Ok(answered?.results),
        }
    }
    Ok(http.call::<MarkReceipts>(&Nothing {}, &Nothing {}, &body).await?.results)
}

/// Tells each who waits what became of their mark. (RCP-5)
fn settle(mut batch: Batch, results: Vec<MarkResult>) {
    for result in results {
        let Some(wanted) = batch.remove(&result.chat_id) else { continue };
        wanted.settle(&|| match (result.state, result.code.as_deref()) {
            (Some(state), _) => Ok(state),
            (None, Some(code)) => Err(refusal(code)),
            (None, None) => Err(Error::Unexpected("a mark without a result".to_owned())),
        });
    }
    for wanted in batch.into_values() {
        wanted.settle(&|| Err(Error::Unexpected("a mark that was not answered".to_owned())));
    }
}

/// The refusal of one mark, which has a code and nothing else.
fn refusal(code: &str) -> Error {
    let Some(known) = ErrorCode::from_text(code) else {
        return Error::Unexpected(format!("a mark with the result {code:?}"));
    };
    match uuid::Uuid::new_v4().simple().to_string().parse::<RequestId>() {
        Ok(request_id) => Problem::new(known, "the watermark was not moved", request_id).into(),
        Err(error) => error.into(),
    }
}

/// The same error for one more who waits.
fn again(error: &Error) -> Error {
    match error {
        Error::Refused(problem) => Error::Refused(problem.clone()),
        Error::Stopped(reason) => Error::Stopped(*reason),
        other => Error::Unexpected(other.to_string()),
    }
}

fn is_connected(state: &watch::Receiver<ConnectionState>) -> bool {
    matches!(*state.borrow(), ConnectionState::Connected { .. })
}

struct CloseAtEnd(Arc<Marks>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}
