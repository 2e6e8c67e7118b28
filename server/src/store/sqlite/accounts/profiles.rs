use i9chat_spec::{Location, MediaId, User, UserId, api::users::OwnProfile, event::ProfileChanged};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{
    super::column::{Column, Parsed},
    users,
};
use crate::{
    domain::{Cell, Space},
    store::{StoreError, accounts::Profile},
};

pub(super) fn own(connection: &Connection, user_id: UserId) -> Result<Option<OwnProfile>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user_id, username, email, bio, picture_id, lat, lon, created_at FROM users WHERE user_id = ?1",
    )?;
    let profile = statement.query_row([Column(user_id.as_uuid())], |row| {
        let User { user_id, username } = users::user(row, "user_id", "username")?;
        let ProfileChanged { bio, picture_id, location } = shown(row)?;
        Ok(OwnProfile {
            user_id,
            username,
            email: row.get::<_, Parsed<_>>("email")?.0,
            bio,
            picture_id,
            location,
            created_at: row.get::<_, Column<_>>("created_at")?.0,
        })
    });
    Ok(profile.optional()?)
}

pub(super) fn of(connection: &Connection, key: &str) -> Result<Option<Profile>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT user_id, username, bio, picture_id FROM users WHERE username_key = ?1")?;
    let profile = statement.query_row([key], |row| {
        Ok(Profile {
            user: users::user(row, "user_id", "username")?,
            bio: row.get::<_, Parsed<_>>("bio")?.0,
            picture_id: picture_id(row)?,
        })
    });
    Ok(profile.optional()?)
}

/// What a user can change of their profile, as it is.
pub(in crate::store::sqlite) fn changeable(
    connection: &Connection,
    user_id: UserId,
) -> Result<Option<ProfileChanged>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bio, picture_id, lat, lon FROM users WHERE user_id = ?1")?;
    Ok(statement.query_row([Column(user_id.as_uuid())], shown).optional()?)
}

fn shown(row: &Row<'_>) -> rusqlite::Result<ProfileChanged> {
    let bio = row.get::<_, Parsed<_>>("bio")?.0;
    Ok(ProfileChanged { bio, picture_id: picture_id(row)?, location: location(row)? })
}

pub(super) fn picture_id(row: &Row<'_>) -> rusqlite::Result<Option<MediaId>> {
    Ok(row.get::<_, Option<Column<_>>>("picture_id")?.map(|id| MediaId::from_uuid(id.0)))
}

fn location(row: &Row<'_>) -> rusqlite::Result<Option<Location>> {
    let degrees = |column| row.get::<_, Option<f64>>(column);
    let (Some(lat), Some(lon)) = (degrees("lat")?, degrees("lon")?) else { return Ok(None) };
    match (lat.try_into(), lon.try_into()) {
        (Ok(lat), Ok(lon)) => Ok(Some(Location { lat, lon })),
        (Err(error), _) | (_, Err(error)) => {
            Err(rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Real, Box::new(error)))
        }
    }
}

/// Writes a profile as it is from now on, and keeps the cells that somebody is at.
pub(in crate::store::sqlite) fn write(
    connection: &Connection,
    user_id: UserId,
    profile: &ProfileChanged,
) -> Result<(), StoreError> {
    let before: Option<i64> = connection
        .prepare_cached("SELECT cell FROM users WHERE user_id = ?1")?
        .query_row([Column(user_id.as_uuid())], |row| row.get(0))?;
    let cell = profile.location.map(Cell::of);
    connection
        .prepare_cached(
            "UPDATE users SET bio = :bio, picture_id = :picture_id, lat = :lat, lon = :lon, cell = :cell
             WHERE user_id = :user_id",
        )?
        .execute(named_params! {
            ":bio": profile.bio.as_str(),
            ":picture_id": profile.picture_id.as_ref().map(|id| Column(id.as_uuid())),
            ":lat": profile.location.map(|location| location.lat.degrees()),
            ":lon": profile.location.map(|location| location.lon.degrees()),
            ":cell": cell.map(|cell| cell.0),
            ":user_id": Column(user_id.as_uuid()),
        })?;
    if before == cell.map(|cell| cell.0) {
        return Ok(());
    }
    if let Some(left) = before {
        connection
            .prepare_cached(
                "DELETE FROM cells WHERE cell = ?1 AND NOT EXISTS (SELECT 1 FROM users WHERE users.cell = ?1)",
            )?
            .execute([left])?;
    }
    if let Some(cell) = cell {
        let [x, y, z]: Space = cell.point().space();
        connection
            .prepare_cached("INSERT OR IGNORE INTO cells VALUES (?1, ?2, ?2, ?3, ?3, ?4, ?4)")?
            .execute((cell.0, x, y, z))?;
    }
    Ok(())
}
