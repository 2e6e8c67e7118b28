//! Resumable uploads: in pieces, with breaks, and against nonsense. (MED-8 to MED-12)

use futures_util::try_join;
use serde_json::Value;

use crate::{
    cases,
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{
        User, World,
        media::{Place, Plan, Progress, Transfer, files},
    },
};

cases! { Media:
    bytes_go_up_in_one_request ["MED-8", "MED-9", "MED-24"],
    bytes_go_up_in_several_requests ["MED-9", "MED-10"],
    after_a_break_an_upload_goes_on ["MED-10", "MED-11"],
    a_part_may_be_started_again ["MED-10"],
    what_is_held_does_not_change ["MED-11"],
    nonsense_instead_of_a_range_changes_nothing ["MED-11"],
    after_the_last_byte_nothing_changes ["MED-9", "MED-11"],
    the_same_bytes_twice_at_once_are_taken_once ["MED-9", "MED-11"],
    each_part_keeps_its_own_bytes ["MED-2", "MED-8"],
    an_upload_asks_for_no_token ["MED-8"],
}

/// Chunks of an upload are of this size or a multiple of it. (MED-9)
pub(super) const CHUNK: usize = 256 * 1024;

/// A file that is being uploaded: its bytes, and where they go.
pub(super) struct Sending {
    pub(super) media_id: String,
    pub(super) bytes: Vec<u8>,
    place: Place,
}

/// States a file with these bytes.
pub(super) async fn states(user: &User, bytes: Vec<u8>) -> Verdict<Sending> {
    let mut upload = user.states(&Plan::file(bytes.clone())).await?;
    let place = upload.places.pop().ok_or_else(|| Stop::failed("an upload URL", upload.answer.to_string()))?;
    Ok(Sending { media_id: upload.media_id, bytes, place })
}

impl Sending {
    pub(super) async fn starts(&self) -> Verdict<Transfer> {
        self.place.starts("application/octet-stream", self.bytes.len()).await
    }

    pub(super) fn chunk(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to.min(self.bytes.len())).unwrap_or_default()
    }

    /// The upload completes, and what is read is what was uploaded.
    pub(super) async fn is_whole(&self, user: &User) -> Verdict {
        user.completing(&self.media_id).send().await?.succeeded(200)?;
        user.reads_media(&self.media_id, "original", &self.bytes).await
    }
}

/// The upload holds so much now, by its own account.
pub(super) async fn holds(transfer: &Transfer, wanted: Progress) -> Verdict {
    expect(Value::from(transfer.asks().await?)).to_equal(Value::from(wanted))
}

async fn bytes_go_up_in_one_request(world: &World) -> Verdict {
    let alice = world.user().await?;
    // With the range of everything, without a range, and the smallest file that there is.
    for (size, with_range) in [(100_000, true), (100_000, false), (1, true), (1, false)] {
        let sending = states(&alice, files::noise(size)).await?;
        let transfer = sending.starts().await?;
        holds(&transfer, Progress::Held(0)).await?;
        let answer = if with_range {
            transfer.puts(0, &sending.bytes).await?
        } else {
            transfer.place().request("PUT").untyped_body(sending.bytes.clone()).send().await?
        };
        answer.has_status(200)?;
        holds(&transfer, Progress::Done).await?;
        sending.is_whole(&alice).await?;
    }
    Ok(())
}

async fn bytes_go_up_in_several_requests(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(3 * CHUNK + 1234)).await?;
    let transfer = sending.starts().await?;
    let mut held = 0;
    let mut requests = 0;
    while held < sending.bytes.len() {
        let to = (held + CHUNK).min(sending.bytes.len());
        let answer = transfer.puts(held, sending.chunk(held, to)).await?;
        let progress = transfer.progress(&answer)?;
        // A server may hold less than was sent, never more, and it says the same when it is asked.
        match progress {
            Progress::Done => {
                expect(to).to_equal(sending.bytes.len())?;
                held = to;
            }
            Progress::Held(now) => {
                check(now <= to && now >= held, || (format!("{held} to {to} bytes held"), now.to_string()))?;
                held = now;
            }
        }
        holds(&transfer, progress).await?;
        requests += 1;
        check(requests < 50, || ("an upload that gets on", format!("{held} bytes held after {requests} requests")))?;
    }
    sending.is_whole(&alice).await
}

