//! Users around a place, out of the points of the grid that somebody is at, in space. (USR-8 to USR-12)
//!
//! The search goes out in rings until the points within are certainly enough: each has a user. So neither a full city at the edge of
//! the radius nor the number of users at one point counts.

use std::collections::HashMap;

use i9chat_spec::{MediaId, User, api::users::NearbyUser};
use serde::Deserialize;

use crate::{
    domain::{Cell, Point, chord_m, rounded_m},
    store::{
        StoreError,
        accounts::NearbySearch,
        neo4j::driver::{Driver, Statement, list, text},
    },
};

/// How far the first look goes, in metres.
const FIRST_LOOK_M: f64 = 1000.0;
/// More than points in space are off by being whole centimetres, in metres.
const SLACK_M: f64 = 0.1;

/// The points within a straight line through the earth of a place.
pub(super) const CELLS: &str = "
    MATCH (c:Cell) WHERE point.distance(c.space, point({x: $x, y: $y, z: $z})) <= $chord
    RETURN c.cell AS cell";

/// The first users by name of each of the points.
pub(super) const USERS: &str = "
    UNWIND $cells AS cell
    CALL (cell) {
        MATCH (u:User {cell: cell})
        USING INDEX SEEK u:User(cell, username_key)
        WHERE u.username_key IS NOT NULL AND u.user_id <> $except
        RETURN u ORDER BY u.cell, u.username_key LIMIT $limit
    }
    RETURN cell, u.username_key AS username_key, u.user_id AS user_id, u.username AS username, u.picture_id AS picture_id";

#[derive(Deserialize)]
struct CellRow {
    cell: i64,
}

#[derive(Deserialize)]
struct UserRow {
    cell: i64,
    username_key: String,
    #[serde(flatten)]
    user: User,
    picture_id: Option<MediaId>,
}

pub(super) async fn search(driver: &Driver, search: &NearbySearch) -> Result<Vec<NearbyUser>, StoreError> {
    let cells = nearest_cells(driver, search).await?;
    let distances: HashMap<_, _> = cells.iter().map(|(distance_m, cell)| (cell.0, *distance_m)).collect();
    let statement = Statement::new(USERS)
        .with("cells", list(cells.iter().map(|(_, cell)| cell.0.into())))
        .with("except", text(search.except))
        .with("limit", i64::try_from(search.limit).unwrap_or(i64::MAX));
    let rows: Vec<UserRow> = driver.read(&statement).await?;
    let mut found: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            let distance_m = *distances.get(&row.cell)?;
            let User { user_id, username } = row.user;
            let user = NearbyUser { user_id, username, picture_id: row.picture_id, distance_m };
            Some(((distance_m, row.username_key), user))
        })
        .collect();
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found.into_iter().take(search.limit).map(|(_, user)| user).collect())
}

/// The nearest points, with their distances as they are told: as many as are sure to have enough users, and all that are as far as
/// the last of them.
async fn nearest_cells(driver: &Driver, search: &NearbySearch) -> Result<Vec<(u64, Cell)>, StoreError> {
    let near = Point::from(search.near);
    let radius_m = f64::from(search.radius_m);
    let mut look_m = FIRST_LOOK_M;
    loop {
        let reach_m = look_m.min(radius_m);
        let is_all = reach_m >= radius_m;
        let mut cells = cells_within(driver, near, reach_m).await?;
        cells.sort_unstable();
        // One point more than users are wanted: the one who searches may be alone at theirs. Beyond the reach there may be others
        // that are told to be as far as the reach.
        let last = cells.get(search.limit).map(|(distance_m, _)| *distance_m);
        if let Some(last) = last.filter(|distance_m| is_all || *distance_m < rounded_m(reach_m)) {
            cells.retain(|(distance_m, _)| *distance_m <= last);
            return Ok(cells);
        }
        if is_all {
            return Ok(cells);
        }
        look_m *= 2.0;
    }
}

/// The points within a distance, with their distances as they are told.
async fn cells_within(driver: &Driver, near: Point, reach_m: f64) -> Result<Vec<(u64, Cell)>, StoreError> {
    let [x, y, z] = near.space().map(|part| f64::from(part) / 100.0);
    let statement =
        Statement::new(CELLS).with("x", x).with("y", y).with("z", z).with("chord", chord_m(reach_m) + SLACK_M);
    let rows: Vec<CellRow> = driver.read(&statement).await?;
    let distances = rows.into_iter().map(|CellRow { cell }| (near.distance_m(Cell(cell).point()), Cell(cell)));
    let within = distances.filter(|(distance_m, _)| *distance_m <= reach_m);
    Ok(within.map(|(distance_m, cell)| (rounded_m(distance_m), cell)).collect())
}
