//! Records of media: what was uploaded by whom, and what uses it. (section 13 of the protocol)

use i9chat_server::{
    domain::{MediaState, Wanted, groups::UpdateGroup},
    store::media::NewMedia,
};
use i9chat_spec::{
    ChatId, MediaId, MediaKind, MediaPart, MediaPurpose, NewContent, PartInfo, Patch, User,
    api::{groups::GroupChanges, messages::MessageSent, users::ProfilePatch},
};

use super::{
    acts::sending,
    case::cases,
    profiles::changed,
    shelf::{Shelf, at, uuid},
};

cases![
    an_upload_comes_back_to_its_owner_as_it_was_stated,
    uploads_that_nothing_uses_are_limited_for_each_user,
    uploads_at_once_do_not_exceed_the_limit,
    what_is_complete_is_usable_by_its_owner_until_it_expires,
    completing_again_changes_nothing_and_completing_too_late_does_nothing,
    who_sees_an_entry_reads_its_media_and_nobody_else_does,
    pictures_are_for_everybody_once_they_are_used,
    what_nothing_uses_expires_and_is_forgotten,
];

/// After this the media of these cases expires.
const TTL_S: u64 = 100;

fn upload(owner: &User, purpose: MediaPurpose, kind: MediaKind) -> NewMedia {
    let part = |part| PartInfo { part, content_type: "image/png".parse().unwrap(), size: 5000 };
    let parts = if kind == MediaKind::Picture {
        vec![part(MediaPart::Large), part(MediaPart::Small), part(MediaPart::Medium)]
    } else {
        vec![part(MediaPart::Preview), part(MediaPart::Original)]
    };
    NewMedia {
        media_id: MediaId::from_uuid(uuid()),
        owner: owner.user_id,
        purpose,
        kind,
        parts,
        created_at: at(0),
        expires_at: at(TTL_S),
    }
}

impl Shelf {
    async fn start(&self, owner: &User, purpose: MediaPurpose, kind: MediaKind) -> MediaId {
        let upload = upload(owner, purpose, kind);
        let media_id = upload.media_id;
        assert!(self.store.start(upload, 100).await.unwrap());
        media_id
    }

    /// Complete media of a user.
    async fn media(&self, owner: &User, purpose: MediaPurpose, kind: MediaKind) -> MediaId {
        let media_id = self.start(owner, purpose, kind).await;
        assert!(self.store.complete(media_id, at(0), at(TTL_S)).await.unwrap());
        media_id
    }

    /// A picture of that user, which their profile shows.
    pub async fn picture_of(&self, user: &User) -> MediaId {
        let picture_id = self.media(user, MediaPurpose::ProfilePicture, MediaKind::Picture).await;
        self.shows(user, Patch::Set(picture_id)).await;
        picture_id
    }

    async fn shows(&self, user: &User, picture_id: Patch<MediaId>) {
        self.commit(changed(user, ProfilePatch { picture_id, ..ProfilePatch::default() })).await;
    }

    async fn says(&self, sender: &User, chat_id: ChatId, media_id: MediaId) -> MessageSent {
        let voice = NewContent::Voice { media_id, duration_ms: 4200_u64.try_into().unwrap() };
        self.commit(sending(sender, chat_id, voice)).await
    }

    async fn reads_media(&self, reader: &User, media_id: MediaId, now: u64) -> bool {
        self.other.readable(media_id, reader.user_id, at(now)).await.unwrap().is_some()
    }

    async fn usable(&self, media_id: MediaId, now: u64) -> Option<MediaState> {
        let mut wanted = Wanted::default();
        wanted.media.insert(media_id);
        self.look(at(now), wanted, move |state| state.media.get(&media_id).cloned()).await
    }

    async fn expired(&self, before: u64) -> Vec<MediaId> {
        let mut expired = self.store.expired(at(before), 100).await.unwrap();
        expired.sort_unstable();
        expired
    }
}

/// As [`Shelf::expired`] answers them.
fn sorted<const N: usize>(mut media_ids: [MediaId; N]) -> [MediaId; N] {
    media_ids.sort_unstable();
    media_ids
}

