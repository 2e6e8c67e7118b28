//! The presence of other users as values that can be watched.

mod handle;
mod watchlist;

use std::{collections::HashMap, sync::Arc, time::Duration};

use i9chat_spec::{
    ConnectionId, ErrorCode, Username,
    action::{PresenceNames, PresenceSubscription, SubscribePresence, UnsubscribePresence},
};
use tokio::{sync::watch, time::sleep};

pub use self::handle::{Presence, PresenceHandle};
use self::watchlist::Step;
pub(super) use self::watchlist::Watchlist;
use super::ask::Asker;
use crate::{
    ConnectionState,
    connection::{AskError, Backoff},
};

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

/// Keeps the subscriptions of the present connection what is watched, until the client stops. (PRS-4, PRS-8)
pub(super) async fn run(list: Arc<Watchlist>, asker: Asker, mut state: watch::Receiver<ConnectionState>) {
    let _closed = CloseAtEnd(Arc::clone(&list));
    let mut subscriber = Subscriber { list, asker, on: None, subscribed: HashMap::new(), full: false, failures: 0 };
    loop {
        subscriber.is_on(match *state.borrow_and_update() {
            ConnectionState::Connected { connection_id } => Some(connection_id),
            ConnectionState::Stopped(_) => return,
            ConnectionState::Connecting { .. } | ConnectionState::Waiting { .. } => None,
        });
        let pause = match subscriber.next_step() {
            None => None,
            Some(step) => match subscriber.perform(step).await {
                None => continue,
                pause => pause,
            },
        };
        let pause = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => subscriber.list.news().await,
            }
        };
        tokio::select! {
            () = pause => {}
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

struct Subscriber {
    list: Arc<Watchlist>,
    asker: Asker,
    on: Option<ConnectionId>,
    /// What the present connection is subscribed to: which watch of which name.
    subscribed: HashMap<String, u64>,
    /// No more subscriptions until one ends. (PRS-4)
    full: bool,
    failures: u32,
}

impl Subscriber {
    /// A new connection has no subscriptions, and without one nothing is known. (PRS-8)
    fn is_on(&mut self, connection: Option<ConnectionId>) {
        if self.on != connection {
            self.on = connection;
            self.subscribed.clear();
            self.full = false;
            self.list.forget();
        }
    }

    fn next_step(&self) -> Option<Step> {
        self.on?;
        self.list.next_step(&self.subscribed, self.full)
    }

    /// Answers how long to wait before the next try, if this one failed.
    async fn perform(&mut self, step: Step) -> Option<Duration> {
        let outcome = match step {
            Step::Unsubscribe(names) => {
                let keys: Vec<String> = names.iter().map(Username::key).collect();
                let done = self.unsubscribe(names).await;
                if done.is_ok() {
                    self.subscribed.retain(|key, _| !keys.contains(key));
                    self.full = false;
                }
                done
            }
            Step::Subscribe(watches) => {
                let done = self.subscribe(watches.iter().map(|watch| watch.name.clone()).collect()).await;
                if done.is_ok() {
                    self.subscribed.extend(watches.into_iter().map(|watch| (watch.name.key(), watch.id)));
                }
                done
            }
        };
        match outcome {
            Ok(()) => {
                self.failures = 0;
                None
            }
            Err(AskError::Refused(problem)) if !problem.retryable => {
                // To try the same again is no use. What helps is that a subscription ends, or that the server is another.
                let full = problem.known() == Some(ErrorCode::TooManySubscriptions);
                tracing::debug!(code = problem.code, full, "presence is not told");
                self.full = true;
                None
            }
            Err(error) => {
                let asked = if let AskError::Refused(problem) = &error { problem.retry_after_ms } else { None };
                let pause = BACKOFF.delay(self.failures, rand::random());
                self.failures = self.failures.saturating_add(1);
                tracing::debug!(%error, "presence is asked for again");
                Some(pause.max(Duration::from_millis(asked.unwrap_or_default())))
            }
        }
    }

    async fn unsubscribe(&self, names: Vec<Username>) -> Result<(), AskError> {
        let data = PresenceSubscription { usernames: names_of(names)? };
        self.asker.ask::<UnsubscribePresence>(&data).await.map(|_| ())
    }

    /// The answer is shown by the task of the connection, so that no change that comes after it is overwritten. (PRS-6)
    async fn subscribe(&self, names: Vec<Username>) -> Result<(), AskError> {
        let data = PresenceSubscription { usernames: names_of(names)? };
        let list = Arc::clone(&self.list);
        self.asker.ask_and::<SubscribePresence, _>(&data, move |presences| list.answered(presences)).await
    }
}

fn names_of(names: Vec<Username>) -> Result<PresenceNames, AskError> {
    // The watchlist hands out from 1 to 100 different names.
    names.try_into().map_err(|_| AskError::Unreadable)
}

struct CloseAtEnd(Arc<Watchlist>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}
