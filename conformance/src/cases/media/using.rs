//! Which media a message may use, and when. (MED-18, MED-19)

use i9chat_spec::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Supply, no_media, talk};
use crate::{
    cases,
    client::socket::{error_code, reply_data},
    expect::{check, expect, text_at},
    verdict::{InSetup, Verdict},
    world::{
        World,
        conversation::messages_of,
        media::{Plan, file_of, files, image_of},
        patiently,
    },
};

cases! { Media:
    media_that_may_not_be_used_makes_no_message ["MED-18", "MSG-14", "ERR-5"],
    media_may_be_used_again ["MED-19"],
    a_message_with_media_is_sent_once_however_often_it_is_tried ["MSG-7", "MSG-8", "MSG-14"],
    media_travels_in_events_as_in_history ["MED-19", "LOG-6", "MSG-14"],
}

async fn media_that_may_not_be_used_makes_no_message(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let of_bob = bob.uploads(&Plan::file(*b"x")).await?;
    let started = alice.states(&Plan::file(*b"x")).await.in_setup("stating an upload")?.media_id;
    let sent = alice.sends_media(&Plan::file(*b"x")).await?;
    let picture = alice.uploads(&Plan::picture("profile_picture")).await?;
    let group_picture = alice.uploads(&Plan::picture("group_picture")).await?;
    let rejected = alice.sends_media(&Plan::original("audio", "audio/mpeg", files::noise(700))).await?;
    patiently(alice.completing(&rejected)).await?.refused_with(ErrorCode::MediaRejected).in_setup("rejecting")?;
    let own = Supply::of(&alice).await?;
    let audio = |media_id: &str| json!({ "kind": "audio", "media_id": media_id });
    let video = |media_id: &str| json!({ "kind": "video", "items": [{ "media_id": media_id }] });
    let voice = |media_id: &str| json!({ "kind": "voice", "media_id": media_id, "duration_ms": 1 });
    let good_and =
        |other: &str| json!({ "kind": "image", "items": [{ "media_id": own.image }, { "media_id": other }] });
    let mut wrong = vec![
        file_of(&no_media()),
        file_of(&of_bob),
        file_of(&started),
        file_of(&sent),
        image_of(&picture),
        image_of(&group_picture),
        file_of(&picture),
        audio(&rejected),
        good_and(&no_media()),
        good_and(&own.video),
        good_and(&picture),
    ];
    // Of another kind, each for each.
    let kinds = [&own.image, &own.video, &own.voice, &own.audio, &own.file];
    for (number, media_id) in kinds.iter().enumerate() {
        let uses = [image_of(media_id), video(media_id), voice(media_id), audio(media_id), file_of(media_id)];
        wrong.extend(uses.into_iter().enumerate().filter(|(kind, _)| *kind != number).map(|(_, content)| content));
    }
    for content in &wrong {
        let answer = patiently(alice.sending_content(&chat_id, content)).await?;
        answer.refused_with(ErrorCode::MediaNotUsable)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    bob.get(format!("/v1/chats/{chat_id}")).send().await?.refused_with(ErrorCode::ChatNotFound)?;
    // A refusal has not used the id of the message up, nor the media.
    let client_id = Uuid::new_v4().to_string();
    let tries = async |content: &Value| {
        patiently(alice.post(messages_of(&chat_id), &json!({ "client_id": client_id, "content": content }))).await
    };
    tries(&file_of(&sent)).await?.refused_with(ErrorCode::MediaNotUsable)?;
    patiently(alice.completing(&sent)).await?.succeeded(200)?;
    tries(&file_of(&sent)).await?.succeeded(201)?;
    // Whoever may see it may not use it: it is not theirs.
    bob.reads_media(&sent, "original", b"x").await?;
    let taken = patiently(bob.sending_content(&chat_id, &file_of(&sent))).await?;
    taken.refused_with(ErrorCode::MediaNotUsable)?;
    expect(alice.history(&chat_id).await?.len()).to_equal(1)
}

async fn media_may_be_used_again(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let carol = world.user().await?;
    let other_chat = alice.opens_direct_chat_with(&carol).await?;
    let plan = Plan::image();
    let media_id = alice.uploads(&plan).await?;
    let twice = json!({ "kind": "image", "items": [{ "media_id": media_id }, { "media_id": media_id, "width": 5 }] });
    for (chat_id, content) in
        [(&chat_id, &image_of(&media_id)), (&chat_id, &image_of(&media_id)), (&other_chat, &twice)]
    {
        let entry = alice.sends_content(chat_id, content).await?;
        expect(&entry["content"]["items"][0]["media"]).to_equal(plan.as_attachment(&media_id))?;
    }
    let [part] = plan.parts.as_slice() else { return Ok(()) };
    for user in [&alice, &bob, &carol] {
        user.reads_media(&media_id, "original", &part.bytes).await?;
    }
    expect(bob.history(&chat_id).await?.len()).to_equal(2)
}

async fn a_message_with_media_is_sent_once_however_often_it_is_tried(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let [one, other] = [alice.uploads(&Plan::image()).await?, alice.uploads(&Plan::image()).await?];
    let client_id = Uuid::new_v4().to_string();
    let body = |content: Value| json!({ "client_id": client_id, "content": content });
    let send = async |content: Value| patiently(alice.post(messages_of(&chat_id), &body(content))).await;
    let first = send(image_of(&one)).await?.succeeded(201)?;
    for _ in 0..2 {
        expect(send(image_of(&one)).await?.succeeded(201)?).to_equal(&first)?;
    }
    let mut frame = body(image_of(&one));
    frame["chat_id"] = json!(chat_id);
    let mut socket = alice.connects().await?;
    expect(reply_data(&socket.asks("again", "send_message", &frame).await?)?).to_equal(&first)?;
    // With other media, or with more said about it, it is another message.
    let with_caption = json!({ "kind": "image", "items": [{ "media_id": one }], "caption": "c" });
    let with_width = json!({ "kind": "image", "items": [{ "media_id": one, "width": 1 }] });
    for content in [image_of(&other), with_caption, with_width, file_of(&one)] {
        send(content).await?.refused_with(ErrorCode::IdempotencyConflict)?;
    }
    expect(bob.history(&chat_id).await?.len()).to_equal(1)
}

async fn media_travels_in_events_as_in_history(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let plan = Plan::original("voice", "audio/ogg", files::ogg(1000));
    let media_id = alice.uploads(&plan).await?;
    let (mut sending, mut hearing) = (alice.connects().await?, bob.connects().await?);
    let content = json!({ "kind": "voice", "media_id": media_id, "duration_ms": 1500 });
    let data = json!({ "chat_id": chat_id, "client_id": Uuid::new_v4().to_string(), "content": content });
    let sent = reply_data(&sending.asks("voice", "send_message", &data).await?)?;
    let kept = json!({ "kind": "voice", "media": plan.as_attachment(&media_id), "duration_ms": 1500 });
    for socket in [&mut sending, &mut hearing] {
        if !socket.events().iter().any(|event| event["event"] == "message_created") {
            socket.event("message_created").await?;
        }
        let event = socket.events().iter().find(|event| event["event"] == "message_created");
        let Some(event) = event else { continue };
        expect(&event["data"]["message"]["content"]).to_equal(&kept)?;
        check(!event.to_string().contains("://"), || ("no URL in an event (MED-19)", event.to_string()))?;
    }
    let path = format!("{}/{}", messages_of(&chat_id), text_at(&sent, "message_id")?);
    expect(&bob.reads(path).await?["content"]).to_equal(&kept)?;
    // A refusal comes as an error frame.
    let mut wrong = data.clone();
    wrong["client_id"] = json!(Uuid::new_v4().to_string());
    wrong["content"]["media_id"] = json!(no_media());
    error_code(&sending.asks("wrong", "send_message", &wrong).await?, ErrorCode::MediaNotUsable)?;
    bob.reads_media(&media_id, "original", &plan.parts[0].bytes).await
}
