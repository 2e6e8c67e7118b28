//! What Redis goes through. Nothing hangs meanwhile, and everything is as it was afterwards.

use std::time::Duration;

use i9chat_server::{
    bus::{AccountKey, Network, PresenceOf, Quota, RateKey, SignInTry},
    domain::accounts::claim::Purpose,
    store::{LogStore, StoreError, claims::SaveClaim, mails::MailMatter},
};
use i9chat_spec::User;
use tokio::time::timeout;

use super::{
    case::cases,
    claims::{asked, hash, mail},
    heard::until,
    lab::{Link, Passage},
    memory::at,
    presence::{listens, state},
    scene::{Node, Scene, Setup, user_ids},
};

cases! {
    OwnRedis {
        redis_is_killed_and_comes_back_with_nothing_in_it,
        redis_loses_everything_and_nobody_notices,
        redis_stands_still_for_a_while,
        one_node_is_cut_off,
        answers_are_held_back,
        a_node_that_starts_waits_for_redis,
        a_node_that_redis_does_not_let_in_does_not_wait,
        a_user_with_the_rights_that_are_documented_may_all_that_a_node_asks_for,
    }
}

/// How long is waited for what must not wait for a Redis that is away: ten deadlines. Only failures ever take this long.
const NO_LONGER: Duration = Duration::from_secs(10);

async fn in_time<T>(what: &str, call: impl Future<Output = T>) -> T {
    timeout(NO_LONGER, call).await.unwrap_or_else(|_| panic!("not in {} s: {what}", NO_LONGER.as_secs()))
}

/// Everything that a node can be asked for while it has no Redis.
async fn does_not_hang(scene: &Scene, node: &Node, user: &User) {
    let unavailable = |what: &str, outcome: Result<(), StoreError>| {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{what}: {outcome:?}");
    };
    let [somebody] = user_ids();
    let changes = scene.commit(user, 1).await;
    in_time("publish", async { drop(node.bus.publish(changes)) }).await;
    in_time("connect", node.presence.connect(somebody)).await;
    in_time("disconnect", node.presence.disconnect(somebody)).await;
    unavailable("states", in_time("states", node.presence.states(&[somebody])).await.map(drop));
    unavailable("online_among", in_time("online_among", node.presence.online_among(&[somebody])).await.map(drop));
    let quota = Quota::new(3, Duration::from_hours(1), 3);
    for n in 0..5 {
        let taken = in_time("take", node.rates.take(RateKey::User(somebody), quota)).await;
        assert_eq!(taken.is_ok(), n < 3, "each node counts for itself");
    }
    let account = AccountKey::Unknown("somebody".to_owned());
    let try_ = SignInTry { account, network: Network::of([192, 0, 2, 9].into()), at: at(0) };
    unavailable("may_try", in_time("may_try", node.attempts.may_try(&try_)).await.map(drop));
    unavailable("begin", in_time("begin", node.attempts.begin(try_)).await.map(drop));
    unavailable("claim", in_time("claim", node.claims.claim(Purpose::Signup, hash(1))).await.map(drop));
    let save = in_time("save_claim", node.claims.save_claim(asked("x@example.com", 99))).await;
    unavailable("save_claim", save.map(drop));
    unavailable("due_mails", in_time("due_mails", node.mails.due_mails(at(0), 4)).await.map(drop));
    unavailable("take", in_time("take", node.clean_ups.take(1)).await.map(drop));
    assert!(!node.buses.as_ref().unwrap().is_reachable());
    // While it is known to be away nobody waits for it: so many would not be over in time.
    in_time("take, many times", async {
        for _ in 0..1000 {
            node.rates.take(RateKey::User(somebody), quota).await.unwrap_err();
        }
    })
    .await;
}

/// Everything works over both nodes.
async fn works(scene: &Scene, [one, other]: [&Node; 2], user: &User) {
    for node in [one, other] {
        until("Redis is reached", async || node.buses.as_ref().unwrap().is_reachable().then_some(())).await;
    }
    drop(one.bus.publish(scene.commit(user, 1).await));
    drop(other.bus.publish(scene.commit(user, 1).await));
    let head = scene.store.head().await.unwrap().place.position.0;
    one.heard.delivered_up_to(head).await;
    other.heard.delivered_up_to(head).await;
    listens(one, other).await;
    listens(other, one).await;
    let [somebody] = user_ids();
    one.presence.connect(somebody).await;
    until("presence", async || (other.presence.states(&[somebody]).await.ok()? == [PresenceOf::ONLINE]).then_some(()))
        .await;
    one.presence.disconnect(somebody).await;
    let quota = Quota::new(1, Duration::from_hours(1), 1);
    one.rates.take(RateKey::User(somebody), quota).await.unwrap();
    other.rates.take(RateKey::User(somebody), quota).await.unwrap_err();
    let account = AccountKey::User(somebody);
    let try_ = SignInTry { account, network: Network::of([192, 0, 2, 1].into()), at: at(0) };
    other.attempts.begin(try_).await.unwrap().unwrap();
    let email = format!("{somebody}@example.com");
    let mail = Some(mail(&email, MailMatter::NoAccount, 0));
    assert!(one.claims.save_claim(SaveClaim { mail, ..asked(&email, 5) }).await.unwrap());
    let due = other.mails.due_mails(at(0), 4).await.unwrap();
    assert!(due.mails.iter().any(|queued| queued.mail.to.as_str() == email));
    for queued in due.mails {
        other.mails.remove_mail(&queued.id).await.unwrap();
    }
    other.clean_ups.take(1).await.unwrap();
}

