//! Uploads and downloads by HTTP, on the real store and disk, with a clock that the tests set. (section 13 of `docs/protocol.md`)

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where it stands, its helpers too")]

mod completing;
mod downloads;
mod links;
mod starting;
mod uploads;
mod using;
mod world;
