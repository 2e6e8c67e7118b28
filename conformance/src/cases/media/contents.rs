//! What a message with media says. (MSG-14)

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use super::{Supply, talk};
use crate::{
    cases,
    expect::{check, expect, list_at},
    verdict::Verdict,
    world::{
        World,
        media::{Plan, files},
        patiently,
    },
};

cases! { Media:
    every_kind_of_message_is_kept_with_what_its_media_is ["MSG-14", "MED-19", "MSG-5"],
    a_message_shows_up_to_the_published_number_of_items ["MSG-14", "CAP-2"],
    what_is_said_beside_media_has_its_bounds ["MSG-14", "CNV-9", "CAP-2", "ERR-4"],
    a_name_of_a_file_leads_nowhere ["MSG-14", "CNV-9"],
    what_is_missing_from_a_message_with_media_is_told ["MSG-14", "ERR-4"],
}

async fn every_kind_of_message_is_kept_with_what_its_media_is(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let image = Plan::image();
    let with_preview =
        Plan::original("image", "image/jpeg", files::jpeg(3000)).with("preview", "image/png", files::png(1500));
    let video = Plan::original("video", "video/mp4", files::mp4(*b"isom", 4000)).with(
        "preview",
        "image/jpeg",
        files::jpeg(1024),
    );
    let voice = Plan::original("voice", "audio/ogg", files::ogg(500));
    let audio = Plan::original("audio", "audio/mpeg", files::mp3(600));
    let file = Plan::original("file", "text/html", *b"<script>alert(1)</script>");
    let mut ids = Vec::new();
    for plan in [&image, &with_preview, &video, &voice, &audio, &file] {
        ids.push(alice.uploads(plan).await?);
    }
    let [plain, previewed, moving, spoken, sound, any] = ids.as_slice() else { return Ok(()) };
    let stories = [
        (
            json!({ "kind": "image", "items": [{ "media_id": plain, "width": 1, "height": 65_535 }, { "media_id": previewed }], "caption": "two" }),
            json!({ "kind": "image", "caption": "two", "items": [
                { "media": image.as_attachment(plain), "width": 1, "height": 65_535 },
                { "media": with_preview.as_attachment(previewed) },
            ] }),
        ),
        (
            json!({ "kind": "video", "items": [{ "media_id": moving, "height": 720 }] }),
            json!({ "kind": "video", "items": [{ "media": video.as_attachment(moving), "height": 720 }] }),
        ),
        (
            json!({ "kind": "voice", "media_id": spoken, "duration_ms": 4200 }),
            json!({ "kind": "voice", "media": voice.as_attachment(spoken), "duration_ms": 4200 }),
        ),
        (
            json!({ "kind": "audio", "media_id": sound, "title": "Clair de lune" }),
            json!({ "kind": "audio", "media": audio.as_attachment(sound), "title": "Clair de lune" }),
        ),
        (
            json!({ "kind": "audio", "media_id": sound }),
            json!({ "kind": "audio", "media": audio.as_attachment(sound) }),
        ),
        (
            json!({ "kind": "file", "media_id": any, "name": "minutes.pdf" }),
            json!({ "kind": "file", "media": file.as_attachment(any), "name": "minutes.pdf" }),
        ),
    ];
    for (content, kept) in &stories {
        let entry = alice.sends_content(&chat_id, content).await?;
        expect(&entry["content"]).to_equal(kept)?;
        check(!entry.to_string().contains("://"), || ("no URL in a message (MED-19)", entry.to_string()))?;
    }
    let history = bob.history(&chat_id).await?;
    let contents: Vec<_> = history.iter().map(|entry| &entry["content"]).collect();
    expect(contents).to_equal(stories.iter().map(|(_, kept)| kept).collect::<Vec<_>>())?;
    let chat = bob.chat(&chat_id).await?;
    expect(&chat["last_entry"]["content"]["name"]).to_equal("minutes.pdf")
}

