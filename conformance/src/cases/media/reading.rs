//! Who may read media, and how one asks for it. (MED-20 to MED-22)

use i9chat_spec::{ErrorCode, FieldCode, Format, Profile};
use serde_json::{Value, json};

use super::no_media;
use crate::{
    cases,
    client::Answer,
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::{
        World,
        media::{Place, Plan, file_of, files, image_of, media_path},
        patiently,
    },
};

cases! { Media:
    media_is_its_uploaders_alone_until_it_is_used ["MED-20", "MED-21", "ERR-6"],
    media_of_a_direct_chat_is_for_its_two_users ["MED-20", "ERR-6"],
    media_of_a_group_is_for_those_who_may_see_its_message ["MED-20", "GRP-16", "ERR-6"],
    media_that_is_not_complete_is_not_there ["MED-21"],
    a_part_that_is_not_there_is_told ["MED-21", "CNV-7"],
    media_is_for_those_who_signed_in ["MED-21", "CAL-1"],
    accept_decides_between_a_link_and_a_redirect ["MED-21", "MED-22"],
}

async fn media_is_its_uploaders_alone_until_it_is_used(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for plan in [Plan::image(), Plan::file(*b"x"), Plan::picture("profile_picture"), Plan::picture("group_picture")] {
        let media_id = alice.uploads(&plan).await?;
        for part in &plan.parts {
            alice.reads_media(&media_id, part.part, &part.bytes).await?;
            bob.reads_no_media(&media_id, part.part).await?;
            // By a redirect, too.
            let answer = patiently(bob.get(media_path(&media_id, part.part))).await?;
            answer.refused_with(ErrorCode::MediaNotFound)?;
        }
    }
    Ok(())
}

async fn media_of_a_direct_chat_is_for_its_two_users(world: &World) -> Verdict {
    world.needs(Profile::Messages)?;
    let [alice, bob, stranger] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let plan =
        Plan::original("image", "image/webp", files::webp(2000)).with("preview", "image/avif", files::avif(1200));
    let media_id = alice.uploads(&plan).await?;
    bob.reads_no_media(&media_id, "preview").await?;
    alice.sends_content(&chat_id, &image_of(&media_id)).await?;
    for part in &plan.parts {
        for user in [&alice, &bob] {
            user.reads_media(&media_id, part.part, &part.bytes).await?;
        }
        stranger.reads_no_media(&media_id, part.part).await?;
    }
    // A chat with one of the two changes nothing.
    stranger.opens_direct_chat_with(&alice).await?;
    stranger.reads_no_media(&media_id, "original").await
}

async fn media_of_a_group_is_for_those_who_may_see_its_message(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [admin, member, left, removed, stranger, later] = world.users().await?;
    let chat_id = admin.founds("with media", [&member, &left, &removed]).await?;
    let (earlier, then) = (Plan::file(*b"while all were there"), Plan::file(*b"after two had gone"));
    let first = admin.uploads(&earlier).await?;
    admin.sends_content(&chat_id, &file_of(&first)).await?;
    left.leaves(&chat_id).await?;
    admin.removes(&chat_id, &removed).await?;
    let second = admin.uploads(&then).await?;
    admin.sends_content(&chat_id, &file_of(&second)).await?;
    later.joins(&chat_id).await?;
    let (was, is) = (b"while all were there".as_slice(), b"after two had gone".as_slice());
    for user in [&admin, &member, &left, &removed] {
        user.reads_media(&first, "original", was).await?;
    }
    for user in [&admin, &member] {
        user.reads_media(&second, "original", is).await?;
    }
    for user in [&left, &removed, &stranger, &later] {
        user.reads_no_media(&second, "original").await?;
    }
    for user in [&stranger, &later] {
        user.reads_no_media(&first, "original").await?;
    }
    // What is shown once more after one has come back can be read from then on.
    left.joins(&chat_id).await?;
    left.reads_no_media(&second, "original").await?;
    admin.sends_content(&chat_id, &file_of(&second)).await?;
    for user in [&left, &later] {
        user.reads_media(&second, "original", is).await?;
    }
    removed.reads_no_media(&second, "original").await?;
    stranger.reads_no_media(&second, "original").await
}

async fn media_that_is_not_complete_is_not_there(world: &World) -> Verdict {
    let alice = world.user().await?;
    let plan = Plan::image();
    let started = alice.states(&plan).await?.media_id;
    alice.reads_no_media(&started, "original").await?;
    let sent = alice.sends_media(&plan).await?;
    alice.reads_no_media(&sent, "original").await?;
    alice.completing(&sent).send().await?.succeeded(200)?;
    alice.reads_media(&sent, "original", &plan.parts[0].bytes).await
}

