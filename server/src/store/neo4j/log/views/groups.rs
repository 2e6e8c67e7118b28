use i9chat_spec::{
    ChatId, ChatKind, GroupDescription, GroupName, MediaId, Role, Timestamp, User, UserId, api::groups::Group,
};
use serde::Deserialize;

use super::{Met, Viewed, about, by_name, settled, viewed};
use crate::store::{
    AudienceRead, MemberRead, Names, Seen, StoreError,
    neo4j::{
        Neo4jStore,
        driver::{Statement, text},
    },
};

/// A group as anybody may see it, and who is in it. (GRP-7)
pub(super) const GROUP: &str = "
    MATCH (c:Chat {chat_id: $chat_id, kind: 'group'})
    CALL () {
        MATCH ()-[m:MEMBER_OF {chat_id: $chat_id}]->()
        USING INDEX SEEK m:MEMBER_OF(chat_id)
        WHERE m.membership = 'member'
        RETURN collect(m.user_id) AS members, collect(CASE m.user_id WHEN $user_id THEN m.role END)[0] AS role
    }
    RETURN c.name AS name, c.description AS description, c.picture_id AS picture_id, c.created_at AS created_at,
           c.members_count AS members_count, members, role";

/// The members of a group by name, and how many there are and ought to be. (GRP-9)
pub(super) const MEMBERS: &str = concat!(
    viewed!(),
    "WITH c.kind AS kind, m.membership AS membership, c.members_count AS count
     CALL () {
         MATCH (u:User)-[o:MEMBER_OF {chat_id: $chat_id}]->()
         USING INDEX SEEK o:MEMBER_OF(chat_id)
         WHERE o.membership = 'member'
         WITH u, o ORDER BY u.username_key
         WITH count(o) AS found, collect(CASE WHEN u.username_key > $after THEN [u, o] END)[..$limit] AS page
         RETURN found, [one IN page | {user_id: one[0].user_id, username: one[0].username, role: one[1].role,
                                       joined_at: one[1].opened_at}] AS members
     }
     RETURN kind, membership, count, found, members"
);

/// Who is in a chat, for one of them.
pub(super) const AUDIENCE: &str = concat!(
    viewed!(),
    "WITH c.kind AS kind, m.membership AS membership
     CALL () {
         MATCH ()-[o:MEMBER_OF {chat_id: $chat_id}]->()
         USING INDEX SEEK o:MEMBER_OF(chat_id)
         WHERE o.membership = 'member'
         RETURN collect(o.user_id) AS members
     }
     RETURN kind, membership, members"
);

pub(in crate::store::neo4j::log) async fn group(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<Option<(Group, Vec<UserId>)>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        name: GroupName,
        description: GroupDescription,
        picture_id: Option<MediaId>,
        created_at: i64,
        members_count: u64,
        members: Vec<UserId>,
        role: Option<Role>,
    }

    let statement = Statement::new(GROUP).with("user_id", text(user_id)).with("chat_id", text(chat_id));
    settled(store, || async {
        let Some(row) = store.driver.read_one::<Row>(&statement).await? else { return Ok(Met::Whole(None)) };
        let is_whole = row.members.len() as u64 == row.members_count;
        let group = Group {
            chat_id,
            name: row.name,
            description: row.description,
            picture_id: row.picture_id,
            created_at: Timestamp::from_millis(row.created_at),
            members_count: row.members.len() as u64,
            online_members_count: 0,
            role: row.role,
        };
        Ok(Met::new(is_whole, Some((group, row.members))))
    })
    .await
}

pub(in crate::store::neo4j::log) async fn members(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
    names: &Names,
) -> Result<Seen<Vec<MemberRead>>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        viewed: Viewed,
        count: Option<u64>,
        found: u64,
        members: Vec<Member>,
    }
    #[derive(Deserialize)]
    struct Member {
        #[serde(flatten)]
        user: User,
        role: Role,
        joined_at: i64,
    }

    let statement = by_name(about(MEMBERS, user_id, chat_id), names);
    settled(store, || async {
        let Some(row) = store.driver.read_one::<Row>(&statement).await? else { return Ok(Met::Whole(Seen::NoChat)) };
        if row.viewed.kind != ChatKind::Group {
            return Ok(Met::Whole(Seen::NoChat));
        }
        let members = row.members.into_iter().map(|member| MemberRead {
            user: member.user,
            role: member.role,
            joined_at: Timestamp::from_millis(member.joined_at),
        });
        Ok(Met::new(row.count == Some(row.found), row.viewed.seen_by_member(members.collect())))
    })
    .await
}

pub(in crate::store::neo4j::log) async fn audience(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<AudienceRead, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        viewed: Viewed,
        members: Vec<UserId>,
    }

    let row: Option<Row> = store.driver.read_one(&about(AUDIENCE, user_id, chat_id)).await?;
    let Some(row) = row else { return Ok(AudienceRead::NoChat) };
    Ok(match row.viewed.seen_by_member(row.members) {
        Seen::Found(members) => AudienceRead::Members(members.into()),
        Seen::NotMember | Seen::NoMessage => AudienceRead::NotMember,
        Seen::NoChat => AudienceRead::NoChat,
    })
}
