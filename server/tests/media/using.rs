use i9chat_spec::{MediaId, MediaKind, MediaPurpose};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{SMALLEST, World, png};

const NOT_USABLE: &str = "media_not_usable";
const NOT_FOUND: &str = "media_not_found";

fn image(media_id: MediaId) -> Value {
    json!({"kind": "image", "items": [{"media_id": media_id}]})
}

#[tokio::test]
async fn who_sees_a_message_gets_its_media_and_nobody_else_does() {
    let world = World::new().await;
    let [alice, bob, carol] =
        [world.signs_up("alice").await, world.signs_up("bob").await, world.signs_up("carol").await];
    let media_id = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let chat = world.opens_chat(&alice, "bob").await;
    assert_eq!(world.link(&bob, media_id, "original").await.unwrap_err(), NOT_FOUND);
    assert_eq!(world.says(&alice, &chat, image(media_id)).await, Ok(1));
    let link = world.link(&bob, media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), png(SMALLEST));
    assert_eq!(world.link(&carol, media_id, "original").await.unwrap_err(), NOT_FOUND);

    let (_, entries) = world.asks(&bob, Method::GET, &format!("/v1/chats/{chat}/entries"), None).await;
    let shown = &entries["items"][0]["content"]["items"][0];
    assert_eq!(shown["media"]["media_id"].as_str(), Some(&*media_id.to_string()), "{shown}");
    assert_eq!((&shown["media"]["content_type"], &shown["media"]["size"]), (&json!("image/png"), &json!(SMALLEST)));
    assert!(!entries.to_string().contains("/media/"), "no URLs");
}

#[tokio::test]
async fn media_is_used_by_its_uploader_for_what_it_was_made_for_once_it_is_complete() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let chat = world.opens_chat(&alice, "bob").await;
    let mine = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let theirs = world.uploads(&bob, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let file = world.uploads(&alice, MediaKind::File, "image/png", &png(SMALLEST)).await;
    let unfinished = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await.media_id;
    let picture = world.uploads_picture(&alice, MediaPurpose::ProfilePicture).await;
    let unknown: MediaId = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6076".parse().unwrap();
    for wrong in [theirs, file, unfinished, picture, unknown] {
        assert_eq!(world.says(&alice, &chat, image(wrong)).await.unwrap_err(), NOT_USABLE, "{wrong}");
        let with_a_right_one = json!({"kind": "image", "items": [{"media_id": mine}, {"media_id": wrong}]});
        assert_eq!(world.says(&alice, &chat, with_a_right_one).await.unwrap_err(), NOT_USABLE, "{wrong}");
    }
    assert_eq!(world.link(&bob, mine, "original").await.unwrap_err(), NOT_FOUND, "what was refused shows nothing");
    for (purpose, media_id) in [("profile_picture", mine), ("group_picture", picture)] {
        let (path, body) = if purpose == "profile_picture" {
            ("/v1/me", json!({"picture_id": media_id}))
        } else {
            ("/v1/groups", json!({"client_id": unknown, "name": "Club", "picture_id": media_id}))
        };
        let method = if purpose == "profile_picture" { Method::PATCH } else { Method::POST };
        let (status, problem) = world.asks(&alice, method, path, Some(body)).await;
        assert_eq!((status, &problem["code"]), (409, &json!(NOT_USABLE)), "{purpose}");
    }
    assert_eq!(world.says(&alice, &chat, image(mine)).await, Ok(1));
    assert_eq!(world.says(&alice, &chat, image(mine)).await, Ok(2), "again");
    let named = json!({"kind": "file", "media_id": file, "name": "notes.png"});
    assert_eq!(world.says(&alice, &chat, named).await, Ok(3));
}

