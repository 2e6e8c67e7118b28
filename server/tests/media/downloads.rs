use i9chat_spec::{Limits, MediaKind};
use reqwest::{Method, StatusCode, header};

use crate::world::{SMALLEST, World, png};

#[tokio::test]
async fn the_bytes_come_as_they_were_uploaded_and_can_do_no_harm() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(300_000);
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &bytes).await;
    let link = world.link(&alice, media_id, "original").await.unwrap();
    let ttl = i64::try_from(world.lifetimes().download_url_ttl_s * 1000).unwrap();
    assert_eq!(link.expires_at.as_millis() - world.app.clock.now().as_millis(), ttl);
    let answer = world.get(&link.url, &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for (name, value) in [
        (header::CONTENT_TYPE, "image/png"),
        (header::CONTENT_LENGTH, "300000"),
        (header::ACCEPT_RANGES, "bytes"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ] {
        assert_eq!(answer.headers()[&name], value, "{name}");
    }
    assert!(!answer.headers().contains_key(header::CONTENT_DISPOSITION));
    assert_eq!(answer.bytes().await.unwrap(), bytes);

    let head = world.request(Method::HEAD, &link.url).send().await.unwrap();
    assert_eq!((head.status(), &head.headers()[header::CONTENT_LENGTH]), (StatusCode::OK, &"300000".parse().unwrap()));
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_is_always_for_saving() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let page = b"<!doctype html><script>alert(1)</script>";
    let media_id = world.uploads(&alice, MediaKind::File, "text/html", page).await;
    let link = world.link(&alice, media_id, "original").await.unwrap();
    for range in ["", "bytes=0-3"] {
        let answer = world.get(&link.url, &[(header::RANGE, range)]).await;
        assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], "attachment");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html");
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}

#[tokio::test]
async fn a_range_is_answered_with_its_bytes_and_one_beyond_the_end_with_none() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(SMALLEST);
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &bytes).await;
    let url = world.link(&alice, media_id, "original").await.unwrap().url;
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=1000-9999", 1000, 1023),
    ] {
        let answer = world.get(&url, &[(header::RANGE, range)]).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(answer.headers()[header::CONTENT_RANGE], format!("bytes {first}-{last}/1024"), "{range}");
        assert_eq!(answer.bytes().await.unwrap(), bytes[first..=last], "{range}");
    }
    for range in ["bytes=1024-", "bytes=9999-99999", "bytes=-0"] {
        let answer = world.get(&url, &[(header::RANGE, range)]).await;
        assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(answer.headers()[header::CONTENT_RANGE], "bytes */1024", "{range}");
    }
    for range in ["bytes=0-1,3-4", "bytes=4-2", "lines=1-2", "nonsense"] {
        let answer = world.get(&url, &[(header::RANGE, range)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{range}");
        assert_eq!(answer.bytes().await.unwrap(), bytes, "{range}");
    }
}

#[tokio::test]
async fn what_a_caller_has_already_is_not_sent_again_and_a_piece_only_of_the_same_bytes() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let url = world.link(&alice, media_id, "original").await.unwrap().url;
    let tag = world.get(&url, &[]).await.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = world.link(&alice, media_id, "original").await.unwrap().url;
    let known = world.get(&again, &[(header::IF_NONE_MATCH, &tag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    assert!(known.bytes().await.unwrap().is_empty());
    for (tag, status) in [(&*tag, StatusCode::PARTIAL_CONTENT), ("\"another\"", StatusCode::OK)] {
        let answer = world.get(&url, &[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, tag)]).await;
        assert_eq!(answer.status(), status, "{tag}");
    }
}

#[tokio::test]
async fn a_link_runs_out_and_opens_nothing_when_it_is_altered() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let url = world.link(&alice, media_id, "original").await.unwrap().url;
    let mut altered = url.clone();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    for wrong in
        [altered, format!("{url}A"), "/media/files/..%2F..%2Fi9chat.db".to_owned(), "/media/files/%00".to_owned()]
    {
        assert_eq!(world.get(&wrong, &[]).await.status(), StatusCode::FORBIDDEN, "{wrong}");
    }
    world.wait(world.lifetimes().download_url_ttl_s - 1);
    assert_eq!(world.get(&url, &[]).await.status(), StatusCode::OK);
    world.wait(1);
    assert_eq!(world.get(&url, &[]).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_permission_is_good_for_one_thing_alone() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let download = world.link(&alice, media_id, "original").await.unwrap().url;
    let upload = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await.parts.remove(0).upload_url;
    let swapped = |url: &str, from: &str, to: &str| url.replace(from, to);
    let as_download = swapped(&upload, "/media/uploads/", "/media/files/");
    assert_eq!(world.get(&as_download, &[]).await.status(), StatusCode::FORBIDDEN);
    let as_upload = swapped(&download, "/media/files/", "/media/uploads/");
    assert_eq!(world.puts(&as_upload, "bytes */1024", b"").await.status, 403);
}

#[tokio::test]
async fn who_uses_a_link_too_often_waits_and_its_owner_does_not() {
    let limits = Limits { requests_per_second: 1, requests_burst: 20, ..Limits::default() };
    let world = World::with(limits).await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let url = world.link(&alice, media_id, "original").await.unwrap().url;
    let mut answers = Vec::new();
    while answers.len() < 200 && !answers.contains(&StatusCode::TOO_MANY_REQUESTS) {
        let answer = world.get(&url, &[]).await;
        assert_eq!(answer.headers().contains_key(header::RETRY_AFTER), !answer.status().is_success());
        answers.push(answer.status());
    }
    assert!(answers.contains(&StatusCode::TOO_MANY_REQUESTS), "{answers:?}");
    assert!(world.link(&alice, media_id, "original").await.is_ok());
}
