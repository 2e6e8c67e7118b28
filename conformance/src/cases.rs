//! The cases, one file to a section of docs/protocol.md.

pub mod conventions;
pub mod sessions;

use crate::case::Case;

/// Every case, in the order of the specification.
pub fn all() -> Vec<Case> {
    [conventions::CASES, sessions::CASES].concat()
}
