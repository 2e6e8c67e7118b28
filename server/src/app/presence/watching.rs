use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
};

use i9chat_spec::{ConnectionId, PresenceState, User, UserId, UserPresence, event::PresenceChanged};
use parking_lot::Mutex;

use super::{LiveSink, News};
use crate::bus::{LiveEvent, PresenceOf, PresenceWatcher, Topic};

/// Which connections of this node are told of whom.
#[derive(Default)]
pub struct Watching(Mutex<HashMap<UserId, Watched>>);

struct Watched {
    user: User,
    /// The newest that is known; until a change or an answer was heard, nothing is.
    now: Option<PresenceOf>,
    watchers: HashMap<ConnectionId, Watcher>,
}

struct Watcher {
    sink: Arc<dyn LiveSink>,
    told: Told,
}

/// What a connection was told.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// Nothing yet, and until the reply is on its way it is told nothing. (PRS-6)
    Nothing,
    /// What stands in a reply that is not on its way yet.
    InReply(PresenceState),
    /// This, last.
    This(PresenceState),
}

impl Watching {
    /// From now on changes of those users are known. The connection is told nothing before [`release`](Self::release).
    pub(super) fn follow(&self, connection: ConnectionId, sink: &Arc<dyn LiveSink>, users: &[User]) {
        let mut watched = self.0.lock();
        for user in users {
            let watched = watched.entry(user.user_id).or_insert_with(|| Watched {
                user: user.clone(),
                now: None,
                watchers: HashMap::new(),
            });
            watched.watchers.insert(connection, Watcher { sink: Arc::clone(sink), told: Told::Nothing });
        }
    }

    /// What a reply says of users whom the connection follows, given what was asked about them after that began: what was
    /// heard since is newer.
    pub(super) fn reply(
        &self,
        connection: ConnectionId,
        asked: impl IntoIterator<Item = (UserId, PresenceOf)>,
    ) -> Vec<UserPresence> {
        let mut all = self.0.lock();
        let mut presences = Vec::new();
        for (user_id, state) in asked {
            let Some(watched) = all.get_mut(&user_id) else { continue };
            let PresenceOf { presence, last_seen } = *watched.now.get_or_insert(state);
            if let Some(watcher) = watched.watchers.get_mut(&connection) {
                // What still waits is older than the reply that comes before it.
                watcher.sink.withdraw(Topic::Presence(user_id));
                watcher.told = Told::InReply(presence);
            }
            presences.push(UserPresence { user: watched.user.clone(), presence, last_seen });
        }
        presences
    }

    /// The reply is on its way: from now on the connection is told of changes.
    pub(super) fn release(&self, connection: ConnectionId, users: impl IntoIterator<Item = UserId>) {
        let mut all = self.0.lock();
        for user_id in users {
            let Some(watched) = all.get_mut(&user_id) else { continue };
            if let Some(watcher) = watched.watchers.get_mut(&connection)
                && let Told::InReply(told) = watcher.told
            {
                watcher.told = Told::This(told);
                watched.tell();
            }
        }
    }

    /// The connection is told no longer of those users.
    pub(super) fn unfollow(&self, connection: ConnectionId, users: impl IntoIterator<Item = UserId>) {
        let mut all = self.0.lock();
        for user_id in users {
            let Entry::Occupied(mut watched) = all.entry(user_id) else { continue };
            if let Some(watcher) = watched.get_mut().watchers.remove(&connection) {
                watcher.sink.withdraw(Topic::Presence(user_id));
            }
            if watched.get().watchers.is_empty() {
                watched.remove();
            }
        }
    }
}

impl PresenceWatcher for Watching {
    fn changed(&self, user_id: UserId, now: PresenceOf) {
        if let Some(watched) = self.0.lock().get_mut(&user_id) {
            watched.now = Some(now);
            watched.tell();
        }
    }

    fn watched(&self) -> Vec<UserId> {
        self.0.lock().keys().copied().collect()
    }
}

impl Watched {
    /// Tells those who were told something else.
    fn tell(&mut self) {
        let Some(PresenceOf { presence, last_seen }) = self.now else { return };
        let mut event = None;
        for watcher in self.watchers.values_mut() {
            let Told::This(before) = watcher.told else { continue };
            if before == presence {
                continue;
            }
            let event = event.get_or_insert_with(|| {
                let changed = PresenceChanged { user: self.user.clone(), presence, last_seen };
                Arc::new(LiveEvent::new(Topic::Presence(self.user.user_id), changed))
            });
            watcher.told = Told::This(presence);
            watcher.sink.tell(News { event: Arc::clone(event), change: Some((before, presence)) });
        }
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}

#[cfg(test)]
mod tests;