async fn after_a_break_an_upload_goes_on(world: &World) -> Verdict {
    let alice = world.user().await?;
    for sent in [0, 1, 1000, CHUNK, 2 * CHUNK + 77] {
        let sending = states(&alice, files::noise(3 * CHUNK + 5)).await?;
        let transfer = sending.starts().await?;
        transfer.breaks_off_after(&sending.bytes, sent).await?;
        // Whatever of it the server has read by now: never more than was sent.
        match transfer.asks().await? {
            Progress::Done => return Err(Stop::failed(format!("at most {sent} bytes held"), "all of them")),
            Progress::Held(held) => check(held <= sent, || (format!("at most {sent} bytes held"), held.to_string()))?,
        }
        transfer.finishes(&sending.bytes).await?;
        sending.is_whole(&alice).await?;
    }
    // Broken off again and again.
    let sending = states(&alice, files::noise(4 * CHUNK)).await?;
    let transfer = sending.starts().await?;
    for sent in [500, CHUNK + 500, 2 * CHUNK + 500] {
        transfer.breaks_off_after(&sending.bytes, sent).await?;
    }
    transfer.finishes(&sending.bytes).await?;
    sending.is_whole(&alice).await
}

/// Uploads the first chunk, all of which must be held in the end, whatever the server held at first.
pub(super) async fn first_chunk(sending: &Sending) -> Verdict<Transfer> {
    let transfer = sending.starts().await?;
    let mut held = 0;
    for _ in 0..20 {
        let answer = transfer.puts(held, sending.chunk(held, CHUNK)).await?;
        match transfer.progress(&answer)? {
            Progress::Held(now) if now == CHUNK => return Ok(transfer),
            Progress::Held(now) => held = now,
            Progress::Done => return Err(Stop::failed(format!("{CHUNK} bytes held"), "all of them")),
        }
    }
    Err(Stop::failed(format!("{CHUNK} bytes held, after they were sent"), format!("{held} of them, after 20 requests")))
}

async fn a_part_may_be_started_again(world: &World) -> Verdict {
    let alice = world.user().await?;
    // Given up half-way: the new start begins at nothing.
    let sending = states(&alice, files::noise(CHUNK + 10)).await?;
    first_chunk(&sending).await?;
    let again = sending.starts().await?;
    holds(&again, Progress::Held(0)).await?;
    again.finishes(&sending.bytes).await?;
    sending.is_whole(&alice).await?;
    // What is whole is not lost by a start after it.
    let sending = states(&alice, files::noise(CHUNK + 10)).await?;
    sending.starts().await?.finishes(&sending.bytes).await?;
    let again = sending.starts().await?;
    again.puts(0, files::noise(CHUNK).as_slice()).await?;
    sending.is_whole(&alice).await
}

async fn what_is_held_does_not_change(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(2 * CHUNK + 99)).await?;
    let transfer = first_chunk(&sending).await?;
    // Other bytes for what is held, alone.
    let other = files::noise(CHUNK);
    transfer.puts(0, &other).await?;
    transfer.puts(0, other.get(..1000).unwrap_or_default()).await?;
    transfer.puts(1000, other.get(..5000).unwrap_or_default()).await?;
    holds(&transfer, Progress::Held(CHUNK)).await?;
    // Other bytes for what is held, and after them all that is missing.
    let from = CHUNK - 100;
    let overlapping = [other.get(..100).unwrap_or_default(), sending.chunk(CHUNK, usize::MAX)].concat();
    let answer = transfer.puts(from, &overlapping).await?;
    let progress = transfer.progress(&answer)?;
    check(progress != Progress::Held(0), || ("what is held, or more", "nothing"))?;
    transfer.finishes(&sending.bytes).await?;
    sending.is_whole(&alice).await
}

