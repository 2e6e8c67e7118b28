use std::ops::Deref;

use i9chat_spec::{MediaKind, MediaPart, MediaPurpose, PartInfo};
use rusqlite::params;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

/// After this the media of these tests expires.
const TTL_S: u64 = 100;

struct Shelf {
    store: SqliteStore,
    _folder: TempDir,
}

impl Deref for Shelf {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

impl Shelf {
    /// A store with the users 1 to 3.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db"), 2).unwrap();
        store
            .write(|connection| {
                for n in 1..=3_u128 {
                    let name = format!("user{n}");
                    connection.execute(
                        "INSERT INTO users (id, user_id, username, username_key, email, email_key, password_hash, bio, created_at)
                         VALUES (?1, ?2, ?3, ?3, ?3, ?3, '', '', 0)",
                        params![i64::try_from(n).unwrap(), id(n).as_bytes().as_slice(), name],
                    )?;
                }
                Ok(())
            })
            .await
            .unwrap();
        Self { store, _folder: folder }
    }

    /// Notes an upload of the first user, and gives its id.
    async fn start(&self, n: u128, purpose: MediaPurpose, kind: MediaKind) -> MediaId {
        let media = upload(n, 1, purpose, kind);
        let media_id = media.media_id;
        assert!(MediaRecords::start(&self.store, media, 100).await.unwrap());
        media_id
    }

    /// The same, complete.
    async fn media(&self, n: u128, purpose: MediaPurpose, kind: MediaKind) -> MediaId {
        let media_id = self.start(n, purpose, kind).await;
        assert!(self.complete(media_id, at(0), at(TTL_S)).await.unwrap());
        media_id
    }

    async fn reads(&self, n: u128, media_id: MediaId, now: u64) -> bool {
        self.readable(media_id, user(n), at(now)).await.unwrap().is_some()
    }

    async fn usable(&self, media_id: MediaId, now: u64) -> Option<MediaState> {
        self.read(move |connection| usable(connection, media_id, at(now))).await.unwrap()
    }

    async fn expired(&self, before: u64) -> Vec<MediaId> {
        MediaRecords::expired(&self.store, at(before), 100).await.unwrap()
    }

    async fn use_in(&self, media_id: MediaId, chat: i64, seq: i64) {
        self.write(move |connection| used_by_entry(connection, media_id, chat, seq)).await.unwrap();
    }

