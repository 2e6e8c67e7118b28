//! Section 13: uploads, what uses them, and who may read them.

mod authorising;
mod completing;
mod contents;
mod links;
mod pictures;
mod reading;
mod uploading;
mod using;
mod wrong_bytes;

use i9chat_spec::{MediaRule, Profile, Timestamp};
use serde_json::{Value, json};

use crate::{
    case::Case,
    expect::text_at,
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        media::{Plan, files, no_media},
    },
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [
        authorising::CASES,
        uploading::CASES,
        wrong_bytes::CASES,
        completing::CASES,
        contents::CASES,
        using::CASES,
        pictures::CASES,
        reading::CASES,
        links::CASES,
    ]
    .concat()
}

/// A time that is longer than this is not waited for, in seconds.
const LONGEST_WAIT: u64 = 5;

/// Something is to run out: skipped where that takes too long.
fn runs_out_soon(name: &str, seconds: u64) -> Verdict {
    if seconds <= LONGEST_WAIT {
        return Ok(());
    }
    Err(Stop::skipped(format!("{name} is {seconds}, too long to wait for ({LONGEST_WAIT} at most)")))
}

/// Something else must last clearly longer than what runs out: skipped where it does not.
fn outlasts(name: &str, seconds: u64, shorter: u64) -> Verdict {
    if seconds > shorter + 6 * LONGEST_WAIT {
        return Ok(());
    }
    Err(Stop::skipped(format!("{name} is {seconds}, too short beside what is to run out after {shorter}")))
}

/// Lets that much time pass, with an open connection that has nothing to do, and answers the user with a new token: the one
/// they had may have run out meanwhile.
async fn time_passes(user: &User, seconds: u64) -> Verdict<User> {
    user.connects().await?.goes_on_for(std::time::Duration::from_secs(seconds)).await?;
    user.renewed().await
}

/// What the server publishes that may be uploaded. (MED-3)
async fn rules(world: &World) -> Verdict<Vec<MediaRule>> {
    let told = world.visitor().get("/v1/capabilities").send().await?.succeeded(200).in_setup("the capabilities")?;
    serde_json::from_value(told["media"].clone())
        .map_err(|error| Stop::Inconclusive(format!("`media` of the capabilities cannot be read: {error}")))
}

/// When a time is, in milliseconds.
fn millis(value: &Value, path: &str) -> Verdict<i64> {
    let text = text_at(value, path)?;
    let parsed = text.parse::<Timestamp>().map(Timestamp::as_millis);
    parsed.map_err(|_| Stop::failed("a time as CNV-8 has it", text))
}

/// Two users with a direct chat. Skipped where the server has no messages.
async fn talk(world: &World) -> Verdict<(User, User, String)> {
    world.needs(Profile::Messages)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    Ok((alice, bob, chat_id))
}

/// Media of each kind that messages have, for one user.
struct Supply {
    image: String,
    video: String,
    voice: String,
    audio: String,
    file: String,
}

impl Supply {
    async fn of(user: &User) -> Verdict<Self> {
        Ok(Self {
            image: user.uploads(&Plan::image()).await?,
            video: user.uploads(&Plan::original("video", "video/webm", files::webm(2000))).await?,
            voice: user.uploads(&Plan::original("voice", "audio/aac", files::aac(700))).await?,
            audio: user.uploads(&Plan::original("audio", "audio/ogg", files::ogg(900))).await?,
            file: user.uploads(&Plan::file(*b"x")).await?,
        })
    }

    /// A message of each kind, with everything that it may have.
    fn messages(&self) -> Vec<Value> {
        let item = |media_id: &str| json!({ "media_id": media_id, "width": 640, "height": 480 });
        vec![
            json!({ "kind": "image", "items": [item(&self.image)], "caption": "c" }),
            json!({ "kind": "video", "items": [item(&self.video)], "caption": "c" }),
            json!({ "kind": "voice", "media_id": self.voice, "duration_ms": 1 }),
            json!({ "kind": "audio", "media_id": self.audio, "title": "t" }),
            json!({ "kind": "file", "media_id": self.file, "name": "n" }),
        ]
    }
}
