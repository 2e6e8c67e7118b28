//! Users around a place. (USR-8 to USR-12)

use i9chat_server::{
    domain::{Cell, ChangeProfile, Point, rounded_m},
    store::accounts::NearbySearch,
};
use i9chat_spec::{Location, Patch, User, api::users::ProfilePatch};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{
    case::cases,
    profiles::{changed, place},
    shelf::Shelf,
};

cases![
    the_search_finds_what_looking_at_everybody_finds,
    who_moves_is_found_where_they_are_and_who_hides_is_not_found,
    in_a_full_city_far_away_as_many_as_were_asked_for_are_found,
    of_many_at_one_point_the_first_by_name_are_found,
    whoever_is_found_is_found_with_their_picture_and_name,
];

fn moves(user: &User, location: Option<Location>) -> ChangeProfile {
    let location = location.map_or(Patch::Clear, Patch::Set);
    changed(user, ProfilePatch { location, ..ProfilePatch::default() })
}

async fn found(shelf: &Shelf, search: NearbySearch) -> Vec<(u64, String)> {
    let found = shelf.store.nearby(search).await.unwrap();
    found.into_iter().map(|user| (user.distance_m, user.username.as_str().to_owned())).collect()
}

/// The same by looking at everybody.
fn expected(people: &[(User, Option<Location>)], search: &NearbySearch) -> Vec<(u64, String)> {
    let mut all: Vec<_> = people
        .iter()
        .filter(|(user, _)| user.user_id != search.except)
        .filter_map(|(user, location)| {
            let distance_m = Point::from(search.near).distance_m(Cell::of((*location)?).point());
            let name = user.username.as_str().to_owned();
            (distance_m <= f64::from(search.radius_m)).then(|| (rounded_m(distance_m), name))
        })
        .collect();
    all.sort_by_key(|(distance_m, name)| (*distance_m, name.to_ascii_lowercase()));
    all.truncate(search.limit);
    all
}

/// Places where maps have borders, and one where they have none.
fn centre() -> impl Strategy<Value = (f64, f64)> {
    prop_oneof![
        Just((90.0, 0.0)),
        Just((-90.0, 77.0)),
        Just((0.0, 180.0)),
        Just((0.0, -180.0)),
        Just((71.0, 179.9)),
        Just((89.9, -179.9)),
        Just((41.3275, 19.8187)),
    ]
}

/// Somewhere around a centre, up to a few degrees away, over poles and the antimeridian too.
fn around((lat, lon): (f64, f64)) -> impl Strategy<Value = Location> {
    let reach = prop_oneof![Just(0.0), Just(0.002), Just(0.02), Just(0.3), Just(2.0)];
    (reach, -1.0..=1.0_f64, -1.0..=1.0_f64).prop_map(move |(reach, north, east)| {
        let mut lat = lat + north * reach;
        // Near a pole every longitude is near.
        let mut lon = lon + if lat.abs() > 85.0 { east * 180.0 } else { east * reach };
        if lat.abs() > 90.0 {
            lat = lat.signum() * 180.0 - lat;
            lon += 180.0;
        }
        place(lat, (lon + 180.0).rem_euclid(360.0) - 180.0)
    })
}

async fn the_search_finds_what_looking_at_everybody_finds(shelf: &Shelf) {
    const WORLDS: usize = 30;
    const PEOPLE: usize = 120;

    let mut users = Vec::new();
    for number in 0..PEOPLE {
        // Names that sort otherwise than they were added, in both cases.
        users.push(shelf.user(&format!("{}{}", if number % 3 == 0 { "Bo" } else { "al" }, 1000 - number)).await);
    }
    let worlds = centre().prop_flat_map(|centre| {
        let people = prop::collection::vec(prop::option::weighted(0.9, around(centre)), PEOPLE);
        let searches = prop::collection::vec((around(centre), 1000_u32..=200_000, 1_usize..=100), 3..8);
        (people, searches)
    });
    let mut runner = TestRunner::deterministic();
    for world in 0..WORLDS {
        let (locations, searches) = worlds.new_tree(&mut runner).unwrap().current();
        let people: Vec<_> = users.iter().cloned().zip(locations).collect();
        shelf.commit_all(people.iter().map(|(user, location)| moves(user, *location)).collect()).await;
        for (near, radius_m, limit) in searches {
            let search = NearbySearch { near, radius_m, limit, except: users[0].user_id };
            assert_eq!(found(shelf, search).await, expected(&people, &search), "world {world}: {search:?}");
        }
    }
}

