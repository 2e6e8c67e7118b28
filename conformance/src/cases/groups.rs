//! Section 9: groups.

mod changes;
mod creation;
mod leaving;
mod members;
mod order;
mod races;
mod table;
mod visibility;

use crate::case::Case;

pub(super) use creation::is_conflicting;

/// The cases of this section.
pub fn all() -> Vec<Case> {
    let of_people = [creation::CASES, members::CASES, table::CASES, order::CASES, leaving::CASES].concat();
    [&of_people, changes::CASES, visibility::CASES, races::CASES].concat()
}