async fn two_with_users(scene: &Scene, users: &[i9chat_spec::UserId; 3]) -> [Node; 2] {
    let nodes = scene.nodes().await;
    let [one, other] = &nodes;
    for node in [one, other] {
        node.heard.watch(users);
    }
    listens(one, other).await;
    one.presence.connect(users[0]).await;
    other.presence.connect(users[1]).await;
    one.presence.connect(users[2]).await;
    nodes
}

/// The first is there, the second went, the third came.
async fn presence_heals([one, other]: [&Node; 2], users: &[i9chat_spec::UserId; 3], went_at: u64) {
    let gone = PresenceOf::offline(Some(at(went_at)));
    let expected = [PresenceOf::ONLINE, gone, PresenceOf::ONLINE];
    for node in [one, other] {
        until("presence is true", async || (node.presence.states(users).await.ok()? == expected).then_some(())).await;
        for (user_id, now) in users.iter().zip(expected) {
            until("watchers know it", async || (node.heard.changes_of(*user_id).last() == Some(&now)).then_some(()))
                .await;
        }
    }
}

async fn redis_is_killed_and_comes_back_with_nothing_in_it(scene: &Scene) {
    let (alice, users) = (scene.user("alice").await, user_ids());
    let [one, other] = two_with_users(scene, &users).await;
    works(scene, [&one, &other], &alice).await;
    for round in 1..=2 {
        scene.own_redis().stop().await.unwrap();
        does_not_hang(scene, &one, &alice).await;
        does_not_hang(scene, &other, &alice).await;
        scene.clock.set(round);
        other.presence.disconnect(users[1]).await;
        one.presence.disconnect(users[2]).await;
        other.presence.connect(users[2]).await;
        scene.own_redis().start().await.unwrap();
        presence_heals([&one, &other], &users, round).await;
        works(scene, [&one, &other], &alice).await;
        other.presence.connect(users[1]).await;
        one.presence.connect(users[2]).await;
        other.presence.disconnect(users[2]).await;
    }
}

async fn redis_loses_everything_and_nobody_notices(scene: &Scene) {
    let (alice, users) = (scene.user("alice").await, user_ids());
    let [one, other] = two_with_users(scene, &users).await;
    let before = one.heard.changes_of(users[0]).len();
    let mut redis = scene.own_redis().connection().await.unwrap();
    redis::cmd("FLUSHALL").query_async::<()>(&mut redis).await.unwrap();
    redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut redis).await.unwrap();
    scene.clock.set(1);
    other.presence.disconnect(users[1]).await;
    // Sooner than a lease runs out.
    presence_heals([&one, &other], &users, 1).await;
    works(scene, [&one, &other], &alice).await;
    let heard = one.heard.changes_of(users[0]).split_off(before);
    assert!(heard.iter().all(|now| *now == PresenceOf::ONLINE), "nobody was told that she had gone: {heard:?}");
}

async fn redis_stands_still_for_a_while(scene: &Scene) {
    let (alice, users) = (scene.user("alice").await, user_ids());
    let [one, other] = two_with_users(scene, &users).await;
    works(scene, [&one, &other], &alice).await;
    scene.own_redis().pause().await.unwrap();
    does_not_hang(scene, &one, &alice).await;
    scene.clock.set(1);
    other.presence.disconnect(users[1]).await;
    until("the other knows it too", async || (!other.buses.as_ref().unwrap().is_reachable()).then_some(())).await;
    scene.own_redis().unpause().await.unwrap();
    presence_heals([&one, &other], &users, 1).await;
    works(scene, [&one, &other], &alice).await;
}

