use std::sync::atomic::{AtomicUsize, Ordering};

use i9chat_spec::UserId;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::*;
use crate::{
    domain::{Audience, Place, Record},
    store::fake::FakeLog,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Takes what is delivered, and sees to it that nothing is left out or comes twice.
#[derive(Default)]
struct Heard {
    last: Mutex<u64>,
    /// What is not kept any more.
    left_out: Vec<u64>,
    advanced: Notify,
    delivered: AtomicUsize,
}

impl Subscriber for Heard {
    fn deliver(&self, changes: &[Committed]) {
        let mut last = self.last.lock();
        for change in changes {
            let position = change.record.place.position.0;
            let expected = (*last + 1..u64::MAX).find(|next| !self.left_out.contains(next));
            assert_eq!(Some(position), expected);
            *last = position;
        }
        self.delivered.fetch_add(changes.len(), Ordering::SeqCst);
        self.advanced.notify_one();
    }
}

impl Heard {
    async fn up_to(&self, position: u64) {
        let reached = async {
            while *self.last.lock() < position {
                self.advanced.notified().await;
            }
        };
        timeout(PATIENCE, reached).await.expect("everything is delivered in time");
        assert_eq!(*self.last.lock(), position);
    }
}

struct Scene {
    log: Arc<FakeLog>,
    heard: Arc<Heard>,
    tail: Tail,
}

impl Scene {
    fn new() -> Self {
        Self::leaving_out(Vec::new())
    }

    fn leaving_out(left_out: Vec<u64>) -> Self {
        let log = Arc::<FakeLog>::default();
        let heard = Arc::new(Heard { left_out, ..Heard::default() });
        let tail = Tail::start(Arc::clone(&log) as _, Arc::clone(&heard) as _, Position(0));
        Self { log, heard, tail }
    }

    /// Something that was committed, and that the store has; whether it was told of or not.
    fn commit(&self, positions: impl IntoIterator<Item = u64>) -> Vec<Committed> {
        let changes: Vec<_> = positions.into_iter().map(change).collect();
        self.log.commit(changes.clone());
        changes
    }

    fn offer(&self, changes: &[Committed]) -> Told {
        self.tail.offer(changes.to_vec())
    }
}

fn change(position: u64) -> Committed {
    let place = Place { position: Position(position), tag: position };
    let record = Record { place, event: "profile_changed", chat_id: None, data: "{}".into() };
    Committed { record, audience: Audience::One(UserId::from_uuid(Uuid::nil())), ends: None }
}

async fn later(told: Told) {
    let Told::Later(delivered) = told else { panic!("it is not delivered yet") };
    timeout(PATIENCE, delivered).await.expect("it is said in time").expect("it is said");
}

#[tokio::test]
async fn changes_in_order_are_delivered_at_once_and_once() {
    let scene = Scene::new();
    for first in [1, 4, 5, 9] {
        let changes = scene.commit(first..first + if first == 4 { 1 } else { 3 } + u64::from(first == 5));
        assert!(matches!(scene.offer(&changes), Told::Now));
        assert!(matches!(scene.offer(&changes), Told::Now), "what was delivered is not delivered again");
    }
    assert!(matches!(scene.offer(&[]), Told::Now));
    scene.heard.up_to(11).await;
    assert_eq!(scene.heard.delivered.load(Ordering::SeqCst), 11);
}

#[tokio::test]
async fn what_comes_too_early_waits_for_what_comes_before_it() {
    let scene = Scene::new();
    // Not in the store: nothing but the news brings it.
    let [first, second, third] = [[1, 2], [3, 4], [5, 6]].map(|positions| positions.map(change));
    let (third_told, second_told) = (scene.offer(&third), scene.offer(&second));
    assert!(matches!(scene.offer(&third), Told::Later(_)), "twice changes nothing");
    assert_eq!(*scene.heard.last.lock(), 0);
    assert!(matches!(scene.offer(&first), Told::Now));
    scene.heard.up_to(6).await;
    later(second_told).await;
    later(third_told).await;
}

#[tokio::test]
async fn news_with_holes_and_news_that_partly_came_before_are_put_in_order() {
    let scene = Scene::new();
    scene.commit(1..=9);
    let told = scene.offer(&[1, 2, 4, 5].map(change));
    assert_eq!(*scene.heard.last.lock(), 2, "what follows on a hole waits");
    assert!(matches!(scene.offer(&[2, 3, 4].map(change)), Told::Now));
    later(told).await;
    later(scene.offer(&[5, 7, 9].map(change))).await;
    scene.heard.up_to(9).await;
}

#[tokio::test]
async fn a_gap_is_filled_from_the_store() {
    let scene = Scene::new();
    scene.commit(1..=3000);
    later(scene.offer(&[change(3000)])).await;
    scene.heard.up_to(3000).await;
}

#[tokio::test]
async fn a_gap_that_the_store_does_not_show_yet_is_waited_for() {
    let scene = Scene::new();
    let told = scene.offer(&[change(3)]);
    // The store is asked, and has nothing.
    timeout(PATIENCE, scene.log.asked(3)).await.expect("the store is asked");
    assert_eq!(*scene.heard.last.lock(), 0);
    scene.commit(1..=3);
    later(told).await;
    scene.heard.up_to(3).await;
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_passed_over() {
    let scene = Scene::leaving_out(vec![2, 3, 6]);
    scene.commit([1, 4, 5, 7]);
    later(scene.offer(&[7].map(change))).await;
    scene.heard.up_to(7).await;
}

#[tokio::test]
async fn the_last_change_is_found_though_nobody_told_of_it() {
    let scene = Scene::new();
    assert!(matches!(scene.offer(&scene.commit(1..=2)), Told::Now));
    scene.commit([3]);
    scene.heard.up_to(3).await;
    scene.commit(4..=2500);
    scene.tail.look();
    scene.heard.up_to(2500).await;
}

#[tokio::test(start_paused = true)]
async fn each_change_that_nobody_told_of_is_found_at_the_next_look() {
    let scene = Scene::new();
    for position in 1..=5 {
        let committed = Instant::now();
        scene.commit([position]);
        scene.heard.up_to(position).await;
        // Not only at every other.
        assert!(committed.elapsed() < QUIET * 3 / 2, "{position} is found after {:?}", committed.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_is_not_asked_as_long_as_news_comes() {
    let scene = Scene::new();
    // The first look is at the start.
    timeout(PATIENCE, scene.log.asked(1)).await.expect("the store is asked");
    for position in 1..=50 {
        assert!(matches!(scene.offer(&scene.commit([position])), Told::Now));
        sleep(QUIET / 5).await;
    }
    assert_eq!(scene.log.times_asked(), 1);
    timeout(PATIENCE, scene.log.asked(1)).await.expect("the store is asked when it is quiet");
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_is_asked_again() {
    let scene = Scene::new();
    scene.log.is_broken.store(true, Ordering::SeqCst);
    scene.commit(1..=5);
    let told = scene.offer(&[change(5)]);
    timeout(PATIENCE, scene.log.asked(2)).await.expect("the store is asked again and again");
    assert_eq!(*scene.heard.last.lock(), 0);
    // What was committed meanwhile here is told all the same, later.
    let own = scene.offer(&[change(6)]);
    scene.log.is_broken.store(false, Ordering::SeqCst);
    later(told).await;
    later(own).await;
    scene.heard.up_to(6).await;
}

#[tokio::test]
async fn no_more_wait_than_may_and_the_others_are_read_when_their_turn_comes() {
    let scene = Scene::new();
    scene.log.is_broken.store(true, Ordering::SeqCst);
    let many = WAITING as u64 + 5000;
    scene.commit(1..=many);
    for first in (2..=many).step_by(1000) {
        let some: Vec<_> = (first..=many.min(first + 999)).map(change).collect();
        assert!(matches!(scene.offer(&some), Told::Later(_)));
        assert!(scene.tail.shared.state.lock().waiting.len() <= WAITING);
    }
    scene.log.is_broken.store(false, Ordering::SeqCst);
    scene.heard.up_to(many).await;
    assert!(scene.tail.shared.state.lock().waiters.is_empty());
}

#[tokio::test]
async fn two_nodes_at_once_leave_nothing_out() {
    let scene = Arc::new(Scene::new());
    let mut offering = tokio::task::JoinSet::new();
    for node in 0..4_u64 {
        let scene = Arc::clone(&scene);
        offering.spawn(async move {
            for round in 0..250 {
                let committed = scene.log.append(change);
                // The others may be first with their news, and some news is lost.
                for _ in 0..(round + node) % 3 {
                    tokio::task::yield_now().await;
                }
                if round % 7 != node {
                    drop(scene.offer(&[committed]));
                }
            }
        });
    }
    while let Some(offered) = offering.join_next().await {
        offered.unwrap();
    }
    scene.heard.up_to(1000).await;
}
