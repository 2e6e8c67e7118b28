use i9chat_spec::{
    Chat, ChatId, ChatKind, GroupSummary, Limits, Membership, Partner, Role, Seq, Timestamp, User, UserId, Watermark,
};
use serde::Deserialize;

use super::{
    Met, Viewed, about,
    rows::{self, EntryRow, corrupt},
    settled, viewed,
};
use crate::{
    domain::{Place, Position},
    store::{
        ChatsPage, ChatsQuery, LogStore, Seen, Snapshot, StoreError,
        neo4j::{
            Neo4jStore,
            driver::{Statement, text},
        },
    },
};

/// The latest entry `e` of a chat that a user may see up to a safe place, for their membership `m`. It stands in their last
/// stretch, as does every entry that is unread.
macro_rules! latest {
    () => {
        "WITH c, m, m.from_seq AS from_seq, m.to_seq AS to_seq, m.read AS read
         CALL (m, from_seq, to_seq) {
             MATCH (e:Entry {entry_of: m.chat_id})
             WHERE e.seq >= from_seq[-1]
               AND e.seq <= CASE to_seq[-1] WHEN -1 THEN 9223372036854775807 ELSE to_seq[-1] END
               AND e.position <= $safe
             WITH e ORDER BY e.entry_of DESC, e.seq DESC LIMIT 1
             RETURN head(collect(e)) AS e
         }
         "
    };
}

/// What a chat shows of `c`, `m`, and its latest entry `e`: unread are messages of others up to that entry. (CHT-3, CHT-4)
macro_rules! shown {
    ($columns:literal) => {
        concat!(
            "CALL (e, read) {
                 MATCH (o:Entry {entry_of: e.entry_of})
                 WHERE o.seq > read AND o.seq <= e.seq AND o.sender_id <> $user_id
                 WITH o LIMIT $most
                 RETURN count(o) AS unread
             }
             CALL (e) {
                 WITH e WHERE e.reactions IS NOT NULL
                 MATCH (r:Reaction {chat_id: e.entry_of, seq: e.seq, user_id: $user_id})
                 RETURN head(collect(r.emoji)) AS own_reaction
             }
             CALL (c) {
                 OPTIONAL MATCH (p:User {user_id: [id IN split(c.pair, ':') WHERE id <> $user_id][0]})
                 OPTIONAL MATCH ()-[t:MEMBER_OF {user_id: p.user_id, chat_id: c.chat_id}]->()
                 USING INDEX SEEK t:MEMBER_OF(user_id, chat_id)
                 RETURN p {.user_id, .username, delivered: coalesce(t.delivered, 0), read: coalesce(t.read, 0)} AS partner
             }
             RETURN c {.chat_id, .kind, .name, .description, .picture_id, .members_count} AS chat,
                    m {.membership, .role, .opened_at, .delivered, read: read, .left_behind, from_seq: from_seq,
                       to_seq: to_seq, .from_position, .to_position} AS own,
                    e {.kind, .data, .reactions, own_reaction: own_reaction} AS last, unread, partner",
            $columns
        )
    };
}

/// The page of chats `c` with their memberships `m`: by the position of the latest entry that the user may see, or of the opening
/// of an empty chat.
macro_rules! page {
    () => {
        concat!(
            latest!(),
            "WITH c, m, from_seq, to_seq, read, e, coalesce(e.position, m.from_position[-1]) AS activity
             WHERE activity < $before
             ORDER BY activity DESC LIMIT $limit
             ",
            shown!(", activity ORDER BY activity DESC")
        )
    };
}

/// A page of a user's chats.
pub(super) const CHATS: &str = concat!("MATCH (:User {user_id: $user_id})-[m:MEMBER_OF]->(c:Chat) ", page!());

/// A page of those of which the user would have heard something after a position: a change of the chat that they may see, or one
/// that is addressed to them. (CHT-8)
pub(super) const CHANGED_CHATS: &str = concat!(
    "CALL () {
         MATCH (x:Change) USING INDEX SEEK x:Change(user_id, position)
         WHERE x.user_id = $user_id AND x.position > $since AND x.position <= $safe
         RETURN collect(DISTINCT x.about) AS named
     }
     MATCH (:User {user_id: $user_id})-[m:MEMBER_OF]->(c:Chat)
     CALL (c, m) {
         UNWIND range(0, size(m.from_position) - 1) AS i
         WITH CASE WHEN m.from_position[i] > $since THEN m.from_position[i] ELSE $since END AS after,
              CASE WHEN m.to_position[i] = -1 OR m.to_position[i] > $safe THEN $safe ELSE m.to_position[i] END AS to
         WHERE after < to AND after < c.last_position
         CALL (c, after, to) {
             MATCH (x:Change {chat_id: c.chat_id}) WHERE x.position > after AND x.position <= to
             RETURN x LIMIT 1
         }
         RETURN count(x) > 0 AS heard
     }
     WITH c, m WHERE heard OR c.chat_id IN named
     ",
    page!()
);

/// A chat as somebody sees it who is or was in it.
pub(super) const CHAT: &str = concat!(viewed!(), latest!(), shown!(""));

