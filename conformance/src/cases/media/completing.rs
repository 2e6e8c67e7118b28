//! Completing an upload: what arrived is checked. (MED-13 to MED-17)

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::json;

use super::{no_media, rules, runs_out_soon, time_passes};
use crate::{
    cases,
    client::Answer,
    expect::expect,
    verdict::{Stop, Verdict},
    world::{
        User, World,
        media::{Part, Place, Plan, answers_alike, files},
        patiently,
    },
};

cases! { Media:
    completing_tells_what_arrived_however_often ["MED-13", "MED-14"],
    an_upload_with_bytes_missing_does_not_complete ["MED-13"],
    an_upload_of_others_is_as_one_that_does_not_exist ["MED-13", "ERR-6", "CNV-7"],
    a_file_of_every_published_type_completes ["MED-3", "MED-15"],
    what_is_not_of_its_type_is_rejected ["MED-15"],
    every_part_is_checked ["MED-15"],
    what_was_rejected_is_of_no_use ["MED-15", "MED-18", "MED-21"],
    a_file_is_not_checked ["MED-15"],
    a_container_is_checked_as_such ["MED-15"],
    an_upload_that_is_not_completed_runs_out ["MED-16"],
    media_that_nothing_uses_runs_out ["MED-17", "MED-14"],
}

async fn completes(user: &User, media_id: &str) -> Verdict<Answer> {
    patiently(user.completing(media_id)).await
}

async fn completing_tells_what_arrived_however_often(world: &World) -> Verdict {
    let alice = world.user().await?;
    let plans = [
        Plan::image().with("preview", "image/jpeg", files::jpeg(1100)),
        Plan::picture("group_picture"),
        Plan::file(*b"#!/bin/sh\n"),
    ];
    for plan in &plans {
        let media_id = alice.sends_media(plan).await?;
        let wanted = json!({
            "media_id": media_id, "purpose": plan.purpose, "kind": plan.kind, "parts": plan.stated_parts(),
        });
        for _ in 0..3 {
            expect(completes(&alice, &media_id).await?.succeeded(200)?).to_equal(&wanted)?;
        }
        // By another session of the same user, too.
        expect(completes(&alice.signs_in_again().await?, &media_id).await?.succeeded(200)?).to_equal(&wanted)?;
        for part in &plan.parts {
            alice.reads_media(&media_id, part.part, &part.bytes).await?;
        }
    }
    Ok(())
}

async fn an_upload_with_bytes_missing_does_not_complete(world: &World) -> Verdict {
    let alice = world.user().await?;
    let plan = Plan::picture("profile_picture");
    let upload = alice.states(&plan).await?;
    let media_id = &upload.media_id;
    let incomplete = async || completes(&alice, media_id).await?.refused_with(ErrorCode::UploadIncomplete).map(drop);
    incomplete().await?;
    let ways: Vec<(&Place, &Part)> = upload.places.iter().zip(&plan.parts).collect();
    let [(first, small), (second, medium), (third, large)] = ways.as_slice() else {
        return Err(Stop::failed("three upload URLs", upload.answer.to_string()));
    };
    // Two of three parts.
    first.takes(&small.content_type, &small.bytes).await?;
    second.takes(&medium.content_type, &medium.bytes).await?;
    incomplete().await?;
    // Started, and all but one byte of it.
    let transfer = third.starts(&large.content_type, large.bytes.len()).await?;
    incomplete().await?;
    transfer.breaks_off_after(&large.bytes, large.bytes.len() - 1).await?;
    incomplete().await?;
    alice.reads_no_media(media_id, "small").await?;
    // The upload goes on.
    transfer.finishes(&large.bytes).await?;
    completes(&alice, media_id).await?.succeeded(200)?;
    alice.reads_media(media_id, "large", &large.bytes).await
}

async fn an_upload_of_others_is_as_one_that_does_not_exist(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let unknown = completes(&bob, &no_media()).await?;
    let started = alice.states(&Plan::image()).await?.media_id;
    let sent = alice.sends_media(&Plan::image()).await?;
    let complete = alice.uploads(&Plan::image()).await?;
    for media_id in [&started, &sent, &complete] {
        answers_alike(&completes(&bob, media_id).await?, &unknown, ErrorCode::MediaNotFound)?;
    }
    for wrong in ["x", "..", &sent.to_uppercase(), "%00"] {
        if wrong == ".." {
            continue;
        }
        completes(&bob, wrong).await?.refused_field("media_id", FieldCode::BadFormat)?;
    }
    // Bob's tries have changed nothing.
    completes(&alice, &started).await?.refused_with(ErrorCode::UploadIncomplete)?;
    completes(&alice, &sent).await?.succeeded(200)?;
    Ok(())
}

/// Uploads a file of a kind, with these bytes, and answers its id and what completing it was answered.
async fn tries(user: &User, kind: &'static str, content_type: &str, bytes: Vec<u8>) -> Verdict<(String, Answer)> {
    let media_id = user.sends_media(&Plan::original(kind, content_type, bytes)).await?;
    let answer = completes(user, &media_id).await?;
    Ok((media_id, answer))
}