async fn who_moves_is_found_where_they_are_and_who_hides_is_not_found(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let (home, away) = (place(41.3275, 19.8187), place(-33.86, 151.2));
    let near = |near| NearbySearch { near, radius_m: 10_000, limit: 10, except: alice.user_id };
    let names = async |place| found(shelf, near(place)).await.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    shelf.commit(moves(&bob, Some(home))).await;
    shelf.commit(moves(&carol, Some(home))).await;
    assert_eq!(names(home).await, ["bob", "carol"]);
    shelf.commit(moves(&bob, Some(away))).await;
    assert_eq!((names(home).await, names(away).await), (vec!["carol".to_owned()], vec!["bob".to_owned()]));
    // There and back in one transaction.
    shelf.commit_all(vec![moves(&bob, Some(home)), moves(&carol, Some(away)), moves(&bob, Some(away))]).await;
    assert_eq!((names(home).await.len(), names(away).await.len()), (0, 2));
    shelf.commit(moves(&carol, None)).await;
    shelf.commit(moves(&bob, None)).await;
    assert_eq!((names(home).await.len(), names(away).await.len()), (0, 0));
    // Whoever searches is not found, and is no reason to look no further.
    shelf.commit_all(vec![moves(&alice, Some(home)), moves(&bob, Some(place(41.36, 19.8187)))]).await;
    let one = NearbySearch { limit: 1, ..near(home) };
    assert_eq!(found(shelf, one).await.into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["bob"]);
}

async fn in_a_full_city_far_away_as_many_as_were_asked_for_are_found(shelf: &Shelf) {
    const SIDE: i32 = 18;

    let me = shelf.user("me-myself").await;
    let mut people = Vec::new();
    // Points of the grid, one hundred kilometres to the east.
    for row in 0..SIDE {
        for column in 0..SIDE {
            let user = shelf.user(&format!("user{row}-{column}")).await;
            people.push((user, Some(place(0.0045 * f64::from(row), 0.9 + 0.0045 * f64::from(column)))));
        }
    }
    shelf.commit_all(people.iter().map(|(user, location)| moves(user, *location)).collect()).await;
    for limit in [1, 7, 100, 1000] {
        let search = NearbySearch { near: place(0.0, 0.0), radius_m: 200_000, limit, except: me.user_id };
        assert_eq!(found(shelf, search).await, expected(&people, &search), "{limit}");
    }
}

async fn of_many_at_one_point_the_first_by_name_are_found(shelf: &Shelf) {
    let here = place(10.0, 10.0);
    let mut people = Vec::new();
    for number in (0..30).rev() {
        people.push((shelf.user(&format!("user{number:02}")).await, Some(here)));
    }
    shelf.commit_all(people.iter().map(|(user, location)| moves(user, *location)).collect()).await;
    let search = NearbySearch { near: here, radius_m: 1000, limit: 4, except: people[27].0.user_id };
    let names: Vec<_> = found(shelf, search).await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["user00", "user01", "user03", "user04"]);
}

async fn whoever_is_found_is_found_with_their_picture_and_name(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["Alice", "bob"]).await;
    let picture_id = shelf.picture_of(&alice).await;
    shelf.commit(moves(&alice, Some(place(10.0, 10.0)))).await;
    let search = NearbySearch { near: place(10.0, 10.02), radius_m: 5000, limit: 9, except: bob.user_id };
    let found = shelf.store.nearby(search).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].user_id, found[0].username.as_str(), found[0].picture_id),
        (alice.user_id, "Alice", Some(picture_id))
    );
    assert_eq!(found[0].distance_m % 100, 0);
}
