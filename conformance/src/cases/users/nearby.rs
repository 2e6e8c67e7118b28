//! Finding users nearby: who is found, in what order, and how often one may look. (USR-7 to USR-13)

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use super::earth::{Place, is_clear, rounded};
use crate::{
    cases,
    client::Request,
    expect::{check, expect, list_at},
    verdict::{InSetup, Stop, Verdict},
    world::{User, World, patiently},
};

cases! { Users:
    the_nearest_are_found_first_with_their_distance ["USR-7", "USR-8", "USR-10", "USR-11"],
    at_one_distance_the_names_decide ["USR-8", "USR-11"],
    a_limit_keeps_the_nearest ["USR-8"],
    the_radius_ends_where_it_says ["USR-10", "CAP-2"],
    the_caller_is_left_out ["USR-8"],
    a_search_finds_what_was_acknowledged_before ["USR-12", "USR-4"],
    those_found_are_shown_without_coordinates ["USR-6", "USR-8", "USR-3"],
    a_place_to_search_has_its_form ["USR-7", "CNV-12", "ERR-4"],
    a_radius_and_a_limit_have_their_bounds ["USR-8", "USR-10", "CNV-12", "CAP-2"],
    searches_are_limited_by_themselves ["USR-13", "ERR-7", "CAP-2"],
}

/// A search around a place, `rest` being further parameters.
pub(super) fn searching(user: &User, near: Place, rest: &str) -> Request {
    user.get(format!("/v1/users?near={near}{rest}"))
}

/// Searches, and answers the items. (USR-8)
pub(in crate::cases) async fn finds(user: &User, near: Place, rest: &str) -> Verdict<Vec<Value>> {
    let found = patiently(searching(user, near, rest)).await?.succeeded(200)?;
    check(found.get("next").is_none(), || ("no paging", found.to_string()))?;
    Ok(list_at(&found, "items")?.clone())
}

/// Sets a user's location. Inconclusive when that does not work.
pub(in crate::cases) async fn settles(user: &User, place: Place) -> Verdict {
    let body = json!({ "location": place.as_location() });
    patiently(user.patch("/v1/me", &body)).await?.succeeded(200).in_setup("setting a location")?;
    Ok(())
}

/// The item that stands for a user who is so far away. (USR-8)
pub(super) fn item(user: &User, metres: f64) -> Value {
    json!({ "user_id": user.user_id, "username": user.username, "distance_m": rounded(metres) })
}

/// A place where nobody is, as far as one may look: other users of the server may be anywhere else.
async fn quiet_place(world: &World, searcher: &User) -> Verdict<Place> {
    const TRIES: usize = 10;
    let widest = format!("&radius_m={}", world.limits().nearby_max_radius_m);
    for _ in 0..TRIES {
        let place = Place::somewhere();
        if finds(searcher, place, &widest).await.in_setup("looking for a quiet place")?.is_empty() {
            return Ok(place);
        }
    }
    Err(Stop::Inconclusive(format!("somebody is in each of {TRIES} places around the world")))
}

/// A place about so far from another whose point on the grid is at a distance that leaves no doubt.
fn place_at(near: Place, metres: f64) -> (Place, f64) {
    loop {
        let place = near.going(metres, rand::random_range(0.0..360.0));
        let distance = near.metres_to(place.snapped());
        if is_clear(distance) {
            return (place, distance);
        }
    }
}

async fn the_nearest_are_found_first_with_their_distance(world: &World) -> Verdict {
    let [searcher, near, middle, far, beyond, nowhere] = world.users().await?;
    let place = quiet_place(world, &searcher).await?;
    let mut wanted = Vec::new();
    // The order in which they settle has nothing to do with it. 10,000 m is how far one looks who does not say.
    for (user, metres) in [(&far, 8_000.0), (&near, 1_000.0), (&beyond, 12_000.0), (&middle, 4_000.0)] {
        let (there, distance) = place_at(place, metres);
        settles(user, there).await?;
        wanted.push((distance, item(user, distance)));
    }
    wanted.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let items: Vec<_> = wanted.iter().map(|(_, item)| item).collect();
    expect(finds(&searcher, place, "").await?).to_equal(items.get(..3))?;
    expect(finds(&searcher, place, "&radius_m=13000").await?).to_equal(&items)?;
    // One who has no location may look around too, and is not found.
    expect(finds(&nowhere, place, "&radius_m=13000").await?).to_equal(&items)
}

/// Two places close to another one, in different cells of the grid, and both so close that the distance rounds to the same.
fn two_at_one_distance(near: Place) -> [Place; 2] {
    loop {
        let (one, closer) = place_at(near, 2_000.0);
        let (other, farther) = place_at(near, 2_000.0);
        if rounded(closer) == rounded(farther) && farther - closer > 5.0 {
            return [one, other];
        }
    }
}

