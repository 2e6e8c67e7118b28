use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatId, GroupSummary, MediaId, Message, Role, SessionId, Timestamp, User, UserId,
    event,
};
use rusqlite::{Connection, params};

use super::{
    cache::LogCache,
    load::{chat_row, user_row},
    rows::{self, integer},
};
use crate::{
    domain::{Change, ChangeBody, ChatState, Effect, GroupCreation, GroupState, Record},
    store::{
        StoreError,
        sqlite::{accounts, media},
    },
};

/// Writes changes to the log, and what they do to the tables beside it.
pub(super) fn append(connection: &Connection, cache: &mut LogCache, changes: &[Change]) -> Result<(), StoreError> {
    changes.iter().try_for_each(|change| Append { connection, cache, record: &change.record }.change(&change.body))
}

/// Writes what changes beside the log.
pub(super) fn take_effect(connection: &Connection, effects: &[Effect]) -> Result<(), StoreError> {
    effects.iter().try_for_each(|effect| accounts::take_effect(connection, effect))
}

/// Writes one change.
struct Append<'a> {
    connection: &'a Connection,
    cache: &'a mut LogCache,
    record: &'a Record,
}

/// Whom a row of the log is for, and what it holds besides the record.
#[derive(Default)]
struct Address {
    chat: Option<i64>,
    user: Option<i64>,
    seq: Option<i64>,
    sender: Option<i64>,
    client_id: Option<[u8; 16]>,
}

