//! Bytes that never become media, however they are answered: after a gap, beyond the size, and with another size. (MED-11)

use i9chat_spec::ErrorCode;

use super::uploading::{CHUNK, Sending, first_chunk, holds, states};
use crate::{
    cases,
    client::{Answer, Request},
    verdict::{Stop, Verdict},
    world::{
        User, World,
        media::{Progress, Transfer, files},
        patiently,
    },
};

cases! { Media:
    bytes_after_a_gap_never_become_media ["MED-11", "MED-13"],
    bytes_beyond_the_size_never_become_media ["MED-11", "MED-13"],
    bytes_with_another_size_than_the_first_never_become_media ["MED-11", "MED-13"],
    bytes_with_another_size_than_the_stated_one_never_become_media ["MED-11", "MED-13"],
}

/// The size of what is uploaded here.
const SIZE: usize = 2 * CHUNK;

/// What became of a request with bytes that do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was refused, or answered with what was held before.
    Refused,
    /// It was answered as if the bytes were welcome.
    Taken,
}

impl Fate {
    fn of(transfer: &Transfer, answer: &Answer, held: usize) -> Verdict<Self> {
        match answer.status {
            400..=499 | 503 => Ok(Self::Refused),
            308 if matches!(transfer.progress(answer), Ok(Progress::Held(now)) if now == held) => Ok(Self::Refused),
            200 | 308 => Ok(Self::Taken),
            _ => Err(answer.other_than("a status from 400 to 499, 503, 308 or 200")),
        }
    }
}

/// The upload does not complete, and not even its uploader can read it.
async fn is_incomplete(user: &User, sending: &Sending) -> Verdict {
    patiently(user.completing(&sending.media_id)).await?.refused_with(ErrorCode::UploadIncomplete)?;
    user.reads_no_media(&sending.media_id, "original").await
}

/// A location has taken bytes that do not fit. Going on there, as one does who has not noticed, leads nowhere.
async fn is_spoilt(user: &User, sending: &Sending, transfer: &Transfer) -> Verdict {
    // Whatever is answered: what counts is what comes of it.
    drop(transfer.finishes(&sending.bytes).await);
    is_incomplete(user, sending).await
}

/// After the first chunk each of these requests is made, with a range and bytes that do not fit. None of them has a part in what
/// becomes of the upload.
async fn none_counts(user: &User, requests: &[(&str, String, &[u8])], sending: &Sending) -> Verdict {
    let mut transfer = first_chunk(sending).await?;
    for (told, range, bytes) in requests {
        let fate = async {
            let answer = transfer.putting(range, bytes).send().await?;
            let fate = Fate::of(&transfer, &answer, CHUNK)?;
            is_incomplete(user, sending).await?;
            match fate {
                Fate::Refused => holds(&transfer, Progress::Held(CHUNK)).await?,
                Fate::Taken => is_spoilt(user, sending, &transfer).await?,
            }
            Ok(fate)
        };
        if fate.await.map_err(|stop: Stop| Stop::failed(*told, stop.to_string()))? == Fate::Taken {
            transfer = first_chunk(sending).await?;
        }
    }
    transfer.finishes(&sending.bytes).await?;
    sending.is_whole(user).await
}

async fn bytes_after_a_gap_never_become_media(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(SIZE)).await?;
    let some = files::noise(1000);
    let requests = [
        ("after a gap of one byte", format!("bytes {}-{}/{SIZE}", CHUNK + 1, CHUNK + 1000), some.as_slice()),
        ("the last bytes, after a gap", format!("bytes {}-{}/{SIZE}", SIZE - 1000, SIZE - 1), &some),
        ("all but one byte", format!("bytes {}-{}/{SIZE}", CHUNK + 1, SIZE - 1), sending.chunk(CHUNK + 1, SIZE)),
        ("beyond the end", format!("bytes {SIZE}-{}/{SIZE}", SIZE + 999), &some),
    ];
    none_counts(&alice, &requests, &sending).await
}

/// The request that brings these bytes.
type Sends = fn(&Transfer, Vec<u8>) -> Request;

fn without_range(transfer: &Transfer, bytes: Vec<u8>) -> Request {
    transfer.place().request("PUT").untyped_body(bytes)
}