async fn at_one_distance_the_names_decide(world: &World) -> Verdict {
    let searcher = world.user().await?;
    let place = quiet_place(world, &searcher).await?;
    let [closer, farther] = two_at_one_distance(place);
    // Names of which the comparison of bytes would say otherwise if case counted.
    let [mut one, mut other] = [world.newcomer(), world.newcomer()];
    one.username = format!("a{}", one.username);
    other.username = format!("B{}", other.username);
    let (first, second) =
        (one.signs_up().await.in_setup("signing up")?, other.signs_up().await.in_setup("signing up")?);
    // Whose name comes first is the one who is a little farther away.
    settles(&first, farther).await?;
    settles(&second, closer).await?;
    let wanted = [item(&first, place.metres_to(farther.snapped())), item(&second, place.metres_to(closer.snapped()))];
    expect(&wanted[0]["distance_m"]).to_equal(&wanted[1]["distance_m"])?;
    expect(finds(&searcher, place, "").await?).to_equal(&wanted)?;
    expect(finds(&searcher, place, "&limit=1").await?).to_equal(&wanted[..1])?;
    // In one cell of the grid the distance is the same whatever the way.
    settles(&second, farther).await?;
    let together = [wanted[0].clone(), item(&second, place.metres_to(farther.snapped()))];
    expect(finds(&searcher, place, "").await?).to_equal(&together)
}

async fn a_limit_keeps_the_nearest(world: &World) -> Verdict {
    let [searcher, first, second, third] = world.users().await?;
    let place = quiet_place(world, &searcher).await?;
    let mut wanted = Vec::new();
    for (user, metres) in [(&third, 7_000.0), (&first, 700.0), (&second, 3_000.0)] {
        let (there, distance) = place_at(place, metres);
        settles(user, there).await?;
        wanted.insert(0, item(user, distance));
    }
    wanted.sort_by_key(|item| item["distance_m"].as_u64());
    for limit in 1..=3 {
        let found = finds(&searcher, place, &format!("&limit={limit}")).await?;
        expect(found).to_equal(wanted.get(..limit))?;
    }
    let most = world.limits().nearby_max_items;
    expect(finds(&searcher, place, &format!("&limit={most}")).await?).to_equal(&wanted)
}

async fn the_radius_ends_where_it_says(world: &World) -> Verdict {
    let [searcher, alice] = world.users().await?;
    let place = quiet_place(world, &searcher).await?;
    for metres in [1_500.0, 9_000.0, 90_000.0] {
        let (there, distance) = loop {
            let (there, distance) = place_at(place, metres);
            // Not so close to a whole metre that another way of reckoning could come out on its other side.
            if (0.1..0.9).contains(&distance.fract()) {
                break (there, distance);
            }
        };
        settles(&alice, there).await?;
        let (inside, outside) = (distance.ceil(), distance.floor());
        let found = finds(&searcher, place, &format!("&radius_m={inside}")).await?;
        expect(found).to_equal([item(&alice, distance)])?;
        expect(finds(&searcher, place, &format!("&radius_m={outside}")).await?).to_equal(json!([]))?;
    }
    Ok(())
}

async fn the_caller_is_left_out(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let place = quiet_place(world, &alice).await?;
    let distance = place.metres_to(place.snapped());
    for user in [&alice, &bob] {
        settles(user, place).await?;
    }
    expect(finds(&alice, place, "").await?).to_equal([item(&bob, distance)])?;
    expect(finds(&bob, place, "").await?).to_equal([item(&alice, distance)])
}

async fn a_search_finds_what_was_acknowledged_before(world: &World) -> Verdict {
    let [searcher, alice] = world.users().await?;
    let (here, there) = (quiet_place(world, &searcher).await?, quiet_place(world, &searcher).await?);
    let at = |place: Place| [item(&alice, place.metres_to(place.snapped()))];
    for _ in 0..5 {
        settles(&alice, here).await?;
        expect(finds(&searcher, here, "").await?).to_equal(at(here))?;
        settles(&alice, there).await?;
        expect(finds(&searcher, here, "").await?).to_equal(json!([]))?;
        expect(finds(&searcher, there, "").await?).to_equal(at(there))?;
        alice.patch("/v1/me", &json!({ "location": null })).send().await?.succeeded(200)?;
        expect(finds(&searcher, there, "").await?).to_equal(json!([]))?;
    }
    Ok(())
}

