use std::collections::HashMap;

use i9chat_spec::{
    Bio, ChatId, Emoji, Latitude, Location, Longitude, MediaId, MediaKind, MediaPurpose, MessageId, PartInfo,
    ReactionCount, SessionId, Timestamp, UserId, event::ProfileChanged,
};
use serde::Deserialize;

use crate::{
    domain::{MediaState, MessageState, ReactionsState, State, Wanted, media::attachment},
    ids::seq_of,
    store::{
        StoreError,
        neo4j::{
            driver::{Failure, Statement, Transaction, Value, list, text, texts},
            log::rows::{corrupt, integer, message},
        },
    },
};

/// What few batches ask for. Media is locked, so that it is not cleaned up while it comes into use; a user whose sessions are to
/// end is locked, so that none is opened meanwhile.
pub(super) const RARE: &str = "CALL () {
  UNWIND $messages AS wanted
  MATCH (entry:Entry {entry_of: wanted[0], seq: wanted[1]})
  WHERE entry.kind = 'message_created'
  RETURN collect([wanted[0], wanted[2], entry.data]) AS messages
}
CALL () {
  UNWIND $reactions AS wanted
  MATCH (entry:Entry {entry_of: wanted[0], seq: wanted[1]})
  WHERE entry.reactions IS NOT NULL
  RETURN collect([wanted[0], wanted[2], entry.reactions]) AS counts
}
CALL () {
  UNWIND $reacted AS wanted
  MATCH (reaction:Reaction {chat_id: wanted[0], seq: wanted[1], user_id: wanted[3]})
  RETURN collect([wanted[0], wanted[2], wanted[3], reaction.emoji]) AS own
}
CALL () {
  UNWIND $media AS wanted
  MATCH (media:Media {media_id: wanted})
  SET media.turn = 0
  WITH media
  WHERE media.completed_at IS NOT NULL AND (media.expires_at > $now OR media.used
    OR EXISTS { MATCH (owner:User {user_id: media.owner}) WHERE owner.picture_id = media.media_id })
  RETURN collect([media.media_id, media.owner, media.purpose, media.kind, media.parts]) AS media
}
CALL () {
  UNWIND $profiles AS wanted
  MATCH (user:User {user_id: wanted})
  RETURN collect([user.user_id, user.bio, user.picture_id, user.lat, user.lon]) AS profiles
}
CALL () {
  UNWIND $sessions_of AS wanted
  MATCH (user:User {user_id: wanted})
  SET user.turn = 0
  WITH wanted
  MATCH (session:Session {user_id: wanted})
  WHERE session.ended_at IS NULL
  RETURN collect([session.user_id, session.session_id]) AS sessions_of
}
RETURN messages, counts, own, media, profiles, sessions_of";

/// Whose, the bio, the picture, and where.
type ProfileRow = (UserId, Bio, Option<MediaId>, Option<Latitude>, Option<Longitude>);

#[derive(Deserialize)]
struct Row {
    messages: Vec<(ChatId, MessageId, String)>,
    counts: Vec<(ChatId, MessageId, String)>,
    own: Vec<(ChatId, MessageId, UserId, Emoji)>,
    media: Vec<(MediaId, UserId, MediaPurpose, MediaKind, String)>,
    profiles: Vec<ProfileRow>,
    sessions_of: Vec<(UserId, SessionId)>,
}

/// Reads what few batches ask for, if this one does.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    state: &mut State,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Failure> {
    let Wanted {
        chats: _,
        directs: _,
        done: _,
        reading: _,
        sessions: _,
        messages,
        reactions,
        media,
        profiles,
        sessions_of,
    } = wanted;
    let asks_for_nothing = messages.is_empty()
        && reactions.is_empty()
        && media.is_empty()
        && profiles.is_empty()
        && sessions_of.is_empty();
    if asks_for_nothing {
        return Ok(());
    }
    let row: Option<Row> = transaction.run(statement(wanted, now)).await?.pop();
    let row = row.ok_or_else(|| corrupt("no row where there is always one"))?;
    // Who has no session is known to have none, and a message without reactions to have none.
    state.sessions_of.extend(sessions_of.iter().map(|user_id| (*user_id, Vec::new())));
    state.reactions.extend(reactions.keys().map(|key| (*key, ReactionsState::default())));
    take(state, row)?;
    Ok(())
}

fn statement(wanted: &Wanted, now: Timestamp) -> Statement {
    let place = |chat_id: &ChatId, message_id: &MessageId| -> Option<[Value; 3]> {
        Some([text(chat_id), integer(seq_of(*message_id)?.get()).into(), text(message_id)])
    };
    let messages = wanted.messages.iter().filter_map(|(chat_id, message_id)| place(chat_id, message_id)).map(list);
    let reactions = wanted.reactions.keys().filter_map(|(chat_id, message_id)| place(chat_id, message_id)).map(list);
    let reacted = wanted.reactions.iter().flat_map(|((chat_id, message_id), users)| {
        users
            .iter()
            .filter_map(move |user_id| Some(list(place(chat_id, message_id)?.into_iter().chain([text(user_id)]))))
    });
    Statement::new(RARE)
        .with("messages", list(messages))
        .with("reactions", list(reactions))
        .with("reacted", list(reacted))
        .with("media", texts(&wanted.media))
        .with("profiles", texts(&wanted.profiles))
        .with("sessions_of", texts(&wanted.sessions_of))
        .with("now", now.as_millis())
}

fn take(state: &mut State, row: Row) -> Result<(), StoreError> {
    for (chat_id, message_id, data) in row.messages {
        let message = message(&data)?;
        // Another message may stand where a made-up id points.
        if message.message_id == message_id {
            state.messages.insert((chat_id, message_id), MessageState::of(&message));
        }
    }
    for (chat_id, message_id, counts) in row.counts {
        let counts: Vec<ReactionCount> = serde_json::from_str(&counts).map_err(corrupt)?;
        let counts: HashMap<_, _> = counts.into_iter().map(|shown| (shown.emoji, shown.count)).collect();
        state.reactions.entry((chat_id, message_id)).or_default().counts = counts;
    }
    for (chat_id, message_id, user_id, emoji) in row.own {
        state.reactions.entry((chat_id, message_id)).or_default().own.insert(user_id, emoji);
    }
    for (media_id, owner, purpose, kind, parts) in row.media {
        let parts: Vec<PartInfo> = serde_json::from_str(&parts).map_err(corrupt)?;
        let attachment = attachment(media_id, &parts)
            .ok_or_else(|| corrupt(format_args!("the media {media_id} has no part to show")))?;
        state.media.insert(media_id, MediaState { owner, purpose, kind, attachment });
    }
    for (user_id, bio, picture_id, lat, lon) in row.profiles {
        let location = lat.zip(lon).map(|(lat, lon)| Location { lat, lon });
        state.profiles.insert(user_id, ProfileChanged { bio, picture_id, location });
    }
    for (user_id, session_id) in row.sessions_of {
        state.sessions_of.entry(user_id).or_default().push(session_id);
    }
    Ok(())
}
