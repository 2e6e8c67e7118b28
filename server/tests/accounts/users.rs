use i9chat_server::app::Failure;
use i9chat_spec::{
    Nothing,
    api::users::{GetMe, GetUser, GetUserRefusal::UserNotFound, OneUser},
};

use crate::world::{World, origin};

#[tokio::test]
async fn one_sees_ones_own_address_and_others_do_not() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("Alice").await, world.signs_up("bob").await];
    let own = world.call::<GetMe>(alice.identity(), Nothing {}, Nothing {}, origin(1)).await.unwrap().body;
    assert_eq!((own.user_id, own.email.as_str()), (alice.user.user_id, "Alice@example.com"));
    assert_eq!((own.bio.as_str(), own.created_at), ("", world.now()));

    let path = OneUser { username: "aLICE".parse().unwrap() };
    let shown = world.call::<GetUser>(bob.identity(), path, Nothing {}, origin(1)).await.unwrap().body;
    assert_eq!((shown.user_id, shown.username.as_str()), (alice.user.user_id, "Alice"));
}

#[tokio::test]
async fn a_user_who_is_not_there_is_not_found() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let path = OneUser { username: "alic".parse().unwrap() };
    let missing = world.call::<GetUser>(alice.identity(), path, Nothing {}, origin(1)).await;
    assert!(matches!(missing, Err(Failure::Refused(UserNotFound))), "{missing:?}");
}
