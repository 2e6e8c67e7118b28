use i9chat_spec::{Emoji, User, api::reactions::Reaction};
use serde::Deserialize;

use super::{
    Viewed, about_message, by_name,
    rows::{self, EntryRow},
    viewed, visible_entry,
};
use crate::store::{Names, OneMessage, Seen, StoreError, neo4j::Neo4jStore};

/// Who reacted to a message, by name, if the viewer sees the message. (REA-5)
pub(super) const REACTIONS: &str = concat!(
    viewed!(),
    visible_entry!(),
    "CALL (e) {
         MATCH (r:Reaction {chat_id: e.entry_of, seq: e.seq}) WHERE r.user_id IS NOT NULL
         MATCH (u:User {user_id: r.user_id}) WHERE u.username_key > $after
         WITH r, u ORDER BY u.username_key LIMIT $limit
         RETURN collect(u {.user_id, .username, emoji: r.emoji}) AS reactions
     }
     RETURN c.kind AS kind, m.membership AS membership, e {.kind, .data} AS entry, reactions"
);

pub(in crate::store::neo4j::log) async fn reactions(
    store: &Neo4jStore,
    wanted: OneMessage,
    names: &Names,
) -> Result<Seen<Vec<Reaction>>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        viewed: Viewed,
        entry: Option<EntryRow>,
        reactions: Vec<ReactionRow>,
    }
    #[derive(Deserialize)]
    struct ReactionRow {
        #[serde(flatten)]
        user: User,
        emoji: Emoji,
    }

    let statement = by_name(about_message(REACTIONS, wanted), names);
    let Some(row) = store.driver.read_one::<Row>(&statement).await? else { return Ok(Seen::NoChat) };
    row.viewed.seen(row.entry).then(|entry| {
        if rows::message(entry, wanted)?.is_none() {
            return Ok(Seen::NoMessage);
        }
        let reactions = row.reactions.into_iter().map(|row| Reaction { user: row.user, emoji: row.emoji });
        Ok(Seen::Found(reactions.collect()))
    })
}
