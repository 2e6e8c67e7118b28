//! Whether work goes on.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// How often each thing has to be done until it counts as going on.
const OFTEN: u64 = 3;
/// How long that may take. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(40);

/// Counts what is done and what is waited for.
#[derive(Default)]
pub struct Pulse {
    things: watch::Sender<Vec<Thing>>,
}

/// Something that is done again and again.
#[derive(Debug, Clone)]
struct Thing {
    name: String,
    /// By somebody at this door.
    door: usize,
    often: u64,
    /// Begun and not done yet.
    is_waited_for: bool,
}

/// One of the things that are done again and again.
pub struct Beat<'a> {
    pulse: &'a Pulse,
    number: usize,
}

impl Pulse {
    /// Something that will be done again and again.
    pub fn beat(&self, name: String, door: usize) -> Beat<'_> {
        let mut number = 0;
        self.things.send_modify(|things| {
            number = things.len();
            things.push(Thing { name, door, often: 0, is_waited_for: false });
        });
        Beat { pulse: self, number }
    }

    /// Waits until everything that is done at these doors was done some more.
    pub async fn goes_on(&self, doors: &[usize]) {
        let before = self.things.borrow().clone();
        let mut things = self.things.subscribe();
        let is_stuck = |(before, now): &(&Thing, &Thing)| now.often < before.often + OFTEN && doors.contains(&now.door);
        let all = |now: &Vec<Thing>| !before.iter().zip(now).any(|pair| is_stuck(&pair));
        if timeout(PATIENCE, things.wait_for(all)).await.is_err() {
            let now = self.things.borrow().clone();
            let stuck = before.iter().zip(&now).filter(is_stuck);
            let stuck: Vec<_> = stuck.map(|(before, now)| (&now.name, now.often - before.often)).collect();
            panic!("this does not go on, with how often it was done in {} s: {stuck:?}", PATIENCE.as_secs());
        }
    }

    /// Waits until something is waited for at these doors.
    pub async fn is_busy(&self, doors: &[usize]) {
        let mut things = self.things.subscribe();
        let is_any =
            |things: &Vec<Thing>| things.iter().any(|thing| thing.is_waited_for && doors.contains(&thing.door));
        timeout(PATIENCE, things.wait_for(is_any)).await.expect("somebody does something").unwrap();
    }
}

impl Beat<'_> {
    /// Does it once.
    pub async fn once<T>(&self, work: impl Future<Output = T>) -> T {
        self.change(|thing| thing.is_waited_for = true);
        let outcome = work.await;
        self.change(|thing| {
            thing.is_waited_for = false;
            thing.often += 1;
        });
        outcome
    }

    fn change(&self, how: impl FnOnce(&mut Thing)) {
        self.pulse.things.send_modify(|things| how(&mut things[self.number]));
    }
}