async fn a_file_of_every_published_type_completes(world: &World) -> Verdict {
    for rule in rules(world).await? {
        let alice = world.user().await?;
        for content_type in rule.content_types.iter().flatten() {
            let size = usize::try_from(rule.min_bytes).unwrap_or_default().max(600);
            // Types that a server takes beyond those of the table are its own affair.
            let Some(bytes) = files::of_type(content_type.as_str(), size) else { continue };
            let plan = match (rule.kind.as_str(), rule.part.as_str()) {
                (kind @ ("image" | "video" | "voice" | "audio"), "original") => {
                    let kind = ["image", "video", "voice", "audio"].into_iter().find(|known| *known == kind);
                    Plan::original(kind.unwrap_or("image"), content_type.as_str(), bytes)
                }
                ("image", "preview") => Plan::image().with("preview", content_type.as_str(), bytes),
                ("picture", size) => {
                    let mut plan = Plan::picture("profile_picture");
                    for part in plan.parts.iter_mut().filter(|part| part.part == size) {
                        part.content_type = content_type.to_string();
                        part.bytes.clone_from(&bytes);
                    }
                    plan
                }
                _ => continue,
            };
            let media_id = alice.uploads(&plan).await.map_err(|stop| {
                Stop::failed(format!("a file of the type {content_type} taken as {}", rule.kind), stop.to_string())
            })?;
            for part in &plan.parts {
                alice.reads_media(&media_id, part.part, &part.bytes).await?;
            }
        }
    }
    // Sound in MPEG begins with a tag, or without one.
    let alice = world.user().await?;
    let (_, answer) = tries(&alice, "audio", "audio/mpeg", files::mp3_without_tag(2085)).await?;
    answer.succeeded(200)?;
    Ok(())
}

/// What is stated as a picture, and is none.
fn impostors() -> Vec<Vec<u8>> {
    let texts = [
        "#!/bin/sh\nrm -rf /\n",
        "<!DOCTYPE html><html><script>alert(1)</script>",
        "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        "\u{feff}just text",
        "<?php system($_GET['c']); ?>",
        // What tells the type stands at the beginning of a file, not somewhere in it.
        "x\u{ff}\u{d8}\u{ff}\u{e0} JFIF PNG RIFF WEBP ftyp webm OggS ID3",
        "%PDF-1.7\n",
        "MZ\u{90}\0\u{3}",
    ];
    let mut found: Vec<Vec<u8>> = texts
        .into_iter()
        .map(|text| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(2000, b' ');
            bytes
        })
        .collect();
    found.push(vec![0; 2000]);
    found.push(files::noise(2000));
    // The beginning of a type, cut short or with one bit turned.
    let mut png = files::png(2000);
    if let Some(byte) = png.get_mut(7) {
        *byte ^= 1;
    }
    found.push(png);
    found
}

async fn what_is_not_of_its_type_is_rejected(world: &World) -> Verdict {
    const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/avif"];
    // One that is none for each type, and each of the others in its place; another user for each type, whose uploads are limited.
    for (kind, tried, types) in [
        // What is shown is where a script would run: everything is tried there, some of it elsewhere.
        ("image", usize::MAX, IMAGES.as_slice()),
        ("video", 4, &["video/mp4", "video/webm"]),
        ("audio", 4, &["audio/ogg", "audio/aac", "audio/mpeg", "audio/mp4", "audio/webm"]),
    ] {
        for stated in types {
            let alice = world.user().await?;
            // A tag of ID3 may stand before other sound, too: what is no such sound begins without one.
            let other_file = |other: &&str| match *other {
                "audio/mpeg" => Some(files::mp3_without_tag(2085)),
                other => files::of_type(other, 2000),
            };
            let others = types.iter().filter(|other| *other != stated).filter_map(other_file);
            for bytes in impostors().into_iter().take(tried).chain(others) {
                let beginning = crate::journal::shown_bytes(bytes.get(..40).unwrap_or_default());
                let (_, answer) = tries(&alice, kind, stated, bytes).await?;
                answer.refused_with(ErrorCode::MediaRejected).map_err(|stop| {
                    Stop::failed(
                        format!("media_rejected for what is stated as {stated} and begins with {beginning}"),
                        stop.to_string(),
                    )
                })?;
            }
        }
    }
    Ok(())
}

async fn every_part_is_checked(world: &World) -> Verdict {
    let alice = world.user().await?;
    let script = || {
        let mut bytes = b"<script>alert(1)</script>".to_vec();
        bytes.resize(1500, b' ');
        bytes
    };
    let mut plans = vec![
        Plan::image().with("preview", "image/png", script()),
        Plan::original("video", "video/mp4", files::mp4(*b"isom", 3000)).with("preview", "image/webp", script()),
    ];
    for size in ["small", "medium", "large"] {
        let mut plan = Plan::picture("group_picture");
        for part in plan.parts.iter_mut().filter(|part| part.part == size) {
            part.bytes = script();
        }
        plans.push(plan);
    }
    for plan in plans {
        let media_id = alice.sends_media(&plan).await?;
        completes(&alice, &media_id).await?.refused_with(ErrorCode::MediaRejected)?;
    }
    Ok(())
}