async fn those_found_are_shown_without_coordinates(world: &World) -> Verdict {
    let [searcher, alice] = world.users().await?;
    let place = quiet_place(world, &searcher).await?;
    settles(&alice, place).await?;
    let found = searching(&searcher, place, "").send().await?;
    expect(found.succeeded(200)?["items"].as_array().map(Vec::len)).to_equal(1)?;
    let profile = searcher.get(format!("/v1/users/{}", alice.username)).send().await?;
    profile.succeeded(200)?;
    let point = place.snapped();
    for answer in [&found, &profile] {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        // As they were sent, as they stand on the grid, or named at all.
        let digits = |degrees: f64| format!("{:.3}", degrees.abs());
        let names = ["\"lat\"", "\"lon\"", "location", "coordinates"].map(str::to_owned);
        let numbers = [place.lat, place.lon, point.lat, point.lon].map(digits);
        for shown in names.iter().chain(&numbers) {
            check(!body.contains(shown), || (format!("nothing of a location ({shown})"), body.clone()))?;
        }
        check(!body.to_lowercase().contains(&alice.email.to_lowercase()), || ("no mail address", body.clone()))?;
    }
    Ok(())
}

async fn a_place_to_search_has_its_form(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    alice.get("/v1/users").send().await?.refused_field("near", FieldCode::Missing)?;
    let malformed = [
        "",
        "1",
        "1,",
        ",1",
        "1,2,3",
        "1;2",
        "a,b",
        "NaN,0",
        "0,nan",
        "inf,0",
        "0,-Infinity",
        "%2B1,2",
        "1e1,2",
        "1,2E0",
        "01,2",
        "1,-007",
        "1.,2",
        ".5,1",
        "1.1234567890123,2",
        "1,2.0000000000000",
        "%201,2",
        "1,2%20",
        "--1,2",
        "1,0x2",
        "\u{661},2",
        "1%00,2",
        "1,2%0A",
    ];
    for near in malformed {
        // What is no ASCII travels escaped.
        let near: String = url::form_urlencoded::byte_serialize(near.replace('%', "\u{1}").as_bytes())
            .collect::<String>()
            .replace("%01", "%");
        bob.get(format!("/v1/users?near={near}")).send().await?.refused_field("near", FieldCode::BadFormat)?;
    }
    for near in ["90.000000000001,0", "-91,0", "0,180.5", "0,-181", "900,0", "0,999"] {
        alice.get(format!("/v1/users?near={near}")).send().await?.refused_field("near", FieldCode::OutOfRange)?;
    }
    for near in ["90,180", "-90,-180", "0,0", "-0,-0.0", "7,100", "0.5,-0.123456789012", "90.0,180.000000000000"] {
        alice.get(format!("/v1/users?near={near}")).send().await?.succeeded(200)?;
    }
    Ok(())
}

async fn a_radius_and_a_limit_have_their_bounds(world: &World) -> Verdict {
    let limits = world.limits();
    let alice = world.user().await?;
    let place = Place::somewhere();
    for (name, least, most) in
        [("radius_m", limits.nearby_min_radius_m, limits.nearby_max_radius_m), ("limit", 1, limits.nearby_max_items)]
    {
        for right in [least, most] {
            searching(&alice, place, &format!("&{name}={right}")).send().await?.succeeded(200)?;
        }
        for wrong in [least - 1, most + 1, most * 1000] {
            let answer = searching(&alice, place, &format!("&{name}={wrong}")).send().await?;
            answer.refused_field(name, FieldCode::OutOfRange)?;
        }
        for wrong in ["-1", "1.5", "1e3", "ten", "", "99999999999999999999999"] {
            let answer = searching(&alice, place, &format!("&{name}={wrong}")).send().await?;
            let problem = answer.refused_with(ErrorCode::InvalidRequest)?;
            let listed = list_at(&problem, "fields")?.iter().any(|entry| entry["field"] == name);
            check(listed, || (format!("{name} among the fields"), problem.to_string()))?;
        }
    }
    Ok(())
}

async fn searches_are_limited_by_themselves(world: &World) -> Verdict {
    const MOST: u64 = 300;
    let limit = world.limits().nearby_per_minute;
    if limit > MOST {
        return Err(Stop::skipped(format!("nearby_per_minute is {limit}, too many to try ({MOST} at most)")));
    }
    let [alice, bob] = world.users().await?;
    let place = Place::somewhere();
    for _ in 0..limit {
        searching(&alice, place, "").send().await?.succeeded(200)?;
    }
    // However the minute is counted, one that begins now grants no more than as many again.
    let mut refused = None;
    for _ in 0..=limit {
        let answer = searching(&alice, place, "").send().await?;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let Some(refused) = refused else {
        return Err(Stop::failed(format!("rate_limited after {limit} searches"), format!("{} granted", 2 * limit)));
    };
    let problem = refused.refused_with(ErrorCode::RateLimited)?;
    expect(&problem["retry_after_ms"]).to_be_within(1, 60_000)?;
    // Other requests go on, and so do the searches of others.
    alice.get("/v1/me").send().await?.succeeded(200)?;
    alice.get(format!("/v1/users/{}", bob.username)).send().await?.succeeded(200)?;
    searching(&bob, place, "").send().await?.succeeded(200)?;
    Ok(())
}
