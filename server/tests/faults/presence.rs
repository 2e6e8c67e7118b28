//! Who is there, after a node is not.

use std::time::Duration;

use i9chat_sdk::{
    Client, Presence, PresenceHandle,
    spec::{PresenceState, UserPresence},
};
use tokio::time::timeout;

use crate::{cluster::Cluster, ground::Ground};

/// How soon presence has to be true after anything. (PRS-3)
const TRUE_AGAIN: Duration = Duration::from_secs(35);

/// Somebody whose presence is watched.
pub struct Watch {
    name: String,
    handle: PresenceHandle,
    /// What was seen, in this order.
    pub seen: Vec<Presence>,
}

impl Watch {
    pub fn of(watcher: &Client, name: &str) -> Self {
        Self { name: name.to_owned(), handle: watcher.presence(name).unwrap(), seen: Vec::new() }
    }

    /// Waits until it is so, not longer than it may take.
    pub async fn until(&mut self, is_so: fn(&Presence) -> bool) {
        let looking = async {
            while !is_so(&self.handle.current()) {
                let now = self.handle.changed().await.expect("the watcher is connected");
                self.seen.push(now);
            }
        };
        if timeout(TRUE_AGAIN, looking).await.is_err() {
            let now = self.handle.current();
            panic!("{} is {now:?} after {} s; before: {:?}", self.name, TRUE_AGAIN.as_secs(), self.seen);
        }
    }
}

pub fn is_here(presence: &Presence) -> bool {
    presence.is_online()
}

pub fn is_gone(presence: &Presence) -> bool {
    matches!(presence, Presence::Known(UserPresence { presence: PresenceState::Offline, .. }))
}

/// With the lease that servers have when nothing else is said.
pub async fn users_of_a_node_that_crashed_are_gone_in_time_and_those_who_moved_are_not(ground: &Ground) {
    let mut cluster = Cluster::start(&ground.neo4j, &ground.redis, &[]).await;
    let (_, watcher) = cluster.sign_up("watcher").await;
    let (mover_name, mover) = cluster.sign_up("mover").await;
    let (lost_name, lost) = cluster.sign_up("lost").await;
    let watcher = cluster.connect(1, watcher).await;
    let mover = cluster.connect(0, mover).await;
    // Knows of one node alone, and so does not come back.
    let lost = cluster.connect_to_node(0, lost).await;
    let mut mover_seen = Watch::of(&watcher, &mover_name);
    let mut lost_seen = Watch::of(&watcher, &lost_name);
    mover_seen.until(is_here).await;
    lost_seen.until(is_here).await;

    cluster.nodes[0].process.kill().await;
    mover.connected().await.unwrap();
    lost_seen.until(is_gone).await;
    let profile = watcher.user(&lost_name).await.unwrap();
    assert_eq!(profile.presence, PresenceState::Offline);
    assert!(profile.last_seen.is_some(), "it is known when they were last there");
    assert_eq!(watcher.user(&mover_name).await.unwrap().presence, PresenceState::Online);
    mover_seen.until(is_here).await;
    assert!(!mover_seen.seen.iter().any(is_gone), "whoever moved was there all the time: {:?}", mover_seen.seen);

    lost.close().await;
    cluster.nodes[0].process.run().await;
    cluster.end().await;
}
