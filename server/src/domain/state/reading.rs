use std::collections::HashMap;

use i9chat_spec::{ChatId, Message, UserId, Watermark};

/// How far users are in chats, for as many of them as a batch asks for.
#[derive(Debug, Default)]
pub struct Reading(HashMap<ChatId, HashMap<UserId, Reader>>);

/// How far a user is in a chat. (RCP-1)
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// How far the user's clients have got it.
    pub delivered: Watermark,
    /// How far the user has read.
    pub read: Watermark,
    /// The newest messages of others above `read` that the user may see, in rising order, no more than are counted.
    pub unread: Vec<u64>,
}

impl Reader {
    /// How many messages are unread with a watermark, for who may see the chat up to an entry; counted up to a limit. (CHT-4)
    pub fn unread(&self, read: Watermark, up_to: Watermark, most: u64) -> u64 {
        let above = |mark: Watermark| self.unread.partition_point(|seq| *seq <= mark.get());
        (above(up_to).saturating_sub(above(read)) as u64).min(most)
    }
}

impl Reading {
    /// Notes what was stored.
    pub fn insert(&mut self, chat_id: ChatId, user_id: UserId, reader: Reader) {
        self.0.entry(chat_id).or_default().insert(user_id, reader);
    }

    /// How far a user is in a chat.
    pub fn of(&self, chat_id: ChatId, user_id: UserId) -> Option<&Reader> {
        self.0.get(&chat_id)?.get(&user_id)
    }

    pub(super) fn moved(&mut self, chat_id: ChatId, user_id: UserId, delivered: Watermark, read: Watermark) {
        if let Some(reader) = self.0.get_mut(&chat_id).and_then(|readers| readers.get_mut(&user_id)) {
            reader.delivered = delivered;
            reader.read = read;
        }
    }

    /// A member starts at the entry that lets them in. (RCP-6)
    pub(super) fn start(&mut self, chat_id: ChatId, user_id: UserId, at: Watermark) {
        if let Some(reader) = self.0.get_mut(&chat_id).and_then(|readers| readers.get_mut(&user_id)) {
            *reader = Reader { delivered: at, read: at, unread: Vec::new() };
        }
    }

    /// A message was written: it is unread for everybody but its sender.
    pub(super) fn written(&mut self, message: &Message) {
        for (user_id, reader) in self.0.get_mut(&message.chat_id).into_iter().flatten() {
            if *user_id != message.sender.user_id {
                reader.unread.push(message.seq.get());
            }
        }
    }
}
