use i9chat_spec::{PresenceState, Timestamp};
use uuid::Uuid;

use super::*;
use crate::store::presence::LastSeen;

/// A clock that stands still until it is set.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// Remembers in memory, and tells when it was asked to.
#[derive(Default)]
struct Memory {
    notes: Mutex<HashMap<UserId, PresenceNote>>,
    renewed: Mutex<Vec<Timestamp>>,
    is_broken: Mutex<bool>,
}

#[async_trait]
impl PresenceRecords for Memory {
    async fn begin(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn renew(&self, now: Timestamp) -> Result<(), StoreError> {
        self.renewed.lock().push(now);
        Ok(())
    }
}

#[async_trait]
impl LastSeen for Memory {
    async fn note(&self, notes: Vec<PresenceNote>) -> Result<(), StoreError> {
        if *self.is_broken.lock() {
            return Err(StoreError::Unavailable("on purpose".to_owned()));
        }
        self.notes.lock().extend(notes.into_iter().map(|note| (note.user_id, note)));
        Ok(())
    }

    async fn last_seen(&self, users: Vec<UserId>) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let notes = self.notes.lock();
        Ok(users.iter().map(|user_id| notes.get(user_id).map(|note| note.at)).collect())
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(UserId, PresenceState)>>);

impl PresenceWatcher for Heard {
    fn changed(&self, user_id: UserId, now: PresenceOf) {
        self.0.lock().push((user_id, now.presence));
    }

    fn watched(&self) -> Vec<UserId> {
        Vec::new()
    }
}

struct Scene {
    presence: LocalPresence,
    records: Arc<Memory>,
    clock: Arc<HandClock>,
    heard: Arc<Heard>,
}

const LEASE: Duration = Duration::from_secs(30);

impl Scene {
    async fn new() -> Self {
        let (records, heard) = (Arc::new(Memory::default()), Arc::new(Heard::default()));
        let clock = Arc::new(HandClock(Mutex::new(at(0))));
        let presence =
            LocalPresence::start(Arc::clone(&records) as _, Arc::clone(&clock) as _, Arc::clone(&heard) as _, LEASE);
        Self { presence: presence.await.unwrap(), records, clock, heard }
    }

    fn set(&self, second: u64) {
        *self.clock.0.lock() = at(second);
    }

    async fn state(&self, user_id: UserId) -> PresenceOf {
        self.presence.states(&[user_id]).await.unwrap()[0]
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

#[tokio::test]
async fn a_user_is_there_while_a_connection_is_open() {
    let scene = Scene::new().await;
    let alice = user(1);
    assert_eq!(scene.state(alice).await, PresenceOf::offline(None), "never there");
    scene.presence.connect(alice).await;
    scene.presence.connect(alice).await;
    assert_eq!(scene.state(alice).await, PresenceOf::ONLINE);
    scene.set(5);
    scene.presence.disconnect(alice).await;
    assert_eq!(scene.state(alice).await, PresenceOf::ONLINE, "one of two is open");
    scene.set(7);
    scene.presence.disconnect(alice).await;
    assert_eq!(scene.state(alice).await, PresenceOf::offline(Some(at(7))), "before anything was written");
    scene.presence.stop().await.unwrap();
    assert!(scene.presence.shared.people.lock().unwritten.is_empty());
    assert_eq!(scene.state(alice).await, PresenceOf::offline(Some(at(7))), "after it was written");
    let heard = scene.heard.0.lock().clone();
    assert_eq!(heard, [(alice, PresenceState::Online), (alice, PresenceState::Offline)]);
}

#[tokio::test]
async fn states_come_in_the_order_asked_and_those_there_are_counted() {
    let scene = Scene::new().await;
    let users = [user(1), user(2), user(3)];
    scene.presence.connect(user(2)).await;
    scene.presence.connect(user(3)).await;
    scene.presence.disconnect(user(3)).await;
    let states = scene.presence.states(&users).await.unwrap();
    assert_eq!(states, [PresenceOf::offline(None), PresenceOf::ONLINE, PresenceOf::offline(Some(at(0)))]);
    assert_eq!(scene.presence.online_among(&users).await.unwrap(), 1);
}

#[tokio::test]
async fn what_could_not_be_written_stays_known_and_is_written_later() {
    let scene = Scene::new().await;
    *scene.records.is_broken.lock() = true;
    scene.presence.connect(user(1)).await;
    scene.presence.disconnect(user(1)).await;
    scene.presence.stop().await.unwrap_err();
    assert_eq!(scene.state(user(1)).await, PresenceOf::offline(Some(at(0))));
    *scene.records.is_broken.lock() = false;
    scene.presence.stop().await.unwrap();
    assert_eq!(scene.records.notes.lock().len(), 1);
}

#[tokio::test]
async fn the_lease_is_renewed_while_somebody_is_there() {
    let scene = Scene::new().await;
    scene.presence.shared.renew().await.unwrap();
    assert!(scene.records.renewed.lock().is_empty(), "for nobody there is nothing to renew");
    scene.presence.connect(user(1)).await;
    scene.set(10);
    scene.presence.shared.renew().await.unwrap();
    assert_eq!(*scene.records.renewed.lock(), [at(10)]);
    assert!(scene.records.notes.lock()[&user(1)].is_here, "what is not written is written with a renewal");
}
