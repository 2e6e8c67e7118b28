use i9chat_server::app::Failure;
use i9chat_spec::{
    Event, Lifetimes, Limits, PresenceState, UserPresence,
    action::{PresenceSubscription, SubscribePresence, SubscribePresenceRefusal, UnsubscribePresence},
};

use crate::world::{Listener, Member, World};

fn those(names: &[&str]) -> PresenceSubscription {
    let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    PresenceSubscription { usernames: names.try_into().unwrap() }
}

fn states(presences: &[UserPresence]) -> Vec<(&str, PresenceState)> {
    presences.iter().map(|presence| (presence.user.username.as_str(), presence.presence)).collect()
}

fn changes(listener: &Listener) -> Vec<(String, PresenceState)> {
    let change = |event| match event {
        Event::PresenceChanged(changed) => (changed.user.username.as_str().to_owned(), changed.presence),
        other => panic!("{other:?}"),
    };
    listener.heard().into_iter().map(change).collect()
}

impl World {
    async fn comes(&self, who: &Member) {
        self.app.presence.connect(who.user.user_id).await;
    }

    async fn goes(&self, who: &Member) {
        self.app.presence.disconnect(who.user.user_id).await;
    }
}

#[tokio::test]
async fn a_reply_says_who_is_there_and_changes_come_after_it() {
    use PresenceState::{Offline, Online};
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("Alice").await, world.signs_up("bob").await];
    world.comes(&bob).await;
    let listener = world.listens(&alice);
    let asked = those(&["BOB", "nobody", "alice"]);
    let reply = world.acts::<SubscribePresence>(&listener, asked).await.unwrap();
    assert_eq!(states(&reply.presences), [("bob", Online), ("Alice", Offline)]);
    assert_eq!(reply.not_found.iter().map(i9chat_spec::Username::as_str).collect::<Vec<_>>(), ["nobody"]);
    assert!(changes(&listener).is_empty());

    world.comes(&bob).await;
    world.goes(&bob).await;
    assert!(changes(&listener).is_empty(), "one of two connections is open all the time");
    world.wait(5);
    world.goes(&bob).await;
    world.comes(&alice).await;
    assert_eq!(changes(&listener), [("bob".to_owned(), Offline), ("Alice".to_owned(), Online)]);
    let seen = world.looks_at(&alice, "bob").await.unwrap();
    assert_eq!((seen.presence, seen.last_seen), (Offline, Some(world.now())));
}

#[tokio::test]
async fn actions_of_one_connection_take_effect_in_the_order_sent() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let listener = world.listens(&alice);
    let (subscribed, unsubscribed) = tokio::join!(
        world.acts::<SubscribePresence>(&listener, those(&["bob"])),
        world.acts::<UnsubscribePresence>(&listener, those(&["Bob", "nobody"])),
    );
    assert_eq!(states(&subscribed.unwrap().presences), [("bob", PresenceState::Offline)]);
    unsubscribed.unwrap();
    world.comes(&bob).await;
    assert!(changes(&listener).is_empty());
}

#[tokio::test]
async fn a_connection_that_closed_is_told_nothing_more() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let listener = world.listens(&alice);
    world.acts::<SubscribePresence>(&listener, those(&["bob"])).await.unwrap();
    listener.actor.feed.leave(&world.app.watching);
    world.comes(&bob).await;
    assert!(changes(&listener).is_empty());
}

#[tokio::test]
async fn more_subscriptions_than_a_connection_may_have_are_refused_as_a_whole() {
    let limits = Limits { max_presence_subscriptions: 2, ..Limits::default() };
    let world = World::with(limits, Lifetimes::default()).await;
    let alice = world.signs_up("alice").await;
    let others = [world.signs_up("bob").await, world.signs_up("carol").await, world.signs_up("dave").await];
    let listener = world.listens(&alice);
    world.acts::<SubscribePresence>(&listener, those(&["bob"])).await.unwrap();
    let refused = world.acts::<SubscribePresence>(&listener, those(&["bob", "carol", "dave"])).await;
    let too_many = SubscribePresenceRefusal::TooManySubscriptions;
    assert!(matches!(&refused, Err(Failure::Refused(refusal)) if *refusal == too_many), "{refused:?}");
    for other in &others {
        world.comes(other).await;
    }
    assert_eq!(changes(&listener), [("bob".to_owned(), PresenceState::Online)], "nothing of it was done");
    world.acts::<SubscribePresence>(&listener, those(&["bob", "carol"])).await.unwrap();
    world.acts::<UnsubscribePresence>(&listener, those(&["bob"])).await.unwrap();
    world.acts::<SubscribePresence>(&listener, those(&["dave"])).await.unwrap();
}

#[tokio::test]
async fn names_have_a_rate_of_their_own() {
    let limits = Limits { presence_names_per_second: 1, presence_names_burst: 3, ..Limits::default() };
    let world = World::with(limits, Lifetimes::default()).await;
    let alice = world.signs_up("alice").await;
    let listener = world.listens(&alice);
    world.acts::<SubscribePresence>(&listener, those(&["bob", "carol"])).await.unwrap();
    let refused = world.acts::<SubscribePresence>(&listener, those(&["bob", "carol"])).await;
    assert!(matches!(refused, Err(Failure::RateLimited(_))), "{refused:?}");
    world.acts::<SubscribePresence>(&listener, those(&["dave"])).await.unwrap();
    world.acts::<SubscribePresence>(&world.listens(&alice), those(&["bob"])).await.unwrap();
}
