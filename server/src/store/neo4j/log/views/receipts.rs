use i9chat_spec::{
    ChatId, MessageStatus, User, UserId, Watermark,
    api::receipts::{ChatReceipt, MessageReceipt},
};
use serde::Deserialize;

use super::{
    Viewed, about, about_message, by_name,
    rows::{self, EntryRow},
    viewed, visible_entry,
};
use crate::store::{Names, OneMessage, Seen, StoreError, log::status, neo4j::Neo4jStore};

/// How far the members are with a message that the viewer sees, those but the sender whose present stretch contains it: the least
/// of all, and a page of them by name. (RCP-7, RCP-8)
pub(super) const OF_MESSAGE: &str = concat!(
    viewed!(),
    visible_entry!(),
    "CALL (e) {
         MATCH (u:User)-[o:MEMBER_OF {chat_id: $chat_id}]->()
         USING INDEX SEEK o:MEMBER_OF(chat_id)
         WHERE o.membership = 'member' AND o.since_seq <= e.seq AND o.user_id <> e.sender_id
         WITH u, o.delivered AS delivered, o.read AS read ORDER BY u.username_key
         WITH min(delivered) AS delivered, min(read) AS read,
              collect(CASE WHEN u.username_key > $after THEN [u, delivered, read] END)[..$limit] AS page
         RETURN delivered, read, [one IN page | {user_id: one[0].user_id, username: one[0].username, delivered: one[1],
                                                 read: one[2]}] AS members
     }
     RETURN c.kind AS kind, m.membership AS membership, e {.kind, .data} AS entry, delivered, read, members"
);

/// How far the users of a chat are, by name: its members, or the two of a direct chat, of whom one may not have it as yet. (RCP-9)
pub(super) const OF_CHAT: &str = concat!(
    viewed!(),
    "CALL (c) {
         CALL (c) {
             WITH c WHERE c.kind = 'group'
             MATCH (u:User)-[o:MEMBER_OF {chat_id: $chat_id}]->()
             USING INDEX SEEK o:MEMBER_OF(chat_id)
             WHERE o.membership = 'member' AND u.username_key > $after
             RETURN u, o.delivered AS delivered, o.read AS read ORDER BY u.username_key LIMIT $limit
           UNION ALL
             UNWIND split(c.pair, ':') AS id
             MATCH (u:User {user_id: id}) WHERE u.username_key > $after
             OPTIONAL MATCH ()-[o:MEMBER_OF {user_id: id, chat_id: $chat_id}]->()
             USING INDEX SEEK o:MEMBER_OF(user_id, chat_id)
             RETURN u, coalesce(o.delivered, 0) AS delivered, coalesce(o.read, 0) AS read
             ORDER BY u.username_key LIMIT $limit
         }
         WITH u, delivered, read ORDER BY u.username_key
         RETURN collect(u {.user_id, .username, delivered: delivered, read: read}) AS members
     }
     RETURN c.kind AS kind, m.membership AS membership, members"
);

/// A user and how far they are.
#[derive(Debug, Deserialize)]
struct Reader {
    #[serde(flatten)]
    user: User,
    delivered: Watermark,
    read: Watermark,
}

pub(in crate::store::neo4j::log) async fn message_receipts(
    store: &Neo4jStore,
    wanted: OneMessage,
    names: &Names,
) -> Result<Seen<(MessageStatus, Vec<MessageReceipt>)>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        viewed: Viewed,
        entry: Option<EntryRow>,
        delivered: Option<Watermark>,
        read: Option<Watermark>,
        members: Vec<Reader>,
    }

    let statement = by_name(about_message(OF_MESSAGE, wanted), names);
    let Some(row) = store.driver.read_one::<Row>(&statement).await? else { return Ok(Seen::NoChat) };
    row.viewed.seen_by_member(row.entry).then(|entry| {
        let Some(message) = rows::message(entry, wanted)? else { return Ok(Seen::NoMessage) };
        let seq = message.seq.into();
        let least = match (row.delivered, row.read) {
            (Some(delivered), Some(read)) => status(seq, delivered, read),
            // Nobody is left who would have to read it.
            _ => MessageStatus::Read,
        };
        let receipts = row
            .members
            .into_iter()
            .map(|reader| MessageReceipt { status: status(seq, reader.delivered, reader.read), user: reader.user });
        Ok(Seen::Found((least, receipts.collect())))
    })
}

pub(in crate::store::neo4j::log) async fn chat_receipts(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
    names: &Names,
) -> Result<Seen<Vec<ChatReceipt>>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        viewed: Viewed,
        members: Vec<Reader>,
    }

    let statement = by_name(about(OF_CHAT, user_id, chat_id), names);
    let Some(row) = store.driver.read_one::<Row>(&statement).await? else { return Ok(Seen::NoChat) };
    let receipts = row.members.into_iter().map(|reader| ChatReceipt {
        user: reader.user,
        delivered: reader.delivered,
        read: reader.read,
    });
    Ok(row.viewed.seen_by_member(receipts.collect()))
}
