use i9chat_spec::{Location, UserId, event::ProfileChanged};
use rusqlite::Connection;
use uuid::Uuid;

use super::*;
use crate::store::sqlite::schema;

fn settle(connection: &Connection, user_id: UserId, location: Option<Location>) {
    let profile = ProfileChanged { bio: "".parse().unwrap(), picture_id: None, location };
    profiles::write(connection, user_id, &profile).unwrap();
}

fn cells(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM cells", [], |row| row.get(0)).unwrap()
}

#[test]
fn only_the_points_are_kept_that_somebody_is_at() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::prepare(&mut connection).unwrap();
    let [bob, carol] = [1_u128, 2].map(|number| {
        let user_id = UserId::from_uuid(Uuid::from_u128(number));
        let name = format!("user{number}");
        connection
            .execute(
                "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at)
                 VALUES (?1, ?2, ?2, ?2, ?2, '', '', 0)",
                (user_id.as_uuid().as_bytes(), name),
            )
            .unwrap();
        user_id
    });
    let at = |lat: f64, lon: f64| Some(Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() });
    let (home, away) = (at(41.3275, 19.8187), at(-33.86, 151.2));
    for (user_id, location, expected) in
        [(bob, home, 1), (carol, home, 1), (bob, away, 2), (carol, None, 1), (bob, home, 1), (bob, None, 0)]
    {
        settle(&connection, user_id, location);
        assert_eq!(cells(&connection), expected);
    }
}
