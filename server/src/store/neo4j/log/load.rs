//! What a batch wants to know, read under the lock: in one statement as a rule, in up to three when it asks for rare things or
//! for chats that are not remembered.

mod chats;
mod rare;

use std::collections::HashMap;

use i9chat_spec::{ChatId, ClientId, Limits, SessionId, Timestamp, UserId, Watermark};
use serde::Deserialize;

use super::{
    cache::LogCache,
    head::no_log,
    rows::{self, HeadRow, integer, number},
};
use crate::{
    domain::{DoneBefore, Pair, Reader, SentBefore, SessionState, State, Wanted},
    store::{
        LogHead, StoreError,
        neo4j::driver::{Failure, Statement, Transaction, Value, list, text, texts},
    },
};

/// Takes the lock, and reads what nearly every batch asks for. `turn` is always 0: setting it takes the lock and writes nothing.
const LOAD: &str = "MATCH (log:Log {name: 'log'})
SET log.turn = 0
WITH log.epoch AS epoch, log.position AS position, log.tag AS tag
CALL () {
  UNWIND $chats AS wanted
  MATCH (chat:Chat {chat_id: wanted})
  RETURN collect([chat.chat_id, chat.last_seq, chat.version]) AS chats
}
CALL () {
  UNWIND $pairs AS wanted
  MATCH (chat:Chat {pair: wanted})
  RETURN collect([chat.pair, chat.chat_id, chat.last_seq, chat.version]) AS pairs
}
CALL () {
  UNWIND $done AS wanted
  MATCH (entry:Entry {sender_id: wanted[0], client_id: wanted[1]})
  RETURN collect([entry.sender_id, entry.client_id, entry.data, entry.creation]) AS done
}
CALL () {
  UNWIND $reading AS wanted
  MATCH ()-[member:MEMBER_OF {user_id: wanted[1], chat_id: wanted[0]}]->()
  USING INDEX SEEK member:MEMBER_OF(user_id, chat_id)
  CALL (wanted, member) {
    MATCH (entry:Entry {entry_of: wanted[0]})
    WHERE entry.seq > member.read AND entry.sender_id <> wanted[1]
    WITH entry
    ORDER BY entry.entry_of DESC, entry.seq DESC
    LIMIT $most
    RETURN collect(entry.seq) AS unread
  }
  RETURN collect([wanted[0], wanted[1], member.delivered, member.read, unread]) AS reading
}
CALL () {
  UNWIND $sessions AS wanted
  MATCH (session:Session {session_id: wanted})
  WHERE session.ended_at IS NULL
  RETURN collect([session.session_id, session.user_id]) AS sessions
}
RETURN epoch, position, tag, chats, pairs, done, reading, sessions";

pub(super) const STATEMENTS: &[&str] = &[LOAD, chats::CHATS, rare::RARE];

/// What a batch decides on.
pub(super) struct Loaded {
    /// The end of the log.
    pub(super) head: LogHead,
    /// What was wanted.
    pub(super) state: State,
    /// The versions of the chats in it.
    pub(super) versions: HashMap<ChatId, i64>,
}

#[derive(Deserialize)]
struct Row {
    epoch: String,
    position: i64,
    tag: i64,
    chats: Vec<(ChatId, i64, i64)>,
    pairs: Vec<(String, ChatId, i64, i64)>,
    done: Vec<(UserId, ClientId, String, Option<String>)>,
    reading: Vec<(ChatId, UserId, Watermark, Watermark, Vec<u64>)>,
    sessions: Vec<(SessionId, UserId)>,
}

/// Takes the lock and reads what a batch wants.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    cache: &mut LogCache,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Loaded, Failure> {
    let pairs: HashMap<String, Pair> = wanted.directs.iter().map(|pair| (pair_text(*pair), *pair)).collect();
    let row: Option<Row> = transaction.run(statement(wanted, &pairs)).await?.pop();
    let row = row.ok_or_else(no_log)?;
    let head = HeadRow { epoch: row.epoch, position: row.position, tag: row.tag }.head()?;
    let mut loaded = Loaded { head, state: State::default(), versions: HashMap::new() };
    let mut unknown = Vec::new();
    for (pair, chat_id, ..) in &row.pairs {
        let pair = pairs.get(pair).ok_or_else(|| rows::corrupt(format_args!("a pair {pair}")))?;
        loaded.state.directs.insert(*pair, *chat_id);
    }
    let of_pairs = row.pairs.into_iter().map(|(_, chat_id, last_seq, version)| (chat_id, last_seq, version));
    for (chat_id, last_seq, version) in row.chats.into_iter().chain(of_pairs) {
        loaded.versions.insert(chat_id, version);
        match cache.get(chat_id, version, number(last_seq)) {
            Some(chat) => {
                loaded.state.chats.insert(chat_id, chat);
            }
            None => unknown.push(chat_id),
        }
    }
    for (user_id, client_id, data, creation) in row.done {
        loaded.state.done.insert((user_id, client_id), done_before(&data, creation.as_deref())?);
    }
    for (chat_id, user_id) in &wanted.reading {
        loaded.state.reading.insert(*chat_id, *user_id, Reader::default());
    }
    for (chat_id, user_id, delivered, read, mut unread) in row.reading {
        unread.reverse();
        loaded.state.reading.insert(chat_id, user_id, Reader { delivered, read, unread });
    }
    let open = row.sessions.into_iter().map(|(session_id, user_id)| (session_id, SessionState { user_id }));
    loaded.state.sessions.extend(open);
    chats::load(transaction, &mut loaded.state, &unknown).await?;
    rare::load(transaction, &mut loaded.state, wanted, now).await?;
    Ok(loaded)
}

fn statement(wanted: &Wanted, pairs: &HashMap<String, Pair>) -> Statement {
    let two = |one: Value, other: Value| list([one, other]);
    Statement::new(LOAD)
        .with("chats", texts(&wanted.chats))
        .with("pairs", texts(pairs.keys()))
        .with("done", list(wanted.done.iter().map(|(user_id, client_id)| two(text(user_id), text(client_id)))))
        .with("reading", list(wanted.reading.iter().map(|(chat_id, user_id)| two(text(chat_id), text(user_id)))))
        .with("sessions", texts(&wanted.sessions))
        .with("most", integer(Limits::default().max_unread_count))
}

/// The two users of a direct chat, as its property `pair` names them.
pub(super) fn pair_text(pair: Pair) -> String {
    format!("{}:{}", pair.low, pair.high)
}

fn done_before(data: &str, creation: Option<&str>) -> Result<DoneBefore, StoreError> {
    Ok(match creation {
        Some(creation) => DoneBefore::Group(serde_json::from_str(creation).map_err(rows::corrupt)?),
        None => DoneBefore::Message(SentBefore::of(&rows::message(data)?)),
    })
}
