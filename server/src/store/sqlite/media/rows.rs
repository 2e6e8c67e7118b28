use std::str::FromStr;

use i9chat_spec::{MediaId, MediaPurpose, PartInfo, Timestamp, UserId, text::TextError};
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use uuid::Uuid;

use crate::store::{
    StoreError,
    media::{MediaRecord, NewMedia},
};

/// The row id of media, as other tables name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaRow(pub i64);

/// The row id of a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnerRow(i64);

/// What is alive: not expired, or in use.
const IS_ALIVE: &str = "(expires_at > :now OR used = 1
    OR EXISTS (SELECT 1 FROM users WHERE users.id = media.owner AND users.picture_id = media.media_id))";

pub(super) fn user(connection: &Connection, user_id: UserId) -> Result<OwnerRow, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM users WHERE user_id = ?1")?;
    Ok(OwnerRow(statement.query_row([bytes(user_id.as_uuid())], |row| row.get(0))?))
}

/// Uploads that are not complete, and media that nothing uses. (MED-6)
pub(super) fn count_unused(connection: &Connection, owner: OwnerRow, now: Timestamp) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM media JOIN users ON users.id = media.owner
         WHERE owner = :owner AND used = 0 AND expires_at > :now AND users.picture_id IS NOT media_id",
    )?;
    let count: i64 =
        statement.query_row(named_params! { ":owner": owner.0, ":now": now.as_millis() }, |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

pub(super) fn add(connection: &Connection, owner: OwnerRow, upload: &NewMedia) -> Result<(), StoreError> {
    let media = connection
        .prepare_cached(
            "INSERT INTO media (media_id, owner, purpose, kind, created_at, expires_at)
             VALUES (:media_id, :owner, :purpose, :kind, :created_at, :expires_at)",
        )?
        .insert(named_params! {
            ":media_id": bytes(upload.media_id.as_uuid()),
            ":owner": owner.0,
            ":purpose": upload.purpose.as_str(),
            ":kind": upload.kind.as_str(),
            ":created_at": upload.created_at.as_millis(),
            ":expires_at": upload.expires_at.as_millis(),
        })?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO media_parts (media, place, part, content_type, size)
         VALUES (:media, :place, :part, :content_type, :size)",
    )?;
    for (place, part) in (1_i64..).zip(&upload.parts) {
        statement.insert(named_params! {
            ":media": media, ":place": place, ":part": part.part.as_str(),
            ":content_type": part.content_type.as_str(), ":size": i64::try_from(part.size).unwrap_or(i64::MAX),
        })?;
    }
    Ok(())
}

/// Media or an upload that has not expired, with its row.
pub(super) fn alive(
    connection: &Connection,
    media_id: MediaId,
    now: Timestamp,
) -> Result<Option<(MediaRow, MediaRecord)>, StoreError> {
    let sql = format!(
        "SELECT media.id, users.user_id, purpose, kind, completed_at FROM media JOIN users ON users.id = media.owner
         WHERE media_id = :media_id AND {IS_ALIVE}"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row(named_params! { ":media_id": bytes(media_id.as_uuid()), ":now": now.as_millis() }, |row| {
            let media = MediaRecord {
                media_id,
                owner: UserId::from_uuid(uuid(row, "user_id")?),
                purpose: parsed(row, "purpose")?,
                kind: parsed(row, "kind")?,
                parts: Vec::new(),
                is_complete: row.get::<_, Option<i64>>("completed_at")?.is_some(),
            };
            Ok((MediaRow(row.get(0)?), media))
        })
        .optional()?;
    let Some((row, media)) = found else { return Ok(None) };
    let parts = parts(connection, row)?;
    Ok(Some((row, MediaRecord { parts, ..media })))
}

pub(super) fn parts(connection: &Connection, media: MediaRow) -> Result<Vec<PartInfo>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT part, content_type, size FROM media_parts WHERE media = ?1 ORDER BY place")?;
    let parts = statement.query_map([media.0], |row| {
        Ok(PartInfo {
            part: parsed(row, "part")?,
            content_type: parsed(row, "content_type")?,
            size: row.get::<_, i64>("size")?.unsigned_abs(),
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}

pub(super) fn complete(
    connection: &Connection,
    media: MediaRow,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE media SET completed_at = :now, expires_at = :expires_at WHERE id = :media")?
        .execute(named_params! {
            ":now": now.as_millis(), ":expires_at": expires_at.as_millis(), ":media": media.0,
        })?;
    Ok(())
}

pub(super) fn use_in_entry(
    connection: &Connection,
    media_id: MediaId,
    chat_row: i64,
    seq: i64,
) -> Result<(), StoreError> {
    let media_id = bytes(media_id.as_uuid());
    connection.prepare_cached("UPDATE media SET used = 1 WHERE media_id = ?1")?.execute([media_id])?;
    // The same media may stand in one entry twice.
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO media_uses (media, chat, seq)
             SELECT id, :chat, :seq FROM media WHERE media_id = :media_id",
        )?
        .execute(named_params! { ":media_id": media_id, ":chat": chat_row, ":seq": seq })?;
    Ok(())
}

/// Whether something shows it that the reader can see. (MED-20)
pub(super) fn is_shown(
    connection: &Connection,
    media: MediaRow,
    purpose: MediaPurpose,
    reader: UserId,
) -> Result<bool, StoreError> {
    let sql = match purpose {
        MediaPurpose::Message => {
            // From the uses, which are few, to the stretches.
            "SELECT 1 FROM media_uses CROSS JOIN stretches ON stretches.chat = media_uses.chat
             WHERE media_uses.media = :media AND stretches.user = (SELECT id FROM users WHERE user_id = :reader)
               AND media_uses.seq >= from_seq AND (to_seq IS NULL OR media_uses.seq <= to_seq)"
        }
        MediaPurpose::GroupPicture => "SELECT 1 FROM media WHERE id = :media AND used = 1 AND :reader IS NOT NULL",
        MediaPurpose::ProfilePicture => {
            "SELECT 1 FROM media JOIN users ON users.id = media.owner AND users.picture_id = media.media_id
             WHERE media.id = :media AND :reader IS NOT NULL"
        }
        MediaPurpose::Unknown => return Ok(false),
    };
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.exists(named_params! { ":media": media.0, ":reader": bytes(reader.as_uuid()) })?)
}

pub(super) fn expired(connection: &Connection, before: Timestamp, at_most: usize) -> Result<Vec<MediaId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT media_id FROM media JOIN users ON users.id = media.owner
         WHERE used = 0 AND expires_at <= :before AND users.picture_id IS NOT media_id
         ORDER BY expires_at LIMIT :at_most",
    )?;
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let media = statement.query_map(named_params! { ":before": before.as_millis(), ":at_most": at_most }, |row| {
        Ok(MediaId::from_uuid(uuid(row, "media_id")?))
    })?;
    Ok(media.collect::<Result<_, _>>()?)
}

pub(super) fn forget(connection: &Connection, media_id: MediaId) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM media WHERE media_id = ?1")?.execute([bytes(media_id.as_uuid())])?;
    Ok(())
}

fn bytes(id: &Uuid) -> &[u8] {
    id.as_bytes()
}

fn uuid(row: &Row<'_>, column: &str) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

/// Text that is parsed again when it is read.
fn parsed<T: FromStr<Err = TextError>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let index = row.as_ref().column_index(column)?;
    let text: String = row.get(index)?;
    text.parse().map_err(|error: TextError| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
    })
}
