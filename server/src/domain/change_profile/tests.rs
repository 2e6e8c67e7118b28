use i9chat_spec::{Attachment, Example, Location, MediaId, User};

use super::*;
use crate::domain::{MediaState, testing::Scene};

fn picture_of(owner: &User, purpose: MediaPurpose) -> MediaState {
    MediaState { owner: owner.user_id, purpose, kind: MediaKind::Picture, attachment: Attachment::example() }
}

fn change(user: &User, patch: ProfilePatch) -> ChangeProfile {
    ChangeProfile { user_id: user.user_id, patch, no_bio: "".parse().unwrap() }
}

fn blank() -> ProfileChanged {
    ProfileChanged { bio: "".parse().unwrap(), picture_id: None, location: None }
}

#[test]
fn what_is_left_out_stays_and_null_takes_away() {
    let mut scene = Scene::new();
    let [alice, bob] = scene.users();
    scene.profile(&alice, blank());
    let location = Location::example();
    let moved = ProfilePatch { location: Patch::Set(location), ..ProfilePatch::default() };
    scene.decide(&change(&alice, moved)).unwrap();
    let spoken = ProfilePatch { bio: Patch::Set(Bio::example()), ..ProfilePatch::default() };
    let profile = scene.decide(&change(&alice, spoken)).unwrap().unwrap();
    assert_eq!(profile, ProfileChanged { bio: Bio::example(), picture_id: None, location: Some(location) });
    let nothing = ProfilePatch { bio: Patch::Clear, picture_id: Patch::Clear, location: Patch::Clear };
    assert_eq!(scene.decide(&change(&alice, nothing)), Ok(Some(blank())));
    assert_eq!(scene.heard_by(&alice), ["profile_changed"; 3]);
    assert!(scene.heard_by(&bob).is_empty());
}

#[test]
fn when_nothing_changes_there_is_no_event() {
    let mut scene = Scene::new();
    let [alice, _] = scene.users();
    scene.profile(&alice, blank());
    for patch in [
        ProfilePatch::default(),
        ProfilePatch { bio: Patch::Set("".parse().unwrap()), ..ProfilePatch::default() },
        ProfilePatch { bio: Patch::Clear, picture_id: Patch::Clear, location: Patch::Clear },
    ] {
        assert_eq!(scene.decide(&change(&alice, patch)), Ok(Some(blank())));
    }
    assert!(scene.heard_by(&alice).is_empty());
}

#[test]
fn a_picture_is_ones_own_and_made_for_a_profile() {
    let mut scene = Scene::new();
    let [alice, bob] = scene.users();
    scene.profile(&alice, blank());
    let picture_id = MediaId::example();
    let patch = ProfilePatch { picture_id: Patch::Set(picture_id), ..ProfilePatch::default() };
    assert_eq!(scene.decide(&change(&alice, patch.clone())), Err(UpdateMeRefusal::MediaNotUsable), "it is not there");
    for unfit in [picture_of(&bob, MediaPurpose::ProfilePicture), picture_of(&alice, MediaPurpose::GroupPicture)] {
        scene.media(picture_id, unfit);
        assert_eq!(scene.decide(&change(&alice, patch.clone())), Err(UpdateMeRefusal::MediaNotUsable));
    }
    assert!(scene.heard_by(&alice).is_empty());
    scene.media(picture_id, picture_of(&alice, MediaPurpose::ProfilePicture));
    let profile = scene.decide(&change(&alice, patch.clone())).unwrap().unwrap();
    assert_eq!(profile.picture_id, Some(picture_id));
    assert_eq!(scene.decide(&change(&alice, patch)), Ok(Some(profile)), "the same again is no change");
    assert_eq!(scene.heard_by(&alice), ["profile_changed"]);
}
