//! How far users are in a chat.

use i9chat_server::domain::ChangeBody;
use i9chat_spec::{
    ChatId, Entry, Message, MessageStatus, User, UserId,
    api::receipts::{ChatReceipt, MessageReceipt},
};

use super::{Views, mark};

impl Views<'_> {
    /// How far a user is in a chat: delivered and read. (RCP-6)
    pub fn marks(self, user_id: UserId, chat_id: ChatId) -> (u64, u64) {
        let Some(start) = self.seen(user_id, chat_id).last().copied() else { return (0, 0) };
        let start_at = if self.is_group(chat_id) == Some(true) { start.from } else { 0 };
        let moved = self.changes().rev().find_map(|(position, body)| match body {
            ChangeBody::ReadStateChanged { user_id: who, state } if *who == user_id && state.chat_id == chat_id => {
                (position > start.after).then(|| (state.delivered.get(), state.read.get()))
            }
            _ => None,
        });
        moved.unwrap_or((start_at, start_at))
    }

    /// The messages of others that a user has not read. (CHT-4)
    pub fn unread(self, user_id: UserId, chat_id: ChatId) -> Vec<u64> {
        let (_, read) = self.marks(user_id, chat_id);
        let entries = self.entries(user_id, chat_id);
        let unread = entries.iter().filter_map(Entry::as_message).filter(|message| message.sender.user_id != user_id);
        unread.map(|message| message.seq.get()).filter(|seq| *seq > read).collect()
    }

    /// How far the members of a chat are, by name; in a direct chat its two users. (RCP-9)
    pub fn chat_receipts(self, chat_id: ChatId) -> Vec<ChatReceipt> {
        let pair = self.first_added(chat_id).and_then(|chat| chat.partner.as_ref()).map(|partner| {
            let opener = self.changes().find_map(|(_, body)| match body {
                ChangeBody::ChatAdded { user, chat, .. } if chat.chat_id == chat_id => Some(user.user_id),
                _ => None,
            });
            [opener.expect("a chat"), partner.user.user_id]
        });
        let belongs = |user: &User| match &pair {
            Some(pair) => pair.contains(&user.user_id),
            None => self.is_in(user.user_id, chat_id),
        };
        let members = self.by_name().into_iter().filter(|user| belongs(user));
        members
            .map(|user| {
                let (delivered, read) = self.marks(user.user_id, chat_id);
                ChatReceipt { user: user.clone(), delivered: mark(delivered), read: mark(read) }
            })
            .collect()
    }

    /// How far a message has come, in all and with each member whose present stretch holds it. (RCP-7, RCP-8)
    pub fn message_receipts(self, message: &Message) -> (MessageStatus, Vec<MessageReceipt>) {
        let holds = |user: &&User| {
            let seen = self.seen(user.user_id, message.chat_id);
            seen.last().is_some_and(|seen| seen.to.is_none() && seen.from <= message.seq.get())
        };
        let others = self.by_name().into_iter().filter(|user| user.user_id != message.sender.user_id).filter(holds);
        let receipts: Vec<_> = others
            .map(|user| {
                let (delivered, read) = self.marks(user.user_id, message.chat_id);
                let status = match message.seq.get() {
                    seq if seq <= read => MessageStatus::Read,
                    seq if seq <= delivered => MessageStatus::Delivered,
                    _ => MessageStatus::Sent,
                };
                MessageReceipt { user: user.clone(), status }
            })
            .collect();
        let status = receipts.iter().map(|receipt| receipt.status).min().unwrap_or(MessageStatus::Read);
        (status, receipts)
    }
}