async fn an_upload_comes_back_to_its_owner_as_it_was_stated(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let stated = upload(&alice, MediaPurpose::Message, MediaKind::Image);
    let media_id = stated.media_id;
    assert!(shelf.store.start(stated.clone(), 100).await.unwrap());
    let found = shelf.other.upload(media_id, alice.user_id, at(0)).await.unwrap().unwrap();
    assert_eq!((found.media_id, found.owner), (media_id, stated.owner));
    assert_eq!((found.purpose, found.kind), (stated.purpose, stated.kind));
    assert_eq!(found.parts, stated.parts, "in the order in which they were stated");
    assert!(!found.is_complete);
    assert_eq!(shelf.store.upload(media_id, bob.user_id, at(0)).await.unwrap(), None);
    assert_eq!(shelf.store.upload(media_id, alice.user_id, at(TTL_S)).await.unwrap(), None, "it has expired");
    let nothing = MediaId::from_uuid(uuid());
    assert_eq!(shelf.store.upload(nothing, alice.user_id, at(0)).await.unwrap(), None);
}

async fn uploads_that_nothing_uses_are_limited_for_each_user(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let start = async |owner: &User, second| {
        let upload = NewMedia { created_at: at(second), ..upload(owner, MediaPurpose::Message, MediaKind::Voice) };
        let media_id = upload.media_id;
        shelf.store.start(upload, 2).await.unwrap().then_some(media_id)
    };
    let first = start(&alice, 0).await.unwrap();
    let second = start(&alice, 0).await.unwrap();
    assert_eq!(start(&alice, 0).await, None, "one too many");
    assert!(start(&bob, 0).await.is_some(), "another's do not count");
    shelf.store.complete(first, at(0), at(TTL_S)).await.unwrap();
    assert_eq!(start(&alice, 0).await, None, "complete and not used");
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.says(&alice, chat_id, first).await;
    let third = start(&alice, 0).await.unwrap();
    assert_eq!(start(&alice, 0).await, None);
    // What has expired does not count, whether or not it was forgotten.
    assert!(start(&alice, TTL_S).await.is_some());
    shelf.store.forget(vec![second, third]).await.unwrap();
    assert_eq!(shelf.store.upload(second, alice.user_id, at(0)).await.unwrap(), None);
}

async fn uploads_at_once_do_not_exceed_the_limit(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let started = (0..8).map(|number| {
        let store = if number % 2 == 0 { &shelf.store } else { &shelf.other };
        store.start(upload(&alice, MediaPurpose::Message, MediaKind::Image), 3)
    });
    let started = futures_util::future::join_all(started).await;
    assert_eq!(started.into_iter().filter(|started| *started.as_ref().unwrap()).count(), 3);
}

async fn what_is_complete_is_usable_by_its_owner_until_it_expires(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let media_id = shelf.start(&alice, MediaPurpose::Message, MediaKind::Voice).await;
    assert_eq!(shelf.usable(media_id, 0).await, None, "not complete");
    assert!(shelf.store.complete(media_id, at(10), at(10 + TTL_S)).await.unwrap());
    let found = shelf.store.upload(media_id, alice.user_id, at(TTL_S)).await.unwrap().unwrap();
    assert!(found.is_complete, "it lives on from when it was complete");
    let media = shelf.usable(media_id, 9 + TTL_S).await.unwrap();
    assert_eq!((media.owner, media.purpose, media.kind), (alice.user_id, MediaPurpose::Message, MediaKind::Voice));
    assert_eq!(media.attachment.media_id, media_id);
    assert!(media.attachment.preview.is_some());
    assert_eq!(shelf.usable(media_id, 10 + TTL_S).await, None);
    assert_eq!(shelf.usable(MediaId::from_uuid(uuid()), 0).await, None);
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.says(&alice, chat_id, media_id).await;
    assert!(shelf.usable(media_id, 10 + TTL_S).await.is_some(), "what is used does not expire");
}

async fn completing_again_changes_nothing_and_completing_too_late_does_nothing(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let media_id = shelf.media(&alice, MediaPurpose::Message, MediaKind::Image).await;
    assert!(shelf.store.complete(media_id, at(50), at(50 + TTL_S)).await.unwrap());
    assert_eq!(shelf.usable(media_id, TTL_S).await, None, "it does not live longer for that");
    let late = shelf.start(&alice, MediaPurpose::Message, MediaKind::Image).await;
    assert!(!shelf.store.complete(late, at(TTL_S), at(2 * TTL_S)).await.unwrap());
    assert!(!shelf.store.complete(MediaId::from_uuid(uuid()), at(0), at(TTL_S)).await.unwrap());
}

