//! What stands in the columns of views.

use std::cmp::Reverse;

use i9chat_spec::{
    Emoji, Entry, Message, ReactionCount, Seq, Stretch,
    event::{EventData, GroupActivity, MessageCreated},
};
use serde::Deserialize;

pub(super) use crate::store::raw::{corrupt, integer};
use crate::store::{OneMessage, StoreError};

/// An entry, and what became of it since.
#[derive(Debug, Deserialize)]
pub(super) struct EntryRow {
    kind: String,
    data: String,
    /// The reactions to it and how often each was given, as JSON.
    reactions: Option<String>,
    own_reaction: Option<Emoji>,
}

impl EntryRow {
    /// The entry as answers show it. (REA-4)
    pub(super) fn entry(self) -> Result<Entry, StoreError> {
        if self.kind == GroupActivity::NAME {
            let activity: GroupActivity = serde_json::from_str(&self.data).map_err(corrupt)?;
            return Ok(Entry::Activity(activity.activity));
        }
        let MessageCreated { message } = serde_json::from_str(&self.data).map_err(corrupt)?;
        let mut reactions: Vec<ReactionCount> = match &self.reactions {
            Some(json) => serde_json::from_str(json).map_err(corrupt)?,
            None => Vec::new(),
        };
        reactions.sort_by(|one, other| {
            (Reverse(one.count), one.emoji.as_str()).cmp(&(Reverse(other.count), other.emoji.as_str()))
        });
        let own_reaction = self.own_reaction.filter(|_| !reactions.is_empty());
        Ok(Entry::Message(Message { reactions, own_reaction, ..message }))
    }
}

/// The message that was wanted, out of the entry that stands where its id points, if the viewer sees one there: another message may
/// stand where a made-up id points.
pub(super) fn message(entry: Option<EntryRow>, wanted: OneMessage) -> Result<Option<Message>, StoreError> {
    let entry = entry.map(EntryRow::entry).transpose()?;
    Ok(match entry {
        Some(Entry::Message(message)) if message.message_id == wanted.message_id => Some(message),
        _ => None,
    })
}

/// The stretches out of the two lists of where they begin and end.
pub(super) fn stretches(from: &[Seq], to: &[i64]) -> Vec<Stretch> {
    let end = |to: i64| u64::try_from(to).ok().and_then(|to| Seq::try_from(to).ok());
    from.iter().zip(to).map(|(from, to)| Stretch { from: *from, to: end(*to) }).collect()
}
