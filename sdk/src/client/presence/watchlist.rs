use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use i9chat_spec::{
    UserPresence, Username,
    action::{PresenceNames, Presences},
    event::PresenceChanged,
};
use tokio::sync::{Notify, watch};

use super::Presence;

/// So many names go into one request, so that a bucket of names that fills slowly is enough. (PRS-9)
const AT_ONCE: usize = 100;

/// Whose presence is watched, and what is known of it.
#[derive(Debug, Default)]
pub(in crate::client) struct Watchlist {
    entries: Mutex<Entries>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    /// By the name in lower case.
    watched: HashMap<String, Watched>,
    next_id: u64,
    closed: bool,
}

/// One name, for as long as it is watched without a break.
#[derive(Debug)]
struct Watched {
    id: u64,
    name: Username,
    handles: usize,
    shown: watch::Sender<Presence>,
}

/// What the connection is to be asked for next.
pub(super) enum Step {
    Unsubscribe(Vec<Username>),
    Subscribe(Vec<Wanted>),
}

/// A name that is watched and not subscribed to.
pub(super) struct Wanted {
    pub(super) name: Username,
    pub(super) id: u64,
}

impl Watchlist {
    /// Begins to watch a name, or one more time. [`unwatch`](Self::unwatch) undoes it.
    pub(super) fn watch(&self, name: &Username) -> watch::Receiver<Presence> {
        let mut entries = self.entries();
        if entries.closed {
            // Its sender is gone: the handle sees the end.
            return watch::channel(Presence::Unknown).1;
        }
        let id = entries.next_id;
        entries.next_id += 1;
        let watched = entries.watched.entry(name.key()).or_insert_with(|| {
            self.news.notify_one();
            Watched { id, name: name.clone(), handles: 0, shown: watch::channel(Presence::Unknown).0 }
        });
        watched.handles += 1;
        watched.shown.subscribe()
    }

    pub(super) fn unwatch(&self, name: &Username) {
        let mut entries = self.entries();
        let Some(watched) = entries.watched.get_mut(&name.key()) else { return };
        watched.handles -= 1;
        if watched.handles == 0 {
            entries.watched.remove(&name.key());
            self.news.notify_one();
        }
    }

    /// Waits for a change of what is watched.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// What makes a connection with these subscriptions fit. Those that end go first, to make room.
    pub(super) fn next_step(&self, subscribed: &HashMap<String, u64>, full: bool) -> Option<Step> {
        let entries = self.entries();
        let over = subscribed.keys().filter(|key| !entries.watched.contains_key(*key));
        let over: Vec<Username> = over.take(AT_ONCE).filter_map(|key| key.parse().ok()).collect();
        if !over.is_empty() {
            return Some(Step::Unsubscribe(over));
        }
        let room = PresenceNames::MAX.saturating_sub(subscribed.len());
        let missing = entries.watched.iter().filter(|(key, watched)| subscribed.get(*key) != Some(&watched.id));
        let wanted = |(_, watched): (&String, &Watched)| Wanted { name: watched.name.clone(), id: watched.id };
        // One that is subscribed to for an earlier watch takes no room, and is asked for again to hear the present state.
        let (again, new): (Vec<_>, Vec<_>) = missing.partition(|(key, _)| subscribed.contains_key(*key));
        let new = new.into_iter().take(if full { 0 } else { room });
        let missing: Vec<Wanted> = again.into_iter().chain(new).take(AT_ONCE).map(wanted).collect();
        if missing.is_empty() { None } else { Some(Step::Subscribe(missing)) }
    }

    /// The answer to a subscription. (PRS-5)
    pub(super) fn answered(&self, answer: Presences) {
        let entries = self.entries();
        for presence in answer.presences {
            entries.show(&presence.user.username.key(), Presence::Known(presence));
        }
        for name in answer.not_found {
            entries.show(&name.key(), Presence::NoSuchUser);
        }
    }

    /// A user has come or gone. (PRS-6)
    pub(in crate::client) fn changed(&self, changed: &PresenceChanged) {
        let PresenceChanged { user, presence, last_seen } = changed.clone();
        let key = user.username.key();
        self.entries().show(&key, Presence::Known(UserPresence { user, presence, last_seen }));
    }

    /// Without a connection nothing is known.
    pub(super) fn forget(&self) {
        let entries = self.entries();
        entries.watched.keys().for_each(|key| entries.show(key, Presence::Unknown));
    }

    /// From now on nobody waits in vain.
    pub(super) fn close(&self) {
        *self.entries() = Entries { closed: true, ..Entries::default() };
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn show(&self, key: &str, presence: Presence) {
        if let Some(watched) = self.watched.get(key) {
            watched.shown.send_if_modified(|shown| {
                let is_news = *shown != presence;
                *shown = presence;
                is_news
            });
        }
    }
}
