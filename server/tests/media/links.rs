use i9chat_spec::{MediaId, MediaKind};
use reqwest::{Method, StatusCode, header};

use crate::world::{SMALLEST, World, code, png};

#[tokio::test]
async fn who_names_an_encoding_gets_the_link_and_everybody_else_is_redirected() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let path = format!("/v1/media/{media_id}/original");
    let ask = async |accept: Option<&str>| {
        let request = world.request(Method::GET, &path).bearer_auth(&alice);
        accept
            .map_or(request.try_clone().unwrap(), |accept| request.header(header::ACCEPT, accept))
            .send()
            .await
            .unwrap()
    };
    for accept in [
        None,
        Some("*/*"),
        Some("application/*"),
        Some("image/avif,image/webp,*/*;q=0.8"),
        Some("text/plain"),
        Some("application/json;q=0"),
    ] {
        let answer = ask(accept).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{accept:?}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, no-store", "{accept:?}");
        let location = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
        assert!(answer.bytes().await.unwrap().is_empty());
        assert_eq!(world.get(&location, &[]).await.bytes().await.unwrap(), png(SMALLEST));
    }
    for (accept, content_type) in [
        ("application/json", "application/json"),
        ("application/json, */*", "application/json"),
        ("application/vnd.msgpack", "application/vnd.msgpack"),
        ("application/vnd.msgpack;q=0.5, application/json;q=0.1", "application/vnd.msgpack"),
        ("image/png, application/json;q=0.1", "application/json"),
    ] {
        let answer = ask(Some(accept)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], content_type, "{accept}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, no-store", "{accept}");
    }
}

#[tokio::test]
async fn what_one_may_not_see_is_answered_as_what_is_not_there() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let unfinished = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await.media_id;
    let unknown: MediaId = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6076".parse().unwrap();
    let problem = async |token: &str, path: String| {
        let answer = world
            .request(Method::GET, &path)
            .bearer_auth(token)
            .header(header::ACCEPT, "image/*")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let mut problem: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert!(problem.as_object_mut().unwrap().remove("request_id").is_some());
        problem
    };
    let missing = problem(&bob, format!("/v1/media/{unknown}/original")).await;
    assert_eq!(missing["code"], "media_not_found");
    assert_eq!(problem(&bob, format!("/v1/media/{media_id}/original")).await, missing);
    assert_eq!(problem(&alice, format!("/v1/media/{unfinished}/original")).await, missing);
    assert_eq!(problem(&alice, format!("/v1/media/{media_id}/preview")).await, missing);
    assert!(world.link(&alice, media_id, "original").await.is_ok());
}

#[tokio::test]
async fn hostile_names_are_refused_before_anything_is_looked_up() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    for path in [
        format!("/v1/media/{media_id}/..%2Foriginal"),
        format!("/v1/media/{media_id}/original%00"),
        format!("/v1/media/{media_id}/unknown"),
        format!("/v1/media/{media_id}/ORIGINAL"),
        "/v1/media/..%2F..%2Fi9chat.db/original".to_owned(),
        "/v1/media/%2Fetc%2Fpasswd/original".to_owned(),
    ] {
        let answer = world.request(Method::GET, &path).bearer_auth(&alice).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(code(&answer.bytes().await.unwrap()), "invalid_request", "{path}");
    }
}
