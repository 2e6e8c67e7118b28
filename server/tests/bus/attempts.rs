//! Failed sign-ins. (SES-3)

use std::time::Duration;

use i9chat_server::bus::{AccountKey, Attempt, Network, SignInTry, TRIES_FROM_ELSEWHERE};
use i9chat_spec::{Limits, Timestamp};

use super::{
    case::cases,
    memory::at,
    scene::{Node, Scene, Setup, user_ids},
};

cases! {
    Any {
        the_limit_of_an_account_is_exact_and_ends_after_an_hour,
        the_limit_of_an_address_counts_over_all_accounts,
        an_owner_is_let_in_while_others_exceed_the_limit_of_the_account,
        success_does_not_count_and_tries_at_once_are_no_way_around,
        a_limit_frees_up_one_by_one,
        an_account_is_another_than_a_login_that_nobody_has,
    }
}

async fn nodes(scene: &Scene, per_account: u64, per_address: u64) -> [Node; 2] {
    let limits = Limits {
        sign_in_failures_per_account: per_account,
        sign_in_failures_per_address: per_address,
        ..Limits::default()
    };
    scene.nodes_with(Setup { limits, ..Setup::default() }).await
}

fn a_try(name: &str, from: u8, at: Timestamp) -> SignInTry {
    let network = Network::of([192, 0, 2, from].into());
    SignInTry { account: AccountKey::Unknown(name.to_owned()), network, at }
}

async fn begins(node: &Node, name: &str, from: u8) -> Result<Attempt, Duration> {
    node.attempts.begin(a_try(name, from, at(0))).await.unwrap()
}

async fn fails(node: &Node, name: &str, from: u8) -> Option<Duration> {
    begins(node, name, from).await.unwrap().account_wait
}

async fn the_limit_of_an_account_is_exact_and_ends_after_an_hour(scene: &Scene) {
    let [one, other] = nodes(scene, 3, 100).await;
    for node in [&one, &other, &one] {
        assert_eq!(fails(node, "alice", 1).await, None);
    }
    for node in [&one, &other] {
        let looked = node.attempts.may_try(&a_try("alice", 1, at(0))).await.unwrap();
        assert_eq!(looked, Err(Duration::from_hours(1)));
        assert_eq!(begins(node, "alice", 1).await.unwrap_err(), Duration::from_hours(1));
    }
    assert!(begins(&other, "bob", 1).await.is_ok(), "another account is another account");
    assert!(one.attempts.begin(a_try("alice", 1, at(3599))).await.unwrap().is_err());
    assert!(one.attempts.begin(a_try("alice", 1, at(3600))).await.unwrap().is_ok());
}

async fn the_limit_of_an_address_counts_over_all_accounts(scene: &Scene) {
    let [one, other] = nodes(scene, 10, 3).await;
    for (node, name) in [(&one, "alice"), (&other, "bob"), (&one, "carol")] {
        fails(node, name, 1).await;
    }
    assert!(begins(&other, "dave", 1).await.is_err());
    assert!(other.attempts.may_try(&a_try("dave", 1, at(0))).await.unwrap().is_err());
    assert!(begins(&one, "dave", 2).await.is_ok());
}

async fn an_owner_is_let_in_while_others_exceed_the_limit_of_the_account(scene: &Scene) {
    let [one, other] = nodes(scene, 4, 100).await;
    for _ in 0..4 {
        fails(&one, "alice", 1).await;
    }
    other.attempts.take_back(begins(&other, "alice", 2).await.unwrap()).await.unwrap();
    for _ in 0..TRIES_FROM_ELSEWHERE {
        assert!(fails(&other, "alice", 2).await.is_some(), "a wrong password is told to wait all the same");
    }
    assert!(begins(&one, "alice", 2).await.is_err());
}

async fn success_does_not_count_and_tries_at_once_are_no_way_around(scene: &Scene) {
    let [one, other] = nodes(scene, 2, 100).await;
    for _ in 0..10 {
        other.attempts.take_back(begins(&one, "alice", 1).await.unwrap()).await.unwrap();
    }
    let first = begins(&one, "alice", 1).await.unwrap();
    let second = begins(&other, "alice", 1).await.unwrap();
    assert!(begins(&one, "alice", 1).await.is_err());
    one.attempts.take_back(first).await.unwrap();
    one.attempts.take_back(second).await.unwrap();
    let begun = (0..20).map(|n| begins(if n % 2 == 0 { &one } else { &other }, "alice", 1));
    let begun = futures_util::future::join_all(begun).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 2);
}

async fn a_limit_frees_up_one_by_one(scene: &Scene) {
    let [one, other] = nodes(scene, 2, 100).await;
    let begin = async |node: &Node, second| node.attempts.begin(a_try("alice", 1, at(second))).await.unwrap();
    begin(&one, 0).await.unwrap();
    begin(&other, 10).await.unwrap();
    assert_eq!(begin(&one, 20).await.unwrap_err(), Duration::from_secs(3580));
    begin(&other, 3600).await.unwrap();
    assert_eq!(begin(&one, 3601).await.unwrap_err(), Duration::from_secs(9));
    begin(&one, 3610).await.unwrap();
}

async fn an_account_is_another_than_a_login_that_nobody_has(scene: &Scene) {
    let [one, other] = nodes(scene, 1, 100).await;
    let [alice] = user_ids();
    let known = SignInTry { account: AccountKey::User(alice), ..a_try("", 1, at(0)) };
    one.attempts.begin(known.clone()).await.unwrap().unwrap();
    other.attempts.begin(known).await.unwrap().unwrap_err();
    fails(&other, &alice.to_string(), 1).await;
    assert!(begins(&one, &alice.to_string(), 1).await.is_err());
}