async fn nonsense_instead_of_a_range_changes_nothing(world: &World) -> Verdict {
    let alice = world.user().await?;
    let size = 2 * CHUNK;
    let sending = states(&alice, files::noise(size)).await?;
    let transfer = first_chunk(&sending).await?;
    let some = files::noise(100);
    for range in [
        "",
        "bytes",
        "bytes ",
        "bytes=0-99",
        "bytes x-y/z",
        "bytes 99-0/524288",
        "bytes -1-98/524288",
        "bytes 0-99",
        "bytes 0-99/*",
        "bytes 262144-262243",
        "lines 0-99/524288",
        "bytes 99999999999999999999-99999999999999999999/524288",
        "bytes 18446744073709551615-18446744073709551615/524288",
        "bytes */*",
        "bytes 262144-/524288",
    ] {
        let answer = transfer.putting(range, &some).send().await?;
        check((answer.status < 500 || answer.status == 503) && answer.status != 200, || {
            (format!("no success for Content-Range: {range}"), answer.to_string())
        })?;
        holds(&transfer, Progress::Held(CHUNK))
            .await
            .map_err(|stop| Stop::failed(format!("Content-Range: {range}"), stop.to_string()))?;
    }
    transfer.finishes(&sending.bytes).await?;
    sending.is_whole(&alice).await
}

async fn after_the_last_byte_nothing_changes(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(50_000)).await?;
    let transfer = sending.starts().await?;
    transfer.finishes(&sending.bytes).await?;
    let other = files::noise(50_000);
    for complete in [false, true] {
        transfer.puts(0, &other).await?.has_status(200)?;
        transfer.puts(49_000, other.get(..1000).unwrap_or_default()).await?.has_status(200)?;
        transfer.place().request("PUT").untyped_body(other.clone()).send().await?.has_status(200)?;
        holds(&transfer, Progress::Done).await?;
        if !complete {
            sending.is_whole(&alice).await?;
        }
    }
    sending.is_whole(&alice).await
}

async fn the_same_bytes_twice_at_once_are_taken_once(world: &World) -> Verdict {
    let alice = world.user().await?;
    for _ in 0..4 {
        let sending = states(&alice, files::noise(2 * CHUNK)).await?;
        let transfer = sending.starts().await?;
        let (first, whole, again) = try_join!(
            transfer.puts(0, sending.chunk(0, CHUNK)),
            transfer.puts(0, &sending.bytes),
            transfer.puts(0, sending.chunk(0, CHUNK)),
        )?;
        for answer in [first, whole, again] {
            // One that came too late, or in between, may be put off.
            check(answer.status < 500, || ("an answer that is no fault of the server", answer.to_string()))?;
        }
        transfer.finishes(&sending.bytes).await?;
        sending.is_whole(&alice).await?;
    }
    Ok(())
}

async fn each_part_keeps_its_own_bytes(world: &World) -> Verdict {
    let alice = world.user().await?;
    let plan = Plan::picture("profile_picture");
    let upload = alice.states(&plan).await?;
    // Started together, sent in another order than stated.
    let mut transfers = Vec::new();
    for (place, part) in upload.places.iter().zip(&plan.parts) {
        transfers.push((place.starts(&part.content_type, part.bytes.len()).await?, part));
    }
    for (transfer, part) in transfers.iter().rev() {
        transfer.finishes(&part.bytes).await?;
    }
    alice.completing(&upload.media_id).send().await?.succeeded(200)?;
    for part in &plan.parts {
        alice.reads_media(&upload.media_id, part.part, &part.bytes).await?;
    }
    Ok(())
}

async fn an_upload_asks_for_no_token(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(3000)).await?;
    // Whoever has the URL may upload, even when the session that asked for it has ended.
    let phone = alice.signs_in_again().await?;
    alice.signs_out().await?;
    let transfer = sending.starts().await?;
    transfer.finishes(&sending.bytes).await?;
    // To complete takes the uploader again.
    let anonymous =
        phone.anonymous().request("POST", format!("/v1/uploads/{}/complete", sending.media_id)).send().await?;
    anonymous.refused_with(i9chat_spec::ErrorCode::Unauthenticated)?;
    sending.is_whole(&phone).await
}
