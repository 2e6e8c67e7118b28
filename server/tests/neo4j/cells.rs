//! The points of the grid that are kept to find users by.

use i9chat_server::domain::ChangeProfile;
use i9chat_spec::{Location, Patch, User, api::users::ProfilePatch};
use serde_json::json;

use super::{
    lab::Neo4j,
    world::{bolt, cases, shelf},
};

cases![only_the_points_are_kept_that_somebody_is_at,];

fn at(lat: f64, lon: f64) -> Patch<Location> {
    Patch::Set(Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() })
}

fn moves(user: &User, location: Patch<Location>) -> ChangeProfile {
    let patch = ProfilePatch { location, ..ProfilePatch::default() };
    ChangeProfile { user_id: user.user_id, patch, no_bio: "".parse().unwrap() }
}

async fn only_the_points_are_kept_that_somebody_is_at(neo4j: &Neo4j) {
    let shelf = shelf(&neo4j.url()).await;
    let [bob, carol] = shelf.users(["bob", "carol"]).await;
    let mut bolt = bolt(neo4j);
    let (home, away) = (at(41.3275, 19.8187), at(-33.86, 151.2));
    // Each in one transaction: who moves whereto, and how many points somebody is at then.
    let steps = [
        (vec![(&bob, home), (&carol, home)], 1),
        (vec![(&bob, away)], 2),
        (vec![(&carol, Patch::Clear), (&bob, home), (&bob, away)], 1),
        (vec![(&bob, home), (&carol, away)], 2),
        (vec![(&carol, home)], 1),
        (vec![(&bob, Patch::Clear), (&carol, Patch::Clear)], 0),
    ];
    for (step, (moved, expected)) in steps.into_iter().enumerate() {
        shelf.commit_all(moved.into_iter().map(|(user, location)| moves(user, location)).collect()).await;
        let counted = bolt.run("MATCH (cell:Cell) RETURN count(cell) AS cells", json!({})).unwrap();
        assert_eq!(counted.rows[0][0], json!(expected), "step {step}");
    }
}
