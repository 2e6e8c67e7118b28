//! Media in SQLite: which statements run in which transaction, and what the log needs of them.

mod rows;

use async_trait::async_trait;
use i9chat_spec::{MediaId, Timestamp, UserId};
use rusqlite::Connection;

use super::SqliteStore;
use crate::{
    domain::{MediaState, media::attachment},
    store::{
        StoreError,
        media::{MediaRecord, MediaRecords, NewMedia},
    },
};

/// Media as those see it who want to use it: `None` when it is not complete, has expired, or was never there. (MED-18)
pub(in crate::store::sqlite) fn usable(
    connection: &Connection,
    media_id: MediaId,
    now: Timestamp,
) -> Result<Option<MediaState>, StoreError> {
    let Some((_, media)) = rows::alive(connection, media_id, now)?.filter(|(_, media)| media.is_complete) else {
        return Ok(None);
    };
    let shown = attachment(media_id, &media.parts)
        .ok_or_else(|| StoreError::Corrupt(format!("the media {media_id} has no part to show")))?;
    Ok(Some(MediaState { owner: media.owner, purpose: media.purpose, kind: media.kind, attachment: shown }))
}

/// The parts of media in a row, as they were stated, as JSON.
pub(in crate::store::sqlite) fn parts_json(connection: &Connection, media_row: i64) -> Result<String, StoreError> {
    let parts = rows::parts(connection, rows::MediaRow(media_row))?;
    serde_json::to_string(&parts).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Notes that an entry shows media: for the transaction that appends the entry. (MED-20)
pub(in crate::store::sqlite) fn used_by_entry(
    connection: &Connection,
    media_id: MediaId,
    chat_row: i64,
    seq: i64,
) -> Result<(), StoreError> {
    rows::use_in_entry(connection, media_id, chat_row, seq)
}

#[async_trait]
impl MediaRecords for SqliteStore {
    async fn start(&self, upload: NewMedia, max_unused: u64) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let owner = rows::user(connection, upload.owner)?;
            if rows::count_unused(connection, owner, upload.created_at)? >= max_unused {
                return Ok(false);
            }
            rows::add(connection, owner, &upload)?;
            Ok(true)
        })
        .await
    }

    async fn upload(
        &self,
        media_id: MediaId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Option<MediaRecord>, StoreError> {
        self.read(move |connection| {
            let media = rows::alive(connection, media_id, now)?;
            Ok(media.map(|(_, media)| media).filter(|media| media.owner == owner))
        })
        .await
    }

    async fn complete(&self, media_id: MediaId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let Some((row, media)) = rows::alive(connection, media_id, now)? else { return Ok(false) };
            if !media.is_complete {
                rows::complete(connection, row, now, expires_at)?;
            }
            Ok(true)
        })
        .await
    }

    async fn readable(
        &self,
        media_id: MediaId,
        reader: UserId,
        now: Timestamp,
    ) -> Result<Option<MediaRecord>, StoreError> {
        self.read(move |connection| {
            let alive = rows::alive(connection, media_id, now)?;
            let Some((row, media)) = alive.filter(|(_, media)| media.is_complete) else { return Ok(None) };
            let may_read = media.owner == reader || rows::is_shown(connection, row, media.purpose, reader)?;
            Ok(may_read.then_some(media))
        })
        .await
    }

    async fn expired(&self, before: Timestamp, at_most: usize) -> Result<Vec<MediaId>, StoreError> {
        self.read(move |connection| rows::expired(connection, before, at_most)).await
    }

    async fn forget(&self, media_ids: Vec<MediaId>) -> Result<(), StoreError> {
        self.write(move |connection| media_ids.iter().try_for_each(|media_id| rows::forget(connection, *media_id)))
            .await
    }
}
