//! Media in Neo4j. Each method is one statement. One that writes locks the node that decides before it looks at anything else, and
//! answers a second try like the first: so it is tried again also when a lost connection leaves open whether it was done.

use async_trait::async_trait;
use i9chat_spec::{MediaId, MediaKind, MediaPurpose, Timestamp, UserId};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Neo4jStore,
    driver::{Statement, map, text, texts},
};
use crate::store::{
    StoreError,
    media::{MediaRecord, MediaRecords, NewMedia},
};

/// Every statement of media.
pub(super) const STATEMENTS: &[&str] = &[START, UPLOAD, COMPLETE, READABLE, EXPIRED, FORGET];

/// Notes an upload if its owner, who is locked first, has room for it. (MED-6)
const START: &str = "
    MATCH (locked:User {user_id: $media.owner}) SET locked.turn = 0
    WITH locked
    MATCH (u:User {user_id: $media.owner})
    CALL (u) {
        OPTIONAL MATCH (there:Media {media_id: $media.media_id}) WHERE there.owner = u.user_id
        RETURN count(there) > 0 AS was_started
    }
    CALL (u) {
        MATCH (m:Media {owner: u.user_id, used: false})
        WHERE m.expires_at > $media.created_at AND coalesce(m.media_id <> u.picture_id, true)
        RETURN count(m) AS unused
    }
    CALL (was_started, unused) {
        WITH was_started, unused WHERE NOT was_started AND unused < $max_unused
        CREATE (m:Media) SET m = $media
        RETURN count(m) > 0 AS is_started
    }
    RETURN was_started OR is_started AS is_started";

/// Media `m` of an owner `u` that is alive: not expired, or in use.
macro_rules! alive {
    () => {
        "MATCH (m:Media {media_id: $media_id})
         MATCH (u:User {user_id: m.owner})
         WHERE m.expires_at > $now OR m.used OR coalesce(u.picture_id = m.media_id, false)
         "
    };
}

const UPLOAD: &str = concat!(
    alive!(),
    "RETURN m.owner AS owner, m.purpose AS purpose, m.kind AS kind, m.parts AS parts,
            m.completed_at IS NOT NULL AS is_complete"
);

/// Completes media that is alive, unless it is complete. It is locked first.
const COMPLETE: &str = concat!(
    "MATCH (locked:Media {media_id: $media_id}) SET locked.turn = 0
     WITH locked
     ",
    alive!(),
    "SET m.expires_at = CASE WHEN m.completed_at IS NULL THEN $expires_at ELSE m.expires_at END,
         m.completed_at = coalesce(m.completed_at, $now)
     RETURN m.media_id AS media_id"
);

/// Complete media, and whether something shows it that the reader can see: of its uses, which are few, one that stands in one of
/// the reader's stretches. (MED-20)
const READABLE: &str = concat!(
    alive!(),
    "WITH m, u WHERE m.completed_at IS NOT NULL
     CALL (m) {
         MATCH (use:MediaUse {media_id: m.media_id}) WHERE use.chat_id IS NOT NULL AND use.seq IS NOT NULL
         MATCH ()-[reader:MEMBER_OF {user_id: $reader, chat_id: use.chat_id}]->()
         USING INDEX SEEK reader:MEMBER_OF(user_id, chat_id)
         WHERE any(i IN range(0, size(reader.from_seq) - 1)
                   WHERE reader.from_seq[i] <= use.seq AND (reader.to_seq[i] = -1 OR use.seq <= reader.to_seq[i]))
         WITH use LIMIT 1
         RETURN count(use) > 0 AS is_seen
     }
     RETURN m.owner AS owner, m.purpose AS purpose, m.kind AS kind, m.parts AS parts, true AS is_complete, is_seen,
            m.used AS is_used, coalesce(u.picture_id = m.media_id, false) AS is_picture"
);

const EXPIRED: &str = "
    MATCH (m:Media {used: false}) WHERE m.expires_at <= $before
    MATCH (u:User {user_id: m.owner}) WHERE coalesce(u.picture_id <> m.media_id, true)
    RETURN m.media_id AS media_id ORDER BY m.used, m.expires_at LIMIT $at_most";