async fn a_message_shows_up_to_the_published_number_of_items(world: &World) -> Verdict {
    let (alice, _, chat_id) = talk(world).await?;
    let most = usize::try_from(world.limits().max_message_items).unwrap_or_default();
    expect(most).to_equal(10)?;
    let mut items = Vec::new();
    for _ in 0..=most {
        items.push(json!({ "media_id": alice.uploads(&Plan::image()).await? }));
    }
    let of = |items: &[Value]| json!({ "kind": "image", "items": items });
    for wrong in [&items[..0], &items[..]] {
        let code = if wrong.is_empty() { FieldCode::TooShort } else { FieldCode::TooLong };
        let answer = patiently(alice.sending_content(&chat_id, &of(wrong))).await?;
        answer.refused_field("content.items", code)?;
    }
    for right in [&items[..1], &items[..most]] {
        let entry = alice.sends_content(&chat_id, &of(right)).await?;
        // In the order in which they were sent.
        let shown: Vec<_> = list_at(&entry, "content.items")?
            .iter()
            .map(|item| json!({ "media_id": item["media"]["media_id"] }))
            .collect();
        expect(shown).to_equal(right)?;
    }
    Ok(())
}

async fn what_is_said_beside_media_has_its_bounds(world: &World) -> Verdict {
    let (alice, _, chat_id) = talk(world).await?;
    let limits = world.limits();
    let supply = Supply::of(&alice).await?;
    let messages = supply.messages();
    let chars = |limit: u64| usize::try_from(limit).unwrap_or_default();
    let texts = [
        (0, "caption", chars(limits.max_caption_chars)),
        (1, "caption", chars(limits.max_caption_chars)),
        (3, "title", chars(limits.max_media_title_chars)),
        (4, "name", chars(limits.max_file_name_chars)),
    ];
    expect(texts.map(|(_, _, most)| most)).to_equal([1024, 1024, 200, 255])?;
    let refused = async |content: Value, field: &str, code: FieldCode| {
        patiently(alice.sending_content(&chat_id, &content)).await?.refused_field(&format!("content.{field}"), code)
    };
    let kept = async |content: Value, path: &str| {
        let entry = alice.sends_content(&chat_id, &content).await?;
        expect(entry["content"].pointer(path)).to_equal(content.pointer(path))
    };
    for (number, field, most) in texts {
        let path = format!("/{field}");
        let say = |text: String| with(&messages[number], &path, json!(text));
        for text in ["x".to_owned(), "\u{1f4f7}".repeat(most), " ".to_owned(), "e\u{301}\u{5d0}\u{202e}.gpj".to_owned()]
        {
            kept(say(text), &path).await?;
        }
        refused(say(String::new()), field, FieldCode::TooShort).await?;
        refused(say("\u{1f4f7}".repeat(most + 1)), field, FieldCode::TooLong).await?;
        refused(with(&messages[number], &path, json!(7)), field, FieldCode::WrongType).await?;
        patiently(alice.sending_content(&chat_id, &say("a\0b".to_owned())))
            .await?
            .refused_with(ErrorCode::InvalidRequest)?;
    }
    for duration in [1, 86_400_000] {
        kept(with(&messages[2], "/duration_ms", json!(duration)), "/duration_ms").await?;
    }
    for (duration, code) in [
        (json!(0), FieldCode::OutOfRange),
        (json!(86_400_001), FieldCode::OutOfRange),
        (json!(1.5), FieldCode::WrongType),
    ] {
        refused(with(&messages[2], "/duration_ms", duration), "duration_ms", code).await?;
    }
    for side in ["width", "height"] {
        let path = format!("/items/0/{side}");
        for right in [1, 65_535] {
            kept(with(&messages[0], &path, json!(right)), &format!("/items/0/{side}")).await?;
        }
        for wrong in [json!(0), json!(65_536), json!(-1), json!("640"), json!(640.5)] {
            let answer = patiently(alice.sending_content(&chat_id, &with(&messages[1], &path, wrong))).await?;
            answer.refused_with(ErrorCode::InvalidRequest)?;
        }
    }
    Ok(())
}

