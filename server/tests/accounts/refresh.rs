use futures_util::future::join_all;
use i9chat_server::{
    app::{Failure, Unidentified},
    auth::{
        keys::ServerKey,
        secrets::{Secrets, SessionSecret},
    },
    ids::SystemIds,
};
use i9chat_spec::api::sessions::RefreshSessionRefusal::RefreshTokenInvalid;

use crate::world::World;

#[tokio::test]
async fn a_refresh_gives_a_new_pair_for_the_same_session() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    world.wait(3601);
    assert!(matches!(world.uses(&alice.tokens).await, Err(Unidentified::TokenExpired)));
    let next = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    assert_ne!(next.refresh_token, alice.tokens.refresh_token);
    assert_eq!(next.expires_at, world.now().plus_seconds(3600));
    assert_eq!(world.uses(&next).await.unwrap(), alice.identity());
    let third = world.refreshes(&next.refresh_token).await.unwrap();
    assert_eq!(world.uses(&third).await.unwrap(), alice.identity());
}

#[tokio::test]
async fn a_lost_answer_is_harmless_however_often_it_is_lost() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    for _ in 0..3 {
        world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    }
    let arrived = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.uses(&arrived).await.unwrap();
    let next = world.refreshes(&arrived.refresh_token).await.unwrap();
    assert_eq!(world.uses(&next).await.unwrap(), alice.identity());
}

#[tokio::test]
async fn tabs_that_refresh_at_once_all_go_on() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let pairs = join_all((0..8).map(|_| world.refreshes(&alice.tokens.refresh_token))).await;
    for pair in pairs {
        assert_eq!(world.uses(&pair.unwrap()).await.unwrap(), alice.identity());
    }
}

#[tokio::test]
async fn the_one_before_ends_the_session_once_the_newest_pair_was_used() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let elsewhere = world.signs_in("alice").await;
    let next = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.uses(&next).await.unwrap();
    let replayed = world.refreshes(&alice.tokens.refresh_token).await;
    assert!(matches!(replayed, Err(Failure::Refused(RefreshTokenInvalid))), "{replayed:?}");
    for pair in [&alice.tokens, &next] {
        assert!(matches!(world.uses(pair).await, Err(Unidentified::SessionEnded)));
    }
    let late = world.refreshes(&next.refresh_token).await;
    assert!(matches!(late, Err(Failure::Refused(RefreshTokenInvalid))), "{late:?}");
    world.uses(&elsewhere.tokens).await.unwrap();
}

#[tokio::test]
async fn the_use_of_the_older_tokens_does_not_count_as_use_of_the_newest() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.uses(&alice.tokens).await.unwrap();
    let again = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.uses(&again).await.unwrap();
}

#[tokio::test]
async fn an_older_one_ends_the_session_even_when_no_token_was_used() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let second = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.refreshes(&second.refresh_token).await.unwrap();
    let replayed = world.refreshes(&alice.tokens.refresh_token).await;
    assert!(matches!(replayed, Err(Failure::Refused(RefreshTokenInvalid))), "{replayed:?}");
    assert!(matches!(world.uses(&second).await, Err(Unidentified::SessionEnded)));
}

#[tokio::test]
async fn whoever_knows_only_the_id_of_a_session_cannot_end_it() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    let strangers = Secrets::new(&ServerKey::generate(&SystemIds));
    let own = Secrets::new(&world.key);
    for generation in 0..4 {
        let guessed = SessionSecret::generate(&SystemIds, alice.session_id, generation);
        for token in [strangers.refresh_token(&guessed).unwrap(), own.cookie(&guessed).parse().unwrap()] {
            let forged = world.refreshes(&token).await;
            assert!(matches!(forged, Err(Failure::Refused(RefreshTokenInvalid))), "{forged:?}");
        }
    }
    world.uses(&alice.tokens).await.unwrap();
}

#[tokio::test]
async fn the_token_of_an_ended_session_is_refused() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    world.ends(&alice.identity(), i9chat_spec::api::sessions::SessionRef::Current).await.unwrap();
    let late = world.refreshes(&alice.tokens.refresh_token).await;
    assert!(matches!(late, Err(Failure::Refused(RefreshTokenInvalid))), "{late:?}");
}
