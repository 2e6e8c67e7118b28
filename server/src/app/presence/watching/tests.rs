use i9chat_spec::{Event, Timestamp};
use uuid::Uuid;

use super::*;

/// Notes what it is told.
#[derive(Default)]
struct Ear(Mutex<Vec<PresenceState>>);

impl LiveSink for Ear {
    fn tell(&self, news: News) {
        let Event::PresenceChanged(changed) = news.event.event() else { panic!("{news:?}") };
        assert_eq!(news.change.map(|(_, now)| now), Some(changed.presence));
        self.0.lock().push(changed.presence);
    }

    fn withdraw(&self, _: Topic) {}
}

const ONLINE: PresenceState = PresenceState::Online;
const OFFLINE: PresenceState = PresenceState::Offline;

struct Scene {
    watching: Watching,
    ear: Arc<Ear>,
    alice: User,
}

impl Scene {
    fn new() -> Self {
        let alice = User { user_id: UserId::from_uuid(Uuid::from_u128(7)), username: "alice".parse().unwrap() };
        Self { watching: Watching::default(), ear: Arc::default(), alice }
    }

    fn connection() -> ConnectionId {
        ConnectionId::from_uuid(Uuid::from_u128(1))
    }

    fn follow(&self) {
        let sink: Arc<dyn LiveSink> = Arc::clone(&self.ear) as _;
        self.watching.follow(Self::connection(), &sink, std::slice::from_ref(&self.alice));
    }

    fn reply(&self, asked: PresenceOf) -> PresenceState {
        self.watching.reply(Self::connection(), [(self.alice.user_id, asked)])[0].presence
    }

    fn release(&self) {
        self.watching.release(Self::connection(), [self.alice.user_id]);
    }

    fn comes(&self) {
        self.watching.changed(self.alice.user_id, PresenceOf::ONLINE);
    }

    fn goes(&self) {
        self.watching.changed(self.alice.user_id, gone());
    }

    fn heard(&self) -> Vec<PresenceState> {
        self.ear.0.lock().clone()
    }
}

fn gone() -> PresenceOf {
    PresenceOf::offline(Some(Timestamp::from_millis(1_795_380_000_000)))
}

#[test]
fn a_connection_is_told_of_changes_after_its_reply() {
    let scene = Scene::new();
    scene.follow();
    assert_eq!(scene.reply(gone()), OFFLINE);
    scene.release();
    assert!(scene.heard().is_empty(), "the reply said it");
    scene.comes();
    scene.comes();
    scene.goes();
    assert_eq!(scene.heard(), [ONLINE, OFFLINE]);
}

#[test]
fn what_changes_while_it_is_asked_stands_in_the_reply() {
    let scene = Scene::new();
    scene.follow();
    scene.comes();
    assert_eq!(scene.reply(gone()), ONLINE, "what was heard is newer than what was asked");
    scene.release();
    assert!(scene.heard().is_empty());
}

#[test]
fn what_changes_before_the_reply_is_out_comes_after_it() {
    let scene = Scene::new();
    scene.follow();
    assert_eq!(scene.reply(gone()), OFFLINE);
    scene.comes();
    assert!(scene.heard().is_empty(), "not before the reply");
    scene.release();
    assert_eq!(scene.heard(), [ONLINE]);
}

#[test]
fn a_second_subscription_holds_back_what_its_reply_says() {
    let scene = Scene::new();
    scene.follow();
    scene.reply(gone());
    scene.release();
    assert_eq!(scene.reply(gone()), OFFLINE);
    scene.comes();
    assert!(scene.heard().is_empty());
    scene.release();
    assert_eq!(scene.heard(), [ONLINE]);
}

#[test]
fn who_follows_no_longer_is_told_nothing_and_nothing_is_kept() {
    let scene = Scene::new();
    scene.follow();
    scene.reply(gone());
    scene.release();
    scene.watching.unfollow(Scene::connection(), [scene.alice.user_id]);
    scene.comes();
    assert!(scene.heard().is_empty());
    assert!(scene.watching.0.lock().is_empty());
}