async fn a_part_that_is_not_there_is_told(world: &World) -> Verdict {
    let alice = world.user().await?;
    let image = alice.uploads(&Plan::image()).await?;
    let picture = alice.uploads(&Plan::picture("profile_picture")).await?;
    for (media_id, part) in [(&image, "preview"), (&image, "small"), (&picture, "original"), (&picture, "preview")] {
        alice.reads_no_media(media_id, part).await?;
    }
    for wrong in ["thumbnail", "unknown", "ORIGINAL", "original%00", "%2e%2e%2foriginal"] {
        let answer = alice.asks_for_media(&image, wrong).await?;
        answer.refused_field("part", FieldCode::UnknownValue)?;
    }
    for wrong in ["x", "..%2f..%2fetc%2fpasswd", &image.to_uppercase(), &format!("{image}%00")] {
        alice.asks_for_media(wrong, "original").await?.refused_field("media_id", FieldCode::BadFormat)?;
    }
    Ok(())
}

async fn media_is_for_those_who_signed_in(world: &World) -> Verdict {
    let alice = world.user().await?;
    let media_id = alice.uploads(&Plan::image()).await?;
    let path = media_path(&media_id, "original");
    alice.anonymous().get(&path).send().await?.refused_with(ErrorCode::Unauthenticated)?;
    alice.with_token("rubbish").get(&path).send().await?.refused_with(ErrorCode::TokenInvalid)?;
    alice.get(&path).send().await?.has_status(302)
}

/// A redirect, or a link in an encoding.
#[derive(Clone, Copy)]
enum Led {
    Away,
    ByLink(Format),
}

/// Where an answer leads, which must be what was asked for.
fn led(answer: &Answer, wanted: Led) -> Verdict<String> {
    match wanted {
        Led::Away => {
            answer.has_status(302)?;
            let cache = answer.needs_header("cache-control")?;
            let directives: Vec<_> = cache.split(',').map(|directive| directive.trim().to_lowercase()).collect();
            check(["private", "no-store"].iter().all(|wanted| directives.iter().any(|have| have == wanted)), || {
                ("Cache-Control: private, no-store", cache.to_owned())
            })?;
            Ok(answer.needs_header("location")?.to_owned())
        }
        Led::ByLink(format) => {
            let link = answer.succeeded(200)?;
            let kind = answer.needs_header("content-type")?.split(';').next().unwrap_or_default().trim().to_owned();
            expect(kind).to_equal(format.media_type())?;
            text_at(&link, "expires_at")?;
            text_at(&link, "url")
        }
    }
}

async fn accept_decides_between_a_link_and_a_redirect(world: &World) -> Verdict {
    let alice = world.user().await?;
    let plan = Plan::image();
    let media_id = alice.uploads(&plan).await?;
    let path = media_path(&media_id, "original");
    let (away, json, packed) = (Led::Away, Led::ByLink(Format::Json), Led::ByLink(Format::MessagePack));
    let mut asked = vec![
        (None, away),
        (Some("*/*"), away),
        (Some("application/*"), away),
        (Some("image/png"), away),
        (Some("image/*,*/*;q=0.8"), away),
        (Some("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"), away),
        (Some("application/json;q=0"), away),
        (Some("application/json;q=0.0, */*"), away),
        (Some("text/plain"), away),
        (Some("application/jsonx"), away),
        (Some("application/json"), json),
        (Some("application/json, */*"), json),
        (Some("*/*, application/json;q=0.1"), json),
        (Some("image/png, application/json;q=0.001"), json),
        (Some("APPLICATION/JSON"), json),
        (Some("application/json; charset=utf-8"), json),
    ];
    if world.claims(Profile::Msgpack) {
        asked.extend([
            (Some("application/vnd.msgpack"), packed),
            (Some("application/vnd.msgpack, application/json;q=0.5"), packed),
            (Some("application/json;q=0, application/vnd.msgpack;q=0.2"), packed),
            (Some("application/vnd.msgpack;q=0.5, application/json"), json),
            (Some("application/vnd.msgpack;q=0"), away),
        ]);
    }
    for (accept, wanted) in asked {
        let request = alice.get(&path);
        let request = match accept {
            Some(accept) => request.header("Accept", accept),
            None => request,
        };
        let url = led(&patiently(request).await?, wanted)?;
        let came = Place::resolve(&alice, &path, &url)?.get().send().await?;
        came.has_status(200)?;
        check(came.body == plan.parts[0].bytes, || {
            ("the bytes that were uploaded", format!("{} others", came.body.len()))
        })?;
    }
    // Errors are answered as CNV-3 has it, and never with `not_acceptable`.
    for accept in ["image/png", "*/*", "application/json;q=0"] {
        let answer = alice.get(media_path(&no_media(), "original")).header("Accept", accept).send().await?;
        expect(answer.status).to_equal(404)?;
        let code = answer.value.as_ref().map(|problem: &Value| problem["code"].clone());
        expect(code).to_equal(json!("media_not_found"))?;
    }
    Ok(())
}