async fn bytes_beyond_the_size_never_become_media(world: &World) -> Verdict {
    let alice = world.user().await?;
    let more = |sending: &Sending, from| [sending.chunk(from, SIZE), b"x"].concat();
    let ways: [(&str, usize, Sends); 4] = [
        ("over the end", CHUNK, |transfer, bytes| transfer.putting(&format!("bytes {CHUNK}-{SIZE}/{SIZE}"), &bytes)),
        ("all and one more", 0, |transfer, bytes| transfer.putting(&format!("bytes 0-{SIZE}/{SIZE}"), &bytes)),
        ("one more without a range", 0, without_range),
        ("one more, of which nothing was told", 0, |transfer, bytes| {
            without_range(transfer, bytes).in_chunks_of(CHUNK)
        }),
    ];
    for (told, from, request) in ways {
        let sending = states(&alice, files::noise(SIZE)).await?;
        let transfer = if from == 0 { sending.starts().await? } else { first_chunk(&sending).await? };
        let tried = async {
            let answer = request(&transfer, more(&sending, from)).send().await?;
            Fate::of(&transfer, &answer, from)?;
            // The bytes before the end are as they should be, and may count.
            if patiently(alice.completing(&sending.media_id)).await?.status != 200 {
                is_incomplete(&alice, &sending).await?;
                sending.starts().await?.finishes(&sending.bytes).await?;
            }
            sending.is_whole(&alice).await
        };
        tried.await.map_err(|stop| Stop::failed(told, stop.to_string()))?;
    }
    Ok(())
}

async fn bytes_with_another_size_than_the_first_never_become_media(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(SIZE)).await?;
    let (some, rest) = (files::noise(1000), sending.chunk(CHUNK, SIZE));
    let longer = [rest, b"x"].concat();
    let requests = [
        ("a larger size", format!("bytes {CHUNK}-{}/{}", CHUNK + 999, SIZE + 1), some.as_slice()),
        ("a smaller size", format!("bytes {CHUNK}-{}/{}", CHUNK + 999, CHUNK + 1000), &some),
        ("no size", format!("bytes {CHUNK}-{}/0", CHUNK + 999), &some),
        ("all that is missing, and a larger size", format!("bytes {CHUNK}-{}/{}", SIZE - 1, SIZE + 1), rest),
        ("more, and a larger size", format!("bytes {CHUNK}-{SIZE}/{}", SIZE + 1), &longer),
        ("a question with a larger size", format!("bytes */{}", SIZE + 1), &[]),
        ("a question with a size that is held", format!("bytes */{CHUNK}"), &[]),
    ];
    none_counts(&alice, &requests, &sending).await
}

/// A range, if any, and bytes.
type Sent<'a> = (Option<String>, &'a [u8]);

async fn bytes_with_another_size_than_the_stated_one_never_become_media(world: &World) -> Verdict {
    let alice = world.user().await?;
    let sending = states(&alice, files::noise(SIZE)).await?;
    let all = sending.bytes.as_slice();
    let longer = [all, b"x"].concat();
    let (first, fewer) = (sending.chunk(0, CHUNK), sending.chunk(0, SIZE - 1));
    let range = |from: usize, last: usize, size: usize| Some(format!("bytes {from}-{last}/{size}"));
    // What a fresh location is sent, one request after the other.
    let ways: [(&str, &[Sent<'_>]); 8] = [
        ("all, and a larger size", &[(range(0, SIZE - 1, SIZE + 1), all)]),
        ("more, and a larger size", &[(range(0, SIZE, SIZE + 1), &longer)]),
        (
            "a larger size in pieces",
            &[
                (range(0, CHUNK - 1, SIZE + 1), first),
                (range(CHUNK, SIZE, SIZE + 1), longer.get(CHUNK..).unwrap_or_default()),
            ],
        ),
        ("one byte fewer", &[(range(0, SIZE - 2, SIZE - 1), fewer)]),
        ("the first half as all", &[(range(0, CHUNK - 1, CHUNK), first)]),
        ("one byte fewer, without a range", &[(None, fewer)]),
        ("nothing at all", &[(None, &[])]),
        ("a question with a smaller size, and so much", &[(Some(format!("bytes */{CHUNK}")), &[]), (None, first)]),
    ];
    for (told, requests) in ways {
        let transfer = sending.starts().await?;
        let tried = async {
            let mut is_taken = false;
            for (range, bytes) in requests {
                let request = without_range(&transfer, bytes.to_vec());
                let (request, has_size) = match range {
                    Some(range) => (request.header("Content-Range", range), true),
                    None => (request, false),
                };
                let fate = Fate::of(&transfer, &request.send().await?, 0)?;
                is_taken |= has_size && fate == Fate::Taken;
            }
            is_incomplete(&alice, &sending).await?;
            if is_taken { is_spoilt(&alice, &sending, &transfer).await } else { Ok(()) }
        };
        tried.await.map_err(|stop| Stop::failed(told, stop.to_string()))?;
    }
    sending.starts().await?.finishes(all).await?;
    sending.is_whole(&alice).await
}
