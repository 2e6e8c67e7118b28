//! How often something is done.

use std::time::{Duration, Instant};

use i9chat_server::bus::{Network, Quota, RateKey};

use super::{
    case::cases,
    scene::{Scene, user_ids},
};

cases! {
    Any {
        a_rate_is_exact_over_all_nodes,
        each_has_a_rate_of_their_own,
        whoever_waits_as_long_as_they_were_told_may_go_on,
        many_at_once_get_no_more_than_the_burst,
    }
}

/// By how much the clock that counts and that of the test may go apart while one waits.
const CLOCKS_DIFFER: Duration = Duration::from_millis(5);

async fn a_rate_is_exact_over_all_nodes(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let key = RateKey::User(user_ids::<1>()[0]);
    let quota = Quota::new(5, Duration::from_hours(1), 5);
    for round in 0..5 {
        let node = if round % 2 == 0 { &one } else { &other };
        node.rates.take(key, quota).await.unwrap();
    }
    for node in [one, other] {
        let wait = node.rates.take(key, quota).await.unwrap_err();
        assert!(wait > Duration::from_mins(11) && wait <= Duration::from_mins(12), "{wait:?}");
    }
}

async fn each_has_a_rate_of_their_own(scene: &Scene) {
    let node = scene.node().await;
    let once = Quota::new(1, Duration::from_hours(1), 1);
    let [alice, bob] = user_ids();
    let network = |address: &str| RateKey::Network(Network::of(address.parse().unwrap()));
    let keys = [
        RateKey::User(alice),
        RateKey::User(bob),
        RateKey::Media(alice),
        RateKey::Nearby(alice),
        network("192.0.2.1"),
        network("2001:db8::1"),
        network("2001:db8:0:1::1"),
    ];
    for key in keys {
        node.rates.take(key, once).await.unwrap();
    }
    node.rates.take(network("2001:db8::2"), once).await.unwrap_err();
    for key in keys {
        node.rates.take(key, once).await.unwrap_err();
    }
    node.rates.take(RateKey::User(alice), Quota::new(2, Duration::from_hours(1), 2)).await.unwrap();
}

async fn whoever_waits_as_long_as_they_were_told_may_go_on(scene: &Scene) {
    let node = scene.node().await;
    let key = RateKey::Media(user_ids::<1>()[0]);
    let quota = Quota::new(20, Duration::from_secs(1), 2);
    for _ in 0..2 {
        node.rates.take(key, quota).await.unwrap();
    }
    for _ in 0..5 {
        let mut may_at: Option<Instant> = None;
        loop {
            let asked_at = Instant::now();
            let Err(wait) = node.rates.take(key, quota).await else { break };
            assert!(wait <= quota.every, "{wait:?}");
            assert!(
                may_at.is_none_or(|may_at| asked_at < may_at + CLOCKS_DIFFER),
                "the wait was too short: {wait:?} more"
            );
            may_at.get_or_insert(Instant::now() + wait);
            tokio::task::yield_now().await;
        }
    }
}

async fn many_at_once_get_no_more_than_the_burst(scene: &Scene) {
    let nodes = scene.nodes().await;
    let key = RateKey::User(user_ids::<1>()[0]);
    let quota = Quota::new(10, Duration::from_hours(1), 10);
    let asking = (0..200).map(|n| nodes[n % 2].rates.take(key, quota));
    let taken = futures_util::future::join_all(asking).await;
    assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 10);
    nodes[0].rates.take(key, quota).await.unwrap_err();
}
