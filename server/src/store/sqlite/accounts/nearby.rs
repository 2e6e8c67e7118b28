//! Users around a place: the nearest cells first, however far the others are and however many. (USR-8 to USR-12)
//!
//! The search goes down from a box around everything within the radius. A box that holds many cells is cut in eight; of all
//! boxes and cells that are known the nearest is always the next one. So it touches what is nearer than the last user that it
//! answers, and little else: neither a full city at the edge of the radius nor the number of users counts.

use std::{cmp::Reverse, collections::BinaryHeap};

use i9chat_spec::{User, api::users::NearbyUser};
use rusqlite::{Connection, named_params};

use super::{super::column::Column, profiles, users};
use crate::{
    domain::{Cell, Point, Space, arc_m, chord_m, rounded_m},
    store::{StoreError, accounts::NearbySearch},
};

/// A box with more cells than this is cut.
const FEW: usize = 64;
/// A box with no side longer than this is not cut any more: fewer cells than a few fit in. In centimetres.
const SMALL: i64 = 100_000;
/// More than points in space are off by being whole centimetres. In metres.
const SLACK_M: f64 = 0.1;

pub(super) fn search(connection: &Connection, search: &NearbySearch) -> Result<Vec<NearbyUser>, StoreError> {
    let near = Point::from(search.near);
    let mut around = Around { near, radius_m: search.radius_m.into(), known: BinaryHeap::new() };
    around.add_box(Box3::around(near.space(), chord_m(around.radius_m) + SLACK_M));
    let mut found = Vec::new();
    let mut equally_far: Option<(u64, Vec<Cell>)> = None;
    while let Some((distance_m, cell)) = around.next_cell(connection)? {
        match &mut equally_far {
            Some((same, cells)) if *same == distance_m => cells.push(cell),
            other => {
                if let Some((distance_m, cells)) = other.replace((distance_m, vec![cell])) {
                    take_users(connection, search, distance_m, &cells, &mut found)?;
                }
            }
        }
        if found.len() >= search.limit {
            return Ok(found);
        }
    }
    if let Some((distance_m, cells)) = equally_far {
        take_users(connection, search, distance_m, &cells, &mut found)?;
    }
    Ok(found)
}

/// Takes the first users by name from cells that are equally far, as many as are still wanted.
fn take_users(
    connection: &Connection,
    search: &NearbySearch,
    distance_m: u64,
    cells: &[Cell],
    found: &mut Vec<NearbyUser>,
) -> Result<(), StoreError> {
    let wanted = search.limit.saturating_sub(found.len());
    let mut statement = connection.prepare_cached(
        "SELECT username_key, user_id, username, picture_id FROM users WHERE cell = :cell AND user_id <> :except
         ORDER BY username_key LIMIT :wanted",
    )?;
    let mut candidates: Vec<(String, NearbyUser)> = Vec::new();
    for cell in cells {
        let parameters = named_params! {
            ":cell": cell.0, ":except": Column(search.except.as_uuid()),
            ":wanted": i64::try_from(wanted).unwrap_or(i64::MAX),
        };
        let rows = statement.query_map(parameters, |row| {
            let User { user_id, username } = users::user(row, "user_id", "username")?;
            let picture_id = profiles::picture_id(row)?;
            Ok((row.get("username_key")?, NearbyUser { user_id, username, picture_id, distance_m }))
        })?;
        for row in rows {
            candidates.push(row?);
        }
    }
    candidates.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    found.extend(candidates.into_iter().take(wanted).map(|(_, user)| user));
    Ok(())
}

/// What is known around the place and was not looked at yet, the nearest first.
struct Around {
    near: Point,
    radius_m: f64,
    known: BinaryHeap<Reverse<(u64, Known)>>,
}

/// Boxes come before cells of the same distance: there may be further such cells in them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Unopened(Box3),
    Cell(Cell),
}

impl Around {
    /// The nearest cell within the radius that was not answered yet, with its distance as it is told.
    fn next_cell(&mut self, connection: &Connection) -> Result<Option<(u64, Cell)>, StoreError> {
        while let Some(Reverse((distance_m, known))) = self.known.pop() {
            match known {
                Known::Cell(cell) => return Ok(Some((distance_m, cell))),
                Known::Unopened(unopened) => self.open(connection, unopened)?,
            }
        }
        Ok(None)
    }

    fn open(&mut self, connection: &Connection, unopened: Box3) -> Result<(), StoreError> {
        let at_most = if unopened.is_small() { usize::MAX } else { FEW + 1 };
        let cells = unopened.cells(connection, at_most)?;
        if cells.len() > FEW && !unopened.is_small() {
            for part in unopened.cut() {
                self.add_box(part);
            }
            return Ok(());
        }
        for cell in cells {
            let distance_m = self.near.distance_m(cell.point());
            if distance_m <= self.radius_m {
                self.known.push(Reverse((rounded_m(distance_m), Known::Cell(cell))));
            }
        }
        Ok(())
    }

    /// Notes a box by the least distance that something in it can have, unless that is beyond the radius.
    fn add_box(&mut self, unopened: Box3) {
        let least_m = arc_m((unopened.least_chord_m(self.near.space()) - SLACK_M).max(0.0));
        if least_m <= self.radius_m {
            self.known.push(Reverse((rounded_m(least_m), Known::Unopened(unopened))));
        }
    }
}

/// A box in space, with its sides, in centimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Box3([(i32, i32); 3]);

impl Box3 {
    fn around(middle: Space, reach_m: f64) -> Self {
        let reach = (reach_m * 100.0).ceil().min(f64::from(i32::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer that there is")]
        Self(middle.map(|at| ((f64::from(at) - reach).floor() as i32, (f64::from(at) + reach).ceil() as i32)))
    }

    fn is_small(&self) -> bool {
        self.0.iter().all(|(from, to)| i64::from(*to) - i64::from(*from) <= SMALL)
    }

    /// The eight parts, of which no two share a point.
    fn cut(&self) -> impl Iterator<Item = Self> {
        let halves = self.0.map(|(from, to)| {
            let middle = from.midpoint(to);
            [(from, middle), (middle + 1, to)]
        });
        let [x, y, z] = halves;
        x.into_iter().flat_map(move |x| y.into_iter().flat_map(move |y| z.into_iter().map(move |z| Self([x, y, z]))))
    }

    /// The straight line to the nearest point of the box, in metres.
    fn least_chord_m(&self, from: Space) -> f64 {
        let square: f64 = self
            .0
            .iter()
            .zip(from)
            .map(|((low, high), at)| (f64::from(at) - f64::from(at.clamp(*low, *high))).powi(2))
            .sum();
        square.sqrt() / 100.0
    }

    fn cells(&self, connection: &Connection, at_most: usize) -> Result<Vec<Cell>, StoreError> {
        let [x, y, z] = self.0;
        let mut statement = connection.prepare_cached(
            "SELECT cell FROM cells WHERE x_from >= ?1 AND x_to <= ?2 AND y_from >= ?3 AND y_to <= ?4
             AND z_from >= ?5 AND z_to <= ?6 LIMIT ?7",
        )?;
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let cells = statement.query_map((x.0, x.1, y.0, y.1, z.0, z.1, at_most), |row| row.get(0).map(Cell))?;
        Ok(cells.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests;
