//! The cases, one file to a section of docs/protocol.md.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

pub mod accounts;
pub mod authorisation;
pub mod callers;
pub mod capabilities;
pub mod chats;
pub mod conventions;
pub mod errors;
pub mod groups;
pub mod log;
pub mod media;
pub mod messages;
pub mod msgpack;
pub mod presence;
pub mod reactions;
pub mod receipts;
pub mod resume;
pub mod robustness;
pub mod sessions;
mod unseen;
pub mod users;
pub mod websocket;

use crate::case::Case;

pub use unseen::{CODES_NOT_SEEN_ON_THE_WIRE, NOT_SEEN_ON_THE_WIRE, REFUSALS_NOT_SEEN_ON_THE_WIRE};

/// Every case, in the order of the specification.
pub fn all() -> Vec<Case> {
    [
        conventions::CASES,
        errors::CASES,
        callers::CASES,
        &accounts::all(),
        &sessions::all(),
        &users::all(),
        chats::CASES,
        &messages::all(),
        &groups::all(),
        &authorisation::all(),
        &receipts::all(),
        &reactions::all(),
        &log::all(),
        &presence::all(),
        &media::all(),
        &resume::all(),
        &websocket::all(),
        capabilities::CASES,
        &msgpack::all(),
        &robustness::all(),
    ]
    .concat()
}