async fn what_was_rejected_is_of_no_use(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut plan = Plan::picture("profile_picture");
    for part in plan.parts.iter_mut().filter(|part| part.part == "small") {
        part.bytes = b"<html>".to_vec();
    }
    let upload = alice.states(&plan).await?;
    let mut transfers = Vec::new();
    for (place, part) in upload.places.iter().zip(&plan.parts) {
        let transfer = place.starts(&part.content_type, part.bytes.len()).await?;
        transfer.finishes(&part.bytes).await?;
        transfers.push(transfer);
    }
    for _ in 0..3 {
        completes(&alice, &upload.media_id).await?.refused_with(ErrorCode::MediaRejected)?;
        // Other bytes do not come in its place.
        for transfer in &transfers {
            transfer.puts(0, &files::jpeg(200)).await?;
        }
    }
    alice.reads_no_media(&upload.media_id, "large").await?;
    let patch = json!({ "picture_id": upload.media_id });
    if world.claims(i9chat_spec::Profile::Users) {
        alice.patch("/v1/me", &patch).send().await?.refused_with(ErrorCode::MediaNotUsable)?;
    }
    // A picture that is one completes.
    alice.uploads(&Plan::picture("profile_picture")).await?;
    Ok(())
}

async fn a_file_is_not_checked(world: &World) -> Verdict {
    let alice = world.user().await?;
    for (content_type, bytes) in [
        ("image/png", b"#!/bin/sh\n".to_vec()),
        ("text/html", b"<script>alert(1)</script>".to_vec()),
        ("application/x-anything-at-all", vec![0]),
        ("video/mp4", files::noise(777)),
    ] {
        let (media_id, answer) = tries(&alice, "file", content_type, bytes.clone()).await?;
        answer.succeeded(200)?;
        alice.reads_media(&media_id, "original", &bytes).await?;
    }
    Ok(())
}

async fn a_container_is_checked_as_such(world: &World) -> Verdict {
    let alice = world.user().await?;
    // Sound or video: what is inside is not looked at.
    let (mp4, webm) = (files::mp4(*b"isom", 2000), files::webm(2000));
    for (kind, content_type, bytes) in [
        ("video", "video/mp4", &mp4),
        ("audio", "audio/mp4", &mp4),
        ("voice", "audio/mp4", &mp4),
        ("video", "video/webm", &webm),
        ("audio", "audio/webm", &webm),
        ("voice", "audio/webm", &webm),
    ] {
        tries(&alice, kind, content_type, bytes.clone()).await?.1.succeeded(200)?;
    }
    Ok(())
}

async fn an_upload_that_is_not_completed_runs_out(world: &World) -> Verdict {
    let lifetime = world.lifetimes().unused_upload_ttl_s;
    runs_out_soon("unused_upload_ttl_s", lifetime)?;
    let alice = world.user().await?;
    let started = alice.states(&Plan::image()).await?.media_id;
    let sent = alice.sends_media(&Plan::image()).await?;
    let alice = time_passes(&alice, lifetime + 1).await?;
    let unknown = completes(&alice, &no_media()).await?;
    for media_id in [&started, &sent] {
        answers_alike(&completes(&alice, media_id).await?, &unknown, ErrorCode::MediaNotFound)?;
    }
    Ok(())
}

async fn media_that_nothing_uses_runs_out(world: &World) -> Verdict {
    let lifetime = world.lifetimes().unused_upload_ttl_s;
    runs_out_soon("unused_upload_ttl_s", lifetime)?;
    world.needs(i9chat_spec::Profile::Messages)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let (plan, other) = (Plan::file(*b"used"), Plan::file(*b"unused"));
    let (used, unused) = (alice.uploads(&plan).await?, alice.uploads(&other).await?);
    alice.sends_content(&chat_id, &crate::world::media::file_of(&used)).await?;
    let alice = time_passes(&alice, lifetime + 1).await?;
    alice.reads_no_media(&unused, "original").await?;
    let unknown = completes(&alice, &no_media()).await?;
    answers_alike(&completes(&alice, &unused).await?, &unknown, ErrorCode::MediaNotFound)?;
    let late = patiently(alice.sending_content(&chat_id, &crate::world::media::file_of(&unused))).await?;
    late.refused_with(ErrorCode::MediaNotUsable)?;
    // What a message shows stays, and may be used again.
    bob.renewed().await?.reads_media(&used, "original", b"used").await?;
    completes(&alice, &used).await?.succeeded(200)?;
    alice.sends_content(&chat_id, &crate::world::media::file_of(&used)).await?;
    Ok(())
}
