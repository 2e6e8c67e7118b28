//! What may be uploaded, and how much. (MED-1 to MED-7)

use std::collections::BTreeSet;

use i9chat_spec::{ErrorCode, FieldCode, MediaKind, MediaPart};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{millis, outlasts, rules, runs_out_soon, time_passes};
use crate::{
    cases,
    client::Answer,
    expect::{check, expect, list_at, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        media::{Plan, file_of, files},
        patiently,
    },
};

cases! { Media:
    what_may_be_uploaded_is_published ["MED-1", "MED-2", "MED-3", "CAP-1"],
    an_upload_is_authorised_part_by_part ["MED-2", "MED-4", "CNV-7"],
    sizes_end_at_the_published_bounds ["MED-3", "MED-5", "CAP-2"],
    types_are_those_that_are_published ["MED-3", "MED-5"],
    kinds_go_with_their_purposes_and_parts_with_their_kinds ["MED-1", "MED-2", "MED-5"],
    what_states_no_upload_is_refused ["MED-4", "MED-5", "ERR-4", "CNV-15"],
    a_user_has_no_more_unused_uploads_than_the_limit ["MED-6", "CAP-2"],
    an_upload_url_that_was_altered_is_refused ["MED-7"],
    an_upload_url_runs_out_and_an_upload_goes_on ["MED-7", "MED-12"],
}

async fn what_may_be_uploaded_is_published(world: &World) -> Verdict {
    let rules = rules(world).await?;
    let mut seen = BTreeSet::new();
    for rule in &rules {
        let told = || format!("{} of {}", rule.part, rule.kind);
        check(seen.insert((rule.kind, rule.part)), || ("each part of each kind once", told()))?;
        check(rule.min_bytes >= 1 && rule.min_bytes <= rule.max_bytes, || ("bounds that something fits into", told()))?;
        let some = rule.content_types.as_ref().is_none_or(|types| !types.is_empty());
        check(some, || ("types, or none for any", told()))?;
    }
    // Every kind of the protocol, with the parts that it must have and may have.
    for (kind, part, required) in [
        (MediaKind::Image, MediaPart::Original, true),
        (MediaKind::Image, MediaPart::Preview, false),
        (MediaKind::Video, MediaPart::Original, true),
        (MediaKind::Video, MediaPart::Preview, false),
        (MediaKind::Voice, MediaPart::Original, true),
        (MediaKind::Audio, MediaPart::Original, true),
        (MediaKind::File, MediaPart::Original, true),
        (MediaKind::Picture, MediaPart::Small, true),
        (MediaKind::Picture, MediaPart::Medium, true),
        (MediaKind::Picture, MediaPart::Large, true),
    ] {
        let rule = rules.iter().find(|rule| (rule.kind, rule.part) == (kind, part));
        let told = rule.map_or_else(|| "none".to_owned(), |rule| format!("required: {}", rule.required));
        let wanted = format!("a rule for {part} of {kind}, required: {required}");
        check(rule.is_some_and(|rule| rule.required == required), || (wanted, told))?;
    }
    // It is kept to: somebody may upload by it.
    world.user().await?.uploads(&Plan::image()).await?;
    Ok(())
}

async fn an_upload_is_authorised_part_by_part(world: &World) -> Verdict {
    let alice = world.user().await?;
    let image = Plan::image();
    let with_preview =
        Plan::original("image", "image/jpeg", files::jpeg(3000)).with("preview", "image/png", files::png(1500));
    let mut preview_first = with_preview.clone();
    preview_first.parts.reverse();
    let mut pictures = Plan::picture("profile_picture");
    pictures.parts.reverse();
    let mut seen = BTreeSet::new();
    let plans = [image, with_preview, preview_first, pictures, Plan::picture("group_picture"), Plan::file(*b"x")];
    for plan in &plans {
        let upload = alice.states(plan).await?;
        let parts: Vec<_> = list_at(&upload.answer, "parts")?.iter().map(|target| &target["part"]).collect();
        let stated: Vec<_> = plan.parts.iter().map(|part| part.part).collect();
        expect(parts).to_equal(stated)?;
        check(seen.insert(upload.media_id.clone()), || ("an id of its own", upload.media_id.clone()))?;
        for place in &upload.places {
            let whole = format!("{} {}", place.origin().authority(), place.path());
            check(seen.insert(whole.clone()), || ("an upload URL of its own for each part", whole))?;
        }
        // The id tells when it was made, by the clock of the server. (CNV-7)
        let made = upload.media_id.parse::<Uuid>().ok().and_then(|id| id.get_timestamp());
        let Some((seconds, nanos)) = made.map(|made| made.to_unix()) else {
            return Err(Stop::failed("an id of version 7", upload.media_id));
        };
        let made = i64::try_from(seconds * 1000 + u64::from(nanos) / 1_000_000).unwrap_or_default();
        let lifetime = i64::try_from(world.lifetimes().upload_url_ttl_s * 1000).unwrap_or(i64::MAX);
        expect(millis(&upload.answer, "expires_at")? - made).to_be_within(lifetime - 1000, lifetime + 1000)?;
    }
    Ok(())
}