const FORGET: &str = "
    UNWIND $media_ids AS media_id
    MATCH (m:Media {media_id: media_id})
    DELETE m";

#[derive(Debug, Deserialize)]
struct MediaRow {
    owner: UserId,
    purpose: MediaPurpose,
    kind: MediaKind,
    /// As JSON.
    parts: String,
    is_complete: bool,
}

#[async_trait]
impl MediaRecords for Neo4jStore {
    async fn start(&self, upload: NewMedia, max_unused: u64) -> Result<bool, StoreError> {
        #[derive(Deserialize)]
        struct Started {
            is_started: bool,
        }

        let parts = serde_json::to_string(&upload.parts).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let media = map([
            ("media_id", text(upload.media_id)),
            ("owner", text(upload.owner)),
            ("purpose", upload.purpose.as_str().into()),
            ("kind", upload.kind.as_str().into()),
            ("parts", parts.into()),
            ("created_at", upload.created_at.as_millis().into()),
            ("expires_at", upload.expires_at.as_millis().into()),
            ("used", false.into()),
        ]);
        let max_unused = i64::try_from(max_unused).unwrap_or(i64::MAX);
        let statement = Statement::new(START).with("media", media).with("max_unused", max_unused);
        match self.driver.write::<Started>(&statement).await?.first() {
            Some(Started { is_started }) => Ok(*is_started),
            None => Err(StoreError::Corrupt(format!("media of {}, who is nobody", upload.owner))),
        }
    }

    async fn upload(
        &self,
        media_id: MediaId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Option<MediaRecord>, StoreError> {
        let statement = Statement::new(UPLOAD).with("media_id", text(media_id)).with("now", now.as_millis());
        let found: Option<MediaRow> = self.driver.read_one(&statement).await?;
        found.filter(|row| row.owner == owner).map(|row| row.record(media_id)).transpose()
    }

    async fn complete(&self, media_id: MediaId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError> {
        let statement = Statement::new(COMPLETE)
            .with("media_id", text(media_id))
            .with("now", now.as_millis())
            .with("expires_at", expires_at.as_millis());
        Ok(!self.driver.write::<IgnoredAny>(&statement).await?.is_empty())
    }

    async fn readable(
        &self,
        media_id: MediaId,
        reader: UserId,
        now: Timestamp,
    ) -> Result<Option<MediaRecord>, StoreError> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(flatten)]
            media: MediaRow,
            is_seen: bool,
            is_used: bool,
            is_picture: bool,
        }

        let statement = Statement::new(READABLE)
            .with("media_id", text(media_id))
            .with("reader", text(reader))
            .with("now", now.as_millis());
        let Some(shown) = self.driver.read_one::<Shown>(&statement).await? else { return Ok(None) };
        let is_shown = match shown.media.purpose {
            MediaPurpose::Message => shown.is_seen,
            MediaPurpose::GroupPicture => shown.is_used,
            MediaPurpose::ProfilePicture => shown.is_picture,
            MediaPurpose::Unknown => false,
        };
        (shown.media.owner == reader || is_shown).then(|| shown.media.record(media_id)).transpose()
    }

    async fn expired(&self, before: Timestamp, at_most: usize) -> Result<Vec<MediaId>, StoreError> {
        #[derive(Deserialize)]
        struct Row {
            media_id: MediaId,
        }

        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let statement = Statement::new(EXPIRED).with("before", before.as_millis()).with("at_most", at_most);
        let rows: Vec<Row> = self.driver.read(&statement).await?;
        Ok(rows.into_iter().map(|row| row.media_id).collect())
    }

    async fn forget(&self, media_ids: Vec<MediaId>) -> Result<(), StoreError> {
        let statement = Statement::new(FORGET).with("media_ids", texts(media_ids));
        self.driver.write::<IgnoredAny>(&statement).await?;
        Ok(())
    }
}

impl MediaRow {
    fn record(self, media_id: MediaId) -> Result<MediaRecord, StoreError> {
        let parts = serde_json::from_str(&self.parts).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(MediaRecord {
            media_id,
            owner: self.owner,
            purpose: self.purpose,
            kind: self.kind,
            parts,
            is_complete: self.is_complete,
        })
    }
}
