//! Signed URLs to read.

use i9chat_server::{
    clock::{Clock, SystemClock},
    media::{MediaStore, gcs::LONGEST_URL_S},
};
use i9chat_spec::{Example, MediaPart, UserId};
use reqwest::{Method, StatusCode, header};

use crate::world::{READ_S, World, bytes, part, picture};

#[tokio::test]
async fn a_download_has_the_stated_type_and_comes_in_pieces() {
    let world = World::new().await;
    let part = picture(1000);
    world.keeps(&part, &bytes(1, 1000)).await;
    let url = world.download_url(&part, false).await;
    let whole = world.asks(Method::GET, &url, &[]).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(whole.headers()[header::CONTENT_DISPOSITION], "inline");
    assert_eq!(whole.bytes().await.unwrap(), bytes(1, 1000));

    let piece = world.asks(Method::GET, &url, &[("range", "bytes=10-19")]).await;
    assert_eq!(piece.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(piece.headers()[header::CONTENT_RANGE], "bytes 10-19/1000");
    assert_eq!(piece.bytes().await.unwrap(), bytes(1, 1000)[10..20]);
    assert_eq!(world.asks(Method::GET, &url, &[("range", "bytes=1000-")]).await.status(), 416);
}

#[tokio::test]
async fn a_file_is_for_saving_and_nothing_that_its_uploader_says_changes_that() {
    let world = World::new().await;
    let part = part(MediaPart::Original, "text/html", 20);
    let start = world.upload_url(&part).await;
    let headers = [
        ("x-goog-resumable", "start"),
        ("content-type", "text/html"),
        ("content-disposition", "inline; filename=\"look.html\""),
    ];
    let started = world.starts(&start, &headers).await;
    let location = started.headers()["location"].to_str().unwrap();
    assert_eq!(world.puts(location, "", b"<script>1;</script>\n").await.0, 200);
    assert!(world.media.arrived(&part).await.unwrap().is_some());
    for (is_attachment, disposition) in [(true, "attachment"), (false, "inline")] {
        let url = world.download_url(&part, is_attachment).await;
        let answer = world.asks(Method::GET, &url, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], disposition);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html");
    }
}

#[tokio::test]
async fn types_are_written_into_urls_whatever_they_consist_of() {
    let world = World::new().await;
    for content_type in ["image/svg+xml", "application/x.a-b_c&d^e#f$g!h", "a/b"] {
        let part = part(MediaPart::Original, content_type, 5);
        world.keeps(&part, b"12345").await;
        let url = world.download_url(&part, true).await;
        let answer = world.asks(Method::GET, &url, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{content_type}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], content_type);
    }
}

#[tokio::test]
async fn a_download_url_is_for_reading_one_part_until_it_runs_out() {
    let world = World::new().await;
    let (part, other) = (picture(100), picture(100));
    world.keeps(&part, &bytes(1, 100)).await;
    world.keeps(&other, &bytes(2, 100)).await;
    let url = world.download_url(&part, true).await;
    for method in [Method::HEAD, Method::PUT, Method::POST, Method::DELETE] {
        let headers = [("x-goog-resumable", "start")];
        let status = world.asks(method.clone(), &url, &headers).await.status();
        assert!(status.is_client_error(), "{status} to {method}");
    }
    let name = |part: &i9chat_server::media::StatedPart| {
        let id = part.name.media_id.to_string();
        format!("{}/{id}", &id[id.len() - 2..])
    };
    for (said, instead) in [
        (name(&part).as_str(), name(&other).as_str()),
        ("=attachment", "=inline"),
        ("image%2Fpng", "text%2Fhtml"),
        ("X-Goog-Expires=", "X-Goog-Expires=1"),
    ] {
        assert!(url.contains(said), "{said} in {url}");
        let altered = world.asks(Method::GET, &url.replace(said, instead), &[]).await.status();
        assert_eq!(altered, StatusCode::FORBIDDEN, "{instead} instead of {said}");
    }
    world.google.wait(READ_S - 60);
    assert_eq!(world.asks(Method::GET, &url, &[]).await.status(), StatusCode::OK);
    world.google.wait(120);
    assert_eq!(world.asks(Method::GET, &url, &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_url_is_good_for_a_week_and_not_longer() {
    let world = World::new().await;
    let part = picture(100);
    world.keeps(&part, &bytes(1, 100)).await;
    let url = async |seconds| {
        let until = SystemClock.now().plus_seconds(seconds);
        world.media.download_url(&part, false, UserId::example(), until).await
    };
    let week = url(LONGEST_URL_S).await.unwrap();
    assert!(url(LONGEST_URL_S + 600).await.is_err());
    world.google.wait(LONGEST_URL_S - 60);
    assert_eq!(world.asks(Method::GET, &week, &[]).await.status(), StatusCode::OK);
}
