//! Section 13: uploads, what uses them, and who may read them.

mod authorising;
mod completing;
mod links;
mod pictures;
mod reading;
mod uploading;
mod using;
mod wrong_bytes;

use i9chat_spec::{MediaRule, Timestamp};
use serde_json::Value;

use crate::{
    case::Case,
    expect::text_at,
    verdict::{InSetup, Stop, Verdict},
    world::{User, World, media::no_media},
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [
        authorising::CASES,
        uploading::CASES,
        wrong_bytes::CASES,
        completing::CASES,
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
