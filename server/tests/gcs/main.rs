//! Media in Google Cloud Storage, against a stand-in that asks of its callers what Google asks: signatures, which it is shown to
//! check as Google makes them, resumable uploads with signed starts, conditions, and times. (section 13 of `docs/protocol.md`)

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where it stands, its helpers too")]

mod bringing;
mod completing;
mod downloads;
mod failures;
mod removing;
mod signature;
mod stand_in;
mod suite;
mod uploads;
mod vectors;
mod whole;
mod world;
