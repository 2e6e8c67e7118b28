use std::fs;

use bytes::Bytes;
use i9chat_spec::{Example, MediaPart};
use tempfile::TempDir;

use super::*;
use crate::ids::SystemIds;

const FIRST: u64 = 1;
const SECOND: u64 = 2;

/// A disk, and a part of eight bytes that is going to be stored on it.
struct Shelf {
    disk: DiskMedia,
    part: StatedPart,
    folder: TempDir,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = PartName { media_id: MediaId::example(), part: MediaPart::Original };
        let part = StatedPart { name, content_type: "image/png".parse().unwrap(), size: 8 };
        Self { disk: Self::open(&folder), part, folder }
    }

    fn open(folder: &TempDir) -> DiskMedia {
        DiskMedia::open(folder.path(), &ServerKey::generate(&SystemIds)).unwrap()
    }

    async fn begin(&self, session: u64) -> Sending {
        match self.disk.begin(&self.part, session).await.unwrap() {
            Begun::Open(sending) => sending,
            Begun::Whole => panic!("it is whole"),
        }
    }

    async fn send(&self, session: u64, bytes: &'static [u8]) -> Held {
        let mut sending = self.begin(session).await;
        assert!(sending.write(pieces(bytes)).await.unwrap());
        sending.finish().await.unwrap()
    }

    async fn held(&self, session: u64) -> Held {
        self.disk.held(&self.part, session).await.unwrap()
    }

    async fn bytes(&self) -> Option<Vec<u8>> {
        let (mut file, size) = self.disk.whole(self.part.name).await.unwrap()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, size);
        Some(bytes)
    }

    /// Every file of it.
    fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for shard in fs::read_dir(self.folder.path().join(FOLDER)).unwrap() {
            for media in fs::read_dir(shard.unwrap().path()).unwrap() {
                let media = media.unwrap();
                assert_eq!(media.file_name().to_str(), Some(&*self.part.name.media_id.to_string()));
                names.extend(
                    fs::read_dir(media.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()),
                );
            }
        }
        names.sort();
        names
    }
}

fn pieces(bytes: &'static [u8]) -> Vec<Bytes> {
    bytes.chunks(3).map(Bytes::from_static).collect()
}

