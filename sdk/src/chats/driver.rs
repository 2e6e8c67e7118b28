//! Keeps a view up to date: reads what it needs, and tells it what happens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use i9chat_spec::{
    ErrorCode, Nothing,
    api::{
        chats::{GetChat, ListChats, OneChat},
        messages::ListEntries,
        receipts::ListChatReceipts,
        users::GetMe,
    },
};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::Instant,
};

use super::{Answer, Change, Read, ReadKey, View, What};
use crate::{Client, ConnectionState, Error, Http, Update, Updates, connection::Backoff};

/// Reads under way at once.
const MAX_FLIGHTS: usize = 4;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(30) };

/// What the handles and the driver share.
#[derive(Debug)]
pub(super) struct Shared {
    view: Mutex<View>,
    /// Counts changes.
    pub(super) revision: watch::Sender<u64>,
    /// The application wants something of the view.
    pub(super) wanted: Notify,
}

impl Shared {
    pub(super) fn new(view: View) -> Self {
        Self { view: Mutex::new(view), revision: watch::Sender::new(0), wanted: Notify::new() }
    }

    /// The view. Never held across an await.
    pub(super) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Flights = FuturesUnordered<BoxFuture<'static, (ReadKey, Result<Answer, Error>)>>;

pub(super) struct Driver {
    client: Client,
    shared: Arc<Shared>,
    updates: Updates,
    /// Who listens hears the end of it with the driver's.
    changes: broadcast::Sender<Change>,
    flights: Flights,
    /// Failures since the last answer, and when to read again.
    failures: u32,
    resume_at: Option<Instant>,
}

impl Driver {
    pub(super) fn new(client: Client, shared: Arc<Shared>, changes: broadcast::Sender<Change>) -> Self {
        let updates = client.updates();
        Self { client, shared, updates, changes, flights: Flights::new(), failures: 0, resume_at: None }
    }

    /// Runs until the client has stopped.
    pub(super) async fn run(mut self) {
        let mut state = self.client.state();
        loop {
            self.take_off();
            let resume_at = self.resume_at;
            tokio::select! {
                update = self.updates.next() => {
                    let Some(update) = update else { return };
                    self.shared.view().apply(&update);
                    self.tell(Some(update));
                }
                Some((key, answer)) = self.flights.next() => self.landed(key, answer),
                () = self.shared.wanted.notified() => self.tell(None),
                () = until(resume_at) => self.resume_at = None,
                // Where a read failed for want of a network, the return of the line is the sign to try again.
                Ok(()) = state.changed(), if resume_at.is_some() => {
                    if matches!(*state.borrow_and_update(), ConnectionState::Connected { .. }) {
                        self.resume_at = None;
                    }
                }
            }
        }
    }

    fn take_off(&mut self) {
        if self.resume_at.is_some() {
            return;
        }
        while self.flights.len() < MAX_FLIGHTS {
            let Some(read) = self.shared.view().next_read() else { return };
            let http = self.client.http().clone();
            self.flights.push(Box::pin(async move { (read.key, perform(&http, read).await) }));
        }
    }

    fn landed(&mut self, key: ReadKey, answer: Result<Answer, Error>) {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                self.shared.view().answered(key, answer);
            }
            Err(error) => {
                let delay = BACKOFF.delay(self.failures, rand::random()).max(error.retry_after().unwrap_or_default());
                tracing::debug!(%error, ?delay, "a read for the view failed");
                self.failures += 1;
                self.resume_at = Some(Instant::now() + delay);
                self.shared.view().failed(key);
            }
        }
        self.tell(None);
    }

    /// Tells who watches what has changed.
    fn tell(&self, update: Option<Update>) {
        let changed = self.shared.view().take_changed();
        let everything = changed.list.then_some(Change::Everything);
        let profile = changed.profile.then_some(Change::Profile);
        let chats = changed.chats.into_iter().map(Change::Chat);
        let update = update.map(|update| Change::Update(Arc::new(update)));
        let mut is_changed = false;
        for change in everything.into_iter().chain(profile).chain(chats).chain(update) {
            is_changed = true;
            // Nobody may be listening.
            drop(self.changes.send(change));
        }
        if is_changed {
            self.shared.revision.send_modify(|revision| *revision += 1);
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn perform(http: &Http, read: Read) -> Result<Answer, Error> {
    let none = Nothing {};
    let answer = match read.what {
        What::Chats(query) => http.call::<ListChats>(&none, &query, &none).await.map(Answer::Chats),
        What::Chat(chat_id) => {
            let chat = http.call::<GetChat>(&OneChat { chat_id }, &none, &none).await;
            chat.map(|chat| Answer::Chat(Box::new(chat)))
        }
        What::Entries(chat_id, query) => {
            http.call::<ListEntries>(&OneChat { chat_id }, &query, &none).await.map(Answer::Entries)
        }
        What::Receipts(chat_id, query) => {
            http.call::<ListChatReceipts>(&OneChat { chat_id }, &query, &none).await.map(Answer::Receipts)
        }
        What::Profile => http.call::<GetMe>(&none, &none, &none).await.map(|me| Answer::Profile(Box::new(me))),
    };
    match answer {
        Err(error) => match error.code() {
            Some(ErrorCode::CursorReset) => Ok(Answer::CursorReset),
            Some(ErrorCode::ChatNotFound | ErrorCode::NotMember) => Ok(Answer::Refused),
            _ => Err(error),
        },
        answer => answer,
    }
}
