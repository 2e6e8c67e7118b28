//! Starting uploads with signed URLs, and sending the bytes.

use i9chat_spec::MediaPart;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::world::{GRAIN, START_S, World, bytes, part, picture};

#[tokio::test]
async fn an_upload_goes_on_where_it_broke_off() {
    let world = World::new().await;
    let part = picture(3 * GRAIN + 7);
    let (bytes, size) = (bytes(1, 3 * GRAIN + 7), 3 * GRAIN + 7);
    let location = world.opens(&part).await;
    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, (308, None));
    let first = format!("bytes 0-{}/{size}", 2 * GRAIN - 1);
    assert_eq!(world.puts(&location, &first, &bytes[..2 * GRAIN]).await, (308, Some(2 * GRAIN)));
    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, (308, Some(2 * GRAIN)));
    // After a gap nothing is taken.
    let range = format!("bytes {}-{}/{size}", 2 * GRAIN + 1, size - 1);
    assert_eq!(world.puts(&location, &range, &bytes[2 * GRAIN + 1..]).await, (503, None));
    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, (308, Some(2 * GRAIN)));
    // Bytes that are held already do not count any more.
    let mut rest = bytes[GRAIN..].to_vec();
    rest[..GRAIN].fill(0);
    let range = format!("bytes {GRAIN}-{}/{size}", size - 1);
    assert_eq!(world.puts(&location, &range, &rest).await, (200, None));
    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, (200, None));

    let arrived = i9chat_server::media::MediaStore::arrived(&world.media, &part).await.unwrap().unwrap();
    assert_eq!((arrived.size, arrived.head), (size as u64, bytes[..4096].to_vec()));
    let url = world.download_url(&part, false).await;
    assert_eq!(world.asks(Method::GET, &url, &[]).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn an_upload_starts_as_it_was_signed_or_not_at_all() {
    let world = World::new().await;
    let part = picture(100);
    let url = world.upload_url(&part).await;
    let (start, image) = (("x-goog-resumable", "start"), ("content-type", "image/png"));
    for (headers, status) in [
        (vec![image], 400),
        (vec![start], 400),
        (vec![start, ("content-type", "text/html")], 403),
        (vec![("x-goog-resumable", "stop"), image], 403),
        (vec![start, image, ("x-goog-acl", "public-read")], 400),
        (vec![start, image, ("x-goog-content-length-range", "0,5")], 400),
    ] {
        assert_eq!(world.starts(&url, &headers).await.status(), status, "{headers:?}");
    }
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        assert_eq!(world.asks(method.clone(), &url, &[start, image]).await.status(), 403, "{method}");
    }
    assert!(world.google.names().is_empty());
    world.opens_at(&url, &part).await;
}

#[tokio::test]
async fn the_url_says_what_it_is_good_for_and_for_how_long() {
    let world = World::new().await;
    let part = part(MediaPart::Preview, "image/avif", 100);
    let url: Url = world.upload_url(&part).await.parse().unwrap();
    let id = part.name.media_id.to_string();
    let shard = &id[id.len() - 2..];
    assert_eq!(url.path(), format!("/i9chat-tests/arriving/{shard}/{id}/preview"));
    let query = |name: &str| url.query_pairs().find(|(given, _)| given == name).unwrap().1.into_owned();
    assert_eq!(query("X-Goog-SignedHeaders"), "content-type;host;x-goog-resumable");
    assert!((START_S - 60..=START_S + 1).contains(&query("X-Goog-Expires").parse().unwrap()));

    world.google.wait(START_S - 60);
    let location = world.opens_at(url.as_str(), &part).await;
    world.google.wait(120);
    let headers = [("x-goog-resumable", "start"), ("content-type", "image/avif")];
    assert_eq!(world.starts(url.as_str(), &headers).await.status(), 400, "it has run out");
    assert_eq!(world.puts(&location, "bytes 0-9/100", &[0; 10]).await, (308, None), "what was started goes on");
    world.google.wait(7 * 24 * 3600);
    assert_eq!(world.puts(&location, "bytes 0-99/100", &[0; 100]).await.0, 410, "for a week");
}

#[tokio::test]
async fn an_altered_url_starts_nothing() {
    let world = World::new().await;
    let part = picture(100);
    let url = world.upload_url(&part).await;
    let path = url.find(&format!("/{}", crate::stand_in::BUCKET)).unwrap();
    let headers = [("x-goog-resumable", "start"), ("content-type", "image/png")];
    for place in path + 1..url.len() {
        let mut altered = url.clone().into_bytes();
        altered[place] = if altered[place] == b'1' { b'2' } else { b'1' };
        let altered = String::from_utf8(altered).unwrap();
        let status = world.starts(&altered, &headers).await.status();
        assert!(status.is_client_error(), "{status} with another character at {place}");
    }
    for added in ["&a=b", "&upload_id=upload-0", "&X-Goog-Expires=604800"] {
        let status = world.starts(&format!("{url}{added}"), &headers).await.status();
        assert!(status.is_client_error(), "{status} with {added}");
    }
    assert_eq!(world.starts(&url, &headers).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn parts_have_names_of_their_own() {
    let world = World::new().await;
    let small = part(MediaPart::Small, "image/png", 10);
    let large = i9chat_server::media::StatedPart {
        name: i9chat_server::media::PartName { part: MediaPart::Large, ..small.name },
        ..small.clone()
    };
    world.uploads(&small, &bytes(1, 10)).await;
    world.uploads(&large, &bytes(2, 10)).await;
    world.keeps(&picture(10), &bytes(3, 10)).await;
    let objects = world.google.objects();
    let kinds: Vec<_> = objects.values().map(|object| object.bytes[0]).collect();
    assert_eq!(objects.len(), 3, "{:?}", world.google.names());
    assert!([1, 2, 3].iter().all(|kind| kinds.contains(kind)));
}
