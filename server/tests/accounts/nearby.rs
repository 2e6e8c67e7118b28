use i9chat_server::app::Failure;
use i9chat_spec::{
    Lifetimes, Limits, Location, Near, Patch,
    api::users::{Around, ProfilePatch},
};

use crate::world::{Member, World};

fn at(lat: f64, lon: f64) -> Location {
    Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() }
}

fn around(lat: f64, lon: f64) -> Around {
    Around { near: Near(at(lat, lon)), radius_m: None, limit: None }
}

async fn settles(world: &World, who: &Member, location: Patch<Location>) {
    world.changes_profile(who, ProfilePatch { location, ..ProfilePatch::default() }).await.unwrap();
}

#[tokio::test]
async fn those_around_are_found_nearest_first_without_the_caller_and_those_who_hide() {
    let world = World::new().await;
    let mut people = Vec::new();
    for (name, lat, lon) in [
        ("alice", 0.0, 180.0),
        // The same point of the grid, whose names decide.
        ("Carol", 0.0, -179.9778),
        ("bob", 0.0, -179.9779),
        ("dave", 0.0, 179.955),
        ("erin", 1.0, 180.0),
    ] {
        let member = world.signs_up(name).await;
        settles(&world, &member, Patch::Set(at(lat, lon))).await;
        people.push(member);
    }
    let hidden = world.signs_up("frank").await;
    let found = world.searches(&people[0], around(0.0, 180.0)).await.unwrap();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bob", "Carol", "dave"], "{found:?}");
    assert_eq!(found[0].1, found[1].1);
    assert!(found.iter().all(|(_, distance_m)| distance_m % 100 == 0), "{found:?}");
    let one = Around { limit: Some(1.try_into().unwrap()), ..around(0.0, 180.0) };
    assert_eq!(world.searches(&people[0], one).await.unwrap(), found[..1]);
    let wide = Around { radius_m: Some(200_000.try_into().unwrap()), ..around(0.0, 180.0) };
    assert_eq!(world.searches(&hidden, wide).await.unwrap().len(), 5);

    settles(&world, &people[1], Patch::Clear).await;
    let found = world.searches(&people[0], around(0.0, 180.0)).await.unwrap();
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["bob", "dave"]);
}

#[tokio::test]
async fn searches_have_a_rate_of_their_own() {
    let limits = Limits { nearby_per_minute: 3, ..Limits::default() };
    let world = World::with(limits, Lifetimes::default()).await;
    let [alice, bob] = [world.signs_up("alice").await, world.signs_up("bob").await];
    for _ in 0..3 {
        world.searches(&alice, around(0.0, 0.0)).await.unwrap();
    }
    let refused = world.searches(&alice, around(0.0, 0.0)).await;
    assert!(matches!(refused, Err(Failure::RateLimited(_))), "{refused:?}");
    world.searches(&bob, around(0.0, 0.0)).await.unwrap();
}
