//! The grid and the distance, everywhere on the earth. (USR-9 to USR-11)

use serde_json::Value;

use super::{
    earth::{Place, is_clear},
    nearby::{finds, item, settles},
};
use crate::{
    cases,
    expect::expect,
    verdict::{InSetup, Verdict},
    world::{User, World},
};

cases! { Users:
    a_location_is_snapped_to_the_published_grid ["USR-9", "USR-10", "USR-11"],
    users_are_found_across_the_antimeridian ["USR-9", "USR-10"],
    users_are_found_around_and_across_the_poles ["USR-9", "USR-10"],
    at_zero_degrees_nothing_is_special ["USR-9", "USR-10"],
}

/// As many as one may be answered: whoever else lives there leaves room.
async fn finds_all(world: &World, searcher: &User, near: Place, radius_m: u64) -> Verdict<Vec<Value>> {
    finds(searcher, near, &format!("&radius_m={radius_m}&limit={}", world.limits().nearby_max_items)).await
}

/// The searcher finds the user from that place at the distance of the grid's point, or, beyond the radius, not at all.
async fn is_found(world: &World, searcher: &User, user: &User, place: Place, near: Place) -> Verdict {
    const RADIUS_M: u64 = 20_000;
    let distance = near.metres_to(place.snapped());
    let found = finds_all(world, searcher, near, RADIUS_M).await?;
    let of_user: Vec<_> = found.iter().filter(|item| item["username"] == user.username.as_str()).collect();
    let wanted = (distance <= 20_000.0).then(|| item(user, distance));
    expect(of_user).to_equal(wanted.into_iter().collect::<Vec<_>>())
}

/// A place to search from, so far from a point of the grid that the distance leaves no doubt.
fn place_around(point: Place, metres: f64) -> Place {
    loop {
        let near = point.going(metres * rand::random_range(0.5..1.0), rand::random_range(0.0..360.0));
        if is_clear(near.metres_to(point)) {
            return near;
        }
    }
}

/// Takes the location away again: the next case, or run, may come to the same special place.
async fn leaves(user: &User) -> Verdict {
    let answer = user.patch("/v1/me", &serde_json::json!({ "location": null })).send().await?;
    answer.succeeded(200).in_setup("taking a location away")?;
    Ok(())
}

/// The user settles at each place in turn, and is looked for from around it.
async fn are_found_at(world: &World, places: &[Place]) -> Verdict {
    let [searcher, alice] = world.users().await?;
    for place in places {
        settles(&alice, *place).await?;
        for metres in [400.0, 15_000.0] {
            is_found(world, &searcher, &alice, *place, place_around(place.snapped(), metres)).await?;
        }
    }
    leaves(&alice).await
}

async fn a_location_is_snapped_to_the_published_grid(world: &World) -> Verdict {
    let mut places: Vec<_> = (0..12).map(|_| Place::somewhere()).collect();
    // To both sides of the edge between two rows, which is half-way between their latitudes.
    let place = Place::somewhere();
    let edge = place.snapped().lat + 0.002_25;
    places.extend([Place::new(edge - 1e-6, place.lon), Place::new(edge + 1e-6, place.lon)]);
    are_found_at(world, &places).await
}

async fn users_are_found_across_the_antimeridian(world: &World) -> Verdict {
    let lat: f64 = rand::random_range(-80.0..80.0);
    let places = [179.999, -179.999, 180.0, -180.0].map(|lon| Place::new(lat, lon));
    are_found_at(world, &places).await?;
    // From the other side, by name.
    let [searcher, alice] = world.users().await?;
    for (place, near) in [
        (Place::new(lat, 179.98), Place::new(lat, -179.99)),
        (Place::new(lat, -179.98), Place::new(lat, 179.99)),
        (Place::new(lat, 180.0), Place::new(lat, -180.0)),
        (Place::new(lat, -180.0), Place::new(lat, 180.0)),
    ] {
        settles(&alice, place).await?;
        // A little to the north or south, until the distance leaves no doubt.
        let near = (0..100)
            .map(|step| Place::new(near.lat + 0.0001 * f64::from(step), near.lon))
            .find(|near| is_clear(near.metres_to(place.snapped())))
            .unwrap_or(near);
        is_found(world, &searcher, &alice, place, near).await?;
    }
    leaves(&alice).await
}

async fn users_are_found_around_and_across_the_poles(world: &World) -> Verdict {
    let lon: f64 = rand::random_range(1.0..179.0);
    let [searcher, alice] = world.users().await?;
    for pole in [90.0, -90.0_f64] {
        let close = |away: f64, lon: f64| Place::new(pole - away.copysign(pole), lon);
        for (place, near) in [
            // On the pole every longitude is the same, for who is there and for who looks.
            (close(0.0, lon), close(0.03, -lon)),
            (close(0.0, -lon), close(0.0401, lon)),
            (close(0.031, lon), close(0.0, 0.0)),
            (close(0.001, lon), close(0.0502, -lon)),
            // On the other side of the pole, and a quarter of the way round it.
            (close(0.0403, lon), close(0.0404, lon - 180.0)),
            (close(0.0705, lon), close(0.0806, lon - 90.0)),
            // Too far away, though on the same side.
            (close(0.3007, lon), close(0.0, lon)),
        ] {
            settles(&alice, place).await?;
            let near = (0..100)
                .map(|step| Place::new(near.lat - (1e-5 * f64::from(step)).copysign(pole), near.lon))
                .find(|near| is_clear(near.metres_to(place.snapped())))
                .unwrap_or(near);
            is_found(world, &searcher, &alice, place, near).await?;
        }
    }
    leaves(&alice).await
}

async fn at_zero_degrees_nothing_is_special(world: &World) -> Verdict {
    let (lat, lon): (f64, f64) = (rand::random_range(-60.0..60.0), rand::random_range(-170.0..170.0));
    let places = [
        Place::new(0.0, lon),
        Place::new(-0.0001, lon),
        Place::new(0.0001, lon),
        Place::new(lat, 0.0),
        Place::new(lat, -0.0001),
        Place::new(lat, 0.0001),
    ];
    are_found_at(world, &places).await
}
