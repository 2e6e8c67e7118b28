use uuid::Uuid;

use super::*;
use crate::{
    bus::{LocalBus, Subscriber},
    clock::SystemClock,
    ids::SystemIds,
    store::fake::FakeLog,
};

struct Nobody;

impl Subscriber for Nobody {
    fn deliver(&self, _: &[Committed]) {}
}

struct Scene {
    log: Arc<FakeLog>,
    committer: Committer,
}

impl Scene {
    /// A store that is away, and that takes so long to say so.
    fn failing_after(fails_after: Duration) -> Self {
        let log = Arc::new(FakeLog::failing_after(fails_after));
        let committer = Committer::start(CommitterParts {
            store: Arc::clone(&log) as _,
            bus: Arc::new(LocalBus::new(Arc::new(Nobody))),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            ends_elsewhere: false,
        });
        Self { log, committer }
    }

    /// Somebody's command, which is queued now.
    fn submit(&self) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let command =
            EndSession { user_id: UserId::from_uuid(Uuid::nil()), session_id: SessionId::from_uuid(Uuid::nil()) };
        self.committer.submit(command, move |result| done.send(result).unwrap());
        outcome
    }

    /// One whose batch is being tried, and others that came to wait meanwhile.
    async fn one_and_others(&self) -> (oneshot::Receiver<Outcome>, [oneshot::Receiver<Outcome>; 2]) {
        let one = self.submit();
        self.log.asked(1).await;
        (one, [self.submit(), self.submit()])
    }
}

type Outcome = Result<(), Failure<EndSessionRefusal>>;

async fn unavailable(outcome: oneshot::Receiver<Outcome>) {
    let outcome = outcome.await.unwrap();
    assert!(matches!(outcome, Err(Failure::Unavailable)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_store_that_does_not_answer_is_refused_with_the_first() {
    let scene = Scene::failing_after(GIVEN_UP * 2);
    let (one, others) = scene.one_and_others().await;
    unavailable(one).await;
    let refused = Instant::now();
    for other in others {
        unavailable(other).await;
    }
    assert_eq!(refused.elapsed(), Duration::ZERO, "nobody waits for the same again");
    assert_eq!(scene.log.times_asked(), 1);
    unavailable(scene.submit()).await;
    assert_eq!(scene.log.times_asked(), 2, "who comes later is tried");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_batch_that_failed_soon_is_tried() {
    let scene = Scene::failing_after(GIVEN_UP / 10);
    let (one, others) = scene.one_and_others().await;
    unavailable(one).await;
    for other in others {
        unavailable(other).await;
    }
    assert_eq!(scene.log.times_asked(), 2, "both in one batch");
}