pub(in crate::store::neo4j::log) async fn chats(
    store: &Neo4jStore,
    user_id: UserId,
    query: ChatsQuery,
) -> Result<Snapshot<ChatsPage>, StoreError> {
    let before = query.before.map_or(i64::MAX, integer);
    settled(store, || async {
        let place = store.head().await?.place;
        let statement = match query.changed_since {
            Some(since) => Statement::new(CHANGED_CHATS).with("since", integer(since)),
            None => Statement::new(CHATS),
        };
        let statement = statement
            .with("user_id", text(user_id))
            .with("before", before)
            .with("limit", rows::integer(query.limit as u64 + 1));
        let rows: Vec<ChatRow> = store.driver.read(&up_to(statement, place)).await?;
        let is_whole = rows.iter().all(|row| row.is_of(place));
        let next = match rows.get(query.limit) {
            Some(_) => query.limit.checked_sub(1).and_then(|last| rows.get(last)).and_then(|row| row.activity),
            None => None,
        };
        let chats = rows.into_iter().take(query.limit).map(ChatRow::chat).collect::<Result<_, _>>()?;
        let page = ChatsPage { chats, next: next.map(Position) };
        Ok(Met::new(is_whole, Snapshot { value: page, place }))
    })
    .await
}

pub(in crate::store::neo4j::log) async fn chat(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<Seen<Snapshot<Chat>>, StoreError> {
    settled(store, || async {
        let place = store.head().await?.place;
        let statement = up_to(about(CHAT, user_id, chat_id), place);
        let Some(row) = store.driver.read_one::<ChatRow>(&statement).await? else {
            return Ok(Met::Whole(Seen::NoChat));
        };
        let is_whole = row.is_of(place);
        let viewed = Viewed { kind: row.chat.kind, membership: row.own.as_ref().map(|own| own.membership) };
        Ok(match viewed.seen(()) {
            Seen::Found(()) => Met::new(is_whole, Seen::Found(Snapshot { value: row.chat()?, place })),
            Seen::NotMember => Met::Whole(Seen::NotMember),
            Seen::NoChat | Seen::NoMessage => Met::Whole(Seen::NoChat),
        })
    })
    .await
}

fn integer(position: Position) -> i64 {
    rows::integer(position.0)
}

/// What every one of the statements is told.
fn up_to(statement: Statement, safe: Place) -> Statement {
    let most = rows::integer(Limits::default().max_unread_count);
    statement.with("safe", integer(safe.position)).with("most", most)
}

#[derive(Debug, Deserialize)]
struct ChatRow {
    chat: ChatColumns,
    own: Option<OwnColumns>,
    last: Option<EntryRow>,
    unread: u64,
    partner: Option<PartnerColumns>,
    /// In a page alone.
    #[serde(default)]
    activity: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ChatColumns {
    chat_id: ChatId,
    kind: ChatKind,
    name: Option<i9chat_spec::GroupName>,
    description: Option<i9chat_spec::GroupDescription>,
    picture_id: Option<i9chat_spec::MediaId>,
    members_count: Option<u64>,
}

/// What the viewer is to the chat.
#[derive(Debug, Deserialize)]
struct OwnColumns {
    membership: Membership,
    role: Role,
    opened_at: i64,
    delivered: Watermark,
    read: Watermark,
    left_behind: Option<String>,
    from_seq: Vec<Seq>,
    to_seq: Vec<i64>,
    from_position: Vec<u64>,
    to_position: Vec<i64>,
}

#[derive(Debug, Deserialize)]
struct PartnerColumns {
    #[serde(flatten)]
    user: User,
    delivered: Watermark,
    read: Watermark,
}

impl ChatRow {
    /// Whether the viewer is to the chat what they were at that place: they came and went before it, and that was seen whole.
    fn is_of(&self, place: Place) -> bool {
        let Some(own) = &self.own else { return true };
        let Some(end) = own.to_position.last() else { return false };
        let began_before = own.from_position.last().is_some_and(|from| *from <= place.position.0);
        // A stretch ends with the change before the one that tells of it.
        let ended_before = u64::try_from(*end).is_ok_and(|end| end < place.position.0);
        let lengths = [own.from_seq.len(), own.to_seq.len(), own.from_position.len()];
        let is_member = own.membership == Membership::Member;
        began_before
            && (ended_before || *end == -1)
            && lengths.iter().all(|length| *length == own.to_position.len())
            && (*end == -1) == (own.to_seq.last() == Some(&-1))
            && (*end == -1) == is_member
            && is_member == own.left_behind.is_none()
    }

    fn chat(self) -> Result<Chat, StoreError> {
        let own = self.own.ok_or_else(|| corrupt("a member who is none"))?;
        let partner = self.partner.map(PartnerColumns::partner);
        let group = match self.chat.kind {
            ChatKind::Group => Some(self.chat.summary(own.role, own.left_behind.as_deref())?),
            _ => None,
        };
        Ok(Chat {
            chat_id: self.chat.chat_id,
            kind: self.chat.kind,
            partner,
            group,
            membership: own.membership,
            opened_at: Timestamp::from_millis(own.opened_at),
            visible: rows::stretches(&own.from_seq, &own.to_seq),
            last_entry: self.last.map(EntryRow::entry).transpose()?,
            unread_count: self.unread,
            // Both marks are written at once, and may be read one after the other.
            delivered: own.delivered.max(own.read),
            read: own.read,
        })
    }
}

impl ChatColumns {
    /// The group as its member sees it, or as it was when they went. (GRP-19)
    fn summary(&self, role: Role, left_behind: Option<&str>) -> Result<GroupSummary, StoreError> {
        if let Some(json) = left_behind {
            return serde_json::from_str(json).map_err(corrupt);
        }
        let (Some(name), Some(description)) = (self.name.clone(), self.description.clone()) else {
            return Err(corrupt("a group without a name"));
        };
        Ok(GroupSummary {
            name,
            description,
            picture_id: self.picture_id,
            members_count: self.members_count.unwrap_or(0),
            role: Some(role),
        })
    }
}

impl PartnerColumns {
    fn partner(self) -> Partner {
        Partner { user: self.user, delivered: self.delivered.max(self.read), read: self.read }
    }
}