impl Append<'_> {
    fn change(mut self, body: &ChangeBody) -> Result<(), StoreError> {
        match body {
            ChangeBody::MessageCreated { message, .. } => self.message_created(message),
            ChangeBody::GroupActivity { activity, creation, .. } => self.group_activity(activity, creation.as_deref()),
            ChangeBody::ReactionChanged { chat_id, changed, .. } => self.reaction_changed(*chat_id, changed),
            ChangeBody::ReceiptsUpdated { chat_id, .. } => {
                let chat = self.chat(*chat_id)?;
                self.insert(&Address { chat: Some(chat), ..Address::default() })
            }
            ChangeBody::ChatAdded { user, order, chat } => self.chat_added(user, *order, chat),
            ChangeBody::MembershipEnded { user_id, ended, group } => self.membership_ended(*user_id, ended, group),
            ChangeBody::ReadStateChanged { user_id, state } => self.read_state_changed(*user_id, state),
            ChangeBody::ProfileChanged { user_id, profile } => {
                let user = self.user(*user_id)?;
                accounts::write_profile(self.connection, *user_id, profile)?;
                self.insert(&Address { user: Some(user), ..Address::default() })
            }
            ChangeBody::SessionEnded { user_id, session_id, at } => self.session_ended(*user_id, *session_id, *at),
        }
    }

    fn insert(&self, address: &Address) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO changes (position, tag, kind, chat, user, seq, sender, client_id, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        insert.execute(params![
            integer(self.record.place.position.0),
            integer(self.record.place.tag),
            rows::kind(self.record.event),
            address.chat,
            address.user,
            address.seq,
            address.sender,
            address.client_id,
            &*self.record.data,
        ])?;
        Ok(())
    }

    fn user(&mut self, user_id: UserId) -> Result<i64, StoreError> {
        user_row(self.connection, self.cache, user_id)
    }

    fn chat(&mut self, chat_id: ChatId) -> Result<i64, StoreError> {
        chat_row(self.cache, chat_id).ok_or_else(|| rows::corrupt("a change of a chat that was not read"))
    }

    fn position(&self) -> i64 {
        integer(self.record.place.position.0)
    }

    fn message_created(&mut self, message: &Message) -> Result<(), StoreError> {
        let (chat, sender) = (self.chat(message.chat_id)?, self.user(message.sender.user_id)?);
        let seq = integer(message.seq.get());
        for shown in message.content.media() {
            media::used_by_entry(self.connection, shown.media_id, chat, seq)?;
        }
        self.insert(&Address {
            chat: Some(chat),
            seq: Some(seq),
            sender: Some(sender),
            client_id: Some(*message.client_id.as_uuid().as_bytes()),
            user: None,
        })
    }

    fn group_activity(&mut self, activity: &Activity, creation: Option<&GroupCreation>) -> Result<(), StoreError> {
        let chat = self.chat(activity.chat_id)?;
        let seq = integer(activity.seq.get());
        self.change_group(chat, seq, activity)?;
        let mut address = Address { chat: Some(chat), seq: Some(seq), ..Address::default() };
        if let Some(creation) = creation {
            // So a retry finds it. Being the first entry it is nobody's unread message.
            address.sender = Some(self.user(activity.actor.user_id)?);
            address.client_id = Some(*creation.asked.client_id.as_uuid().as_bytes());
            let json = serde_json::to_string(creation).map_err(rows::corrupt)?;
            let mut keep = self.connection.prepare_cached("UPDATE chats SET creation = ?2 WHERE id = ?1")?;
            keep.execute(params![chat, json])?;
            if let Some(picture_id) = creation.asked.picture_id {
                media::used_by_entry(self.connection, picture_id, chat, seq)?;
            }
        }
        self.insert(&address)
    }

    /// What an activity does to the group itself. Who comes and goes is told by the changes to users beside it.
    fn change_group(&mut self, chat: i64, seq: i64, activity: &Activity) -> Result<(), StoreError> {
        let column = match activity.kind {
            ActivityKind::NameChanged => "name",
            ActivityKind::DescriptionChanged => "description",
            ActivityKind::PictureChanged => return self.picture_changed(chat, seq, activity),
            ActivityKind::AdminAdded | ActivityKind::AdminSucceeded => {
                return self.set_roles(chat, activity, Role::Admin);
            }
            ActivityKind::AdminRemoved => return self.set_roles(chat, activity, Role::Member),
            _ => return Ok(()),
        };
        let mut update = self.connection.prepare_cached(&format!("UPDATE chats SET {column} = ?2 WHERE id = ?1"))?;
        update.execute(params![chat, activity.to.as_deref().unwrap_or_default()])?;
        Ok(())
    }

    fn picture_changed(&mut self, chat: i64, seq: i64, activity: &Activity) -> Result<(), StoreError> {
        let parse = |text: &String| text.parse::<MediaId>().map_err(rows::corrupt);
        let picture_id = activity.to.as_ref().map(parse).transpose()?;
        if let Some(picture_id) = picture_id {
            media::used_by_entry(self.connection, picture_id, chat, seq)?;
        }
        let mut update = self.connection.prepare_cached("UPDATE chats SET picture_id = ?2 WHERE id = ?1")?;
        update.execute(params![chat, picture_id.map(|picture_id| *picture_id.as_uuid().as_bytes())])?;
        Ok(())
    }

    fn set_roles(&mut self, chat: i64, activity: &Activity, role: Role) -> Result<(), StoreError> {
        for target in &activity.targets {
            let user = self.user(target.user_id)?;
            let mut update =
                self.connection.prepare_cached("UPDATE members SET role = ?3 WHERE user = ?1 AND chat = ?2")?;
            update.execute([user, chat, rows::role_column(role)])?;
        }
        Ok(())
    }

    fn reaction_changed(&mut self, chat_id: ChatId, changed: &event::ReactionChanged) -> Result<(), StoreError> {
        let (chat, user) = (self.chat(chat_id)?, self.user(changed.user.user_id)?);
        let seq = integer(changed.seq.get());
        let mut gone =
            self.connection.prepare_cached("DELETE FROM reactions WHERE chat = ?1 AND seq = ?2 AND user = ?3")?;
        gone.execute([chat, seq, user])?;
        if let Some(emoji) = &changed.emoji {
            let mut set = self
                .connection
                .prepare_cached("INSERT INTO reactions (chat, seq, user, emoji) VALUES (?1, ?2, ?3, ?4)")?;
            set.execute(params![chat, seq, user, emoji.as_str()])?;
        }
        let mut empty = self.connection.prepare_cached("DELETE FROM reaction_counts WHERE chat = ?1 AND seq = ?2")?;
        empty.execute([chat, seq])?;
        let mut count = self
            .connection
            .prepare_cached("INSERT INTO reaction_counts (chat, seq, emoji, count) VALUES (?1, ?2, ?3, ?4)")?;
        for reaction in &changed.reactions {
            count.execute(params![chat, seq, reaction.emoji.as_str(), integer(reaction.count)])?;
        }
        self.insert(&Address { chat: Some(chat), ..Address::default() })
    }

    fn chat_added(&mut self, user: &User, order: u32, chat: &Chat) -> Result<(), StoreError> {
        let own = self.user(user.user_id)?;
        let row = match chat_row(self.cache, chat.chat_id) {
            Some(row) => row,
            None => self.make_chat(user, own, chat)?,
        };
        let stretch = chat.visible.last().ok_or_else(|| rows::corrupt("a chat was added that shows nothing"))?;
        let (from_seq, role) =
            (integer(stretch.from.get()), chat.group.as_ref().and_then(|group| group.role).unwrap_or(Role::Member));
        let mut member = self.connection.prepare_cached(
            "INSERT INTO members (user, chat, membership, role, opened_at, since_seq, since_order, delivered, read)
             VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (user, chat) DO UPDATE SET membership = 0, role = ?3, opened_at = ?4, since_seq = ?5,
                since_order = ?6, delivered = ?7, read = ?8, left_behind = NULL",
        )?;
        member.execute(params![
            own,
            row,
            rows::role_column(role),
            chat.opened_at.as_millis(),
            from_seq,
            order,
            integer(chat.delivered.get()),
            integer(chat.read.get()),
        ])?;
        self.count_members(row, 1)?;
        let mut begin = self
            .connection
            .prepare_cached("INSERT INTO stretches (user, chat, from_seq, from_position) VALUES (?1, ?2, ?3, ?4)")?;
        begin.execute(params![own, row, from_seq, self.position()])?;
        self.insert(&Address { chat: Some(row), user: Some(own), ..Address::default() })
    }

    fn make_chat(&mut self, user: &User, own: i64, chat: &Chat) -> Result<i64, StoreError> {
        let chat_id = chat.chat_id.as_uuid().as_bytes();
        let (row, state) = match (&chat.partner, &chat.group) {
            (Some(partner), _) => {
                let other = self.user(partner.user.user_id)?;
                let mut make = self
                    .connection
                    .prepare_cached("INSERT INTO chats (chat_id, low, high) VALUES (?1, ?2, ?3) RETURNING id")?;
                let row = make.query_row(params![chat_id, own.min(other), own.max(other)], |row| row.get(0))?;
                (row, ChatState::direct(chat.chat_id, user.clone(), partner.user.clone()))
            }
            (None, Some(group)) => {
                let mut make = self.connection.prepare_cached(
                    "INSERT INTO chats (chat_id, name, description, picture_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
                     RETURNING id",
                )?;
                let row = make.query_row(
                    params![
                        chat_id,
                        group.name.as_str(),
                        group.description.as_str(),
                        group.picture_id.map(|picture_id| *picture_id.as_uuid().as_bytes()),
                        chat.opened_at.as_millis(),
                    ],
                    |row| row.get(0),
                )?;
                (row, ChatState::group(chat.chat_id, GroupState::of(group, chat.opened_at)))
            }
            (None, None) => return Err(rows::corrupt("a chat of no kind")),
        };
        self.cache.remember(row, state);
        Ok(row)
    }

    fn membership_ended(
        &mut self,
        user_id: UserId,
        ended: &event::MembershipEnded,
        group: &GroupSummary,
    ) -> Result<(), StoreError> {
        let (chat, user) = (self.chat(ended.chat_id)?, self.user(user_id)?);
        let left_behind = serde_json::to_string(group).map_err(rows::corrupt)?;
        let mut member = self.connection.prepare_cached(
            "UPDATE members SET membership = ?3, role = 0, left_behind = ?4 WHERE user = ?1 AND chat = ?2",
        )?;
        member.execute(params![user, chat, rows::membership_column(ended.membership), left_behind])?;
        self.count_members(chat, -1)?;
        // The entry that let them out stands directly before this change. (GRP-18)
        let mut end = self.connection.prepare_cached(
            "UPDATE stretches SET to_seq = ?3, to_position = ?4 WHERE user = ?1 AND chat = ?2 AND to_seq IS NULL",
        )?;
        end.execute(params![user, chat, integer(ended.last_seq.get()), self.position() - 1])?;
        self.insert(&Address { chat: Some(chat), user: Some(user), ..Address::default() })
    }

    fn count_members(&self, chat: i64, more: i64) -> Result<(), StoreError> {
        let mut count = self
            .connection
            .prepare_cached("UPDATE chats SET members_count = members_count + ?2 WHERE id = ?1 AND name IS NOT NULL")?;
        count.execute([chat, more])?;
        Ok(())
    }

    fn read_state_changed(&mut self, user_id: UserId, state: &event::ReadStateChanged) -> Result<(), StoreError> {
        let (chat, user) = (self.chat(state.chat_id)?, self.user(user_id)?);
        let mut moved = self
            .connection
            .prepare_cached("UPDATE members SET delivered = ?3, read = ?4 WHERE user = ?1 AND chat = ?2")?;
        moved.execute([user, chat, integer(state.delivered.get()), integer(state.read.get())])?;
        self.insert(&Address { chat: Some(chat), user: Some(user), ..Address::default() })
    }

    fn session_ended(&mut self, user_id: UserId, session_id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        let user = self.user(user_id)?;
        let mut end = self.connection.prepare_cached("UPDATE sessions SET ended_at = ?2 WHERE session_id = ?1")?;
        end.execute(params![session_id.as_uuid().as_bytes(), at.as_millis()])?;
        self.insert(&Address { user: Some(user), ..Address::default() })
    }
}
