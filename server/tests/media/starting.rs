use i9chat_spec::{Limits, MediaKind, MediaPart, MediaPurpose, api::media::NewUpload};
use reqwest::StatusCode;
use serde_json::json;

use crate::world::{SMALLEST, World, code, plan, png};

#[tokio::test]
async fn an_upload_has_a_url_for_each_part_in_the_order_of_the_parts() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let parts = [MediaPart::Large, MediaPart::Small, MediaPart::Medium];
    let plans = parts.map(|part| plan(part, "image/png", 100)).to_vec();
    let started = world.starts(&alice, MediaPurpose::ProfilePicture, MediaKind::Picture, plans).await;
    assert_eq!(started.parts.iter().map(|target| target.part).collect::<Vec<_>>(), parts);
    let ttl = i64::try_from(world.lifetimes().upload_url_ttl_s * 1000).unwrap();
    assert_eq!(started.expires_at.as_millis() - world.app.clock.now().as_millis(), ttl);
    for target in &started.parts {
        world.sends(&target.upload_url, "image/png", &png(100)).await;
    }
    let done = world.completes(&alice, started.media_id).await.unwrap();
    assert_eq!(done.parts.iter().map(|info| info.part).collect::<Vec<_>>(), parts);
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_is_told_by_its_field() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let part = json!({"part": "original", "content_type": "image/png", "size": SMALLEST});
    let upload =
        |purpose: &str, kind: &str, part: serde_json::Value| json!({"purpose": purpose, "kind": kind, "parts": [part]});
    let with = |field: &str, value: serde_json::Value| {
        let mut part = part.clone();
        part[field] = value;
        upload("message", "image", part)
    };
    for (body, field, fault) in [
        (upload("avatar", "image", part.clone()), "purpose", "unknown_value"),
        (upload("unknown", "image", part.clone()), "purpose", "unknown_value"),
        (upload("message", "sticker", part.clone()), "kind", "unknown_value"),
        (upload("message", "picture", part.clone()), "kind", "conflicting"),
        (with("part", json!("../original")), "parts[0].part", "unknown_value"),
        (with("part", json!("large")), "parts[0].part", "conflicting"),
        (with("content_type", json!("image/svg+xml")), "parts[0].content_type", "unknown_value"),
        (with("content_type", json!("image/png; charset=x")), "parts[0].content_type", "bad_format"),
        (with("content_type", json!("image/PNG")), "parts[0].content_type", "bad_format"),
        (with("content_type", json!("image/../../png")), "parts[0].content_type", "bad_format"),
        (with("size", json!(SMALLEST - 1)), "parts[0].size", "out_of_range"),
        (with("size", json!(10 * 1024 * 1024 + 1)), "parts[0].size", "out_of_range"),
        (with("size", json!(1e3)), "parts[0].size", "wrong_type"),
        (json!({"purpose": "message", "kind": "image", "parts": []}), "parts", "too_short"),
        (json!({"purpose": "message", "kind": "image", "parts": [[1, 2, 3]]}), "parts[0]", "wrong_type"),
    ] {
        let answer = world.post(&alice, "/v1/uploads", &body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "invalid_request", "{body}");
        assert_eq!(problem["fields"][0]["field"], field, "{body}");
        assert_eq!(problem["fields"][0]["code"], fault, "{body}");
    }
}

#[tokio::test]
async fn uploads_that_nothing_uses_are_limited() {
    let world = World::with(Limits { max_unused_uploads: 2, ..Limits::default() }).await;
    let alice = world.signs_up("alice").await;
    for _ in 0..2 {
        world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    }
    let parts = vec![plan(MediaPart::Original, "image/png", SMALLEST)];
    let upload = NewUpload { purpose: MediaPurpose::Message, kind: MediaKind::Image, parts: parts.try_into().unwrap() };
    let answer = world.post(&alice, "/v1/uploads", &upload).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert_eq!(code(&answer.bytes().await.unwrap()), "too_many_uploads");
    world.wait(world.lifetimes().unused_upload_ttl_s);
    let alice = world.signs_in("alice").await;
    world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
}
