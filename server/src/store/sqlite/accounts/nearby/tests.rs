use i9chat_spec::{Location, UserId, Username, event::ProfileChanged};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use uuid::Uuid;

use super::*;
use crate::store::sqlite::schema;

/// A world in memory, and the same as a list.
struct World {
    connection: Connection,
    people: Vec<(UserId, Username, Option<Location>)>,
}

impl World {
    fn new() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection).unwrap();
        Self { connection, people: Vec::new() }
    }

    fn add(&mut self, name: &str) -> UserId {
        let user_id = UserId::from_uuid(Uuid::from_u128(self.people.len() as u128 + 1));
        self.connection
            .execute(
                "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at)
                 VALUES (?1, ?2, ?3, ?2, ?2, '', '', 0)",
                (user_id.as_uuid().as_bytes(), name, name.to_ascii_lowercase()),
            )
            .unwrap();
        self.people.push((user_id, name.parse().unwrap(), None));
        user_id
    }

    fn settle(&mut self, user_id: UserId, location: Option<Location>) {
        let profile = ProfileChanged { bio: "".parse().unwrap(), picture_id: None, location };
        profiles::write(&self.connection, user_id, &profile).unwrap();
        self.people.iter_mut().find(|person| person.0 == user_id).unwrap().2 = location;
    }

    fn search(&self, search: &NearbySearch) -> Vec<(u64, String)> {
        let found = super::search(&self.connection, search).unwrap();
        found.into_iter().map(|user| (user.distance_m, user.username.as_str().to_owned())).collect()
    }

    /// The same by looking at everybody.
    fn expected(&self, search: &NearbySearch) -> Vec<(u64, String)> {
        let mut all: Vec<_> = self
            .people
            .iter()
            .filter(|person| person.0 != search.except)
            .filter_map(|(_, name, location)| {
                let distance_m = Point::from(search.near).distance_m(Cell::of((*location)?).point());
                (distance_m <= f64::from(search.radius_m)).then(|| (rounded_m(distance_m), name.as_str().to_owned()))
            })
            .collect();
        all.sort_by_key(|(distance_m, name)| (*distance_m, name.to_ascii_lowercase()));
        all.truncate(search.limit);
        all
    }

    fn cells(&self) -> i64 {
        self.connection.query_row("SELECT count(*) FROM cells", [], |row| row.get(0)).unwrap()
    }
}

fn at(lat: f64, lon: f64) -> Location {
    Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() }
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
        at(lat, (lon + 180.0).rem_euclid(360.0) - 180.0)
    })
}

#[test]
fn the_search_finds_what_looking_at_everybody_finds() {
    let worlds = centre().prop_flat_map(|centre| {
        let people = prop::collection::vec(prop::option::weighted(0.9, around(centre)), 1..150);
        let searches = prop::collection::vec((around(centre), 1000_u32..=200_000, 1_usize..=100), 1..6);
        (people, searches)
    });
    let mut runner = TestRunner::new(Config { cases: 96, ..Config::default() });
    runner
        .run(&worlds, |(people, searches)| {
            let mut world = World::new();
            for (number, location) in people.iter().enumerate() {
                // Names that sort otherwise than they were added, in both cases.
                let name = format!("{}{}", if number % 3 == 0 { "B" } else { "a" }, 1000 - number);
                let user_id = world.add(&name);
                world.settle(user_id, *location);
            }
            let except = world.people[0].0;
            for (near, radius_m, limit) in searches {
                let search = NearbySearch { near, radius_m, limit, except };
                prop_assert_eq!(world.search(&search), world.expected(&search));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn who_moves_is_found_where_they_are_and_who_hides_is_not_found() {
    let mut world = World::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.add(name));
    let (home, away) = (at(41.3275, 19.8187), at(-33.86, 151.2));
    let search = |near| NearbySearch { near, radius_m: 10_000, limit: 10, except: alice };
    world.settle(bob, Some(home));
    world.settle(carol, Some(home));
    assert_eq!((world.search(&search(home)).len(), world.cells()), (2, 1));
    world.settle(bob, Some(away));
    assert_eq!((world.search(&search(home)).len(), world.cells()), (1, 2));
    assert_eq!(world.search(&search(away))[0].1, "bob");
    world.settle(carol, None);
    world.settle(bob, None);
    assert_eq!((world.search(&search(home)), world.search(&search(away)), world.cells()), (vec![], vec![], 0));
}

#[test]
fn in_a_full_city_far_away_as_many_as_were_asked_for_are_found() {
    let mut world = World::new();
    let me = world.add("me-myself");
    let mut number = 0;
    // 60 by 60 points of the grid, one hundred kilometres to the east.
    for row in 0..60 {
        for column in 0..60 {
            number += 1;
            let user_id = world.add(&format!("user{number}"));
            world.settle(user_id, Some(at(0.0045 * f64::from(row), 0.9 + 0.0045 * f64::from(column))));
        }
    }
    for limit in [1, 7, 100] {
        let search = NearbySearch { near: at(0.0, 0.0), radius_m: 200_000, limit, except: me };
        assert_eq!(world.search(&search), world.expected(&search), "{limit}");
    }
    let everything = NearbySearch { near: at(0.1, 1.0), radius_m: 200_000, limit: 100_000, except: me };
    assert_eq!(world.search(&everything).len(), 3600);
}
