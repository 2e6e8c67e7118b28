//! What a node hears.

use std::time::Duration;

use i9chat_server::bus::{Committed, LiveBus, LiveEvent, PresenceOf, PresenceWatcher, Subscriber};
use i9chat_spec::{Format, UserId};
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long something that must happen may take: longer than any of it does, on a machine with much to do.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether it has happened.
const LOOKED: Duration = Duration::from_millis(5);

/// Waits until something is so.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut tick = interval(LOOKED);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not in {} s: {what}", PATIENCE.as_secs()))
}

/// Everything that reaches a node, in its order.
#[derive(Default)]
pub struct Heard {
    delivered: Mutex<Vec<Committed>>,
    told: Mutex<Vec<(Vec<UserId>, String)>>,
    changed: Mutex<Vec<(UserId, PresenceOf)>>,
    watched: Mutex<Vec<UserId>>,
}

impl Heard {
    /// The changes that were delivered.
    pub fn delivered(&self) -> Vec<Committed> {
        self.delivered.lock().clone()
    }

    /// Their positions.
    pub fn positions(&self) -> Vec<u64> {
        self.delivered.lock().iter().map(|change| change.record.place.position.0).collect()
    }

    /// Waits until everything up to a position was delivered, and nothing else.
    pub async fn delivered_up_to(&self, position: u64) {
        until("everything is delivered", async || (self.positions().last() == Some(&position)).then_some(())).await;
        assert_eq!(self.positions(), (1..=position).collect::<Vec<_>>(), "each once, in order");
    }

    /// Whom the connections of this node were told what.
    pub fn told(&self) -> Vec<(Vec<UserId>, String)> {
        self.told.lock().clone()
    }

    /// What was heard of a user's coming and going.
    pub fn changes_of(&self, user_id: UserId) -> Vec<PresenceOf> {
        self.changed.lock().iter().filter(|(changed, _)| *changed == user_id).map(|(_, now)| *now).collect()
    }

    /// From now on those users are of interest.
    pub fn watch(&self, users: &[UserId]) {
        self.watched.lock().extend(users);
    }
}

impl Subscriber for Heard {
    fn deliver(&self, changes: &[Committed]) {
        self.delivered.lock().extend_from_slice(changes);
    }
}

impl LiveBus for Heard {
    fn tell(&self, users: &[UserId], event: LiveEvent) {
        let frame = String::from_utf8(event.frame(Format::Json).into()).unwrap();
        self.told.lock().push((users.to_vec(), frame));
    }
}

impl PresenceWatcher for Heard {
    fn changed(&self, user_id: UserId, now: PresenceOf) {
        self.changed.lock().push((user_id, now));
    }

    fn watched(&self) -> Vec<UserId> {
        self.watched.lock().clone()
    }
}
