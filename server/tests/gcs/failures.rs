//! What happens when Google does not answer as it should.

use i9chat_server::{
    clock::SystemClock,
    media::{
        MediaStore,
        gcs::{GcsCredentials, GcsMedia, GcsOptions},
    },
};
use reqwest::{Method, StatusCode};
use std::sync::Arc;

use crate::{
    stand_in::{BUCKET, Fault},
    world::{World, bytes, new_key, open, open_impatient, options, picture},
};

const BUSY: Fault = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);

#[tokio::test]
async fn a_short_break_is_not_noticed() {
    let world = World::new().await;
    let part = picture(100);
    world.uploads(&part, &bytes(1, 100)).await;
    world.google.meets([(Method::HEAD, BUSY), (Method::HEAD, Fault::Status(StatusCode::TOO_MANY_REQUESTS))]);
    assert!(world.media.arrived(&part).await.unwrap().is_some());
    world.google.meets([(Method::DELETE, BUSY), (Method::DELETE, BUSY)]);
    world.media.remove(part.name.media_id).await.unwrap();
    assert!(world.google.names().is_empty());
}

#[tokio::test]
async fn a_break_at_any_step_of_completing_is_told_and_the_next_time_completes() {
    let world = World::new().await;
    let media = open_impatient(&world.options);
    for (method, kind) in [(Method::HEAD, 1), (Method::PUT, 2), (Method::GET, 3)] {
        for fault in [BUSY, Fault::Status(StatusCode::FORBIDDEN), Fault::Silence] {
            let part = picture(100);
            world.uploads(&part, &bytes(kind, 100)).await;
            // More than is repeated.
            world.google.meets((0..5).map(|_| (method.clone(), fault)));
            assert!(media.arrived(&part).await.is_err(), "{method} {fault:?}");
            world.google.forgives();
            let arrived = world.media.arrived(&part).await.unwrap().unwrap();
            assert_eq!(arrived.head, bytes(kind, 100), "{method} {fault:?}");
        }
    }
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    let world = World::new().await;
    let part = picture(100);
    let media = open_impatient(&world.options);
    world.google.meets((0..10).map(|_| (Method::HEAD, Fault::Silence)));
    assert!(media.arrived(&part).await.is_err());
    world.google.forgives();
    world.google.meets((0..20).map(|_| (Method::DELETE, Fault::Silence)));
    assert!(media.remove(part.name.media_id).await.is_err());
    world.google.forgives();
    world.google.meets((0..10).map(|_| (Method::GET, Fault::Silence)));
    assert!(media.check().await.is_err());
}

#[tokio::test]
async fn nobody_there_is_an_error_and_urls_are_signed_all_the_same() {
    let world = World::new().await;
    let part = picture(100);
    let nobody = GcsOptions { endpoint: Some("http://127.0.0.1:9".to_owned()), ..world.options.clone() };
    let media = open_impatient(&nobody);
    assert!(media.arrived(&part).await.is_err());
    assert!(media.remove(part.name.media_id).await.is_err());
    assert!(media.check().await.is_err());
    let there = world.with(media);
    assert!(there.upload_url(&part).await.starts_with("http://127.0.0.1:9/"));
}

#[tokio::test]
async fn the_wrong_account_gets_nowhere() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    std::fs::write(&file, new_key().file).unwrap();
    let other = open(&options(&world.google, "", &file));
    let part = picture(100);
    assert!(other.check().await.is_err());
    assert!(other.arrived(&part).await.is_err());
    assert!(other.remove(part.name.media_id).await.is_err());
    let there = world.with(other);
    let url = there.upload_url(&part).await;
    let headers = [("x-goog-resumable", "start"), ("content-type", "image/png")];
    assert_eq!(there.starts(&url, &headers).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_store_is_checked_before_it_is_used() {
    let world = World::new().await;
    world.media.check().await.unwrap();
    world.keeps(&picture(10), &bytes(1, 10)).await;
    world.media.check().await.unwrap();
    let missing = GcsOptions { place: "gs://missing".parse().unwrap(), ..world.options.clone() };
    assert!(open(&missing).check().await.is_err());
}

#[tokio::test]
async fn without_a_key_in_the_file_nothing_opens() {
    let folder = tempfile::tempdir().unwrap();
    let place: i9chat_server::media::gcs::GcsPlace = format!("gs://{BUCKET}").parse().unwrap();
    let opens = |path: std::path::PathBuf| {
        GcsMedia::open(&GcsOptions::new(place.clone(), GcsCredentials::KeyFile(path)), Arc::new(SystemClock)).is_ok()
    };
    assert!(!opens(folder.path().join("missing.json")));
    let broken = new_key().file.replace("BEGIN PRIVATE", "BEGIN NO");
    for (name, content) in [("a", ""), ("b", "{}"), ("c", r#"{"type": "service_account"}"#), ("d", broken.as_str())] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        assert!(!opens(path), "{content}");
    }
    let right = folder.path().join("right.json");
    std::fs::write(&right, new_key().file).unwrap();
    assert!(opens(right));
}
