use i9chat_spec::api::reactions::Reaction;
use rusqlite::{Connection, params};

use super::{
    entries::{Viewer, emoji, visible_message},
    rows::{self, integer},
    viewed,
};
use crate::store::{Names, OneMessage, Seen, StoreError};

/// Who reacted to a message, by name. (REA-5)
pub(in crate::store::sqlite::log) fn reactions(
    connection: &Connection,
    wanted: OneMessage,
    names: &Names,
) -> Result<Seen<Vec<Reaction>>, StoreError> {
    viewed(connection, wanted.user_id, wanted.chat_id)?.then(|viewed| {
        let viewer = Viewer { chat: viewed.chat, user: viewed.user };
        let Some(seq) = visible_message(connection, viewer, wanted)? else { return Ok(Seen::NoMessage) };
        let mut find = connection.prepare_cached(
            "SELECT users.user_id, users.username, emoji FROM reactions JOIN users ON users.id = reactions.user
             WHERE chat = ?1 AND seq = ?2 AND username_key > ?3 ORDER BY username_key LIMIT ?4",
        )?;
        let mut found =
            find.query(params![viewer.chat, integer(seq.get()), names.after(), integer(names.limit as u64)])?;
        let mut reactions = Vec::new();
        while let Some(row) = found.next()? {
            let user = rows::user(row.get(0)?, rows::text(row, 1)?)?;
            reactions.push(Reaction { user, emoji: emoji(rows::text(row, 2)?)? });
        }
        Ok(Seen::Found(reactions))
    })
}