/// Asks for an upload of a kind, whose other parts are as they may be.
async fn asks_for(user: &User, kind: MediaKind, part: MediaPart, content_type: &str, size: u64) -> Verdict<Answer> {
    let purpose = if kind == MediaKind::Picture { "profile_picture" } else { "message" };
    let mut parts = vec![json!({ "part": part.as_str(), "content_type": content_type, "size": size })];
    let others: &[MediaPart] = match (kind, part) {
        (MediaKind::Picture, _) => &[MediaPart::Small, MediaPart::Medium, MediaPart::Large],
        (_, MediaPart::Preview) => &[MediaPart::Original],
        _ => &[],
    };
    for other in others.iter().filter(|other| **other != part) {
        let content_type = if kind == MediaKind::Video { "video/mp4" } else { "image/png" };
        parts.push(json!({ "part": other.as_str(), "content_type": content_type, "size": 2000 }));
    }
    let body = json!({ "purpose": purpose, "kind": kind.as_str(), "parts": parts });
    patiently(user.post("/v1/uploads", &body)).await
}

/// `invalid_request` with this code for a field inside `parts`. (ERR-4)
fn refused_inside_parts(answer: &Answer, field: &str, code: FieldCode) -> Verdict {
    let problem = answer.refused_with(ErrorCode::InvalidRequest)?;
    let listed = list_at(&problem, "fields")?.iter().any(|entry| {
        let named = entry["field"].as_str().unwrap_or_default();
        named.starts_with("parts") && named.ends_with(field) && entry["code"] == code.as_str()
    });
    check(listed, || (format!("invalid_request with {code} for {field} in parts"), answer.to_string()))
}

/// `invalid_request` with this code for whatever field. (MED-5)
fn refused_as(answer: &Answer, code: FieldCode) -> Verdict {
    let problem = answer.refused_with(ErrorCode::InvalidRequest)?;
    let listed = list_at(&problem, "fields")?.iter().any(|entry| entry["code"] == code.as_str());
    check(listed, || (format!("invalid_request with {code}"), answer.to_string()))
}

async fn sizes_end_at_the_published_bounds(world: &World) -> Verdict {
    for rule in rules(world).await? {
        let alice = world.user().await?;
        let own = rule.content_types.as_ref().and_then(|types| types.first()).map(ToString::to_string);
        let content_type = own.unwrap_or_else(|| "application/pdf".to_owned());
        let asks = async |size: u64| asks_for(&alice, rule.kind, rule.part, &content_type, size).await;
        for size in [rule.min_bytes, rule.min_bytes + 1, rule.max_bytes - 1, rule.max_bytes] {
            asks(size).await?.succeeded(201)?;
        }
        for size in [rule.min_bytes - 1, 0, rule.max_bytes + 1, rule.max_bytes * 1000, (1 << 53) - 1] {
            refused_inside_parts(&asks(size).await?, "size", FieldCode::OutOfRange)?;
        }
    }
    Ok(())
}

async fn types_are_those_that_are_published(world: &World) -> Verdict {
    /// Types that some kind or other has, and a few that none should show.
    const TYPES: &[&str] = &[
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/avif",
        "image/svg+xml",
        "image/gif",
        "video/mp4",
        "video/webm",
        "video/quicktime",
        "audio/ogg",
        "audio/aac",
        "audio/webm",
        "audio/mp4",
        "audio/mpeg",
        "audio/wav",
        "text/html",
        "application/javascript",
        "application/octet-stream",
    ];
    for rule in rules(world).await? {
        let alice = world.user().await?;
        for content_type in TYPES {
            let answer = asks_for(&alice, rule.kind, rule.part, content_type, rule.min_bytes.max(2000)).await?;
            let taken = content_type.parse().is_ok_and(|content_type| rule.takes_type(&content_type));
            if taken {
                answer.succeeded(201)?;
            } else {
                refused_inside_parts(&answer, "content_type", FieldCode::UnknownValue)?;
            }
        }
        for wrong in
            ["", "image", "image/", "/png", "image/png/x", "image/png\r\nX-Evil: 1", "image/p ng", "image/\u{e9}"]
        {
            let answer = asks_for(&alice, rule.kind, rule.part, wrong, 2000).await?;
            answer.refused_with(ErrorCode::InvalidRequest)?;
        }
    }
    Ok(())
}