#[tokio::test]
async fn media_in_a_message_lives_on_and_what_is_unused_is_not_usable_any_more() {
    let world = World::new().await;
    let [alice, _bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let chat = world.opens_chat(&alice, "bob").await;
    let used = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    let unused = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    world.says(&alice, &chat, image(used)).await.unwrap();
    world.wait(world.lifetimes().unused_upload_ttl_s);
    let alice = world.signs_in("alice").await;
    assert_eq!(world.says(&alice, &chat, image(unused)).await.unwrap_err(), NOT_USABLE);
    world.wait(3600);
    world.app.remove_expired_media().await.unwrap();
    let [alice, bob] = [world.signs_in("alice").await, world.signs_in("bob").await];
    world.says(&alice, &chat, image(used)).await.unwrap();
    let link = world.link(&bob, used, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), png(SMALLEST));
}

#[tokio::test]
async fn a_group_and_its_media_are_seen_by_those_who_may() {
    let world = World::new().await;
    let [alice, bob, carol] =
        [world.signs_up("alice").await, world.signs_up("bob").await, world.signs_up("carol").await];
    let picture = world.uploads_picture(&alice, MediaPurpose::GroupPicture).await;
    assert_eq!(world.link(&carol, picture, "small").await.unwrap_err(), NOT_FOUND, "nothing shows it yet");
    let client_id = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6076";
    let group = json!({"client_id": client_id, "name": "Club", "picture_id": picture});
    let (status, group) = world.asks(&alice, Method::POST, "/v1/groups", Some(group)).await;
    assert_eq!(status, 201, "{group}");
    let chat = group["chat_id"].as_str().unwrap();
    for part in ["small", "medium", "large"] {
        assert!(world.link(&carol, picture, part).await.is_ok(), "{part}");
    }
    assert_eq!(world.link(&carol, picture, "original").await.unwrap_err(), NOT_FOUND);

    let before = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    world.says(&alice, chat, image(before)).await.unwrap();
    let (status, joined) = world.asks(&bob, Method::POST, &format!("/v1/groups/{chat}/join"), None).await;
    assert!(status < 300, "{joined}");
    let during = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    world.says(&alice, chat, image(during)).await.unwrap();
    let (status, left) = world.asks(&bob, Method::POST, &format!("/v1/groups/{chat}/leave"), None).await;
    assert!(status < 300, "{left}");
    let after = world.uploads(&alice, MediaKind::Image, "image/png", &png(SMALLEST)).await;
    world.says(&alice, chat, image(after)).await.unwrap();
    assert_eq!(world.link(&bob, before, "original").await.unwrap_err(), NOT_FOUND);
    assert!(world.link(&bob, during, "original").await.is_ok());
    assert_eq!(world.link(&bob, after, "original").await.unwrap_err(), NOT_FOUND);
    assert_eq!(world.link(&carol, during, "original").await.unwrap_err(), NOT_FOUND);
}

#[tokio::test]
async fn a_profile_shows_its_picture_until_another_takes_its_place() {
    let world = World::new().await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    let first = world.uploads_picture(&alice, MediaPurpose::ProfilePicture).await;
    let second = world.uploads_picture(&alice, MediaPurpose::ProfilePicture).await;
    let set = async |picture: Value| {
        let (status, profile) = world.asks(&alice, Method::PATCH, "/v1/me", Some(json!({"picture_id": picture}))).await;
        assert_eq!(status, 200, "{profile}");
    };
    set(json!(first)).await;
    assert!(world.link(&bob, first, "small").await.is_ok());
    set(json!(second)).await;
    assert_eq!(world.link(&bob, first, "small").await.unwrap_err(), NOT_FOUND);
    assert!(world.link(&alice, first, "small").await.is_ok() && world.link(&bob, second, "small").await.is_ok());
    world.wait(world.lifetimes().unused_upload_ttl_s + 3600);
    world.app.remove_expired_media().await.unwrap();
    let [alice, bob] = [world.signs_in("alice").await, world.signs_in("bob").await];
    assert_eq!(world.link(&alice, first, "small").await.unwrap_err(), NOT_FOUND);
    let link = world.link(&bob, second, "large").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), png(100));
}
