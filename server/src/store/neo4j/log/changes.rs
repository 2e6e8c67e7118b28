use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use i9chat_spec::{ChatId, SessionId, UserId};
use serde::Deserialize;

use super::rows::{self, RecordRow, integer};
use crate::{
    bus::Committed,
    domain::{Audience, Place, Position},
    store::{
        PlaceAt, StoreError,
        neo4j::{
            Neo4jStore,
            driver::{Statement, texts},
        },
    },
};

/// Changes whoever they are for.
const CHANGES: &str = "MATCH (change:Change)
WHERE change.position > $after AND change.position <= $up_to
WITH change
ORDER BY change.position
LIMIT $limit
RETURN change.position AS position, change.tag AS tag, change.kind AS kind, change.chat_id AS chat_id,
  change.user_id AS user_id, change.data AS data, change.ends AS ends";

/// Who is or was in chats, and for which positions.
const MEMBERS: &str = "UNWIND $chats AS wanted
MATCH ()-[member:MEMBER_OF {chat_id: wanted}]->()
USING INDEX SEEK member:MEMBER_OF(chat_id)
RETURN wanted AS chat_id, collect([member.user_id, member.from_position, member.to_position]) AS members";

/// What stands at a position, and how far back the log is whole.
const PLACE: &str = "MATCH (log:Log {name: 'log'})
OPTIONAL MATCH (change:Change {position: $position})
RETURN log.kept_from AS kept_from, change.tag AS tag";

pub(super) const STATEMENTS: &[&str] = &[CHANGES, MEMBERS, PLACE];

#[derive(Deserialize)]
struct ChangeRow {
    position: i64,
    tag: i64,
    kind: String,
    chat_id: Option<ChatId>,
    user_id: Option<UserId>,
    data: String,
    ends: Option<SessionId>,
}

#[derive(Deserialize)]
struct MembersRow {
    chat_id: ChatId,
    members: Vec<(UserId, Vec<i64>, Vec<i64>)>,
}

/// Reads changes with those who may see them, up to a safe place.
pub(super) async fn changes(store: &Neo4jStore, after: Position, limit: usize) -> Result<Vec<Committed>, StoreError> {
    let limit = limit as u64;
    let safe = store.log.safe_place(Position(after.0.saturating_add(limit))).await?;
    let find = Statement::new(CHANGES)
        .with("after", integer(after.0))
        .with("up_to", integer(safe.position.0))
        .with("limit", integer(limit));
    let found: Vec<ChangeRow> = store.driver.read(&find).await?;
    let mut chats: Vec<_> = found.iter().filter_map(|row| row.chat_id).collect();
    chats.sort_unstable();
    chats.dedup();
    let mut audiences = Audiences::read(store, &chats).await?;
    let mut changes = Vec::with_capacity(found.len());
    for ChangeRow { position, tag, kind, chat_id, user_id, data, ends } in found {
        let audience = match (user_id, chat_id) {
            (Some(user_id), _) => Audience::One(user_id),
            (None, Some(chat_id)) => Audience::Many(audiences.of(chat_id, position)),
            (None, None) => return Err(rows::corrupt(format_args!("the change at {position} is for nobody"))),
        };
        let record = RecordRow { position, tag, kind, chat_id, data }.record()?;
        changes.push(Committed { record, audience, ends });
    }
    Ok(changes)
}

/// See [`LogStore::place_at`](crate::store::LogStore::place_at).
pub(super) async fn place_at(store: &Neo4jStore, position: Position) -> Result<PlaceAt, StoreError> {
    if store.log.safe_place(position).await?.position < position {
        return Ok(PlaceAt::Nothing);
    }
    Ok(match at(store, position).await? {
        (Some(place), kept_from) if position < kept_from => PlaceAt::Old(place),
        (Some(place), _) => PlaceAt::There(place),
        (None, kept_from) if position <= kept_from => PlaceAt::Forgotten,
        (None, _) => PlaceAt::Nothing,
    })
}

/// The place of a position, if something stands there, and how far back the log is whole.
pub(super) async fn at(store: &Neo4jStore, position: Position) -> Result<(Option<Place>, Position), StoreError> {
    #[derive(Deserialize)]
    struct Row {
        kept_from: i64,
        tag: Option<i64>,
    }

    let find = Statement::new(PLACE).with("position", integer(position.0));
    let row: Option<Row> = store.driver.read_one(&find).await?;
    let row = row.ok_or_else(super::head::no_log)?;
    let kept_from = Position(rows::number(row.kept_from));
    if position == Position::default() {
        return Ok((Some(Place::default()), kept_from));
    }
    Ok((row.tag.map(|tag| rows::place(integer(position.0), tag)), kept_from))
}

/// Who may see which place of which chat.
struct Audiences {
    /// Stretches of positions by chat: who, from after where, up to where.
    stretches: HashMap<ChatId, Vec<(UserId, i64, i64)>>,
    /// The last audience that was made out for each chat, and the positions that it holds for.
    known: HashMap<ChatId, (RangeInclusive<i64>, Arc<[UserId]>)>,
}

impl Audiences {
    async fn read(store: &Neo4jStore, chats: &[ChatId]) -> Result<Self, StoreError> {
        let mut audiences = Self { stretches: HashMap::new(), known: HashMap::new() };
        if chats.is_empty() {
            return Ok(audiences);
        }
        let rows: Vec<MembersRow> = store.driver.read(&Statement::new(MEMBERS).with("chats", texts(chats))).await?;
        for MembersRow { chat_id, members } in rows {
            let open = |to: i64| if to < 0 { i64::MAX } else { to };
            let stretches = members.into_iter().flat_map(|(user_id, from, to)| {
                from.into_iter().zip(to).map(move |(from, to)| (user_id, from, open(to)))
            });
            audiences.stretches.insert(chat_id, stretches.collect());
        }
        Ok(audiences)
    }

    fn of(&mut self, chat_id: ChatId, position: i64) -> Arc<[UserId]> {
        if let Some((holds, users)) = self.known.get(&chat_id)
            && holds.contains(&position)
        {
            return Arc::clone(users);
        }
        let stretches = self.stretches.get(&chat_id).map(Vec::as_slice).unwrap_or_default();
        let seeing = stretches.iter().filter(|(_, from, to)| *from < position && position <= *to);
        let users: Arc<[UserId]> = seeing.map(|(user_id, ..)| *user_id).collect();
        // Up to where somebody comes or goes next.
        let edges = stretches.iter().flat_map(|(_, from, to)| [*from, *to]).filter(|edge| *edge >= position);
        let until = edges.min().unwrap_or(i64::MAX);
        self.known.insert(chat_id, (position..=until, Arc::clone(&users)));
        users
    }
}
