//! What has arrived, and that it stays as it is from then on.

use i9chat_server::media::{Arrived, MediaStore};
use i9chat_spec::MediaPart;
use reqwest::{Method, StatusCode};

use crate::{
    stand_in::{Fault, Object},
    world::{World, bytes, open, part, picture},
};

async fn arrived(world: &World, part: &i9chat_server::media::StatedPart) -> Option<Arrived> {
    world.media.arrived(part).await.unwrap()
}

#[tokio::test]
async fn a_part_has_arrived_when_every_byte_has() {
    let world = World::new().await;
    let part = picture(10_000);
    let bytes = bytes(1, 10_000);
    assert_eq!(arrived(&world, &part).await, None, "nobody has started");
    let location = world.opens(&part).await;
    assert_eq!(arrived(&world, &part).await, None, "nothing was sent");
    assert_eq!(world.puts(&location, "bytes 0-4999/10000", &bytes[..5000]).await.0, 308);
    assert_eq!(arrived(&world, &part).await, None, "half is missing");
    assert_eq!(world.puts(&location, "", &bytes).await.0, 200);
    let whole = Arrived { size: 10_000, head: bytes[..4096].to_vec() };
    assert_eq!(arrived(&world, &part).await.as_ref(), Some(&whole));
    assert_eq!(arrived(&world, &part).await.as_ref(), Some(&whole), "again and again");
    assert_eq!(world.google.names().len(), 1, "it is stored once");
}

#[tokio::test]
async fn short_parts_have_short_heads() {
    let world = World::new().await;
    let part = part(MediaPart::Original, "application/pdf", 1);
    world.uploads(&part, b"x").await;
    assert_eq!(arrived(&world, &part).await, Some(Arrived { size: 1, head: b"x".to_vec() }));
}

#[tokio::test]
async fn what_was_completed_is_never_replaced() {
    let world = World::new().await;
    let part = picture(100);
    let url = world.upload_url(&part).await;
    let late = world.opens_at(&url, &part).await;
    let location = world.opens_at(&url, &part).await;
    world.puts(&location, "", &bytes(1, 100)).await;
    let first = arrived(&world, &part).await.unwrap();
    assert_eq!(first.head, bytes(1, 100));

    let later = world.opens_at(&url, &part).await;
    for (location, kind) in [(late, 2), (later, 3)] {
        assert_eq!(world.puts(&location, "", &bytes(kind, 100)).await.0, 200, "Google takes it");
        assert_eq!(arrived(&world, &part).await.as_ref(), Some(&first), "and it changes nothing");
    }
    let url = world.download_url(&part, false).await;
    assert_eq!(world.asks(Method::GET, &url, &[]).await.bytes().await.unwrap(), bytes(1, 100));
}

#[tokio::test]
async fn another_size_is_not_what_was_stated_and_the_upload_goes_on() {
    let world = World::new().await;
    let part = picture(100);
    for size in [0, 99, 101] {
        world.uploads(&part, &bytes(1, size)).await;
        assert_eq!(arrived(&world, &part).await, None, "{size} bytes");
    }
    let read = world.download_url(&part, false).await;
    assert_eq!(world.asks(Method::GET, &read, &[]).await.status(), StatusCode::NOT_FOUND, "nobody can read it");
    world.keeps(&part, &bytes(2, 100)).await;
}

#[tokio::test]
async fn bytes_that_are_to_be_decoded_are_not_what_was_stated() {
    let world = World::new().await;
    let part = picture(100);
    let url = world.upload_url(&part).await;
    let headers = [("x-goog-resumable", "start"), ("content-type", "image/png"), ("content-encoding", "gzip")];
    let started = world.starts(&url, &headers).await;
    assert_eq!(started.status(), StatusCode::CREATED, "the signature does not speak of it");
    let location = started.headers()["location"].to_str().unwrap();
    assert_eq!(world.puts(location, "", &bytes(1, 100)).await.0, 200);
    assert_eq!(arrived(&world, &part).await, None);
    world.keeps(&part, &bytes(1, 100)).await;
}

#[tokio::test]
async fn another_type_is_not_what_was_stated() {
    let world = World::new().await;
    for another in [Some("text/html"), Some("image/png; charset=utf-8"), None] {
        let part = picture(100);
        world.uploads(&part, &bytes(1, 100)).await;
        world.google.change(|objects| {
            let newest = objects.values_mut().max_by_key(|object| object.generation).unwrap();
            newest.content_type = another.map(ToOwned::to_owned);
        });
        assert_eq!(arrived(&world, &part).await, None, "{another:?}");
    }
}

#[tokio::test]
async fn what_is_replaced_at_the_last_moment_is_not_taken() {
    let world = World::new().await;
    let part = picture(100);
    world.uploads(&part, &bytes(1, 100)).await;
    world.google.before_copy(|objects| {
        for object in objects.values_mut() {
            object.bytes = Vec::new();
        }
    });
    assert_eq!(arrived(&world, &part).await, None);
    world.uploads(&part, &bytes(1, 100)).await;
    assert_eq!(arrived(&world, &part).await, None, "that upload is spoilt");
}

#[tokio::test]
async fn what_another_node_has_kept_meanwhile_stays() {
    let world = World::new().await;
    let part = picture(100);
    world.uploads(&part, &bytes(1, 100)).await;
    world.google.before_copy(|objects| {
        let (arriving, object) = objects.first_key_value().unwrap();
        let kept = arriving.replacen("arriving/", "kept/", 1);
        objects.insert(kept, Object { bytes: bytes(2, 100), ..object.clone() });
    });
    assert_eq!(arrived(&world, &part).await.unwrap().head, bytes(2, 100));
    assert_eq!(world.google.objects().into_values().map(|object| object.bytes).collect::<Vec<_>>(), [bytes(2, 100)]);
}

#[tokio::test]
async fn what_is_removed_at_the_last_moment_has_not_arrived() {
    let world = World::new().await;
    let part = picture(100);
    world.uploads(&part, &bytes(1, 100)).await;
    world.google.before_copy(std::collections::BTreeMap::clear);
    assert_eq!(arrived(&world, &part).await, None);
    assert!(world.google.names().is_empty());
}

#[tokio::test]
async fn several_nodes_complete_at_once() {
    let world = World::new().await;
    let nodes = [open(&world.options), open(&world.options), open(&world.options)];
    for round in 0..10 {
        let part = picture(5000);
        world.uploads(&part, &bytes(round, 5000)).await;
        let answers = futures_util::future::join_all(nodes.iter().map(|node| node.arrived(&part))).await;
        for answer in answers {
            assert_eq!(answer.unwrap().unwrap().head, bytes(round, 4096));
        }
    }
}

#[tokio::test]
async fn a_node_that_ended_after_the_copy_leaves_nothing_for_ever() {
    let world = World::new().await;
    let part = picture(100);
    world.uploads(&part, &bytes(1, 100)).await;
    world.google.meets([(Method::DELETE, Fault::Status(StatusCode::FORBIDDEN))]);
    assert!(arrived(&world, &part).await.is_some(), "what is kept is kept");
    assert_eq!(world.google.names().len(), 2);
    assert!(arrived(&world, &part).await.is_some());
    assert_eq!(world.google.names().len(), 1);
}
