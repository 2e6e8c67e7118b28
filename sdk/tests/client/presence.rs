//! The presence of others as values: shared, told at each change, and asked for again after each break.

use i9chat_sdk::Presence;
use i9chat_spec::{ErrorCode, Format, Problem};

use crate::{
    by_password, connected, hurried, soon,
    stub::{Order, Stub, World, problem},
};

fn asked(action: &'static str) -> impl Fn(&World) -> usize {
    move |world| world.actions.iter().filter(|(name, _)| name == action).count()
}

#[tokio::test]
async fn presence_is_shown_now_and_at_each_change() {
    for format in Format::ALL.iter().copied() {
        let stub = Stub::start().await;
        let client = soon(hurried(&stub, by_password()).format(format).connect()).await.expect("connects");
        let mut bob = client.presence("Bob").expect("a name");
        let first = soon(bob.changed()).await.expect("an answer");
        assert!(!first.is_online() && first.last_seen().is_some(), "{first:?}");
        stub.change(|world| world.online.insert("bob".to_owned()));
        assert!(soon(bob.changed()).await.expect("a change").is_online());
        assert!(bob.current().is_online());
        stub.change(|world| world.online.remove("bob"));
        assert!(soon(bob.changed()).await.expect("a change").last_seen().is_some());
    }
}

#[tokio::test]
async fn handles_of_one_user_share_a_subscription_that_ends_with_the_last() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut one = client.presence("bob").expect("a name");
    soon(one.changed()).await.expect("an answer");
    let mut two = client.presence("BOB").expect("a name");
    assert_eq!(soon(two.changed()).await.expect("what is known"), one.current());
    assert_eq!(stub.look(asked("subscribe_presence")), 1);
    drop(one);
    stub.change(|world| world.online.insert("bob".to_owned()));
    assert!(soon(two.changed()).await.expect("a change").is_online());
    assert_eq!(stub.look(asked("unsubscribe_presence")), 0);
    drop(two);
    soon(stub.until(|world| asked("unsubscribe_presence")(world) == 1)).await;
    // Watched anew, it is asked for anew.
    let mut three = client.presence("bob").expect("a name");
    assert!(soon(three.changed()).await.expect("an answer").is_online());
}

#[tokio::test]
async fn a_user_who_is_dropped_and_watched_at_once_is_known_again() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    for _ in 0..20 {
        let mut bob = client.presence("bob").expect("a name");
        assert_ne!(soon(bob.changed()).await.expect("an answer"), Presence::Unknown);
    }
}

#[tokio::test]
async fn after_a_break_it_is_asked_for_again() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut bob = client.presence("bob").expect("a name");
    soon(bob.changed()).await.expect("an answer");
    stub.change(|world| world.online.insert("bob".to_owned()));
    assert!(soon(bob.changed()).await.expect("a change").is_online());
    stub.order(Order::Cut);
    stub.change(|world| world.online.remove("bob"));
    loop {
        match soon(bob.changed()).await.expect("a change") {
            known @ Presence::Known(_) if !known.is_online() => break,
            _ => {}
        }
    }
    assert_eq!(stub.look(asked("subscribe_presence")), 2);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_so() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut nobody = client.presence("nobody").expect("a name");
    assert_eq!(soon(nobody.changed()).await, Some(Presence::NoSuchUser));
    assert!(client.presence("-").is_err());
}

#[tokio::test]
async fn a_server_that_asks_for_patience_is_asked_again() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let limited = Problem { retry_after_ms: Some(20), ..problem(ErrorCode::RateLimited) };
    stub.change(|world| world.action_faults.push_back(limited));
    let mut bob = client.presence("bob").expect("a name");
    assert!(matches!(soon(bob.changed()).await, Some(Presence::Known(_))));
}

#[tokio::test]
async fn what_is_beyond_the_subscriptions_of_a_connection_waits_for_one_to_end() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut bob = client.presence("bob").expect("a name");
    soon(bob.changed()).await.expect("an answer");
    stub.change(|world| world.action_faults.push_back(problem(ErrorCode::TooManySubscriptions)));
    let mut carol = client.presence("carol").expect("a name");
    soon(stub.until(|world| asked("subscribe_presence")(world) == 2)).await;
    assert_eq!(carol.current(), Presence::Unknown);
    drop(bob);
    assert!(matches!(soon(carol.changed()).await, Some(Presence::Known(_))));
}

#[tokio::test]
async fn a_hundred_names_go_into_one_request() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut handles: Vec<_> =
        (0..250).map(|number| client.presence(&format!("user-{number}")).expect("a name")).collect();
    for handle in &mut handles {
        assert!(soon(handle.changed()).await.is_some());
    }
    let sizes: Vec<usize> = stub.look(|world| {
        let asked = world.actions.iter().filter(|(name, _)| name == "subscribe_presence");
        asked.map(|(_, data)| data["usernames"].as_array().expect("names").len()).collect()
    });
    assert!(sizes.iter().all(|size| *size <= 100) && sizes.iter().sum::<usize>() == 250, "{sizes:?}");
}

#[tokio::test]
async fn a_watch_ends_with_the_client() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let mut bob = client.presence("bob").expect("a name");
    soon(bob.changed()).await.expect("an answer");
    soon(client.close()).await;
    assert_eq!((soon(bob.changed()).await, bob.current()), (None, Presence::Unknown));
    assert_eq!(soon(client.presence("carol").expect("a name").changed()).await, None);
}
