//! Whether work goes on.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

/// How often each thing has to be done until it counts as going on.
const OFTEN: u64 = 3;
/// How long that may take. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(40);

/// Counts what is done and what is waited for.
#[derive(Default)]
pub struct Pulse {
    done: watch::Sender<Vec<Thing>>,
    waiting: watch::Sender<usize>,
    survived: AtomicUsize,
}

/// Something that is done again and again.
#[derive(Debug, Clone)]
struct Thing {
    name: String,
    /// By somebody at this door.
    door: usize,
    often: u64,
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
        self.done.send_modify(|done| {
            number = done.len();
            done.push(Thing { name, door, often: 0 });
        });
        Beat { pulse: self, number }
    }

    /// Waits until everything that is done at these doors was done some more.
    pub async fn goes_on(&self, doors: &[usize]) {
        let before = self.done.borrow().clone();
        let mut done = self.done.subscribe();
        let is_stuck = |(before, now): &(&Thing, &Thing)| now.often < before.often + OFTEN && doors.contains(&now.door);
        let all = |now: &Vec<Thing>| !before.iter().zip(now).any(|pair| is_stuck(&pair));
        if timeout(PATIENCE, done.wait_for(all)).await.is_err() {
            let now = self.done.borrow().clone();
            let stuck = before.iter().zip(&now).filter(is_stuck);
            let stuck: Vec<_> = stuck.map(|(before, now)| (&now.name, now.often - before.often)).collect();
            panic!("this does not go on, with how often it was done in {} s: {stuck:?}", PATIENCE.as_secs());
        }
    }

    pub async fn is_busy(&self) {
        let mut waiting = self.waiting.subscribe();
        timeout(PATIENCE, waiting.wait_for(|waiting| *waiting > 0)).await.expect("somebody does something").unwrap();
    }

    /// Something that was not answered, or not well, is tried again.
    pub fn survive(&self) {
        self.survived.fetch_add(1, Ordering::Relaxed);
    }

    pub fn survived(&self) -> usize {
        self.survived.load(Ordering::Relaxed)
    }
}

impl Beat<'_> {
    /// Does it once.
    pub async fn once<T>(&self, work: impl Future<Output = T>) -> T {
        self.pulse.waiting.send_modify(|waiting| *waiting += 1);
        let outcome = work.await;
        self.pulse.waiting.send_modify(|waiting| *waiting -= 1);
        self.pulse.done.send_modify(|done| done[self.number].often += 1);
        outcome
    }
}
