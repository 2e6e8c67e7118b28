use i9chat_spec::{ChatId, Emoji, Entry, Message, ReactionCount, Seq, Stretch, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    rows::{self, integer, number},
    stretches, viewed,
};
use crate::{
    ids::seq_of,
    store::{OneMessage, Seek, Seen, StoreError},
};

/// Somebody who looks at a chat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    pub(super) chat: i64,
    pub(super) user: i64,
}

pub(in crate::store::sqlite::log) fn entries(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
    seek: Seek,
    limit: usize,
) -> Result<Seen<Vec<Entry>>, StoreError> {
    viewed(connection, user_id, chat_id)?.then(|viewed| {
        let viewer = Viewer { chat: viewed.chat, user: viewed.user };
        let mut visible = stretches(connection, viewed.chat, viewed.user)?;
        let (sql, bound) = match seek {
            Seek::Newest => ("seq <= ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq DESC", i64::MAX),
            Seek::Before(seq) => ("seq < ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq DESC", integer(seq.get())),
            Seek::After(watermark) => ("seq > ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq", integer(watermark.get())),
        };
        if !matches!(seek, Seek::After(_)) {
            visible.reverse();
        }
        let mut find = connection.prepare_cached(&format!(
            "SELECT kind, data FROM changes WHERE chat = ?1 AND seq IS NOT NULL AND {sql} LIMIT ?5"
        ))?;
        let mut entries = Vec::with_capacity(limit);
        // Stretch by stretch: what lies between two of them may be long.
        for Stretch { from, to } in visible {
            let to = to.map_or(i64::MAX, |to| integer(to.get()));
            let room = integer((limit - entries.len()) as u64);
            let mut found = find.query(params![viewer.chat, bound, integer(from.get()), to, room])?;
            while let Some(row) = found.next()? {
                entries.push(rows::entry(row.get(0)?, rows::text(row, 1)?)?);
            }
            if entries.len() == limit {
                break;
            }
        }
        viewer.add_reactions(connection, &mut entries)?;
        Ok(Seen::Found(entries))
    })
}

pub(in crate::store::sqlite::log) fn message(
    connection: &Connection,
    wanted: OneMessage,
) -> Result<Seen<Box<Message>>, StoreError> {
    viewed(connection, wanted.user_id, wanted.chat_id)?.then(|viewed| {
        let viewer = Viewer { chat: viewed.chat, user: viewed.user };
        let Some(seq) = visible_message(connection, viewer, wanted)? else { return Ok(Seen::NoMessage) };
        let mut entries = viewer.at(connection, seq)?;
        viewer.add_reactions(connection, &mut entries)?;
        Ok(match entries.pop() {
            Some(Entry::Message(message)) => Seen::Found(Box::new(message)),
            _ => Seen::NoMessage,
        })
    })
}

/// Where a message stands, if the viewer may see it.
pub(super) fn visible_message(
    connection: &Connection,
    viewer: Viewer,
    wanted: OneMessage,
) -> Result<Option<Seq>, StoreError> {
    let Some(seq) = seq_of(wanted.message_id) else { return Ok(None) };
    if !stretches(connection, viewer.chat, viewer.user)?.iter().any(|stretch| stretch.contains(seq)) {
        return Ok(None);
    }
    // Another message may stand where a made-up id points.
    let is_there = viewer
        .at(connection, seq)?
        .iter()
        .filter_map(Entry::as_message)
        .any(|message| message.message_id == wanted.message_id);
    Ok(is_there.then_some(seq))
}

/// The latest entry up to a `seq`, or of all.
pub(super) fn last_entry(
    connection: &Connection,
    viewer: Viewer,
    up_to: Option<Seq>,
) -> Result<Option<Entry>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT kind, data FROM changes WHERE chat = ?1 AND seq IS NOT NULL AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
    )?;
    let up_to = up_to.map_or(i64::MAX, |seq| integer(seq.get()));
    let mut found = find.query([viewer.chat, up_to])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let mut entries = [rows::entry(row.get(0)?, rows::text(row, 1)?)?];
    viewer.add_reactions(connection, &mut entries)?;
    let [entry] = entries;
    Ok(Some(entry))
}

impl Viewer {
    /// The entry at a place, if there is one.
    fn at(self, connection: &Connection, seq: Seq) -> Result<Vec<Entry>, StoreError> {
        let mut find = connection.prepare_cached("SELECT kind, data FROM changes WHERE chat = ?1 AND seq = ?2")?;
        let mut found = find.query(params![self.chat, integer(seq.get())])?;
        let mut entries = Vec::new();
        if let Some(row) = found.next()? {
            entries.push(rows::entry(row.get(0)?, rows::text(row, 1)?)?);
        }
        Ok(entries)
    }

    /// What became of messages since they were sent. (REA-4)
    fn add_reactions(self, connection: &Connection, entries: &mut [Entry]) -> Result<(), StoreError> {
        let mut counts = connection.prepare_cached(
            "SELECT emoji, count FROM reaction_counts WHERE chat = ?1 AND seq = ?2 ORDER BY count DESC, emoji",
        )?;
        let mut own =
            connection.prepare_cached("SELECT emoji FROM reactions WHERE chat = ?1 AND seq = ?2 AND user = ?3")?;
        for entry in entries {
            let Entry::Message(message) = entry else { continue };
            let seq = integer(message.seq.get());
            let mut found = counts.query([self.chat, seq])?;
            while let Some(row) = found.next()? {
                message
                    .reactions
                    .push(ReactionCount { emoji: emoji(rows::text(row, 0)?)?, count: number(row.get(1)?) });
            }
            if !message.reactions.is_empty() {
                let text: Option<String> = own.query_row([self.chat, seq, self.user], |row| row.get(0)).optional()?;
                message.own_reaction = text.as_deref().map(emoji).transpose()?;
            }
        }
        Ok(())
    }
}

pub(super) fn emoji(text: &str) -> Result<Emoji, StoreError> {
    text.parse().map_err(rows::corrupt)
}
