//! What users show of themselves. (USR-1 to USR-6)

use i9chat_server::domain::{ChangeProfile, Wanted};
use i9chat_spec::{Location, Patch, User, api::users::ProfilePatch};

use super::{
    case::cases,
    shelf::{Shelf, at},
};

cases![a_profile_is_shown_as_it_was_changed_last, what_a_patch_leaves_out_stays, nobody_has_no_profile,];

pub fn place(lat: f64, lon: f64) -> Location {
    Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() }
}

pub fn changed(user: &User, patch: ProfilePatch) -> ChangeProfile {
    ChangeProfile { user_id: user.user_id, patch, no_bio: "".parse().unwrap() }
}

async fn a_profile_is_shown_as_it_was_changed_last(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let bio = |text: &str| ProfilePatch { bio: Patch::Set(text.parse().unwrap()), ..ProfilePatch::default() };
    shelf.commit_all(vec![changed(&alice, bio("one")), changed(&alice, bio("two \" \\ 漢字 🎉"))]).await;
    let own = shelf.store.own_profile(alice.user_id).await.unwrap().unwrap();
    assert_eq!((own.bio.as_str(), own.location), ("two \" \\ 漢字 🎉", None));
    let shown = shelf.other.profile(&alice.username).await.unwrap().unwrap();
    assert_eq!(shown.bio.as_str(), "two \" \\ 漢字 🎉");
    let no_bio = ProfilePatch { bio: Patch::Clear, ..ProfilePatch::default() };
    shelf.commit(changed(&alice, no_bio)).await;
    assert_eq!(shelf.store.profile(&alice.username).await.unwrap().unwrap().bio.as_str(), "");
}

async fn what_a_patch_leaves_out_stays(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let here = place(41.327_512_345_678_9, -19.818_7);
    shelf.commit(changed(&alice, ProfilePatch { location: Patch::Set(here), ..ProfilePatch::default() })).await;
    let bio = ProfilePatch { bio: Patch::Set("new".parse().unwrap()), ..ProfilePatch::default() };
    shelf.commit(changed(&alice, bio)).await;
    let own = shelf.store.own_profile(alice.user_id).await.unwrap().unwrap();
    assert_eq!((own.bio.as_str(), own.location), ("new", Some(here)), "to the last digit");
    // The next decision sees the same.
    let mut wanted = Wanted::default();
    wanted.profiles.insert(alice.user_id);
    let seen = shelf.look(at(0), wanted, move |state| state.profiles.get(&alice.user_id).cloned()).await.unwrap();
    assert_eq!((seen.bio.as_str(), seen.location, seen.picture_id), ("new", Some(here), None));
}

async fn nobody_has_no_profile(shelf: &Shelf) {
    let nobody = super::shelf::account("nobody").user;
    assert!(shelf.store.own_profile(nobody.user_id).await.unwrap().is_none());
    assert!(shelf.store.profile(&nobody.username).await.unwrap().is_none());
    let mut wanted = Wanted::default();
    wanted.profiles.insert(nobody.user_id);
    assert!(shelf.look(at(0), wanted, |state| state.profiles.is_empty()).await);
}
