use std::time::Duration;

use i9chat_server::app::Failure;
use i9chat_spec::{Lifetimes, Limits, api::sessions::SignInRefusal::WrongCredentials};

use crate::world::{PASSWORD, World};

const WRONG: &str = "staple battery";

#[tokio::test]
async fn a_user_signs_in_by_name_or_address_in_any_case() {
    let world = World::new().await;
    let alice = world.signs_up("Alice").await;
    for login in ["alice", "ALICE", "Alice@example.com", "ALICE@EXAMPLE.COM"] {
        assert_eq!(world.signs_in(login).await.user, alice.user, "{login}");
    }
}

#[tokio::test]
async fn a_stranger_and_a_wrong_password_are_answered_alike() {
    let world = World::new().await;
    world.signs_up("alice").await;
    for (login, password) in [("alice", WRONG), ("nobody", PASSWORD), ("no@example.com", PASSWORD), ("?", WRONG)] {
        let refused = world.tries_to_sign_in(login, password, 1).await;
        assert!(matches!(refused, Err(Failure::Refused(WrongCredentials))), "{login}: {refused:?}");
    }
}

#[tokio::test]
async fn failures_on_one_account_are_limited_for_an_hour_by_whichever_login() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    for n in 0..10 {
        let login = ["alice", "alice@example.com"][n % 2];
        let refused = world.tries_to_sign_in(login, WRONG, 1).await;
        assert!(matches!(refused, Err(Failure::Refused(WrongCredentials))), "{refused:?}");
    }
    let limited = world.tries_to_sign_in("alice", PASSWORD, 1).await;
    let Err(Failure::RateLimited(wait)) = limited else { panic!("{limited:?}") };
    assert_eq!(wait, Duration::from_hours(1));
    world.uses(&alice.tokens).await.unwrap();
    world.wait(wait.as_secs());
    world.signs_in("alice").await;
}

#[tokio::test]
async fn the_owner_is_let_in_from_elsewhere_and_a_wrong_password_from_there_is_not_told_from_a_limit() {
    let world = World::new().await;
    world.signs_up("alice").await;
    for _ in 0..10 {
        assert!(world.tries_to_sign_in("alice", WRONG, 1).await.is_err());
    }
    world.tries_to_sign_in("alice", PASSWORD, 2).await.unwrap();
    let limited = world.tries_to_sign_in("alice", WRONG, 2).await;
    assert!(matches!(limited, Err(Failure::RateLimited(_))), "{limited:?}");
}

#[tokio::test]
async fn a_login_that_nobody_has_is_limited_too() {
    let world = World::new().await;
    for _ in 0..10 {
        let refused = world.tries_to_sign_in("nobody", WRONG, 1).await;
        assert!(matches!(refused, Err(Failure::Refused(WrongCredentials))), "{refused:?}");
    }
    assert!(matches!(world.tries_to_sign_in("Nobody", WRONG, 1).await, Err(Failure::RateLimited(_))));
}

#[tokio::test]
async fn failures_from_one_address_are_limited_over_all_accounts() {
    let limits = Limits { sign_in_failures_per_address: 5, ..Limits::default() };
    let world = World::with(limits, Lifetimes::default()).await;
    world.signs_up("alice").await;
    for n in 0..5 {
        assert!(world.tries_to_sign_in(&format!("nobody{n}"), WRONG, 1).await.is_err());
    }
    assert!(matches!(world.tries_to_sign_in("alice", PASSWORD, 1).await, Err(Failure::RateLimited(_))));
    world.tries_to_sign_in("alice", PASSWORD, 2).await.unwrap();
}

#[tokio::test]
async fn signing_in_rightly_never_counts() {
    let limits = Limits { sign_in_failures_per_account: 2, sign_in_failures_per_address: 2, ..Limits::default() };
    let world = World::with(limits, Lifetimes::default()).await;
    world.signs_up("alice").await;
    for _ in 0..6 {
        world.signs_in("alice").await;
    }
}
