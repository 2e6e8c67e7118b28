//! Removing every byte of media.

use i9chat_server::media::{MediaStore, PartName, StatedPart};
use i9chat_spec::MediaPart;
use reqwest::{Method, StatusCode};

use crate::{
    stand_in::Fault,
    world::{World, bytes, open, part, picture},
};

fn sizes() -> [StatedPart; 3] {
    let small = part(MediaPart::Small, "image/png", 100);
    let other = |part| StatedPart { name: PartName { part, ..small.name }, ..small.clone() };
    [small.clone(), other(MediaPart::Medium), other(MediaPart::Large)]
}

#[tokio::test]
async fn all_parts_go_whether_completed_or_not_and_nothing_else_does() {
    let world = World::new().await;
    let [small, medium, large] = sizes();
    let stays = picture(100);
    world.keeps(&stays, &bytes(4, 100)).await;
    world.keeps(&small, &bytes(1, 100)).await;
    world.keeps(&medium, &bytes(2, 100)).await;
    world.uploads(&large, &bytes(3, 100)).await;
    world.uploads(&small, &bytes(5, 100)).await;
    assert_eq!(world.google.names().len(), 5);
    let url = world.download_url(&small, false).await;
    assert_eq!(world.asks(Method::GET, &url, &[]).await.status(), StatusCode::OK);

    for _ in 0..2 {
        world.media.remove(small.name.media_id).await.unwrap();
        assert_eq!(
            world.google.objects().into_values().map(|object| object.bytes).collect::<Vec<_>>(),
            [bytes(4, 100)]
        );
    }
    assert_eq!(world.asks(Method::GET, &url, &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(world.media.arrived(&small).await.unwrap(), None);
    assert!(world.media.arrived(&stays).await.unwrap().is_some());
}

#[tokio::test]
async fn what_could_not_be_removed_is_told_and_removed_the_next_time() {
    let world = World::new().await;
    let part = picture(100);
    world.keeps(&part, &bytes(1, 100)).await;
    world.google.meets([(Method::DELETE, Fault::Status(StatusCode::FORBIDDEN))]);
    assert!(world.media.remove(part.name.media_id).await.is_err());
    world.media.remove(part.name.media_id).await.unwrap();
    assert!(world.google.names().is_empty());
}

#[tokio::test]
async fn stores_in_one_bucket_keep_apart() {
    let world = World::new().await;
    let part = picture(100);
    let mut options = world.options.clone();
    options.place = format!("gs://{}/another/place", crate::stand_in::BUCKET).parse().unwrap();
    let elsewhere = open(&options);
    world.keeps(&part, &bytes(1, 100)).await;
    assert_eq!(elsewhere.arrived(&part).await.unwrap(), None);
    elsewhere.remove(part.name.media_id).await.unwrap();
    assert_eq!(world.google.names().len(), 1);

    let there = world.with(elsewhere);
    there.keeps(&part, &bytes(2, 100)).await;
    assert!(
        there.google.names().iter().any(|name| name.starts_with("another/place/kept/")),
        "{:?}",
        there.google.names()
    );
}
