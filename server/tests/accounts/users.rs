use i9chat_server::app::Failure;
use i9chat_spec::{
    Example, Location, MediaId, Nothing, Patch, PresenceState,
    api::users::{GetMe, GetUser, GetUserRefusal::UserNotFound, OneUser, ProfilePatch, UpdateMeRefusal},
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

#[tokio::test]
async fn a_profile_is_changed_field_by_field_and_its_owner_alone_sees_where_they_are() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let location = Location::example();
    let moved = ProfilePatch { location: Patch::Set(location), ..ProfilePatch::default() };
    let spoken = ProfilePatch { bio: Patch::Set("Here I am.".parse().unwrap()), ..ProfilePatch::default() };
    assert_eq!(world.changes_profile(&alice, moved).await.unwrap().location, Some(location));
    let changed = world.changes_profile(&alice, spoken).await.unwrap();
    assert_eq!((changed.bio.as_str(), changed.location), ("Here I am.", Some(location)));
    let own = world.call::<GetMe>(alice.identity(), Nothing {}, Nothing {}, origin(1)).await.unwrap().body;
    assert_eq!(own, changed, "what is answered is what is read");

    let shown = world.looks_at(&bob, "alice").await.unwrap();
    assert_eq!((shown.bio.as_str(), shown.presence, shown.last_seen), ("Here I am.", PresenceState::Offline, None));
    let cleared = ProfilePatch { bio: Patch::Clear, location: Patch::Clear, ..ProfilePatch::default() };
    let changed = world.changes_profile(&alice, cleared).await.unwrap();
    assert_eq!((changed.bio.as_str(), changed.location), ("", None));
}

#[tokio::test]
async fn a_picture_that_was_never_uploaded_is_refused_and_nothing_changes() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let patch = ProfilePatch {
        bio: Patch::Set("A new one".parse().unwrap()),
        picture_id: Patch::Set(MediaId::example()),
        ..ProfilePatch::default()
    };
    let refused = world.changes_profile(&alice, patch).await;
    assert!(matches!(refused, Err(Failure::Refused(UpdateMeRefusal::MediaNotUsable))), "{refused:?}");
    let own = world.call::<GetMe>(alice.identity(), Nothing {}, Nothing {}, origin(1)).await.unwrap().body;
    assert_eq!((own.bio.as_str(), own.picture_id), ("", None));
}