async fn who_sees_an_entry_reads_its_media_and_nobody_else_does(shelf: &Shelf) {
    let [alice, bob, carol, dave] = shelf.users(["alice", "bob", "carol", "dave"]).await;
    let voice = async || shelf.media(&alice, MediaPurpose::Message, MediaKind::Voice).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let early = voice().await;
    assert!(shelf.reads_media(&alice, early, 0).await, "its owner");
    assert!(!shelf.reads_media(&bob, early, 0).await, "not sent as yet");
    shelf.says(&alice, group, early).await;
    shelf.leave(&bob, group).await;
    shelf.join(&carol, group).await;
    let middle = voice().await;
    shelf.says(&alice, group, middle).await;
    shelf.join(&bob, group).await;
    let late = voice().await;
    shelf.says(&alice, group, late).await;
    shelf.remove(&alice, group, &carol).await;
    let last = voice().await;
    shelf.says(&alice, group, last).await;

    let expected = [(&bob, [true, false, true, true]), (&carol, [false, true, true, false]), (&dave, [false; 4])];
    for (reader, expected) in expected {
        for (media_id, expected) in [early, middle, late, last].into_iter().zip(expected) {
            let reads = shelf.reads_media(reader, media_id, 10 * TTL_S).await;
            assert_eq!(reads, expected, "{} and {media_id}", reader.username);
        }
    }
    // It may be sent again elsewhere.
    let direct = shelf.open(&alice, &dave).await;
    shelf.says(&alice, direct, early).await;
    assert!(shelf.reads_media(&dave, early, 10 * TTL_S).await);
    let unfinished = shelf.start(&alice, MediaPurpose::Message, MediaKind::Image).await;
    assert!(!shelf.reads_media(&alice, unfinished, 0).await, "not complete");
    assert_eq!(shelf.store.readable(MediaId::from_uuid(uuid()), alice.user_id, at(0)).await.unwrap(), None);
}

async fn pictures_are_for_everybody_once_they_are_used(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let shown = shelf.media(&alice, MediaPurpose::GroupPicture, MediaKind::Picture).await;
    let next = shelf.media(&alice, MediaPurpose::GroupPicture, MediaKind::Picture).await;
    let own = shelf.media(&alice, MediaPurpose::ProfilePicture, MediaKind::Picture).await;
    for picture in [shown, next, own] {
        assert!(shelf.reads_media(&alice, picture, 0).await && !shelf.reads_media(&carol, picture, 0).await);
    }
    for picture in [shown, next] {
        let asked = GroupChanges { name: None, description: Patch::Keep, picture_id: Patch::Set(picture) };
        shelf.commit(UpdateGroup { actor: alice.clone(), chat_id: group, asked }).await;
        assert!(shelf.reads_media(&carol, picture, TTL_S).await);
    }
    assert!(shelf.reads_media(&carol, shown, TTL_S).await, "an earlier one of a group too");
    shelf.shows(&alice, Patch::Set(own)).await;
    assert!(shelf.reads_media(&carol, own, TTL_S).await);
    shelf.shows(&alice, Patch::Clear).await;
    assert!(!shelf.reads_media(&carol, own, 0).await, "it was taken away");
    assert!(shelf.reads_media(&alice, own, 0).await && !shelf.reads_media(&alice, own, TTL_S).await);
}

async fn what_nothing_uses_expires_and_is_forgotten(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    let used = shelf.media(&alice, MediaPurpose::Message, MediaKind::Voice).await;
    shelf.says(&alice, chat_id, used).await;
    let picture = shelf.picture_of(&alice).await;
    let unused = shelf.media(&alice, MediaPurpose::Message, MediaKind::Image).await;
    let unfinished = shelf.start(&bob, MediaPurpose::Message, MediaKind::Image).await;
    assert!(shelf.expired(TTL_S - 1).await.is_empty());
    assert_eq!(shelf.expired(TTL_S).await, sorted([unused, unfinished]));
    assert_eq!(shelf.store.expired(at(TTL_S), 1).await.unwrap().len(), 1);
    let later = shelf.start(&alice, MediaPurpose::Message, MediaKind::Image).await;
    shelf.store.complete(later, at(5), at(TTL_S + 5)).await.unwrap();
    assert_eq!(shelf.store.expired(at(TTL_S + 5), 100).await.unwrap().last(), Some(&later), "the longest ago first");
    shelf.store.forget(vec![unused, unfinished, later, MediaId::from_uuid(uuid())]).await.unwrap();
    assert!(shelf.expired(10 * TTL_S).await.is_empty());
    shelf.shows(&alice, Patch::Clear).await;
    assert_eq!(shelf.expired(TTL_S).await, [picture], "no profile shows it any longer");
    shelf.store.forget(vec![picture]).await.unwrap();
    assert!(shelf.expired(TTL_S).await.is_empty());
    assert!(shelf.store.readable(used, bob.user_id, at(10 * TTL_S)).await.unwrap().is_some(), "what is used stays");
    assert_eq!(shelf.store.upload(unused, alice.user_id, at(0)).await.unwrap(), None);
}