async fn kinds_go_with_their_purposes_and_parts_with_their_kinds(world: &World) -> Verdict {
    let alice = world.user().await?;
    let asks = async |body: Value| patiently(alice.post("/v1/uploads", &body)).await;
    let part = |part: &str, content_type: &str| json!({ "part": part, "content_type": content_type, "size": 2000 });
    let (jpeg, mp4, ogg) = ("image/jpeg", "video/mp4", "audio/ogg");
    let original = |content_type: &str| vec![part("original", content_type)];
    let sizes = || ["small", "medium", "large"].map(|size| part(size, jpeg)).to_vec();
    for (purpose, kind, parts) in [
        ("message", "image", original(jpeg)),
        ("message", "video", original(mp4)),
        ("message", "voice", original(ogg)),
        ("message", "audio", original(ogg)),
        ("message", "file", original(jpeg)),
        ("profile_picture", "picture", sizes()),
        ("group_picture", "picture", sizes()),
        ("message", "video", [original(mp4), vec![part("preview", jpeg)]].concat()),
    ] {
        asks(json!({ "purpose": purpose, "kind": kind, "parts": parts })).await?.succeeded(201)?;
    }
    let but = |size: &str| sizes().into_iter().filter(|part| part["part"] != size).collect::<Vec<_>>();
    for (purpose, kind, parts, code) in [
        // A kind that does not go with the purpose.
        ("message", "picture", sizes(), FieldCode::Conflicting),
        ("profile_picture", "image", original(jpeg), FieldCode::Conflicting),
        ("group_picture", "file", original(jpeg), FieldCode::Conflicting),
        // A part that the kind does not have.
        ("message", "voice", [original(ogg), vec![part("preview", jpeg)]].concat(), FieldCode::Conflicting),
        ("message", "file", [original(jpeg), vec![part("preview", jpeg)]].concat(), FieldCode::Conflicting),
        ("message", "image", [original(jpeg), vec![part("small", jpeg)]].concat(), FieldCode::Conflicting),
        ("profile_picture", "picture", [but("small"), original(jpeg)].concat(), FieldCode::Conflicting),
        // A part that is stated twice.
        ("message", "image", [original(jpeg), original(jpeg)].concat(), FieldCode::Conflicting),
        ("group_picture", "picture", [but("large"), vec![part("small", jpeg)]].concat(), FieldCode::Conflicting),
        // A part that the kind must have.
        ("message", "image", vec![part("preview", jpeg)], FieldCode::Missing),
        ("profile_picture", "picture", but("small"), FieldCode::Missing),
        ("profile_picture", "picture", but("medium"), FieldCode::Missing),
        ("group_picture", "picture", but("large"), FieldCode::Missing),
    ] {
        let answer = asks(json!({ "purpose": purpose, "kind": kind, "parts": parts })).await?;
        refused_as(&answer, code)?;
    }
    Ok(())
}

async fn what_states_no_upload_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let right = Plan::image().body();
    let with = |path: &str, value: Value| {
        let mut body = right.clone();
        if let Some(place) = body.pointer_mut(path) {
            *place = value;
        }
        body
    };
    let asks = async |body: Value| patiently(alice.post("/v1/uploads", &body)).await;
    for (path, field, wrong, code) in [
        ("/purpose", "purpose", json!("chat"), FieldCode::UnknownValue),
        ("/purpose", "purpose", json!("unknown"), FieldCode::UnknownValue),
        ("/purpose", "purpose", json!(7), FieldCode::WrongType),
        ("/kind", "kind", json!("sticker"), FieldCode::UnknownValue),
        ("/kind", "kind", json!("unknown"), FieldCode::UnknownValue),
        ("/kind", "kind", json!(["image"]), FieldCode::WrongType),
        ("/parts", "parts", json!([]), FieldCode::TooShort),
        ("/parts", "parts", json!({}), FieldCode::WrongType),
        ("/parts", "parts", json!("original"), FieldCode::WrongType),
    ] {
        asks(with(path, wrong)).await?.refused_field(field, code)?;
    }
    for (path, field, wrong, code) in [
        ("/parts/0/part", "part", json!("../original"), FieldCode::UnknownValue),
        ("/parts/0/part", "part", json!("unknown"), FieldCode::UnknownValue),
        ("/parts/0/part", "part", json!(0), FieldCode::WrongType),
        ("/parts/0/content_type", "content_type", json!(7), FieldCode::WrongType),
        ("/parts/0/size", "size", json!("2000"), FieldCode::WrongType),
        ("/parts/0/size", "size", json!(2000.5), FieldCode::WrongType),
        ("/parts/0/size", "size", json!(true), FieldCode::WrongType),
    ] {
        refused_inside_parts(&asks(with(path, wrong)).await?, field, code)?;
    }
    for size in [json!(-1), json!(u64::MAX), json!(1e300)] {
        asks(with("/parts/0/size", size)).await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    for field in ["purpose", "kind", "parts"] {
        let mut body = right.clone();
        body.as_object_mut().map(|fields| fields.remove(field));
        asks(body).await?.refused_field(field, FieldCode::Missing)?;
    }
    for field in ["part", "content_type", "size"] {
        let mut body = right.clone();
        body["parts"][0].as_object_mut().map(|fields| fields.remove(field));
        refused_inside_parts(&asks(body).await?, field, FieldCode::Missing)?;
    }
    asks(with("/parts", json!(vec![right["parts"][0].clone(); 50]))).await?.refused_with(ErrorCode::InvalidRequest)?;
    alice.anonymous().post("/v1/uploads", &right).send().await?.refused_with(ErrorCode::Unauthenticated)?;
    // What a server does not know is no fault.
    let mut more = right.clone();
    more["title"] = json!("x");
    more["parts"][0]["checksum"] = json!("y");
    asks(more).await?.succeeded(201)?;
    Ok(())
}

