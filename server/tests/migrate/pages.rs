//! If this fails, what hangs from one user, entry or file is read back as a whole: with enough of it, that takes longer than a
//! transaction may, and a move never comes to its end.

use std::collections::BTreeSet;

use i9chat_server::{
    domain::{LogEpoch, Place, Position},
    store::{
        neo4j::{BackPage, Neo4jImport},
        transfer::{LogFacts, Table},
    },
};
use neo4rs::query;

use crate::lab::Backends;

/// The most rows of a page.
const PAGE: usize = 500;

const USERS: &str = "UNWIND range(1, 2) AS u
CREATE (:User {user_id: '00000000-0000-7000-8000-00000000000' + toString(u)})";
/// Twelve hundred chats of one user, two of another, and what is known of each.
const CHATS: &str = "UNWIND range(1001, 2200) AS c
CREATE (chat:Chat {chat_id: '00000000-0000-7000-8000-00000000' + toString(c)})
WITH chat
MATCH (user:User) WHERE user.user_id ENDS WITH '1' OR chat.chat_id < '00000000-0000-7000-8000-000000001003'
CREATE (user)-[:MEMBER_OF {user_id: user.user_id, chat_id: chat.chat_id, membership: 'member', role: 'member', opened_at: 1,
  since_seq: 1, since_order: 1, delivered: 0, read: 0, from_seq: [1], to_seq: [], from_position: [1], to_position: []}]->(chat)";
/// Twelve hundred reactions to one message, and one each to others.
const REACTIONS: &str = "UNWIND range(1, 4) AS seq
CREATE (:Change:Entry {position: seq, entry_of: '00000000-0000-7000-8000-00000000100' + toString(1 + seq / 4), seq: seq,
  reactions: '{}'})
WITH seq
UNWIND range(1001, CASE seq WHEN 2 THEN 2200 ELSE 1001 END) AS u
CREATE (:Reaction {chat_id: '00000000-0000-7000-8000-00000000100' + toString(1 + seq / 4), seq: seq,
  user_id: '00000000-0000-7000-8000-00000000' + toString(u), emoji: 'x'})";
/// A file that is used twelve hundred times, in two chats, and one that is used once.
const USES: &str = "UNWIND range(1, 2) AS m
CREATE (:Media {media_id: '00000000-0000-7000-8000-00000000000' + toString(m)})
WITH m
UNWIND range(1, CASE m WHEN 1 THEN 1200 ELSE 1 END) AS seq
CREATE (:MediaUse {media_id: '00000000-0000-7000-8000-00000000000' + toString(m),
  chat_id: '00000000-0000-7000-8000-00000000100' + toString(seq / 1100), seq: seq})";

pub async fn what_hangs_from_one_thing_is_read_back_in_pages(backends: &Backends) {
    let head = Place { position: Position(0), tag: 0 };
    let facts = LogFacts { epoch: LogEpoch([1; 8]), head, kept_from: 0, swept_to: 0 };
    let import = Box::pin(Neo4jImport::begin(&backends.neo4j.url(), facts)).await.unwrap();
    let graph = backends.neo4j.graph().unwrap();
    for statement in [USERS, CHATS, REACTIONS, USES] {
        // The driver's futures are large.
        Box::pin(graph.run(query(statement))).await.unwrap();
    }
    for (table, count) in [(Table::Members, 1202), (Table::Reactions, 1203), (Table::MediaUses, 1201)] {
        let mut found = BTreeSet::new();
        let mut after: Option<String> = None;
        loop {
            let BackPage { rows, next } = Box::pin(import.read_back(table, after.as_deref())).await.unwrap();
            assert!(rows.len() <= PAGE, "{table:?}: {} at once", rows.len());
            for row in rows {
                assert!(found.insert(row.to_string()), "{table:?}: {row} comes twice");
            }
            if next.is_none() {
                break;
            }
            assert_ne!(next, after, "{table:?}: it goes on");
            after = next;
        }
        assert_eq!(found.len(), count, "{table:?}");
    }
}
