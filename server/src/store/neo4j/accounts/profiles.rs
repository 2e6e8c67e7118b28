use i9chat_spec::{
    Bio, EmailAddress, Latitude, Location, Longitude, MediaId, Timestamp, User, UserId, Username,
    api::users::OwnProfile, event::ProfileChanged,
};
use serde::Deserialize;

use crate::{
    domain::Cell,
    store::{
        StoreError,
        accounts::Profile,
        neo4j::driver::{Driver, Statement, Value, map, text},
    },
};

pub(super) const OWN: &str = "
    MATCH (u:User {user_id: $user_id})
    RETURN u.user_id AS user_id, u.username AS username, u.email AS email, u.bio AS bio, u.picture_id AS picture_id,
           u.lat AS lat, u.lon AS lon, u.created_at AS created_at";

pub(super) const OF: &str = "
    MATCH (u:User {username_key: $username_key})
    RETURN u.user_id AS user_id, u.username AS username, u.bio AS bio, u.picture_id AS picture_id";

pub(super) async fn own(driver: &Driver, user_id: UserId) -> Result<Option<OwnProfile>, StoreError> {
    #[derive(Deserialize)]
    struct Own {
        #[serde(flatten)]
        user: User,
        email: EmailAddress,
        bio: Bio,
        picture_id: Option<MediaId>,
        lat: Option<Latitude>,
        lon: Option<Longitude>,
        created_at: i64,
    }

    let own: Option<Own> = driver.read_one(&Statement::new(OWN).with("user_id", text(user_id))).await?;
    Ok(own.map(|own| OwnProfile {
        user_id: own.user.user_id,
        username: own.user.username,
        email: own.email,
        bio: own.bio,
        picture_id: own.picture_id,
        location: own.lat.zip(own.lon).map(|(lat, lon)| Location { lat, lon }),
        created_at: Timestamp::from_millis(own.created_at),
    }))
}

pub(super) async fn of(driver: &Driver, username: &Username) -> Result<Option<Profile>, StoreError> {
    #[derive(Deserialize)]
    struct Shown {
        #[serde(flatten)]
        user: User,
        bio: Bio,
        picture_id: Option<MediaId>,
    }

    let statement = Statement::new(OF).with("username_key", username.key());
    let shown: Option<Shown> = driver.read_one(&statement).await?;
    Ok(shown.map(|Shown { user, bio, picture_id }| Profile { user, bio, picture_id }))
}

/// A profile as the log's writer gets it: with the cell of the grid that the location is snapped to, and where that is in space, in
/// metres.
pub(in crate::store::neo4j) fn row(user_id: UserId, profile: &ProfileChanged) -> Value {
    let cell = profile.location.map(Cell::of);
    let [x, y, z] = cell.map_or([None; 3], |cell| cell.point().space().map(|part| Some(f64::from(part) / 100.0)));
    map([
        ("user_id", text(user_id)),
        ("bio", profile.bio.as_str().into()),
        ("picture_id", profile.picture_id.map(text).into()),
        ("lat", profile.location.map(|location| location.lat.degrees()).into()),
        ("lon", profile.location.map(|location| location.lon.degrees()).into()),
        ("cell", cell.map(|cell| cell.0).into()),
        ("x", x.into()),
        ("y", y.into()),
        ("z", z.into()),
    ])
}