async fn one_node_is_cut_off(scene: &Scene) {
    let (alice, [bob, carol]) = (scene.user("alice").await, user_ids());
    let link = Link::to(scene.own_redis().address()).await.unwrap();
    let through = Setup { url: Some(format!("redis://{}", link.address())), ..Setup::default() };
    let (one, other) = (scene.node_with(through).await, scene.node().await);
    one.heard.watch(&[bob, carol]);
    listens(&one, &other).await;
    other.presence.connect(bob).await;
    until("it is heard", async || (one.heard.changes_of(bob).last() == Some(&PresenceOf::ONLINE)).then_some(())).await;
    for (round, passage) in [(1, Passage::Cut), (2, Passage::Stalled)] {
        link.set(passage);
        let known = one.heard.changes_of(bob).len();
        // What happens meanwhile among others is not heard here, but the log is.
        scene.clock.set(round);
        other.presence.disconnect(bob).await;
        other.presence.connect(carol).await;
        drop(other.bus.publish(scene.commit(&alice, 2).await));
        one.heard.delivered_up_to(scene.store.head().await.unwrap().place.position.0).await;
        does_not_hang(scene, &one, &alice).await;
        assert_eq!(one.heard.changes_of(bob).len(), known);
        link.set(Passage::FREE);
        until("it is heard now", async || {
            (one.heard.changes_of(bob).last() == Some(&PresenceOf::offline(Some(at(round))))).then_some(())
        })
        .await;
        until("this too", async || (one.heard.changes_of(carol).last() == Some(&PresenceOf::ONLINE)).then_some(()))
            .await;
        works(scene, [&one, &other], &alice).await;
        other.presence.connect(bob).await;
        other.presence.disconnect(carol).await;
        until("it is heard", async || (one.heard.changes_of(bob).last() == Some(&PresenceOf::ONLINE)).then_some(()))
            .await;
    }
}

async fn answers_are_held_back(scene: &Scene) {
    let (alice, [bob]) = (scene.user("alice").await, user_ids());
    let link = Link::to(scene.own_redis().address()).await.unwrap();
    let through = Setup { url: Some(format!("redis://{}", link.address())), ..Setup::default() };
    let (one, other) = (scene.node_with(through).await, scene.node().await);
    works(scene, [&one, &other], &alice).await;
    link.set(Passage::AnswersHeld);
    // It is done there, and nobody here learns of it.
    in_time("connect", one.presence.connect(bob)).await;
    scene.clock.set(1);
    in_time("disconnect", one.presence.disconnect(bob)).await;
    does_not_hang(scene, &one, &alice).await;
    link.set(Passage::FREE);
    until("it is true in the end", async || {
        (state(&*other.presence, bob).await == PresenceOf::offline(Some(at(1)))).then_some(())
    })
    .await;
    works(scene, [&one, &other], &alice).await;
}

async fn a_node_that_starts_waits_for_redis(scene: &Scene) {
    let alice = scene.user("alice").await;
    let link = Link::to(scene.own_redis().address()).await.unwrap();
    let other = scene.node().await;
    link.set(Passage::Cut);
    let through = Setup { url: Some(format!("redis://{}", link.address())), ..Setup::default() };
    let (one, ()) = tokio::join!(scene.node_with(through), async {
        until("it is tried more than once", async || (link.refused() > 1).then_some(())).await;
        link.set(Passage::FREE);
    });
    works(scene, [&one, &other], &alice).await;
    assert!(matches!(scene.try_node("redis://127.0.0.1:1/words".to_owned()).await, Err(StoreError::Unavailable(_))));
}

/// Tells the Redis of the case something.
async fn command(scene: &Scene, words: &str) {
    let mut connection = scene.own_redis().connection().await.unwrap();
    let words: Vec<_> = words.split(' ').collect();
    redis::Cmd::new().arg(words).query_async::<()>(&mut connection).await.unwrap();
}

async fn a_node_that_redis_does_not_let_in_does_not_wait(scene: &Scene) {
    let own = scene.own_redis();
    // Somebody who may say nothing but a ping.
    command(scene, "ACL SETUSER silent on >right +ping").await;
    command(scene, "CONFIG SET requirepass right").await;
    for user in ["", ":wrong@", "nobody:right@", "silent:right@"] {
        let url = format!("redis://{user}{}", own.address());
        let refused = in_time(user, scene.try_node(url)).await;
        assert!(matches!(refused, Err(StoreError::Denied(_))), "{user:?}: {:?}", refused.err());
    }
    scene.try_node(format!("redis://:right@{}", own.address())).await.unwrap();
}

async fn a_user_with_the_rights_that_are_documented_may_all_that_a_node_asks_for(scene: &Scene) {
    let alice = scene.user("alice").await;
    // As docs/operations.md says.
    command(scene, "ACL SETUSER chat on >right ~{i9chat}:* &{i9chat}:* +@all -@dangerous +info").await;
    let url = format!("redis://chat:right@{}", scene.own_redis().address());
    let (one, other) = (scene.try_node(url.clone()).await.unwrap(), scene.try_node(url).await.unwrap());
    works(scene, [&one, &other], &alice).await;
}
