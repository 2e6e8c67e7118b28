use i9chat_spec::{ChatId, MediaId, Timestamp, UserId, api::groups::Group};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    rows::{self, integer, number},
    viewed, viewed_by_member,
};
use crate::store::{AudienceRead, MemberRead, Names, Seen, StoreError};

/// A group as anybody may see it, and who is in it. (GRP-7)
pub(in crate::store::sqlite::log) fn group(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<Option<(Group, Vec<UserId>)>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT chats.id, name, description, picture_id, created_at, members_count,
                (SELECT role FROM members JOIN users ON users.id = members.user
                 WHERE users.user_id = ?1 AND members.chat = chats.id AND membership = 0)
         FROM chats WHERE chat_id = ?2 AND name IS NOT NULL",
    )?;
    let mut found = find.query(params![user_id.as_uuid().as_bytes(), chat_id.as_uuid().as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let group = Group {
        chat_id,
        name: rows::text(row, 1)?.parse().map_err(rows::corrupt)?,
        description: rows::text(row, 2)?.parse().map_err(rows::corrupt)?,
        picture_id: row.get::<_, Option<[u8; 16]>>(3)?.map(|bytes| MediaId::from_uuid(Uuid::from_bytes(bytes))),
        created_at: Timestamp::from_millis(row.get(4)?),
        members_count: number(row.get(5)?),
        online_members_count: 0,
        role: row.get::<_, Option<i64>>(6)?.map(rows::role),
    };
    Ok(Some((group, user_ids(connection, row.get(0)?)?)))
}

/// The members of a group by name, for a member. (GRP-9)
pub(in crate::store::sqlite::log) fn members(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
    names: &Names,
) -> Result<Seen<Vec<MemberRead>>, StoreError> {
    viewed_by_member(connection, user_id, chat_id)?.then(|viewed| {
        if !viewed.is_group {
            return Ok(Seen::NoChat);
        }
        let mut find = connection.prepare_cached(
            "SELECT users.user_id, users.username, role, opened_at
             FROM members JOIN users ON users.id = members.user
             WHERE chat = ?1 AND membership = 0 AND username_key > ?2 ORDER BY username_key LIMIT ?3",
        )?;
        let mut found = find.query(params![viewed.chat, names.after(), integer(names.limit as u64)])?;
        let mut members = Vec::new();
        while let Some(row) = found.next()? {
            members.push(MemberRead {
                user: rows::user(row.get(0)?, rows::text(row, 1)?)?,
                role: rows::role(row.get(2)?),
                joined_at: Timestamp::from_millis(row.get(3)?),
            });
        }
        Ok(Seen::Found(members))
    })
}

/// Who is in a chat, for one of them.
pub(in crate::store::sqlite::log) fn audience(
    connection: &Connection,
    user_id: UserId,
    chat_id: ChatId,
) -> Result<AudienceRead, StoreError> {
    Ok(match viewed(connection, user_id, chat_id)? {
        Seen::Found(viewed) if viewed.is_member => AudienceRead::Members(user_ids(connection, viewed.chat)?.into()),
        Seen::Found(_) | Seen::NotMember | Seen::NoMessage => AudienceRead::NotMember,
        Seen::NoChat => AudienceRead::NoChat,
    })
}

fn user_ids(connection: &Connection, chat: i64) -> Result<Vec<UserId>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT users.user_id FROM members JOIN users ON users.id = members.user WHERE chat = ?1 AND membership = 0",
    )?;
    let found = find.query_map([chat], |row| row.get(0))?;
    found.map(|bytes| Ok(UserId::from_uuid(Uuid::from_bytes(bytes?)))).collect()
}
