//! Links to the bytes: good for a while, for whoever has one. (MED-23 to MED-27)

use i9chat_spec::Profile;

use super::{millis, outlasts, runs_out_soon, time_passes};
use crate::{
    cases,
    client::Answer,
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{
        User, World,
        media::{Place, Plan, files, media_path},
        patiently,
    },
};

cases! { Media:
    a_link_needs_no_token ["MED-23", "MED-24"],
    a_link_that_was_altered_is_refused ["MED-23"],
    a_link_stays_good_when_its_caller_may_see_the_media_no_longer ["MED-23"],
    a_link_runs_out ["MED-23"],
    one_range_is_answered_with_those_bytes ["MED-24"],
    a_range_beyond_the_end_is_told ["MED-24"],
    a_range_that_makes_no_sense_gives_no_other_bytes ["MED-24"],
    a_file_is_an_attachment_and_other_kinds_are_shown ["MED-25"],
    media_at_the_origin_of_the_server_runs_nothing ["MED-26"],
    a_foreign_page_gets_no_leave_at_media_urls ["MED-27", "CAL-7"],
}

/// Media that was uploaded: its bytes, and a link to them.
struct Linked {
    user: User,
    media_id: String,
    bytes: Vec<u8>,
    link: Place,
}

async fn linked(world: &World, plan: &Plan) -> Verdict<Linked> {
    let user = world.user().await?;
    let media_id = user.uploads(plan).await?;
    let [part] = plan.parts.as_slice() else { return Err(Stop::Inconclusive("a plan of one part".to_owned())) };
    let link = user.link(&media_id, part.part).await?;
    Ok(Linked { user, media_id, bytes: part.bytes.clone(), link })
}

/// The answer has this status and exactly these bytes.
fn holds(answer: &Answer, status: u16, bytes: &[u8]) -> Verdict {
    answer.has_status(status)?;
    check(answer.body == bytes, || {
        (format!("these {} bytes", bytes.len()), format!("{} bytes, others", answer.body.len()))
    })
}

/// The answer to `HEAD`; `None` when it is refused, as it may be. (MED-24)
async fn head_of(link: &Place) -> Verdict<Option<Answer>> {
    let answer = link.request("HEAD").send().await?;
    match answer.status {
        200 => Ok(Some(answer)),
        400..=499 => Ok(None),
        _ => Err(answer.other_than("200, or a status from 400 to 499")),
    }
}

async fn a_link_needs_no_token(world: &World) -> Verdict {
    for plan in [Plan::image(), Plan::original("video", "video/mp4", files::mp4(*b"isom", 300_000)), Plan::file(*b"x")]
    {
        let Linked { user, media_id, bytes, link } = linked(world, &plan).await?;
        for _ in 0..2 {
            let answer = link.get().send().await?;
            holds(&answer, 200, &bytes)?;
            expect(answer.header("content-type")).to_equal(&plan.parts[0].content_type)?;
            if let Some(head) = head_of(&link).await? {
                expect(head.header("content-length")).to_equal(bytes.len().to_string())?;
                expect(head.header("content-type")).to_equal(&plan.parts[0].content_type)?;
            }
        }
        // Even when the session that asked for it has ended.
        let told = user.asks_for_media(&media_id, "original").await?.succeeded(200)?;
        user.signs_out().await?;
        let path = media_path(&media_id, "original");
        let link = Place::resolve(&user, &path, told["url"].as_str().unwrap_or_default())?;
        holds(&link.get().send().await?, 200, &bytes)?;
    }
    Ok(())
}

async fn a_link_that_was_altered_is_refused(world: &World) -> Verdict {
    const MOST: usize = 40;
    let Linked { link, bytes, .. } = linked(world, &Plan::image()).await?;
    for altered in link.altered(MOST) {
        let answer = altered.get().send().await?;
        check((400..500).contains(&answer.status), || {
            (format!("a status from 400 to 499 for {}", altered.path()), answer.to_string())
        })?;
    }
    // Cut short, and without what signs it.
    let path = link.path();
    let without_query = path.split('?').next().unwrap_or_default();
    for cut in [path.get(..path.len() - 1).unwrap_or_default(), without_query] {
        if cut == path {
            continue;
        }
        let answer = link.with_path(cut).get().send().await?;
        check((400..500).contains(&answer.status), || {
            (format!("a status from 400 to 499 for {cut}"), answer.to_string())
        })?;
    }
    holds(&link.get().send().await?, 200, &bytes)
}