    async fn run(&self, sql: &'static str) {
        self.write(move |connection| Ok(connection.execute_batch(sql)?)).await.unwrap();
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn user(n: u128) -> UserId {
    UserId::from_uuid(id(n))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0).plus_seconds(seconds)
}

fn part(part: MediaPart) -> PartInfo {
    PartInfo { part, content_type: "image/png".parse().unwrap(), size: 5000 }
}

fn upload(n: u128, owner: u128, purpose: MediaPurpose, kind: MediaKind) -> NewMedia {
    let parts = if kind == MediaKind::Picture {
        vec![part(MediaPart::Large), part(MediaPart::Small), part(MediaPart::Medium)]
    } else {
        vec![part(MediaPart::Preview), part(MediaPart::Original)]
    };
    NewMedia {
        media_id: MediaId::from_uuid(id(1000 + n)),
        owner: user(owner),
        purpose,
        kind,
        parts,
        created_at: at(0),
        expires_at: at(TTL_S),
    }
}

#[tokio::test]
async fn an_upload_comes_back_to_its_owner_as_it_was_stated() {
    let shelf = Shelf::new().await;
    let media_id = shelf.start(1, MediaPurpose::Message, MediaKind::Image).await;
    let found = shelf.upload(media_id, user(1), at(0)).await.unwrap().unwrap();
    let stated = upload(1, 1, MediaPurpose::Message, MediaKind::Image);
    assert_eq!((found.owner, found.purpose, found.kind), (stated.owner, stated.purpose, stated.kind));
    assert_eq!(found.parts, stated.parts, "in the order in which they were stated");
    assert!(!found.is_complete);
    assert_eq!(shelf.upload(media_id, user(2), at(0)).await.unwrap(), None);
    assert_eq!(shelf.upload(media_id, user(1), at(TTL_S)).await.unwrap(), None, "it has expired");
    assert_eq!(shelf.upload(MediaId::from_uuid(id(5)), user(1), at(0)).await.unwrap(), None);
}

#[tokio::test]
async fn uploads_that_nothing_uses_are_limited_for_each_user() {
    let shelf = Shelf::new().await;
    let start = async |n, owner| {
        let upload = upload(n, owner, MediaPurpose::Message, MediaKind::Image);
        MediaRecords::start(&shelf.store, upload, 2).await.unwrap()
    };
    assert!(start(1, 1).await);
    assert!(start(2, 1).await);
    assert!(!start(3, 1).await, "one too many");
    assert_eq!(shelf.upload(MediaId::from_uuid(id(1003)), user(1), at(0)).await.unwrap(), None);
    assert!(start(3, 2).await, "another user's count is another");
    let first = MediaId::from_uuid(id(1001));
    shelf.complete(first, at(0), at(TTL_S)).await.unwrap();
    assert!(!start(4, 1).await, "what is complete is not used yet");
    shelf.use_in(first, 1, 1).await;
    assert!(start(4, 1).await);

    let mut late = upload(5, 1, MediaPurpose::Message, MediaKind::Image);
    late.created_at = at(TTL_S);
    assert!(MediaRecords::start(&shelf.store, late, 1).await.unwrap(), "what has expired does not count");
}

#[tokio::test]
async fn the_picture_of_a_profile_does_not_count_as_unused() {
    let shelf = Shelf::new().await;
    shelf.media(1, MediaPurpose::ProfilePicture, MediaKind::Picture).await;
    let next = || upload(2, 1, MediaPurpose::Message, MediaKind::Image);
    assert!(!MediaRecords::start(&shelf.store, next(), 1).await.unwrap());
    shelf.run("UPDATE users SET picture_id = (SELECT media_id FROM media) WHERE id = 1").await;
    assert!(MediaRecords::start(&shelf.store, next(), 1).await.unwrap());
}

#[tokio::test]
async fn media_is_usable_from_completion_until_it_expires_and_for_ever_once_it_is_used() {
    let shelf = Shelf::new().await;
    let media_id = shelf.start(1, MediaPurpose::Message, MediaKind::Image).await;
    assert_eq!(shelf.usable(media_id, 0).await, None);
    assert!(shelf.complete(media_id, at(10), at(10 + TTL_S)).await.unwrap());
    let media = shelf.usable(media_id, 9 + TTL_S).await.unwrap();
    assert!(media.is_usable(user(1), MediaPurpose::Message, MediaKind::Image));
    assert_eq!(media.attachment.media_id, media_id);
    assert!(media.attachment.preview.is_some());
    assert_eq!(shelf.usable(media_id, 10 + TTL_S).await, None);
    shelf.use_in(media_id, 1, 1).await;
    assert!(shelf.usable(media_id, 10 + TTL_S).await.is_some());
}

#[tokio::test]
async fn completing_again_changes_nothing_and_completing_too_late_does_nothing() {
    let shelf = Shelf::new().await;
    let media_id = shelf.media(1, MediaPurpose::Message, MediaKind::Image).await;
    assert!(shelf.complete(media_id, at(50), at(50 + TTL_S)).await.unwrap());
    assert_eq!(shelf.usable(media_id, TTL_S).await, None, "it does not live longer for that");
    let late = shelf.start(2, MediaPurpose::Message, MediaKind::Image).await;
    assert!(!shelf.complete(late, at(TTL_S), at(2 * TTL_S)).await.unwrap());
    assert!(!shelf.complete(MediaId::from_uuid(id(5)), at(0), at(TTL_S)).await.unwrap());
}

#[tokio::test]
async fn who_sees_an_entry_reads_its_media_and_nobody_else_does() {
    let shelf = Shelf::new().await;
    let media_id = shelf.media(1, MediaPurpose::Message, MediaKind::Image).await;
    // The second user saw the entries 1 to 4 and, after coming back, those from 8 on; the third one those from 6 on.
    shelf
        .run(
            "INSERT INTO chats (id, chat_id, low, high) VALUES (7, x'07', 1, 2);
             INSERT INTO stretches (user, chat, from_seq, to_seq, from_position)
             VALUES (2, 7, 1, 4, 0), (2, 7, 8, NULL, 0), (3, 7, 6, NULL, 0)",
        )
        .await;
    assert!(shelf.reads(1, media_id, 0).await, "its owner");
    assert!(!shelf.reads(2, media_id, 0).await);
    shelf.use_in(media_id, 7, 5).await;
    for n in [2, 3] {
        assert!(!shelf.reads(n, media_id, 0).await, "{n}");
    }
    shelf.use_in(media_id, 7, 4).await;
    assert!(shelf.reads(2, media_id, 0).await && !shelf.reads(3, media_id, 0).await);
    shelf.use_in(media_id, 7, 8).await;
    assert!(shelf.reads(3, media_id, TTL_S).await);

    let elsewhere = shelf.media(2, MediaPurpose::Message, MediaKind::Image).await;
    shelf.use_in(elsewhere, 8, 8).await;
    assert!(!shelf.reads(2, elsewhere, 0).await, "another chat");
    let unfinished = shelf.start(3, MediaPurpose::Message, MediaKind::Image).await;
    assert!(!shelf.reads(1, unfinished, 0).await, "not complete");
}

#[tokio::test]
async fn pictures_are_for_everybody_once_they_are_used() {
    let shelf = Shelf::new().await;
    let group = shelf.media(1, MediaPurpose::GroupPicture, MediaKind::Picture).await;
    let profile = shelf.media(2, MediaPurpose::ProfilePicture, MediaKind::Picture).await;
    for picture in [group, profile] {
        assert!(shelf.reads(1, picture, 0).await && !shelf.reads(3, picture, 0).await);
    }
    shelf.use_in(group, 7, 1).await;
    assert!(shelf.reads(3, group, TTL_S).await);
    shelf
        .run(
            "UPDATE users SET picture_id = (SELECT media_id FROM media WHERE purpose = 'profile_picture') WHERE id = 1",
        )
        .await;
    assert!(shelf.reads(3, profile, TTL_S).await);
    shelf.run("UPDATE users SET picture_id = NULL").await;
    assert!(!shelf.reads(3, profile, 0).await, "it was replaced");
    assert!(shelf.reads(1, profile, 0).await && !shelf.reads(1, profile, TTL_S).await);
}

#[tokio::test]
async fn what_nothing_uses_expires_and_is_forgotten_with_its_parts() {
    let shelf = Shelf::new().await;
    let used = shelf.media(1, MediaPurpose::Message, MediaKind::Image).await;
    shelf.use_in(used, 1, 1).await;
    let picture = shelf.media(2, MediaPurpose::ProfilePicture, MediaKind::Picture).await;
    shelf
        .run(
            "UPDATE users SET picture_id = (SELECT media_id FROM media WHERE purpose = 'profile_picture') WHERE id = 1",
        )
        .await;
    let unused = shelf.media(3, MediaPurpose::Message, MediaKind::Image).await;
    let unfinished = shelf.start(4, MediaPurpose::Message, MediaKind::Image).await;
    assert!(shelf.expired(TTL_S - 1).await.is_empty());
    assert_eq!(shelf.expired(TTL_S).await, [unused, unfinished]);
    assert_eq!(MediaRecords::expired(&shelf.store, at(TTL_S), 1).await.unwrap(), [unused]);
    shelf.forget(vec![unused, unfinished]).await.unwrap();
    shelf.run("UPDATE users SET picture_id = NULL").await;
    assert_eq!(shelf.expired(TTL_S).await, [picture], "it was replaced");
    shelf.forget(vec![picture]).await.unwrap();
    assert!(shelf.expired(TTL_S).await.is_empty());
    let parts = shelf.read(|connection| {
        Ok(connection.query_row("SELECT count(DISTINCT media) FROM media_parts", [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(parts.await.unwrap(), 1, "what is used stays");
}
