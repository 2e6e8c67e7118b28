//! Everything that stands in the file, table by table, for another store. Nothing of it may be changed meanwhile.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use i9chat_spec::{ChatId, MediaId, SessionId, UserId};
use rusqlite::{Connection, Row as Columns, Statement, params};
use serde::Serialize;
use uuid::Uuid;

use super::{SqliteStore, log, media};
use crate::{
    domain::{Cell, accounts::hashes::SecretHash},
    store::{
        StoreError,
        transfer::{
            CellRow, LogFacts, LogTimeRow, Mark, MediaRow, MediaUseRow, Page, Row, SeenRow, SessionRow, Table, UserRow,
        },
    },
};

/// After so many bytes a page ends, however few rows they are.
const PAGE_BYTES: usize = 4 << 20;

impl SqliteStore {
    /// Which log it is, and where it ends.
    pub async fn log_facts(&self) -> Result<LogFacts, StoreError> {
        self.read(log::facts).await
    }

    /// How many rows a table has.
    pub async fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.read(move |connection| {
            let count: i64 = connection.query_row(counted(table), [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// The rows of a table after a mark, at most so many.
    pub async fn export(&self, table: Table, after: Mark, at_most: usize) -> Result<Page, StoreError> {
        self.read(move |connection| {
            let page = Pages { after, at_most };
            match table {
                Table::Cells => cells(connection, &page),
                Table::Users => users(connection, &page),
                Table::Sessions => sessions(connection, &page),
                Table::Chats => log::export_chats(connection, &page),
                Table::Members => log::export_members(connection, &page),
                Table::Changes => log::export_changes(connection, &page),
                Table::Reactions => log::export_reactions(connection, &page),
                Table::Media => media_rows(connection, &page),
                Table::MediaUses => media_uses(connection, &page),
                Table::Seen => seen(connection, &page),
                Table::LogTimes => log_times(connection, &page),
            }
        })
        .await
    }
}

const fn counted(table: Table) -> &'static str {
    match table {
        Table::Cells => "SELECT count(DISTINCT cell) FROM users",
        Table::Users => "SELECT count(*) FROM users",
        Table::Sessions => "SELECT count(*) FROM sessions",
        Table::Chats => "SELECT count(*) FROM chats",
        Table::Members => "SELECT count(*) FROM members",
        Table::Changes => "SELECT count(*) FROM changes",
        Table::Reactions => "SELECT count(*) FROM reactions",
        Table::Media => "SELECT count(*) FROM media",
        Table::MediaUses => "SELECT count(*) FROM media_uses",
        Table::Seen => "SELECT count(*) FROM presence",
        Table::LogTimes => "SELECT count(*) FROM log_times",
    }
}

/// Which rows of a table are wanted.
pub(super) struct Pages {
    after: Mark,
    at_most: usize,
}

impl Pages {
    /// Runs a statement whose first columns, as many as the key has, name the row within its table, and whose parameters are the last key
    /// that was read and a limit.
    pub(super) fn of<T: Serialize, const KEY: usize>(
        &self,
        mut statement: Statement<'_>,
        row: impl Fn(&Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Page, StoreError> {
        let Mark([first, second, third]) = self.after;
        let limit = i64::try_from(self.at_most).unwrap_or(i64::MAX);
        let mut found = match KEY {
            1 => statement.query(params![first, limit])?,
            2 => statement.query(params![first, second, limit])?,
            _ => statement.query(params![first, second, third, limit])?,
        };
        let (mut rows, mut bytes, mut mark) = (Vec::new(), 0, self.after);
        while let Some(columns) = found.next()? {
            let value = serde_json::to_value(row(columns)?).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            for (index, key) in mark.0.iter_mut().enumerate().take(KEY) {
                *key = columns.get(index)?;
            }
            bytes += size(&value);
            rows.push(value);
            if bytes > PAGE_BYTES {
                return Ok(Page { rows, next: Some(mark) });
            }
        }
        let next = (rows.len() == self.at_most).then_some(mark);
        Ok(Page { rows, next })
    }
}

/// About how many bytes a row takes.
fn size(row: &Row) -> usize {
    let texts = row.as_object().into_iter().flat_map(|columns| columns.values().filter_map(Row::as_str));
    texts.map(str::len).sum()
}

pub(super) fn uuid(columns: &Columns<'_>, name: &str) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(columns.get(name)?))
}

pub(super) fn maybe_uuid(columns: &Columns<'_>, name: &str) -> Result<Option<Uuid>, StoreError> {
    Ok(columns.get::<_, Option<[u8; 16]>>(name)?.map(Uuid::from_bytes))
}

fn cells(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection
        .prepare("SELECT DISTINCT cell FROM users WHERE cell IS NOT NULL AND cell > ?1 ORDER BY cell LIMIT ?2")?;
    page.of::<_, 1>(find, |columns| Ok(CellRow::of(Cell(columns.get("cell")?))))
}

fn users(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare("SELECT id, * FROM users WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    page.of::<_, 1>(find, |columns| {
        Ok(UserRow {
            user_id: UserId::from_uuid(uuid(columns, "user_id")?),
            username: columns.get("username")?,
            username_key: columns.get("username_key")?,
            email: columns.get("email")?,
            email_key: columns.get("email_key")?,
            password_hash: columns.get("password_hash")?,
            password_version: columns.get("password_version")?,
            bio: columns.get("bio")?,
            picture_id: maybe_uuid(columns, "picture_id")?.map(MediaId::from_uuid),
            lat: columns.get("lat")?,
            lon: columns.get("lon")?,
            cell: columns.get("cell")?,
            created_at: columns.get("created_at")?,
        })
    })
}

fn sessions(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT sessions.id, sessions.*, users.user_id FROM sessions JOIN users ON users.id = sessions.user
         WHERE sessions.id > ?1 ORDER BY sessions.id LIMIT ?2",
    )?;
    let hash = |columns: &Columns<'_>, name| -> Result<_, StoreError> {
        Ok(columns.get::<_, Option<SecretHash>>(name)?.map(|hash| URL_SAFE_NO_PAD.encode(hash.0)))
    };
    page.of::<_, 1>(find, |columns| {
        Ok(SessionRow {
            session_id: SessionId::from_uuid(uuid(columns, "session_id")?),
            user_id: UserId::from_uuid(uuid(columns, "user_id")?),
            created_at: columns.get("created_at")?,
            last_used_at: columns.get("last_used_at")?,
            ended_at: columns.get("ended_at")?,
            client: columns.get("client")?,
            generation: columns.get("generation")?,
            newest_hash: hash(columns, "newest_hash")?,
            before_hash: hash(columns, "before_hash")?,
            newest_used: columns.get("newest_used")?,
            cookie_hash: hash(columns, "cookie_hash")?,
        })
    })
}

fn media_rows(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT media.id, media.*, users.user_id FROM media JOIN users ON users.id = media.owner
         WHERE media.id > ?1 ORDER BY media.id LIMIT ?2",
    )?;
    page.of::<_, 1>(find, |columns| {
        Ok(MediaRow {
            media_id: MediaId::from_uuid(uuid(columns, "media_id")?),
            owner: UserId::from_uuid(uuid(columns, "user_id")?),
            purpose: columns.get("purpose")?,
            kind: columns.get("kind")?,
            parts: media::parts_json(connection, columns.get("id")?)?,
            created_at: columns.get("created_at")?,
            completed_at: columns.get("completed_at")?,
            expires_at: columns.get("expires_at")?,
            used: columns.get("used")?,
        })
    })
}

fn media_uses(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT media, chat, seq, media.media_id, chats.chat_id
         FROM media_uses JOIN media ON media.id = media JOIN chats ON chats.id = chat
         WHERE (media, chat, seq) > (?1, ?2, ?3) ORDER BY media, chat, seq LIMIT ?4",
    )?;
    page.of::<_, 3>(find, |columns| {
        Ok(MediaUseRow {
            media_id: MediaId::from_uuid(uuid(columns, "media_id")?),
            chat_id: ChatId::from_uuid(uuid(columns, "chat_id")?),
            seq: columns.get("seq")?,
        })
    })
}

/// Whoever is noted as there was still there when the lease was last renewed.
fn seen(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find = connection.prepare(
        "SELECT user, users.user_id,
                CASE WHEN is_here THEN max(at, ifnull((SELECT renewed_at FROM presence_lease), at)) ELSE at END AS seen_at
         FROM presence JOIN users ON users.id = user WHERE user > ?1 ORDER BY user LIMIT ?2",
    )?;
    page.of::<_, 1>(find, |columns| {
        let user_id = UserId::from_uuid(uuid(columns, "user_id")?);
        Ok(SeenRow { user_id, is_here: false, at: columns.get("seen_at")? })
    })
}

fn log_times(connection: &Connection, page: &Pages) -> Result<Page, StoreError> {
    let find =
        connection.prepare("SELECT position, at FROM log_times WHERE position > ?1 ORDER BY position LIMIT ?2")?;
    page.of::<_, 1>(find, |columns| Ok(LogTimeRow { position: columns.get("position")?, at: columns.get("at")? }))
}
