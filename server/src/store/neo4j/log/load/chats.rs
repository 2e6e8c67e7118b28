use std::collections::HashMap;

use i9chat_spec::{
    ChatId, ChatKind, GroupDescription, GroupName, MediaId, Membership, Role, Seq, Stretch, Timestamp, User, UserId,
    Username,
};
use serde::Deserialize;

use crate::{
    domain::{ChatState, GroupState, Standing, State},
    store::{
        StoreError,
        neo4j::{
            driver::{Failure, Statement, Transaction, texts},
            log::rows::{corrupt, number},
        },
    },
};

/// Chats with everybody who is or was in them, and the two users of direct ones.
pub(super) const CHATS: &str = "UNWIND $chats AS wanted
MATCH (chat:Chat {chat_id: wanted})
RETURN chat.chat_id AS chat_id, chat.kind AS kind, chat.last_seq AS last_seq, chat.name AS name,
  chat.description AS description, chat.picture_id AS picture_id, chat.created_at AS created_at,
  COLLECT {
    MATCH (user:User) WHERE user.user_id IN split(chat.pair, ':')
    RETURN [user.user_id, user.username]
  } AS pair,
  COLLECT {
    MATCH (user:User)-[member:MEMBER_OF {chat_id: wanted}]->()
    USING INDEX SEEK member:MEMBER_OF(chat_id)
    RETURN [user.user_id, user.username, member.membership, member.role, member.opened_at, member.since_seq,
      member.since_order, member.from_seq, member.to_seq]
  } AS members";

#[derive(Deserialize)]
struct ChatRow {
    chat_id: ChatId,
    kind: ChatKind,
    last_seq: i64,
    name: Option<GroupName>,
    description: Option<GroupDescription>,
    picture_id: Option<MediaId>,
    created_at: Option<i64>,
    pair: Vec<(UserId, Username)>,
    members: Vec<MemberRow>,
}

/// User, name, what they are, what they may do, when the chat was opened for them, since when they are in it, and what they see.
type MemberRow = (UserId, Username, Membership, Role, i64, Seq, u32, Vec<Seq>, Vec<i64>);

/// Reads chats that are not remembered.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    state: &mut State,
    chats: &[ChatId],
) -> Result<(), Failure> {
    if chats.is_empty() {
        return Ok(());
    }
    let rows: Vec<ChatRow> = transaction.run(Statement::new(CHATS).with("chats", texts(chats))).await?;
    for row in rows {
        let (chat_id, last_seq) = (row.chat_id, number(row.last_seq));
        let chat = if row.kind == ChatKind::Group { group(row)? } else { direct(row)? };
        state.chats.insert(chat_id, ChatState { last_seq, ..chat });
    }
    Ok(())
}

fn direct(row: ChatRow) -> Result<ChatState, StoreError> {
    let users: Vec<_> = row.pair.into_iter().map(|(user_id, username)| User { user_id, username }).collect();
    let Ok([one, other]) = <[User; 2]>::try_from(users) else {
        return Err(corrupt("a direct chat without its two users"));
    };
    let mut direct = ChatState::direct(row.chat_id, one, other);
    for (user_id, _, _, _, opened_at, ..) in row.members {
        direct.add(user_id, Timestamp::from_millis(opened_at));
    }
    Ok(direct)
}

fn group(row: ChatRow) -> Result<ChatState, StoreError> {
    let (Some(name), Some(description), Some(created_at)) = (row.name, row.description, row.created_at) else {
        return Err(corrupt("a group without a name"));
    };
    let standings: HashMap<UserId, Standing> = row.members.into_iter().map(standing).collect();
    let created_at = Timestamp::from_millis(created_at);
    let group = GroupState { name, description, picture_id: row.picture_id, created_at, standings };
    Ok(ChatState::group(row.chat_id, group))
}

fn standing(row: MemberRow) -> (UserId, Standing) {
    let (user_id, username, membership, role, _, since_seq, since_order, from, to) = row;
    let end = |to: i64| Seq::try_from(number(to)).ok();
    let stretches = from.into_iter().zip(to).map(|(from, to)| Stretch { from, to: end(to) }).collect();
    let user = User { user_id, username };
    (user_id, Standing { user, membership, role, since: (since_seq, since_order), stretches })
}
