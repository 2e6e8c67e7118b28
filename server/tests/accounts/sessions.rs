use futures_util::future::join_all;
use i9chat_server::app::{CookieChange, Credential, Failure, Origin, Unidentified};
use i9chat_spec::{
    Lifetimes, Limits, Nothing,
    api::sessions::{Credentials, EndSessionRefusal::SessionNotFound, SessionRef, SignIn},
};

use crate::world::{PASSWORD, World, origin};

#[tokio::test]
async fn an_ended_session_is_refused_and_the_others_go_on() {
    let world = World::new().await;
    let [first, second] = [world.signs_up("alice").await, world.signs_in("alice").await];
    world.ends(&second.identity(), SessionRef::Id(first.session_id)).await.unwrap();
    assert!(matches!(world.uses(&first.tokens).await, Err(Unidentified::SessionEnded)));
    world.uses(&second.tokens).await.unwrap();
    let again = world.ends(&second.identity(), SessionRef::Id(first.session_id)).await;
    assert!(matches!(again, Err(Failure::Refused(SessionNotFound))), "{again:?}");
    world.ends(&second.identity(), SessionRef::Current).await.unwrap();
    assert!(matches!(world.uses(&second.tokens).await, Err(Unidentified::SessionEnded)));
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let refused = world.ends(&bob.identity(), SessionRef::Id(alice.session_id)).await;
    assert!(matches!(refused, Err(Failure::Refused(SessionNotFound))), "{refused:?}");
    world.uses(&alice.tokens).await.unwrap();
}

#[tokio::test]
async fn a_cookie_names_its_session_until_that_ends_and_is_cleared_then() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let (opened, cookie) = world.signs_in_by_cookie("alice").await;
    assert_eq!(opened.tokens, None, "whoever asks for a cookie gets no tokens");
    let identity = world.uses_cookie(&cookie).await.unwrap();
    assert_eq!(identity.session_id, opened.session_id);
    assert!(matches!(world.app.identify(&Credential::Bearer(cookie.clone())).await, Err(Unidentified::TokenInvalid)));
    assert_eq!(world.ends(&identity, SessionRef::Current).await.unwrap(), Some(CookieChange::Clear));
    assert!(matches!(world.uses_cookie(&cookie).await, Err(Unidentified::SessionEnded)));
}

#[tokio::test]
async fn ending_another_session_leaves_the_cookie_of_this_one() {
    let world = World::new().await;
    let elsewhere = world.signs_up("alice").await;
    let (_, cookie) = world.signs_in_by_cookie("alice").await;
    let identity = world.uses_cookie(&cookie).await.unwrap();
    assert_eq!(world.ends(&identity, SessionRef::Id(elsewhere.session_id)).await.unwrap(), None);
    world.uses_cookie(&cookie).await.unwrap();
}

#[tokio::test]
async fn what_this_server_did_not_make_is_invalid() {
    let [world, other] = [World::new().await, World::new().await];
    let [_, stranger] = [world.signs_up("alice").await, other.signs_up("alice").await];
    let (_, cookie) = other.signs_in_by_cookie("alice").await;
    assert!(matches!(world.uses(&stranger.tokens).await, Err(Unidentified::TokenInvalid)));
    assert!(matches!(world.uses_cookie(&cookie).await, Err(Unidentified::TokenInvalid)));
    for rubbish in ["", "rubbish", "\u{1F600}"] {
        assert!(matches!(world.uses_cookie(rubbish).await, Err(Unidentified::TokenInvalid)));
    }
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_one_that_is_does_not() {
    let day = 24 * 3600;
    let world = World::with(Limits::default(), Lifetimes { token_ttl_s: 100 * day, ..Lifetimes::default() }).await;
    let [used, unused, connected] =
        [world.signs_up("alice").await, world.signs_in("alice").await, world.signs_in("alice").await];
    for _ in 0..40 {
        world.wait(day);
        world.uses(&used.tokens).await.unwrap();
        world.app.session_used(connected.session_id).await.unwrap();
    }
    world.uses(&connected.tokens).await.unwrap();
    assert!(matches!(world.uses(&unused.tokens).await, Err(Unidentified::SessionEnded)));
    assert_eq!(world.lists_sessions(&used).await.len(), 2);
    let late = world.ends(&used.identity(), SessionRef::Id(unused.session_id)).await;
    assert!(matches!(late, Err(Failure::Refused(SessionNotFound))), "{late:?}");
    assert!(world.refreshes(&unused.tokens.refresh_token).await.is_err());
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_still_an_ended_one() {
    let day = 24 * 3600;
    let world = World::with(Limits::default(), Lifetimes { token_ttl_s: 100 * day, ..Lifetimes::default() }).await;
    let alice = world.signs_up("alice").await;
    world.ends(&alice.identity(), SessionRef::Current).await.unwrap();
    world.wait(40 * day);
    world.app.clean_up().await.unwrap();
    assert!(world.app.accounts.store().session(alice.session_id).await.unwrap().is_none());
    assert!(matches!(world.uses(&alice.tokens).await, Err(Unidentified::SessionEnded)));
}

#[tokio::test]
async fn sessions_are_listed_newest_first_with_where_they_came_from() {
    let world = World::new().await;
    let first = world.signs_up("alice").await;
    world.signs_up("bob").await;
    world.wait(60);
    let agent = "é".repeat(300);
    let body = Credentials { login: "alice".parse().unwrap(), password: PASSWORD.parse().unwrap(), cookie: None };
    let from = Origin { user_agent: Some(agent), ..origin(1) };
    let second = world.call::<SignIn>((), Nothing {}, body, from).await.unwrap().body.session_id;
    world.wait(600);
    world.uses(&first.tokens).await.unwrap();

    let listed = world.lists_sessions(&first).await;
    assert_eq!(listed.iter().map(|session| session.session_id).collect::<Vec<_>>(), [second, first.session_id]);
    assert_eq!(listed.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true]);
    assert_eq!(listed[0].client, Some("é".repeat(200)));
    assert_eq!(listed[0].created_at, world.now().minus_seconds(600));
    assert_eq!(listed[1].last_used_at, world.now());
    assert_eq!(listed[1].client.as_deref(), Some("test/1"));
}

#[tokio::test]
async fn one_sign_in_too_many_ends_the_session_that_was_unused_longest() {
    let world = World::with(Limits { max_sessions_per_user: 3, ..Limits::default() }, Lifetimes::default()).await;
    let first = world.signs_up("alice").await;
    world.wait(600);
    let second = world.signs_in("alice").await;
    world.wait(600);
    world.uses(&first.tokens).await.unwrap();
    let third = world.signs_in("alice").await;
    world.signs_in("alice").await;
    assert!(matches!(world.uses(&second.tokens).await, Err(Unidentified::SessionEnded)));
    for member in [first, third] {
        world.uses(&member.tokens).await.unwrap();
    }
}

#[tokio::test]
async fn sign_ins_at_once_do_not_exceed_the_number_of_sessions() {
    let world = World::with(Limits { max_sessions_per_user: 3, ..Limits::default() }, Lifetimes::default()).await;
    let alice = world.signs_up("alice").await;
    let opened = join_all((0..8).map(|_| world.tries_to_sign_in("alice", PASSWORD, 1))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    assert_eq!(world.lists_sessions(&alice).await.len(), 3);
}
