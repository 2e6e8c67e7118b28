//! Media that was on a disk comes to the bucket: when a server moves there.

use std::sync::Arc;

use i9chat_sdk::{
    Client,
    uploads::{Source, Upload, UploadedMedia},
};
use i9chat_server::{auth::keys::ServerKey, config::MediaConfig, ids::SystemIds, media::MediaStore, migrate, node};
use i9chat_spec::MediaPart;
use parking_lot::Mutex;

use crate::{
    whole::Server,
    world::{World, bytes, picture},
};

/// Copies, and answers what was said.
async fn copied(server: &Server, world: &World) -> String {
    let source = node::open_store(server.folder.path()).unwrap();
    let key = ServerKey::load_or_create(server.folder.path(), &SystemIds).unwrap();
    let said = Mutex::new(String::new());
    let say = |line: String| said.lock().push_str(&line);
    migrate::copy_media(&source, server.folder.path(), &key, &world.options, &say).await.unwrap();
    said.into_inner()
}

async fn uploaded(client: &Client, bytes: Vec<u8>) -> UploadedMedia {
    client.upload(Upload::file(Source::bytes(bytes), "application/pdf").unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_was_completed_comes_to_the_bucket_once_and_what_was_not_stays() {
    let world = World::new().await;
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &MediaConfig::Disk).await;
    let alice = server.signs_up("alice").await;
    let files = [bytes(1, 300_000), bytes(2, 1)];
    let [one, other] = [uploaded(&alice, files[0].clone()).await, uploaded(&alice, files[1].clone()).await];
    drop(alice.start_upload(Upload::file(Source::bytes(bytes(3, 10)), "application/pdf").unwrap()).await.unwrap());

    let said = copied(&server, &world).await;
    assert!(said.contains("2 copied, 0 were there"), "{said}");
    let objects = world.google.objects();
    assert_eq!(objects.len(), 2);
    for (media, bytes) in [(&one, &files[0]), (&other, &files[1])] {
        let (_, object) = objects.iter().find(|(name, _)| name.contains(&media.media_id().to_string())).unwrap();
        assert_eq!((&object.bytes, object.content_type.as_deref()), (bytes, Some("application/pdf")));
    }

    let said = copied(&server, &world).await;
    assert!(said.contains("0 copied, 2 were there"), "{said}");
    assert_eq!(world.google.objects(), objects, "what is there is not written again");
}

#[tokio::test]
async fn a_server_that_has_moved_to_the_bucket_serves_from_it() {
    let world = World::new().await;
    let before = Server::on(Arc::new(tempfile::tempdir().unwrap()), &MediaConfig::Disk).await;
    let alice = before.signs_up("alice").await;
    let bytes = bytes(1, 5000);
    let media = uploaded(&alice, bytes.clone()).await;
    copied(&before, &world).await;
    let parts: Vec<_> = world.google.objects().into_keys().collect();
    assert!(parts.iter().all(|name| name.starts_with("kept/")), "{parts:?}");

    let after = Server::on(Arc::clone(&before.folder), &MediaConfig::Gcs(world.options.clone())).await;
    let alice = after.signs_in("alice").await;
    assert_eq!(alice.download(media.media_id(), MediaPart::Original).unwrap().bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn what_is_not_as_it_was_stated_is_not_kept_as_that() {
    let world = World::new().await;
    let part = picture(100);
    assert!(world.media.bring(&part, bytes(1, 99)).await.is_err());
    assert!(!world.media.keeps(&part).await.unwrap());
    world.media.bring(&part, bytes(1, 100)).await.unwrap();
    assert!(world.media.keeps(&part).await.unwrap());
    assert_eq!(world.media.arrived(&part).await.unwrap().unwrap().size, 100);
}