async fn a_user_has_no_more_unused_uploads_than_the_limit(world: &World) -> Verdict {
    const MOST: u64 = 300;
    let limit = world.limits().max_unused_uploads;
    if limit > MOST {
        return Err(Stop::skipped(format!("max_unused_uploads is {limit}, too many to try ({MOST} at most)")));
    }
    world.needs(i9chat_spec::Profile::Messages)?;
    let [alice, bob] = world.users().await?;
    let plan = Plan::file(*b"x");
    // Complete or not, as long as nothing uses it.
    let complete = alice.uploads(&plan).await?;
    for _ in 1..limit {
        alice.states(&plan).await?;
    }
    let refused = async || {
        let answer = patiently(alice.stating(&plan)).await?;
        answer.refused_with(ErrorCode::TooManyUploads)
    };
    refused().await?;
    // Another user is not concerned.
    bob.states(&plan).await?;
    // Once a message uses it, there is room for one more.
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.sends_content(&chat_id, &file_of(&complete)).await.in_setup("sending a file")?;
    alice.states(&plan).await?;
    refused().await?;
    let history = bob.reads(format!("/v1/chats/{chat_id}/entries")).await?;
    expect(list_at(&history, "items")?.len()).to_equal(1)?;
    // Sending it again makes no more room.
    patiently(alice.sending_content(&chat_id, &file_of(&complete))).await?.succeeded(201)?;
    refused().await?;
    Ok(())
}

async fn an_upload_url_that_was_altered_is_refused(world: &World) -> Verdict {
    const MOST: usize = 40;
    let alice = world.user().await?;
    let plan = Plan::image();
    let [part] = plan.parts.as_slice() else { return Err(Stop::Inconclusive("an image has one part".to_owned())) };
    let upload = alice.states(&plan).await?;
    let Some(place) = upload.places.first() else {
        return Err(Stop::failed("an upload URL", upload.answer.to_string()));
    };
    for altered in place.altered(MOST) {
        let answer = altered.starting(&part.content_type).send().await?;
        check((400..500).contains(&answer.status), || {
            (format!("a status from 400 to 499 for {}", altered.path()), answer.to_string())
        })?;
    }
    // The one that was given is good.
    place.takes(&part.content_type, &part.bytes).await?;
    let complete = alice.completing(&upload.media_id).send().await?.succeeded(200)?;
    expect(text_at(&complete, "media_id")?).to_equal(&upload.media_id)
}

async fn an_upload_url_runs_out_and_an_upload_goes_on(world: &World) -> Verdict {
    let lifetime = world.lifetimes().upload_url_ttl_s;
    runs_out_soon("upload_url_ttl_s", lifetime)?;
    outlasts("unused_upload_ttl_s", world.lifetimes().unused_upload_ttl_s, lifetime)?;
    let alice = world.user().await?;
    let plan = Plan::image();
    let [part] = plan.parts.as_slice() else { return Err(Stop::Inconclusive("an image has one part".to_owned())) };
    let upload = alice.states(&plan).await?;
    let Some(place) = upload.places.first() else {
        return Err(Stop::failed("an upload URL", upload.answer.to_string()));
    };
    let transfer = place.starts(&part.content_type, part.bytes.len()).await?;
    let alice = time_passes(&alice, lifetime + 1).await?;
    let late = place.starting(&part.content_type).send().await?;
    check((400..500).contains(&late.status), || ("a status from 400 to 499", late.to_string()))?;
    // What was started before goes on.
    transfer.finishes(&part.bytes).await?;
    alice.completing(&upload.media_id).send().await?.succeeded(200)?;
    Ok(())
}