async fn a_link_stays_good_when_its_caller_may_see_the_media_no_longer(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let [alice, bob] = world.users().await?;
    let plan = Plan::picture("profile_picture");
    let media_id = alice.uploads(&plan).await?;
    let shows = async |picture_id: serde_json::Value| {
        let patch = serde_json::json!({ "picture_id": picture_id });
        patiently(alice.patch("/v1/me", &patch)).await?.succeeded(200)
    };
    shows(serde_json::json!(media_id)).await?;
    let link = bob.link(&media_id, "small").await?;
    shows(serde_json::Value::Null).await?;
    bob.reads_no_media(&media_id, "small").await?;
    let small = plan.parts.iter().find(|part| part.part == "small").map(|part| part.bytes.as_slice());
    holds(&link.get().send().await?, 200, small.unwrap_or_default())
}

async fn a_link_runs_out(world: &World) -> Verdict {
    let lifetime = world.lifetimes().download_url_ttl_s;
    let Linked { user, media_id, link, bytes } = linked(world, &Plan::image()).await?;
    // The session was made just after the link, by the clock of the server, give or take a slow machine.
    let told = user.asks_for_media(&media_id, "original").await?.succeeded(200)?;
    let sessions = user.signs_in_again().await?.get("/v1/sessions").send().await?.succeeded(200)?;
    let left = millis(&told, "expires_at")? - millis(&sessions["items"][0], "created_at")?;
    let whole = i64::try_from(lifetime * 1000).unwrap_or(i64::MAX);
    expect(left).to_be_within(whole - 60_000, whole)?;
    holds(&link.get().send().await?, 200, &bytes)?;
    runs_out_soon("download_url_ttl_s", lifetime)?;
    outlasts("unused_upload_ttl_s", world.lifetimes().unused_upload_ttl_s, lifetime)?;
    let user = time_passes(&user, lifetime + 1).await?;
    for method in ["GET", "HEAD"] {
        let answer = link.request(method).send().await?;
        check((400..500).contains(&answer.status), || ("a status from 400 to 499", answer.to_string()))?;
    }
    holds(&user.link(&media_id, "original").await?.get().send().await?, 200, &bytes)
}

async fn one_range_is_answered_with_those_bytes(world: &World) -> Verdict {
    let Linked { link, bytes, .. } = linked(world, &Plan::file(files::noise(10_000))).await?;
    for (range, first, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=5000-5999", 5000, 6000),
        ("bytes=9999-9999", 9999, 10_000),
        ("bytes=0-9999", 0, 10_000),
        ("bytes=1234-", 1234, 10_000),
        ("bytes=0-", 0, 10_000),
        ("bytes=-1", 9999, 10_000),
        ("bytes=-500", 9500, 10_000),
        // What lies beyond the end is left out, and a longer end is all there is.
        ("bytes=9000-99999", 9000, 10_000),
        ("bytes=-99999", 0, 10_000),
    ] {
        let answer = link.get().header("Range", range).send().await?;
        holds(&answer, 206, bytes.get(first..end).unwrap_or_default())
            .map_err(|stop| Stop::failed(format!("Range: {range}"), stop.to_string()))?;
        expect(answer.header("content-range")).to_equal(format!("bytes {first}-{}/10000", end - 1))?;
    }
    // Several ranges: all of the bytes, or those parts of them.
    let answer = link.get().header("Range", "bytes=0-9,20-29").send().await?;
    if answer.status == 206 {
        let kind = answer.needs_header("content-type")?;
        check(kind.starts_with("multipart/byteranges"), || ("multipart/byteranges", kind.to_owned()))
    } else {
        holds(&answer, 200, &bytes)
    }
}

async fn a_range_beyond_the_end_is_told(world: &World) -> Verdict {
    let Linked { link, bytes, .. } = linked(world, &Plan::file(files::noise(1000))).await?;
    for range in ["bytes=1000-", "bytes=1000-1000", "bytes=5000-6000", "bytes=18446744073709551615-"] {
        let answer = link.get().header("Range", range).send().await?;
        answer.has_status(416)?;
        expect(answer.header("content-range")).to_equal("bytes */1000")?;
    }
    holds(&link.get().send().await?, 200, &bytes)
}

async fn a_range_that_makes_no_sense_gives_no_other_bytes(world: &World) -> Verdict {
    let Linked { link, bytes, .. } = linked(world, &Plan::file(files::noise(1000))).await?;
    for range in [
        "",
        "bytes",
        "bytes=",
        "bytes=x-y",
        "bytes=5-2",
        "bytes=--5",
        "bytes=-0",
        "lines=0-5",
        "0-5",
        "bytes=0-5-9",
        "bytes=+1-5",
        "bytes=99999999999999999999999-",
        "bytes=0-99999999999999999999999",
        "bytes=1.5-3",
        "bytes=0x1-0x5",
    ] {
        let answer = link.get().header("Range", range).send().await?;
        // All of it, some of it, or none: but nothing that is not there.
        let told = || (format!("bytes of the file or a refusal for Range: {range}"), answer.to_string());
        match answer.status {
            200 => check(answer.body == bytes, told)?,
            206 => {
                let is_part = bytes.windows(answer.body.len().max(1)).any(|part| part == answer.body);
                check(is_part, told)?;
            }
            status => check((400..500).contains(&status), told)?,
        }
    }
    Ok(())
}