#[tokio::test]
async fn a_part_is_there_once_every_byte_has_come() {
    let shelf = Shelf::new();
    assert_eq!(shelf.held(FIRST).await, Held::Bytes(0));
    assert_eq!(shelf.send(FIRST, b"abcde").await, Held::Bytes(5));
    assert_eq!(shelf.held(FIRST).await, Held::Bytes(5));
    assert_eq!(shelf.bytes().await, None);
    assert_eq!(shelf.disk.arrived(&shelf.part).await.unwrap(), None);
    assert_eq!(shelf.send(FIRST, b"fgh").await, Held::Whole);
    assert_eq!(shelf.held(FIRST).await, Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
    let arrived = shelf.disk.arrived(&shelf.part).await.unwrap().unwrap();
    assert_eq!((arrived.size, arrived.head), (8, b"abcdefgh".to_vec()));
    assert_eq!(shelf.files(), ["original"]);
}

#[tokio::test]
async fn what_is_whole_takes_nothing_more() {
    let shelf = Shelf::new();
    shelf.send(FIRST, b"abcdefgh").await;
    for session in [FIRST, SECOND] {
        assert!(matches!(shelf.disk.begin(&shelf.part, session).await.unwrap(), Begun::Whole));
        assert_eq!(shelf.held(session).await, Held::Whole);
    }
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn an_upload_goes_on_after_the_server_was_started_again() {
    let mut shelf = Shelf::new();
    shelf.send(FIRST, b"abcde").await;
    shelf.disk = Shelf::open(&shelf.folder);
    let sending = shelf.begin(FIRST).await;
    assert_eq!(sending.held(), 5);
    assert_eq!(shelf.send(FIRST, b"fgh").await, Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn an_upload_is_settled_when_the_server_ended_just_before() {
    let shelf = Shelf::new();
    let mut sending = shelf.begin(FIRST).await;
    assert!(sending.write(pieces(b"abcdefgh")).await.unwrap());
    drop(sending);
    assert_eq!(shelf.bytes().await, None);
    assert_eq!(shelf.held(FIRST).await, Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn an_upload_is_settled_by_who_goes_on_when_the_server_ended_just_before() {
    let shelf = Shelf::new();
    let mut sending = shelf.begin(FIRST).await;
    assert!(sending.write(pieces(b"abcdefgh")).await.unwrap());
    assert!(matches!(shelf.disk.begin(&shelf.part, FIRST).await.unwrap(), Begun::Whole));
    assert_eq!(sending.finish().await.unwrap(), Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn who_comes_last_writes_and_who_came_before_does_not() {
    let shelf = Shelf::new();
    let mut one = shelf.begin(FIRST).await;
    assert!(one.write(pieces(b"abc")).await.unwrap());
    let mut two = shelf.begin(FIRST).await;
    assert_eq!(two.held(), 3);
    assert!(!one.write(pieces(b"XYZ")).await.unwrap());
    assert!(two.write(pieces(b"defgh")).await.unwrap());
    assert_eq!(one.finish().await.unwrap(), Held::Bytes(8));
    assert_eq!(shelf.bytes().await, None, "it is for the other one to settle");
    assert_eq!(two.finish().await.unwrap(), Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn another_start_begins_at_nothing_and_leaves_nothing_of_the_first() {
    let shelf = Shelf::new();
    shelf.send(FIRST, b"abcde").await;
    let mut late = shelf.begin(FIRST).await;
    let sending = shelf.begin(SECOND).await;
    assert_eq!(sending.held(), 0);
    assert!(!late.write(pieces(b"fgh")).await.unwrap());
    assert_eq!(late.finish().await.unwrap(), Held::Bytes(0));
    assert_eq!(shelf.held(FIRST).await, Held::Bytes(0));
    assert_eq!(shelf.send(SECOND, b"12345678").await, Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"12345678");
    assert_eq!(shelf.files(), ["original"]);
}

#[tokio::test]
async fn many_at_once_leave_the_bytes_in_order() {
    let shelf = std::sync::Arc::new(Shelf::new());
    // Each sends what is missing, byte by byte, for as long as it is its turn; one of them gets to the end.
    let senders = (0..8).map(|_| {
        let shelf = std::sync::Arc::clone(&shelf);
        tokio::spawn(async move {
            let Begun::Open(mut sending) = shelf.disk.begin(&shelf.part, FIRST).await.unwrap() else { return };
            let held = usize::try_from(sending.held()).unwrap();
            for byte in b"abcdefgh".iter().skip(held) {
                if !sending.write(vec![Bytes::from(vec![*byte])]).await.unwrap() {
                    return;
                }
            }
            sending.finish().await.unwrap();
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
}

#[tokio::test]
async fn parts_and_media_are_apart() {
    let mut shelf = Shelf::new();
    shelf.send(FIRST, b"abcdefgh").await;
    shelf.part.name.part = MediaPart::Preview;
    assert_eq!(shelf.held(FIRST).await, Held::Bytes(0));
    shelf.send(FIRST, b"12345678").await;
    assert_eq!(shelf.files(), ["original", "preview"]);

    shelf.disk.remove(shelf.part.name.media_id).await.unwrap();
    assert_eq!(shelf.bytes().await, None);
    assert!(shelf.files().is_empty());
    shelf.disk.remove(shelf.part.name.media_id).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::new();
    let mode = fs::metadata(shelf.folder.path().join(FOLDER)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn servers_that_share_a_folder_take_turns() {
    let shelf = Shelf::new();
    let other =
        Shelf { disk: Shelf::open(&shelf.folder), part: shelf.part.clone(), folder: tempfile::tempdir().unwrap() };
    let mut one = shelf.begin(FIRST).await;
    assert!(one.write(pieces(b"abc")).await.unwrap());
    let mut two = other.begin(FIRST).await;
    assert_eq!(two.held(), 3);
    assert!(!one.write(pieces(b"XYZ")).await.unwrap(), "another server sends it now");
    assert!(two.write(pieces(b"defgh")).await.unwrap());
    assert_eq!(two.finish().await.unwrap(), Held::Whole);
    assert_eq!(one.finish().await.unwrap(), Held::Whole);
    assert_eq!(shelf.bytes().await.unwrap(), b"abcdefgh");
    assert!(matches!(shelf.disk.begin(&shelf.part, SECOND).await.unwrap(), Begun::Whole));
    assert_eq!(shelf.files(), ["original"]);
}
