use std::path::PathBuf;

use i9chat_spec::{MediaKind, MediaPart, MediaPurpose};

use crate::world::{Put, SMALLEST, World, plan, png};

#[tokio::test]
async fn completing_says_what_arrived_as_often_as_it_is_asked() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    world.sends(&started.parts[0].upload_url, "image/png", &png(SMALLEST)).await;
    let first = world.completes(&alice, started.media_id).await.unwrap();
    assert_eq!(
        (first.media_id, first.purpose, first.kind),
        (started.media_id, MediaPurpose::Message, MediaKind::Image)
    );
    let part = &first.parts[0];
    assert_eq!((part.part, part.content_type.as_str(), part.size), (MediaPart::Original, "image/png", SMALLEST as u64));
    assert_eq!(world.completes(&alice, started.media_id).await.unwrap(), first);
}

#[tokio::test]
async fn every_byte_of_every_part_must_be_there() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let parts = [MediaPart::Original, MediaPart::Preview].map(|part| plan(part, "image/png", SMALLEST)).to_vec();
    let started = world.starts(&alice, MediaPurpose::Message, MediaKind::Image, parts).await;
    let incomplete = Err("upload_incomplete".to_owned());
    assert_eq!(world.completes(&alice, started.media_id).await, incomplete);
    world.sends(&started.parts[1].upload_url, "image/png", &png(SMALLEST)).await;
    assert_eq!(world.completes(&alice, started.media_id).await, incomplete, "the preview alone");
    let bytes = png(SMALLEST);
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    assert_eq!(world.puts(&location, "bytes 0-1022/1024", &bytes[..1023]).await, Put::holds(1023));
    assert_eq!(world.completes(&alice, started.media_id).await, incomplete, "one byte is missing");
    assert_eq!(world.puts(&location, "bytes 1023-1023/1024", &bytes[1023..]).await, Put::is(200));
    world.completes(&alice, started.media_id).await.unwrap();
}

#[tokio::test]
async fn what_is_not_of_its_type_is_rejected_again_and_again() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let page = b"<script>alert(1)</script>".repeat(100);
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", page.len()).await;
    world.sends(&started.parts[0].upload_url, "image/png", &page).await;
    for _ in 0..2 {
        assert_eq!(world.completes(&alice, started.media_id).await, Err("media_rejected".to_owned()));
    }
    assert_eq!(world.link(&alice, started.media_id, "original").await, Err("media_not_found".to_owned()));
}

#[tokio::test]
async fn a_part_of_another_type_spoils_the_whole() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let parts =
        vec![plan(MediaPart::Original, "image/png", SMALLEST), plan(MediaPart::Preview, "image/jpeg", SMALLEST)];
    let started = world.starts(&alice, MediaPurpose::Message, MediaKind::Image, parts).await;
    world.sends(&started.parts[0].upload_url, "image/png", &png(SMALLEST)).await;
    world.sends(&started.parts[1].upload_url, "image/jpeg", &png(SMALLEST)).await;
    assert_eq!(world.completes(&alice, started.media_id).await, Err("media_rejected".to_owned()));
}

#[tokio::test]
async fn nobody_else_completes_an_upload() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    world.sends(&started.parts[0].upload_url, "image/png", &png(SMALLEST)).await;
    let not_found = Err("media_not_found".to_owned());
    assert_eq!(world.completes(&bob, started.media_id).await, not_found);
    world.completes(&alice, started.media_id).await.unwrap();
    assert_eq!(world.completes(&bob, started.media_id).await, not_found);
    let unknown = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6076".parse().unwrap();
    assert_eq!(world.completes(&bob, unknown).await, not_found);
}

#[tokio::test]
async fn what_nothing_uses_expires_and_its_bytes_are_removed() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let complete = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let unfinished = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let location = world.opens(&unfinished.parts[0].upload_url, "image/png").await;
    assert_eq!(world.puts(&location, "bytes 0-9/1024", &png(SMALLEST)[..10]).await, Put::holds(10));
    world.app.remove_expired_media().await.unwrap();
    assert_eq!(kept(&world).len(), 2);

    world.wait(world.lifetimes().unused_upload_ttl_s);
    let alice = world.signs_in("alice").await;
    let not_found = "media_not_found";
    assert_eq!(world.link(&alice, complete, "original").await.unwrap_err(), not_found);
    assert_eq!(world.completes(&alice, complete).await.unwrap_err(), not_found);
    assert_eq!(world.completes(&alice, unfinished.media_id).await.unwrap_err(), not_found);
    // Somewhat later, so that whoever had just begun to use it is done.
    world.wait(3600);
    let fresh = world.uploads(&world.signs_in("alice").await, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    world.app.remove_expired_media().await.unwrap();
    assert_eq!(names(&kept(&world)), [fresh.to_string()]);
}

/// Where the bytes of each media are that has some.
fn kept(world: &World) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    inside(world.folder.path().join("media")).flat_map(inside).collect()
}

fn names(paths: &[PathBuf]) -> Vec<&str> {
    paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect()
}

#[tokio::test]
async fn what_cannot_be_removed_keeps_nothing_else() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    for _ in 0..5 {
        world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    }
    // The oldest comes first.
    let stuck = kept(&world).into_iter().min_by(|one, other| one.file_name().cmp(&other.file_name())).unwrap();
    std::fs::remove_dir_all(&stuck).unwrap();
    std::fs::write(&stuck, "where a folder should be").unwrap();
    world.wait(world.lifetimes().unused_upload_ttl_s + 3600);
    world.app.remove_expired_media().await.unwrap();
    assert_eq!(kept(&world), [stuck]);
}
