use crate::store::transfer::Table;

/// Writes rows if the filling is where it is thought to be, which is looked at under the lock of the log's node, and notes where it
/// is then.
macro_rules! filled {
    ($rows:literal) => {
        concat!(
            "MATCH (log:Log {name: 'log'})
             SET log.turn = 0
             WITH log
             WHERE log.moving = $before
             SET log.moving = $then
             WITH log
             UNWIND $rows AS row
             ",
            $rows
        )
    };
}

const CELLS: &str =
    filled!("CREATE (cell:Cell {cell: row.cell, space: point({x: row.x, y: row.y, z: row.z, crs: 'cartesian-3d'})})");
const USERS: &str = filled!("CREATE (user:User) SET user = row");
const SESSIONS: &str = filled!(
    "MATCH (user:User {user_id: row.user_id})
     CREATE (session:Session)-[:OF]->(user)
     SET session = row"
);
/// Nobody remembers anything of the chat yet: any version will do.
const CHATS: &str = filled!(
    "CREATE (chat:Chat {chat_id: row.chat_id, kind: row.kind, pair: row.users[0] + ':' + row.users[1], name: row.name,
       description: row.description, picture_id: row.picture_id, created_at: row.created_at,
       members_count: row.members_count, last_seq: row.last_seq, last_position: row.last_position,
       version: row.last_position})"
);
const MEMBERS: &str = filled!(
    "MATCH (user:User {user_id: row.user_id})
     MATCH (chat:Chat {chat_id: row.chat_id})
     CREATE (user)-[member:MEMBER_OF]->(chat)
     SET member = row"
);
const CHANGES: &str = filled!(
    "CREATE (change:Change {position: row.position, tag: row.tag, kind: row.kind, data: row.data, chat_id: row.chat_id,
       user_id: row.user_id, about: row.about, ends: row.ends})
     WITH change, row
     WHERE row.entry_of IS NOT NULL
     MATCH (chat:Chat {chat_id: row.entry_of})
     SET change:Entry, change.entry_of = row.entry_of, change.seq = row.seq, change.sender_id = row.sender_id,
       change.client_id = row.client_id, change.creation = row.creation, change.reactions = row.reactions
     CREATE (change)-[:IN]->(chat)"
);
const REACTIONS: &str = filled!("CREATE (reaction:Reaction) SET reaction = row");
const MEDIA: &str = filled!("CREATE (media:Media) SET media = row");
const MEDIA_USES: &str = filled!("CREATE (use:MediaUse) SET use = row");
const SEEN: &str = filled!("CREATE (seen:Seen) SET seen = row");
const LOG_TIMES: &str = filled!("CREATE (time:LogTime) SET time = row");

pub(super) const STATEMENTS: &[&str] =
    &[CELLS, USERS, SESSIONS, CHATS, MEMBERS, CHANGES, REACTIONS, MEDIA, MEDIA_USES, SEEN, LOG_TIMES];

/// What writes rows of a table.
pub(super) const fn statement(table: Table) -> &'static str {
    match table {
        Table::Cells => CELLS,
        Table::Users => USERS,
        Table::Sessions => SESSIONS,
        Table::Chats => CHATS,
        Table::Members => MEMBERS,
        Table::Changes => CHANGES,
        Table::Reactions => REACTIONS,
        Table::Media => MEDIA,
        Table::MediaUses => MEDIA_USES,
        Table::Seen => SEEN,
        Table::LogTimes => LOG_TIMES,
    }
}