async fn a_name_of_a_file_leads_nowhere(world: &World) -> Verdict {
    let (alice, bob, chat_id) = talk(world).await?;
    let bytes = b"what was uploaded".as_slice();
    let media_id = alice.uploads(&Plan::file(bytes)).await?;
    let named = |name: &str| json!({ "kind": "file", "media_id": media_id, "name": name });
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\boot.ini",
        "C:\\x",
        "a/b",
        "\\",
        "tab\there",
        "line\nbreak",
        "del\u{7f}",
    ] {
        let answer = patiently(alice.sending_content(&chat_id, &named(name))).await?;
        answer.refused_field("content.name", FieldCode::BadFormat)?;
    }
    for name in ["nul\0", "\0", "../\0"] {
        let answer = patiently(alice.sending_content(&chat_id, &named(name))).await?;
        answer.refused_field("content.name", FieldCode::BadFormat)?;
    }
    expect(alice.history(&chat_id).await?).to_equal(json!([]))?;
    // Names that look odd and are harmless: they are text, and name no file of the server.
    for name in
        ["..", ".", ".htaccess", "%2e%2e%2fetc%2fpasswd", "con", "a;rm -rf *", "\u{5e9}\u{5dc}.txt", "file.exe "]
    {
        let entry = alice.sends_content(&chat_id, &named(name)).await?;
        expect(&entry["content"]["name"]).to_equal(name)?;
    }
    bob.reads_media(&media_id, "original", bytes).await
}

async fn what_is_missing_from_a_message_with_media_is_told(world: &World) -> Verdict {
    let (alice, _, chat_id) = talk(world).await?;
    let messages = Supply::of(&alice).await?.messages();
    for (number, missing) in
        [(0, "items"), (1, "items"), (2, "media_id"), (2, "duration_ms"), (3, "media_id"), (4, "media_id"), (4, "name")]
    {
        let mut content = messages[number].clone();
        content.as_object_mut().map(|fields| fields.remove(missing));
        let answer = patiently(alice.sending_content(&chat_id, &content)).await?;
        answer.refused_field(&format!("content.{missing}"), FieldCode::Missing)?;
    }
    for (number, path, field) in [(0, "/items", "items"), (2, "/media_id", "media_id"), (3, "/media_id", "media_id")] {
        let answer = patiently(alice.sending_content(&chat_id, &with(&messages[number], path, json!(7)))).await?;
        answer.refused_field(&format!("content.{field}"), FieldCode::WrongType)?;
    }
    for wrong in [json!("x"), json!([]), json!({}), json!({ "media_id": "x" }), json!({ "width": 7 })] {
        let answer = patiently(alice.sending_content(&chat_id, &with(&messages[0], "/items", json!([wrong])))).await?;
        answer.refused_with(ErrorCode::InvalidRequest)?;
    }
    patiently(alice.sending_content(&chat_id, &with(&messages[3], "/media_id", json!("../x"))))
        .await?
        .refused_field("content.media_id", FieldCode::BadFormat)?;
    // A field that another kind has is one that this kind does not know.
    let mut content = messages[4].clone();
    content["duration_ms"] = json!("long");
    content["items"] = json!(7);
    let entry = alice.sends_content(&chat_id, &content).await?;
    check(entry["content"].get("items").is_none(), || ("a file without items", entry.to_string()))?;
    // What may be left out may be null. (CNV-5)
    let entry = alice.sends_content(&chat_id, &with(&messages[0], "/caption", Value::Null)).await?;
    check(entry["content"].get("caption").is_none(), || ("no caption", entry.to_string()))
}

fn with(content: &Value, path: &str, value: Value) -> Value {
    let mut content = content.clone();
    if let Some(place) = content.pointer_mut(path) {
        *place = value;
    }
    content
}