async fn a_file_is_an_attachment_and_other_kinds_are_shown(world: &World) -> Verdict {
    let is_attachment = |answer: &Answer| {
        let disposition = answer.header("content-disposition").map(str::to_lowercase);
        disposition
            .is_some_and(|disposition| disposition.split(';').next().is_some_and(|kind| kind.trim() == "attachment"))
    };
    for content_type in ["text/html", "image/png", "application/pdf", "image/svg+xml"] {
        let plan = Plan::original("file", content_type, *b"<script>alert(1)</script>");
        let Linked { link, .. } = linked(world, &plan).await?;
        let whole = link.get().send().await?;
        whole.has_status(200)?;
        for answer in [Some(whole), head_of(&link).await?].into_iter().flatten() {
            let shown = answer.header("content-disposition").unwrap_or("none").to_owned();
            check(is_attachment(&answer), || ("Content-Disposition: attachment", shown.clone()))?;
            check(!shown.to_lowercase().contains("filename"), || ("no name", shown.clone()))?;
        }
        let part = link.get().header("Range", "bytes=0-3").send().await?;
        check(is_attachment(&part), || ("Content-Disposition: attachment", format!("{:?}", part.headers)))?;
    }
    for plan in [Plan::image(), Plan::original("audio", "audio/mpeg", files::mp3(800))] {
        let Linked { link, .. } = linked(world, &plan).await?;
        let answer = link.get().send().await?;
        answer.has_status(200)?;
        check(!is_attachment(&answer), || ("an image or sound that is shown where it is", "an attachment"))?;
    }
    Ok(())
}

async fn media_at_the_origin_of_the_server_runs_nothing(world: &World) -> Verdict {
    let plan = Plan::original("file", "text/html", *b"<script>alert(1)</script>");
    let Linked { link, .. } = linked(world, &plan).await?;
    if !world.target().origins().contains(link.origin()) {
        return Err(Stop::skipped(format!("media is kept at another origin ({})", link.origin().as_header())));
    }
    let whole = link.get().send().await?;
    whole.has_status(200)?;
    let piece = link.get().header("Range", "bytes=0-3").send().await?;
    piece.has_status(206)?;
    for answer in [Some(whole), Some(piece), head_of(&link).await?].into_iter().flatten() {
        expect(answer.header("x-content-type-options").map(str::to_lowercase)).to_equal("nosniff")?;
        let policy = answer.needs_header("content-security-policy")?.to_lowercase();
        let directives: Vec<_> = policy.split(';').map(str::trim).collect();
        check(directives.contains(&"sandbox"), || {
            ("Content-Security-Policy: sandbox, without exceptions", policy.clone())
        })?;
        check(directives.contains(&"default-src 'none'"), || {
            ("Content-Security-Policy: default-src 'none'", policy.clone())
        })?;
    }
    Ok(())
}

async fn a_foreign_page_gets_no_leave_at_media_urls(world: &World) -> Verdict {
    const FOREIGN: &str = "https://evil.example";
    let alice = world.user().await?;
    let plan = Plan::image();
    let upload = alice.states(&plan).await?;
    let Some(place) = upload.places.first() else {
        return Err(Stop::failed("an upload URL", upload.answer.to_string()));
    };
    let (part, link) = (&plan.parts[0], linked(world, &Plan::image()).await?.link);
    let preflight = |place: &Place, method: &str| {
        place.request("OPTIONS").header("Origin", FOREIGN).header("Access-Control-Request-Method", method)
    };
    for request in [
        preflight(place, "POST").header("Access-Control-Request-Headers", "x-goog-resumable,content-type"),
        preflight(&link, "GET"),
        link.get().header("Origin", FOREIGN),
        place.starting(&part.content_type).header("Origin", FOREIGN),
    ] {
        let answer = request.send().await?;
        let leave = answer.header("access-control-allow-origin");
        check(leave.is_none_or(|leave| leave != "*" && leave != FOREIGN), || {
            ("no leave for a foreign origin", format!("Access-Control-Allow-Origin: {}", leave.unwrap_or_default()))
        })?;
    }
    // Without an origin all goes well.
    place.takes(&part.content_type, &part.bytes).await?;
    alice.completing(&upload.media_id).send().await?.succeeded(200)?;
    Ok(())
}
